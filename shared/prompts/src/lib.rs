//! Renders a request as the prompt that a channel sends, and previews it.
#![doc = include_str!("../README.md")]

mod preview;
mod rendering;

pub use preview::{Draft, preview};
pub use rendering::prompt;
