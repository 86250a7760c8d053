//! The rates of faults. The seed draws them, so that some runs have none of a kind and some have many.

use crate::rng::Rng;

macro_rules! fault_rates {
    ($($(#[$doc:meta])* $name:ident: $most:literal or $most_of_one:literal,)*) => {
        /// The rate of each fault, in a thousand.
        #[derive(Clone, Debug, Default)]
        pub struct FaultRates { $($(#[$doc])* pub $name: u64,)* }

        impl FaultRates {
            /// Returns each rate with the most that a storm draws for it, and a scenario of one customer.
            const fn all(&mut self) -> [(&mut u64, u64, u64); [$($most,)*].len()] {
                [$((&mut self.$name, $most, $most_of_one),)*]
            }
        }
    };
}

fault_rates! {
    /// The store does not answer and did nothing.
    store_down: 80 or 20,
    /// The store made the changes and does not answer.
    write_lost: 150 or 30,
    /// A transaction fails because another one touched the same item.
    conflict: 150 or 20,
    /// The queue took nothing.
    queue_down: 100 or 20,
    /// The queue took the message and does not answer.
    send_lost: 150 or 30,
    /// A message comes twice.
    twice: 200 or 30,
    /// A message comes later than asked for.
    delayed: 300 or 100,
    /// The deletion of a handled message is lost.
    delete_lost: 200 or 100,
    /// The secrets store does not answer.
    secrets_down: 60 or 20,
    /// A call is not sent.
    not_sent: 150 or 100,
    /// A call is sent, has no effect and gets no answer.
    call_lost: 150 or 250,
    /// A call has its effect, and its answer is lost.
    answer_lost: 300 or 400,
    /// A call gets no answer and has its effect much later.
    acts_late: 150 or 250,
    /// A processor gets a call twice.
    acts_twice: 150 or 300,
    /// The other side answers 500 and does nothing.
    breaks_before: 150 or 100,
    /// The other side acts and answers 500; a repeat learns the truth.
    breaks_after: 200 or 250,
    /// Stripe acts and keeps a 500 as the answer of the idempotency key.
    fails_for_good: 40 or 200,
    /// The other side is busy: 429, or 409 at Stripe, or 503 at Adyen.
    busy: 150 or 250,
    /// The processor rejects our key for no reason.
    refuses_key: 60 or 20,
    /// How often, in a thousand rare steps, a long outage of the processor begins or ends.
    outage: 500 or 100,
    /// A worker dies, at each of its uses of a port.
    crash: 60 or 25,
    /// How often, in a thousand rare steps, a secret is rotated.
    rotation: 20 or 20,
    /// A provider's receipt never comes.
    receipt_lost: 500 or 500,
    /// A requester's endpoint accepts no webhook.
    endpoint_down: 700 or 0,
    /// The wall clock leaps by minutes or hours.
    leap: 40 or 0,
    /// A worker outlives its function's timeout.
    zombie: 300 or 300,
    /// The processor forgets its idempotency keys soon, in the whole run.
    forgets: 1000 or 300,
    /// The answer of a key at Adyen is an error, although the acquirer acted.
    acquirer_silent: 80 or 80,
    /// A webhook of Adyen takes hours.
    late_webhooks: 200 or 200,
    /// A webhook of Adyen comes twice.
    webhooks_twice: 150 or 150,
}

impl FaultRates {
    /// Nothing goes wrong.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Draws the rates of one run: each kind is off, rare or common.
    pub fn drawn(rng: &mut Rng) -> Self {
        if rng.happens(80) {
            return Self::none();
        }
        let mut faults = Self::none();
        for (place, most, _) in faults.all() {
            *place = match rng.below(6) {
                0 | 1 => 0,
                2..=4 => rng.between(1, (most / 6).max(1)),
                _ => rng.between(1, most),
            };
        }
        faults
    }
    /// Draws the rates of a scenario of one customer, whose few calls fail more often.
    pub fn drawn_for_one(rng: &mut Rng) -> Self {
        if rng.happens(60) {
            return Self::none();
        }
        let mut faults = Self::none();
        for (place, _, most) in faults.all() {
            *place = match rng.below(3) {
                0 => 0,
                1 => rng.between(0, most / 3),
                _ => rng.between(0, most),
            };
        }
        faults
    }
}
