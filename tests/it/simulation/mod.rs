//! The whole machine under a seed: what must hold holds at every step, and everything comes to rest.

mod away;
mod crash_everywhere;
mod found;
mod pairs;
mod refunding;
mod seeds;
mod states;
