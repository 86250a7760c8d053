//! Everything ends once faults stop (C3), and the report of a run.

use std::time::Duration;

use super::oracle::RequestRecord;
use super::plan::{Failure, Report};
use super::scenario::ProcessorFake;
use super::story_runner::VISA;
use super::world::Simulation;
use crate::providers::stripe::HostedAction;

impl Simulation {
    /// Stops faults and runs until everything has ended, in a bounded number of steps (C3). Returns the steps.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn quiesce(&mut self) -> Result<u64, Failure> {
        self.shared.lock().stops_faults();
        self.shared.lock().outage = None;
        self.trace(|| "faults stop".to_owned());
        // Dead letters are redriven twice: some messages die only now, of the faults before. An erasure may wait for a webhook
        // whose messages are dead letters. It looks every quarter of an hour, so that something is always due.
        let mut redrives = 2_u32;
        let bound = match self.plan.scenario.processor {
            // What an attacker wrote may never rest.
            _ if self.shared.lock().attacker.is_some() => 800,
            ProcessorFake::Stripe | ProcessorFake::SandboxStripe => 20_000,
            // A late webhook of Adyen takes five hours, and an open doubt is checked each ten seconds.
            ProcessorFake::Adyen => 100_000,
        };
        for step in 0..bound {
            self.steps = self.steps.saturating_add(1);
            let steps = self.steps;
            self.shared.lock().working_since = steps;
            let now = self.now();
            self.processors_act();
            let arrived = self.workers.is_empty() && self.shared.lock().arrive(now);
            if !self.workers.is_empty() {
                // A worker may wait for time to pass.
                self.clock.pass(Duration::from_millis(50));
                self.turn();
            } else if arrived
                || self.deliver()
                || self.repeats_oldest_unanswered()
                || self.receives_repeated_webhook()
            {
                // That was one step.
            } else if let Some(due) = self.next_due().filter(|_| redrives < 2 || step <= bound / 2)
            {
                self.clock.pass_until(due);
            } else if redrives > 0 {
                redrives = redrives.saturating_sub(1);
                self.redrive();
            } else {
                return self.run_to_rest();
            }
            self.checked()?;
        }
        self.shared.lock().oracle.broken.push(format!("C3: no rest within {bound} steps"));
        self.checked().map(|()| self.steps)
    }

    pub(super) fn report(&self) -> Report {
        let environment = self.shared.lock();
        let (reached, occurrences) =
            (environment.oracle.reached.clone(), environment.occurrences.clone());
        let mut report = Report { steps: self.steps, reached, occurrences, ..Report::default() };
        let has_attacker = environment.attacker.is_some();
        // What an attacker wrote may keep a request open.
        let ended = |seen: &&RequestRecord| !has_attacker || seen.request.is_closed();
        for seen in environment.oracle.requests.values().filter(ended) {
            let end = report.ends.entry(seen.request.state_name()).or_default();
            *end = end.saturating_add(1);
            let attempts = u64::try_from(seen.request.attempts.len()).unwrap_or(0);
            report.attempts = report.attempts.saturating_add(attempts);
            for webhook in seen.webhooks.values() {
                let (delivered, given_up) = &mut report.webhooks;
                let count = if webhook.given_up { given_up } else { delivered };
                *count = count.saturating_add(1);
            }
        }
        report
    }

    fn redrive(&self) {
        let count = self.tables.redrive();
        self.trace(|| format!("{count:?} dead letters are redriven"));
    }

    fn run_to_rest(&self) -> Result<u64, Failure> {
        let dead = self.tables.dead_letters().unwrap_or(1);
        let mut environment = self.shared.lock();
        let unfinished = environment.oracle.unfinished();
        let missing_thread_messages = environment.oracle.missing_thread_messages();
        environment.oracle.broken.extend(unfinished.into_iter().chain(missing_thread_messages));
        let odd_ways_out = environment.oracle.odd_ways_out(&environment.meta.cloud);
        environment.oracle.broken.extend(odd_ways_out);
        environment.compare_adyen();
        let records = &environment.oracle.records;
        let erased = [records.broken_erasures(&self.keeper.now()), records.broken_journals()];
        let miscounted = records.miscounted_ends();
        environment.oracle.broken.extend(erased.concat().into_iter().chain(miscounted));
        if dead > 0 {
            environment.oracle.broken.push(format!("C3: {dead} dead letters"));
        }
        drop(environment);
        self.checked().map(|()| self.steps)
    }

    /// Customers use the pages that they left open, much later. Nothing that ended may change.
    ///
    /// # Errors
    /// A [`Failure`].
    pub(super) fn revisit_pages(&mut self) -> Result<(), Failure> {
        self.clock.pass(Duration::from_secs(4_000));
        for tab in self.tabs.clone() {
            self.acts_at(&tab, HostedAction::Pays(VISA));
        }
        self.quiesce()?;
        self.replays_after_days()
    }
}
