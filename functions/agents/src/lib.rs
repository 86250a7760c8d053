//! Lets AI agents and contact flows ask customers by themselves, over intake's library in the same process.
#![doc = include_str!("../README.md")]

pub mod asking;
mod callers;
mod connect;
mod dialogflow;
mod flow;
mod http_edge;
mod invocations;
mod lex;
pub mod mcp;

use std::sync::Arc;

use intake::Intake;

pub use callers::{Callers, InvalidCallers};
pub use http_edge::router;

/// Everything the surfaces can touch: intake, and nothing beside it.
pub struct Agents {
    /// Accepts, shows and changes requests.
    pub intake: Arc<Intake>,
    /// The platforms that invoke the function themselves.
    pub callers: Callers,
}
