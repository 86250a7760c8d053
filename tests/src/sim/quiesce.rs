//! The rest that must come once nothing goes wrong any more (C3), and what was seen until then.

use std::time::Duration;

use domain::message::QueueName;

use super::faults::FaultRates;
use super::plan::{Failure, Report};
use super::world::World;

impl World {
    /// Faults stop: everything must come to rest, in a bounded number of steps (C3).
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn quiesce(&mut self) -> Result<u64, Failure> {
        self.shared.lock().faults = FaultRates::none();
        self.shared.lock().outage = None;
        self.say(|| "faults stop".to_owned());
        // An operator redrives the dead letters of the faults. Some messages die only now, from what they went
        // through before.
        let mut redrives = 2_u32;
        let bound = 20_000;
        for _ in 0..bound {
            self.steps = self.steps.saturating_add(1);
            let steps = self.steps;
            self.shared.lock().working_since = steps;
            let now = self.now();
            let arrived = self.workers.is_empty() && self.shared.lock().arrive(now);
            if !self.workers.is_empty() {
                // A worker may wait for time to pass.
                self.clock.pass(Duration::from_millis(50));
                self.turn();
            } else if arrived || self.deliver() || self.asks_again() {
                // That was one step.
            } else if let Some(due) = self.next_due() {
                self.clock.pass_until(due);
            } else if redrives > 0 {
                redrives = redrives.saturating_sub(1);
                self.redrive();
            } else {
                return self.rests();
            }
            self.checked()?;
        }
        self.shared.lock().oracle.broken.push(format!("C3: no rest within {bound} steps"));
        self.checked().map(|()| self.steps)
    }

    pub(super) fn report(&self) -> Report {
        let outside = self.shared.lock();
        let payment_options = outside.oracle.payment_options.clone();
        let mut report = Report { steps: self.steps, payment_options, ..Report::default() };
        for seen in outside.oracle.seen.values() {
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
        for queue in QueueName::ALL {
            let count = self.database.redrive(queue);
            self.say(|| format!("{count:?} dead letters of {} are redriven", queue.as_str()));
        }
    }

    fn rests(&self) -> Result<u64, Failure> {
        let dead = self.database.dead_letters().map_or(1, |letters| letters.len());
        let mut outside = self.shared.lock();
        let unsettled = outside.oracle.unsettled();
        outside.oracle.broken.extend(unsettled);
        if dead > 0 {
            outside.oracle.broken.push(format!("C3: {dead} dead letters"));
        }
        drop(outside);
        self.checked().map(|()| self.steps)
    }
}
