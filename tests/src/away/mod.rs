//! Seeded runs of a customer who pays, or leaves a card, on the processor's own page, at their bank or with a card on file.
//!
//! The functions, the Stripe adapter and the sandbox's Stripe are those that ship; between adapter and Stripe every call can
//! be lost before or after it acts, arrive twice or much later, or be told 500; workers die, writes and messages are lost.
//! However it goes, a request that is told as paid was charged once, and any other never, not even by a page that
//! somebody left open in another tab.

mod acts;
mod outside;
mod ports;
mod stories;
mod till;

use crate::lock::lock;
use std::collections::BTreeMap;

pub use stories::{Gives, STORIES, Story};
pub use till::Till;

/// A run that showed a fault.
#[derive(Debug)]
pub struct Failure {
    /// Which story it was.
    pub story: &'static str,
    /// The seed.
    pub seed: u64,
    /// What no longer held.
    pub broken: String,
    /// What happened, as far as somebody wanted to read it.
    pub told: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in &self.told {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "{} with seed {}: {}", self.story, self.seed, self.broken)
    }
}

/// What runs came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many there were.
    pub runs: u64,
    /// How many came to each end.
    pub ends: BTreeMap<String, u64>,
    /// How often each kind of thing happened.
    pub happened: BTreeMap<&'static str, u64>,
}

impl Report {
    /// Both together.
    pub fn add(&mut self, other: &Self) {
        self.runs = self.runs.saturating_add(other.runs);
        for (end, count) in &other.ends {
            let sum = self.ends.entry(end.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
        for (what, count) in &other.happened {
            let sum = self.happened.entry(*what).or_default();
            *sum = sum.saturating_add(*count);
        }
    }
}
