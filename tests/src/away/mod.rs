//! Seeded runs of a customer who pays or saves a card on the processor's own page. The customer may also be at their
//! bank, or pay with a card on file.
//!
//! The functions, the Stripe adapter and the sandbox's Stripe are those that ship. Every call between adapter and
//! Stripe can be lost before or after it acts. It can also arrive twice or much later, or be answered with 500.
//! Workers die, and writes and messages are lost. A request that is reported as paid was charged exactly once. Any
//! other request was never charged, not even by a page that was left open in another tab.

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
    /// The name of the story.
    pub story: &'static str,
    /// The seed of the run.
    pub seed: u64,
    /// The rule that no longer held.
    pub broken: String,
    /// The story of the run, as far as it was recorded.
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

/// The totals of all runs.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The number of runs.
    pub runs: u64,
    /// The number of runs that came to each end.
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
