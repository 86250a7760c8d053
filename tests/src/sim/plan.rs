//! A run: its plan, what it came to, and how it is told when it fails.

use std::collections::BTreeMap;

use super::faults::FaultRates;
use super::world::World;

/// The length of a run and the faults that may happen in it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed of the run.
    pub seed: u64,
    /// The number of steps until faults stop.
    pub steps: u64,
    /// The rates of faults; `None` draws them from the seed.
    pub faults: Option<FaultRates>,
    /// The most requests that may be made.
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

/// The number of last steps that a failure prints.
const LAST: usize = 80;

/// A run that showed a fault.
#[derive(Debug)]
pub struct Failure {
    /// The seed of the run.
    pub seed: u64,
    /// After how many steps.
    pub step: u64,
    /// The rule that no longer held.
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

/// The totals of all runs.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The number of steps they took.
    pub steps: u64,
    /// The number of requests that came to each end.
    pub ends: BTreeMap<&'static str, u64>,
    /// How often each way was gone that a run should go.
    pub payment_options: BTreeMap<&'static str, u64>,
    /// The number of attempts at the processor.
    pub attempts: u64,
    /// The numbers of webhooks that were delivered and that were given up on.
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
