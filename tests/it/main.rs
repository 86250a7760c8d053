//! What needs more than one crate, in one binary.

#[cfg(test)]
mod stripe;
