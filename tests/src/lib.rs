//! Tests that need more than one crate.

pub mod aws_bill;
pub mod connect_flow;
pub mod doubles;
pub mod guards;
pub mod identity;
mod lock;
mod logs;
pub mod measured;
pub mod memory;
pub mod openapi;
pub mod process;
pub mod providers;
pub mod proxy;
pub mod rng;
pub mod sealing;
pub mod sim;
pub mod sweep;
pub mod targets;
pub mod world;
