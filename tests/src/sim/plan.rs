//! A run: its plan, what it came to, and how it is told when it fails.

use std::collections::BTreeMap;

use super::faults::FaultRates;
use super::world::World;

/// How long a run is and what may go wrong in it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed of the run.
    pub seed: u64,
    /// How many steps until faults stop.
    pub steps: u64,
    /// What goes wrong; drawn from the seed where nothing is said.
    pub faults: Option<FaultRates>,
    /// How many requests may be made.
    pub requests: u64,
    /// Whether the brand has rules of the seed's choice, or those every brand has.
    pub own_policy: bool,
}

impl Plan {
    /// The usual run of a seed.
    #[must_use]
    pub const fn of(seed: u64) -> Self {
        Self { seed, steps: 1_500, faults: None, requests: 8, own_policy: true }
    }
}

/// How many steps a failure prints.
const LAST: usize = 80;

/// A run that showed a fault.
#[derive(Debug)]
pub struct Failure {
    /// The seed of the run.
    pub seed: u64,
    /// After how many steps.
    pub step: u64,
    /// What no longer held.
    pub broken: Vec<String>,
    /// Everything that happened.
    pub told: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "seed {} failed after step {}:", self.seed, self.step)?;
        for line in &self.broken {
            writeln!(f, "  {line}")?;
        }
        let last = self.told.len().saturating_sub(LAST);
        writeln!(f, "the last steps:")?;
        for line in self.told.iter().skip(last) {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

/// What runs came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many steps they took.
    pub steps: u64,
    /// How many requests came to each end.
    pub ends: BTreeMap<&'static str, u64>,
    /// How often each way was gone that a run should go.
    pub payment_options: BTreeMap<&'static str, u64>,
    /// How many attempts were made at the processor.
    pub attempts: u64,
    /// How many notices were delivered, and how many were given up on.
    pub webhooks: (u64, u64),
}

impl Report {
    /// Both together.
    pub fn add(&mut self, other: &Self) {
        self.steps = self.steps.saturating_add(other.steps);
        for (end, count) in &other.ends {
            let sum = self.ends.entry(end).or_default();
            *sum = sum.saturating_add(*count);
        }
        for (option, count) in &other.payment_options {
            let sum = self.payment_options.entry(option).or_default();
            *sum = sum.saturating_add(*count);
        }
        self.attempts = self.attempts.saturating_add(other.attempts);
        self.webhooks.0 = self.webhooks.0.saturating_add(other.webhooks.0);
        self.webhooks.1 = self.webhooks.1.saturating_add(other.webhooks.1);
    }
}

/// Runs a plan to its end, and says what it came to.
///
/// # Errors
/// A [`Failure`] that tells the last steps.
pub fn run(plan: &Plan) -> Result<Report, Failure> {
    let told = |told: bool| -> Result<Report, Failure> {
        let broken = |error: Box<dyn std::error::Error>| Failure {
            seed: plan.seed,
            step: 0,
            broken: vec![error.to_string()],
            told: Vec::new(),
        };
        let mut world = World::new(plan.clone()).map_err(broken)?;
        world.shared.lock().told = told.then(Vec::new);
        for _ in 0..plan.steps {
            world.step()?;
        }
        world.quiesce()?;
        Ok(world.report())
    };
    // A run that goes well records no story. A run that fails is run once more and recorded.
    told(false).or_else(|_| told(true))
}
