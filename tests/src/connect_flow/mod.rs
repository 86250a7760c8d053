//! Plays flow modules of Amazon Connect: the actions that the shipped module uses, and no others.
//!
//! No emulator of Connect exists, so the rules are those of its documents. They are the flow language
//! (<https://docs.aws.amazon.com/connect/latest/APIReference/flow-language.html>) and the Lambda block
//! (<https://docs.aws.amazon.com/connect/latest/adminguide/invoke-lambda-function-block.html>), both read 2026-11-26. The limit of a
//! sequence of functions is in <https://docs.aws.amazon.com/connect/latest/adminguide/connect-lambda-functions.html>, read 2026-11-27.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a flow that the rules forbid fails the test it is in"
)]

mod contact;
mod module;

pub use contact::{Contact, InvocationFault, Line, MODULE_STEPS_MAX};
pub use module::{Action, FlowModule};

/// The module that this repository ships.
pub const SHIPPED: &str = include_str!("../../../functions/agents/connect/module.json");
