//! Value types. Each is parsed once at the edge, so that holding one proves that it is valid.

pub mod address;
pub mod country;
pub mod email;
pub mod id;
pub(crate) mod json_text;
pub mod language;
pub mod money;
pub mod name;
pub mod numbering;
pub mod phone;
pub mod prompt_ref;
pub mod text;
pub mod time;
pub mod time_zone;
