//! The whole machine under a seed.
//!
//! The invariants hold at each step, and each request and each message comes to an end.

mod found;
mod pairs;
mod refunding;
mod scenarios;
mod seeds;
mod states;
mod stories;
