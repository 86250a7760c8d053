//! The scheduler: each step, the weights of a table choose what happens.

use super::environment::Outage;
use super::faults::FaultRates;
use super::plan::Failure;
use super::scenario::{Choice, IDLE, ProcessorFake};
use super::world::Simulation;
use crate::rng::Weights;

/// The most workers at once: more find no more races, and a run gets less far.
const WORKERS_MAX: usize = 6;

impl Simulation {
    /// Tells the opening of the scenario in peace, lets faults begin, and has the customer who was asked answer.
    pub(super) fn open(&mut self) -> Result<(), Failure> {
        for verb in self.plan.scenario.opening {
            self.action(*verb)?;
        }
        let mut environment = self.shared.lock();
        let faults = self.plan.faults.clone();
        let rng = &mut environment.rng;
        let faults = faults.unwrap_or_else(|| match self.plan.scenario.opening {
            [] => FaultRates::drawn(rng),
            [_, ..] => FaultRates::drawn_for_one(rng),
        });
        environment.begins(faults);
        drop(environment);
        if !self.plan.scenario.opening.is_empty() {
            self.answers();
        }
        Ok(())
    }

    /// One thing happens.
    pub(super) fn step(&mut self) -> Result<(), Failure> {
        self.steps = self.steps.saturating_add(1);
        let steps = self.steps;
        self.shared.lock().working_since = steps;
        self.attacker_acts();
        self.choose(self.plan.scenario.step);
        self.processors_act();
        self.checked()
    }

    /// Does one thing of a table.
    pub(super) fn choose(&mut self, table: &[Choice]) {
        let act = {
            let environment = &mut *self.shared.lock();
            let places: Vec<(u64, usize)> =
                table.iter().zip(0..).map(|((weight, ..), place)| (*weight, place)).collect();
            let chosen = environment.rng.weighted(&places).and_then(|place| table.get(place));
            chosen.map(|(_, name, act)| {
                environment.count(name);
                *act
            })
        };
        if let Some(act) = act {
            act(self);
        }
    }

    pub(super) fn weighted<T: Copy + Default>(&self, weights: &Weights<T>) -> T {
        self.shared.lock().rng.weighted(weights).unwrap_or_default()
    }

    fn is_free(&self) -> bool {
        self.workers.len() < WORKERS_MAX
    }

    pub(super) fn goes_on_or_delivers(&mut self) {
        if !self.workers.is_empty() {
            self.turn();
        } else if !self.deliver() {
            self.choose(IDLE);
        }
    }

    pub(super) fn delivers_if_free(&mut self) {
        let busy = !self.workers.is_empty();
        if !self.is_free() {
            self.turn();
        } else if !self.deliver() && !busy {
            self.choose(IDLE);
        }
    }

    pub(super) fn requester_acts(&mut self) {
        self.choose(self.plan.scenario.requester);
    }

    pub(super) fn customer_acts(&mut self) {
        self.choose(self.plan.scenario.customer);
    }

    pub(super) fn requester_acts_if_free(&mut self) {
        if self.is_free() { self.requester_acts() } else { self.turn() }
    }

    pub(super) fn customer_acts_if_free(&mut self) {
        if self.is_free() { self.customer_acts() } else { self.turn() }
    }

    pub(super) fn late_call_arrives(&mut self) {
        let now = self.now();
        self.shared.lock().arrive(now);
    }

    /// Does at each processor what is due there.
    pub(super) fn processors_act(&self) {
        if self.plan.scenario.processor == ProcessorFake::Adyen {
            let now = self.now();
            self.shared.lock().at_adyen(now);
        }
    }

    pub(super) fn rare(&mut self) {
        if self.happens(|faults| faults.rotation.saturating_mul(10)) {
            self.rotate();
        }
        if self.happens(|faults| faults.outage) {
            self.outage();
        }
        if self.happens(|faults| faults.twice) {
            self.duplicate();
        }
        if self.happens(|faults| faults.leap) && self.tables.sweep(self.now()).is_err() {
            self.trace(|| "the sweep fails".to_owned());
        }
    }

    /// A long outage of the processor begins or ends.
    fn outage(&self) {
        let environment = &mut *self.shared.lock();
        environment.outage = match (environment.outage, environment.rng.below(2)) {
            (Some(_), _) => None,
            (None, 0) => Some(Outage::RefusesKey),
            (None, _) => Some(Outage::Silent),
        };
        let outage = environment.outage;
        environment.trace(|| format!("the processor's outage: {outage:?}"));
    }
}
