//! What needs more than one crate.

pub mod proxy;
