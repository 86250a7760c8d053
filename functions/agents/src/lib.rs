//! Lets AI agents and contact flows ask customers by themselves, over intake's library in the same process.
#![doc = include_str!("../README.md")]

pub mod asking;
mod http_edge;
pub mod mcp;

use std::sync::Arc;

use intake::Intake;

pub use http_edge::router;

/// Everything the surfaces can touch: intake, and nothing beside it.
pub struct Agents {
    /// Accepts, shows and changes requests.
    pub intake: Arc<Intake>,
}
