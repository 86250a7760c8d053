//! The store, queue and secrets ports on one machine.
