//! Which faults happen, and how often. The seed draws the rates, so that some runs lack a kind and others have many.

use super::rng::Rng;

/// How many times in a thousand each thing happens where it can.
#[derive(Clone, Debug, Default)]
pub struct FaultRates {
    /// The store does not answer, and did nothing.
    pub store_down: u64,
    /// The store made the changes, and does not answer.
    pub write_lost: u64,
    /// A transaction fails because another touched the same item in that moment.
    pub conflict: u64,
    /// The queue took nothing.
    pub queue_down: u64,
    /// The queue took the message, and does not answer.
    pub send_lost: u64,
    /// A message comes twice.
    pub twice: u64,
    /// A message comes later than asked for.
    pub delayed: u64,
    /// The deletion of a message that was handled is lost.
    pub delete_lost: u64,
    /// The keeper of secrets does not answer.
    pub secrets_down: u64,
    /// A call is not sent.
    pub not_sent: u64,
    /// A call is sent, is not acted on, and gets no answer.
    pub call_lost: u64,
    /// A call is acted on, and its answer is lost.
    pub answer_lost: u64,
    /// A call gets no answer, and is acted on much later.
    pub acts_late: u64,
    /// The other side answers 500 and does nothing.
    pub breaks_before: u64,
    /// The other side acts, and answers 500.
    pub breaks_after: u64,
    /// The other side is busy: 429, or 409 at the processor.
    pub busy: u64,
    /// The processor refuses our key for no reason.
    pub refuses_key: u64,
    /// The processor refuses our key, or says nothing, for long: how often that begins or ends, per thousand idle steps.
    pub outage: u64,
    /// A worker dies, at each of its uses of a port.
    pub crash: u64,
    /// A secret is rotated, per thousand idle steps.
    pub rotation: u64,
    /// A provider's receipt never comes.
    pub receipt_lost: u64,
    /// A requester's endpoint does not take a notice.
    pub endpoint_down: u64,
    /// The wall clock leaps by minutes or hours.
    pub leap: u64,
    /// A worker outlives its function's timeout.
    pub zombie: u64,
    /// The processor forgets its idempotency keys soon, in the whole run.
    pub forgets: u64,
}

impl FaultRates {
    /// Nothing goes wrong.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The faults of one run: each kind is off, rare or common.
    pub fn drawn(rng: &mut Rng) -> Self {
        if rng.happens(80) {
            return Self::none();
        }
        let mut faults = Self::none();
        for (place, most) in faults.all() {
            *place = match rng.below(6) {
                0 | 1 => 0,
                2..=4 => rng.between(1, (most / 6).max(1)),
                _ => rng.between(1, most),
            };
        }
        faults
    }

    /// Each kind with the most there may be of it.
    fn all(&mut self) -> [(&mut u64, u64); 25] {
        [
            (&mut self.store_down, 80),
            (&mut self.write_lost, 150),
            (&mut self.conflict, 150),
            (&mut self.queue_down, 100),
            (&mut self.send_lost, 150),
            (&mut self.twice, 200),
            (&mut self.delayed, 300),
            (&mut self.delete_lost, 200),
            (&mut self.secrets_down, 60),
            (&mut self.not_sent, 150),
            (&mut self.call_lost, 150),
            (&mut self.answer_lost, 300),
            (&mut self.acts_late, 150),
            (&mut self.breaks_before, 150),
            (&mut self.breaks_after, 200),
            (&mut self.busy, 150),
            (&mut self.refuses_key, 60),
            (&mut self.outage, 500),
            (&mut self.crash, 60),
            (&mut self.rotation, 20),
            (&mut self.receipt_lost, 500),
            (&mut self.endpoint_down, 700),
            (&mut self.leap, 40),
            (&mut self.zombie, 300),
            (&mut self.forgets, 1000),
        ]
    }
}
