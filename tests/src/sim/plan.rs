//! A run: its plan, its report, and how a failure is printed.

use std::collections::BTreeMap;

use super::faults::FaultRates;
use super::scenario::{AGENTS, STORM, Scenario};
use super::world::Simulation;

/// The length of a run and the faults that may happen in it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed that decides the whole run.
    pub seed: u64,
    /// The number of steps until faults stop.
    pub steps: u64,
    /// The rates of faults; `None` draws them from the seed.
    pub faults: Option<FaultRates>,
    /// The most requests that may be made.
    pub requests: u64,
    /// Whether the brand has rules of the seed's choice, or those every brand has.
    pub own_policy: bool,
    /// What can happen.
    pub scenario: &'static Scenario,
}

impl Plan {
    /// The usual run of a seed.
    #[must_use]
    pub const fn of(seed: u64) -> Self {
        Self { seed, steps: 2_200, faults: None, requests: 11, own_policy: true, scenario: &STORM }
    }

    /// The run of a seed in which AI agents call tools in any order.
    #[must_use]
    pub const fn of_agents(seed: u64) -> Self {
        Self { steps: 1_400, own_policy: false, scenario: &AGENTS, ..Self::of(seed) }
    }

    /// The run of a seed in which one customer goes through a scenario.
    #[must_use]
    pub const fn in_scenario(scenario: &'static Scenario, seed: u64) -> Self {
        Self { seed, steps: 240, faults: None, requests: 1, own_policy: false, scenario }
    }
}

/// The number of last steps that a failure prints.
const LAST: usize = 80;

/// A run that showed a fault.
#[derive(Debug)]
pub struct Failure {
    /// The seed of the run that failed.
    pub seed: u64,
    /// After how many steps.
    pub step: u64,
    /// What no longer holds.
    pub broken: Vec<String>,
    /// Everything that happened.
    pub trace: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "seed {} failed after step {}:", self.seed, self.step)?;
        for line in &self.broken {
            writeln!(f, "  {line}")?;
        }
        let last = self.trace.len().saturating_sub(LAST);
        writeln!(f, "the last steps:")?;
        for line in self.trace.iter().skip(last) {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

/// The counts of one or more runs.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The number of steps they took.
    pub steps: u64,
    /// The number of requests that came to each end.
    pub ends: BTreeMap<&'static str, u64>,
    /// How often requests came to each point that runs should reach.
    pub reached: BTreeMap<&'static str, u64>,
    /// How often each fault and each action happened.
    pub occurrences: BTreeMap<&'static str, u64>,
    /// How many attempts were made at the processor.
    pub attempts: u64,
    /// How many webhooks were delivered, and how many were given up on.
    pub webhooks: (u64, u64),
}

impl Report {
    /// Adds another report.
    pub fn add(&mut self, other: &Self) {
        self.steps = self.steps.saturating_add(other.steps);
        let maps = [
            (&mut self.ends, &other.ends),
            (&mut self.reached, &other.reached),
            (&mut self.occurrences, &other.occurrences),
        ];
        for (sums, counts) in maps {
            for (what, count) in counts {
                let sum = sums.entry(what).or_default();
                *sum = sum.saturating_add(*count);
            }
        }
        self.attempts = self.attempts.saturating_add(other.attempts);
        self.webhooks.0 = self.webhooks.0.saturating_add(other.webhooks.0);
        self.webhooks.1 = self.webhooks.1.saturating_add(other.webhooks.1);
    }
}

/// Runs a plan to its end and returns the report.
///
/// # Errors
/// A [`Failure`] that tells the last steps.
pub fn run(plan: &Plan) -> Result<Report, Failure> {
    let run_once = |trace: bool| -> Result<Report, Failure> {
        let broken = |error: Box<dyn std::error::Error>| Failure {
            seed: plan.seed,
            step: 0,
            broken: vec![error.to_string()],
            trace: Vec::new(),
        };
        let mut world = Simulation::new(plan.clone()).map_err(broken)?;
        world.shared.lock().trace = trace.then(Vec::new);
        world.open()?;
        for _ in 0..plan.steps {
            world.step()?;
        }
        world.quiesce()?;
        world.revisit_pages()?;
        Ok(world.report())
    };
    // A failed run is repeated with its log on, since logging takes time.
    run_once(false).or_else(|_| run_once(true))
}
