//! The whole machine under a seed: what must hold holds at every step, and everything comes to rest.

mod found;
mod pairs;
mod refunding;
mod scenarios;
mod seeds;
mod states;
mod stories;
