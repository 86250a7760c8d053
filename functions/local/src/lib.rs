//! The four functions on one machine.
