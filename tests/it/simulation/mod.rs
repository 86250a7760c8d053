//! The whole machine under a seed.
//!
//! The invariants hold at each step, and each request and each message comes to an end.

mod away;
mod crash_everywhere;
mod found;
mod pairs;
mod refunding;
mod seeds;
mod states;
