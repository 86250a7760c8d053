//! The small words: each is parsed once at the edge, and holding one is the proof that it is valid.

pub mod id;
pub mod language;
pub mod money;
pub mod name;
pub mod phone;
pub mod text;
pub mod time;
