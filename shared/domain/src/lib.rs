//! Words, rules, ports and their laws.
//!
//! **Touches** nothing: it takes what is known and returns what follows.
//! **Never** waits, looks anything up, reads a clock or rolls dice.

pub mod authorization;
pub mod brand;
pub mod message;
pub mod ports;
pub mod sandbox;
pub mod values;
