//! Refunds, each stored with its PaymentIntent.

use domain::values::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ids::BodyDigest;

/// A refund, as the ledger stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredRefund {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) body: BodyDigest,
    /// The amount in Stripe's minor units.
    pub(crate) amount: u64,
    pub(crate) label: String,
    pub(crate) made_at: Timestamp,
    /// The time until which the refund is pending.
    pub(crate) until: Timestamp,
    /// Whether the refund fails after that time.
    pub(crate) fails: bool,
}

impl StoredRefund {
    fn status(&self, now: Timestamp) -> &'static str {
        match (self.until <= now, self.fails) {
            (false, _) => "pending",
            (true, false) => "succeeded",
            (true, true) => "failed",
        }
    }

    /// Returns whether the refund succeeded or is pending.
    pub(crate) fn counts(&self, now: Timestamp) -> bool {
        self.status(now) != "failed"
    }

    /// Returns Stripe's JSON.
    pub(crate) fn to_json(&self, intent: &str, now: Timestamp) -> Value {
        let status = self.status(now);
        json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "payment_intent": intent,
            "status": status,
            "failure_reason": (status == "failed").then_some("expired_or_canceled_card"),
            "metadata": { "refund": self.label },
        })
    }
}
