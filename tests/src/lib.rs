//! What needs more than one crate.

pub mod doubles;
pub mod process;
pub mod proxy;
pub mod sim;
pub mod world;
