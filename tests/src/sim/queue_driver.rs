//! Messages and time in the world: what is delivered, once or more, and what comes due.

use std::sync::Arc;
use std::time::Duration;

use domain::message::{Message, QueueName};
use domain::request::Request;
use domain::values::time::Timestamp;

use super::work::{End, Running, Work};
use super::world::World;

/// How long a customer has on a processor's page in any case.
const AWAY: Duration = Duration::from_secs(120);

impl World {
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
            match self.database.receive(queue, self.now()) {
                Ok(Some(received)) => {
                    self.say(|| {
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

    pub(super) fn handling(&self, message: Message) -> Running {
        let machine = Arc::clone(&self.machine);
        Box::pin(async move { End::Handled(machine.handle(&message).await) })
    }

    /// A message that was delivered a while ago is delivered once more.
    pub(super) fn duplicate(&mut self) {
        let message = self.shared.lock().rng.pick(&self.recent).cloned();
        if let Some(message) = message {
            self.say(|| format!("delivers {:?} once more", message.parts()));
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

    /// Lets time pass: a moment, a leap, or as long as a caller is slow. It can also pass until something is due or a
    /// deadline is over.
    pub(super) fn time_passes(&mut self) {
        let calling = self.workers.iter().any(|worker| matches!(worker.work, Work::Create(_)));
        let by = match self.roll(10) {
            8 if self.roll(4) == 0 => self.next_deadline(),
            // Shorter than any caller lives.
            9 if calling => Duration::from_secs(self.roll(28)),
            0..=3 => Duration::from_millis(self.roll(3_000)),
            4..=6 => match self.next_due() {
                Some(due) => self.now().until(due).min(Duration::from_secs(1_000)),
                None => Duration::from_secs(self.roll(20)),
            },
            _ if self.happens(|faults| faults.leap) => Duration::from_secs(self.roll(40_000)),
            _ => Duration::from_secs(self.roll(100)),
        };
        self.clock.pass(by);
        let now = self.now();
        self.say(|| format!("{by:?} pass, it is {now}"));
    }

    /// How long until a deadline is nearly over, or just over. Prefers that of a customer on a processor's page.
    fn next_deadline(&self) -> Duration {
        let (now, outside) = (self.now(), &mut *self.shared.lock());
        let open = || {
            let seen = outside.oracle.seen.values().map(|seen| &seen.request);
            seen.filter(|request| !request.is_closed() && request.expires_at >= now)
        };
        let away: Vec<Timestamp> = open().filter_map(leaves_at).collect();
        let asked = || open().map(|request| request.expires_at).collect();
        let deadlines = if away.is_empty() { asked() } else { away };
        let deadline = outside.rng.pick(&deadlines).copied().unwrap_or(now);
        let before = Duration::from_millis(outside.rng.below(6_000));
        let beyond = Duration::from_millis(outside.rng.below(1_500));
        now.until(deadline).saturating_sub(before).saturating_add(beyond)
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let late = self.shared.lock().late.iter().map(|(at, _)| *at).min();
        let due =
            QueueName::ALL.into_iter().filter_map(|queue| self.database.next_due(queue).ok()?);
        due.chain(late).min()
    }
}

/// Until when a customer may be on a processor's page, if they are.
fn leaves_at(request: &Request) -> Option<Timestamp> {
    let redirect = request.open_attempt()?.redirect.as_ref()?;
    Some(request.expires_at.max(redirect.at.after(AWAY)))
}
