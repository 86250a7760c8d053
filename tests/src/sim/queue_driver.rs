//! Delivers messages, once or more, and lets time pass.

use std::sync::Arc;
use std::time::Duration;

use domain::message::{Message, QueueName};
use domain::request::Request;
use domain::values::time::Timestamp;

use super::work::{Work, WorkFuture, WorkResult};
use super::world::Simulation;
use crate::rng::Weights;

/// The least time that a customer has on a processor's page.
const HOSTED_PAGE_TIME_MIN: Duration = Duration::from_secs(120);

/// The end of a wait.
#[derive(Clone, Copy, Debug, Default)]
enum Time {
    #[default]
    Moment,
    NextDue,
    Far,
    Deadline,
    SlowCall,
}

const TIMES: &Weights<Time> = &[
    (4, Time::Moment),
    (3, Time::NextDue),
    (1, Time::Far),
    (1, Time::Deadline),
    (1, Time::SlowCall),
];

impl Simulation {
    /// A message that is due goes to a worker.
    pub(super) fn deliver(&mut self) -> bool {
        let first = self.roll(3);
        let queues: Vec<QueueName> = QueueName::ALL
            .into_iter()
            .cycle()
            .skip(usize::try_from(first).unwrap_or(0))
            .take(3)
            .collect();
        for queue in queues {
            match self.tables.receive(queue, self.now()) {
                Ok(Some(received)) => {
                    self.trace(|| {
                        format!(
                            "delivers {:?}, time {}",
                            received.message.parts(),
                            received.receives
                        )
                    });
                    self.recent.push(received.message.clone());
                    let running = self.handling(received.message.clone());
                    self.employ(Work::Message(received), running);
                    return true;
                }
                Ok(None) => {}
                Err(error) => {
                    self.shared.lock().oracle.broken.push(format!("the queue failed: {error}"));
                }
            }
        }
        false
    }

    pub(super) fn handling(&self, message: Message) -> WorkFuture {
        let machine = Arc::clone(&self.machine);
        Box::pin(async move { WorkResult::Handled(machine.handle(&message).await) })
    }

    /// A message that was delivered a while ago is delivered once more.
    pub(super) fn duplicate(&mut self) {
        let message = self.shared.lock().rng.pick(&self.recent).cloned();
        if let Some(message) = message {
            self.trace(|| format!("delivers {:?} once more", message.parts()));
            let running = self.handling(message);
            self.employ(Work::Duplicate, running);
        }
    }

    /// The message that was delivered last is delivered once more.
    pub(super) fn duplicate_last(&mut self) {
        if let Some(message) = self.recent.last().cloned() {
            let running = self.handling(message);
            self.employ(Work::Duplicate, running);
        }
    }

    /// Time passes: a moment, to the next message, to a deadline, while a caller is slow, or by a leap.
    pub(super) fn time_passes(&mut self) {
        let calling = self.workers.iter().any(|worker| matches!(worker.work, Work::Create(_)));
        let far = |world: &Self| {
            let leaps = world.happens(|faults| faults.leap);
            // A leap takes hours, or days. The sandbox's ledger forgets an attempt within days, and no processor does.
            let most = match (leaps, world.roll(4)) {
                (false, _) => 100,
                (true, 0) if !world.credentials.sandbox => 250_000,
                (true, _) => 40_000,
            };
            Duration::from_secs(world.roll(most))
        };
        let by = match self.weighted(TIMES) {
            Time::Deadline if self.roll(4) == 0 => self.next_deadline(),
            // Shorter than any caller lives.
            Time::SlowCall if calling => Duration::from_secs(self.roll(28)),
            Time::Moment => Duration::from_millis(self.roll(3_000)),
            Time::NextDue => match self.next_due() {
                Some(due) => self.now().until(due).min(Duration::from_secs(1_000)),
                None => Duration::from_secs(self.roll(20)),
            },
            Time::Deadline | Time::SlowCall | Time::Far => far(self),
        };
        self.clock.pass(by);
        let now = self.now();
        self.trace(|| format!("{by:?} pass, it is {now}"));
    }

    /// Returns how long it is until a deadline is nearly over or just over. Deadlines on a processor's page come
    /// first.
    fn next_deadline(&self) -> Duration {
        let (now, environment) = (self.now(), &mut *self.shared.lock());
        let open = || {
            let seen = environment.oracle.requests.values().map(|seen| &seen.request);
            seen.filter(|request| !request.is_closed() && request.expires_at >= now)
        };
        let away: Vec<Timestamp> = open().filter_map(leaves_at).collect();
        let asked = || open().map(|request| request.expires_at).collect();
        let deadlines = if away.is_empty() { asked() } else { away };
        let deadline = environment.rng.pick(&deadlines).copied().unwrap_or(now);
        let before = Duration::from_millis(environment.rng.below(6_000));
        let beyond = Duration::from_millis(environment.rng.below(1_500));
        now.until(deadline).saturating_sub(before).saturating_add(beyond)
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let (late, adyen) = {
            let environment = self.shared.lock();
            (environment.late.iter().map(|(at, _)| *at).min(), environment.adyen.next_due())
        };
        self.tables.next_due().into_iter().chain(late).chain(adyen).min()
    }
}

/// Returns until when a customer may be on a processor's page, if they are.
fn leaves_at(request: &Request) -> Option<Timestamp> {
    let redirect = request.open_attempt()?.redirect.as_ref()?;
    Some(request.expires_at.max(redirect.at.after(HOSTED_PAGE_TIME_MIN)))
}
