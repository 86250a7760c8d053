//! Refunds: of the fake Stripe and of the sandbox.

use std::time::Duration;

use domain::values::time::Timestamp;
use ports::Write;
use serde_json::{Value, json};

use super::{Status, Stripe, entry, fault, fields};
use crate::providers::Answer;

/// How long money takes that does not go back at once.
const PENDING: Duration = Duration::from_secs(3);

/// A refund in the processor's books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefundEntry {
    /// The processor's id for it.
    id: String,
    /// The request and the number of its refund: what we call it by.
    pub(crate) label: String,
    /// The PaymentIntent whose charge it is of.
    pub(crate) charge: String,
    pub(crate) amount: u64,
    /// Until when it is on its way.
    until: Timestamp,
    /// Whether it comes back then.
    fails: bool,
}

impl RefundEntry {
    pub(crate) fn status(&self, now: Timestamp) -> &'static str {
        match (self.until <= now, self.fails) {
            (false, _) => "pending",
            (true, false) => "succeeded",
            (true, true) => "failed",
        }
    }

    fn to_json(&self, now: Timestamp) -> Value {
        let status = self.status(now);
        json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "payment_intent": self.charge,
            "status": status,
            "failure_reason": (status == "failed").then_some("lost_or_stolen_card"),
            "metadata": { "refund": self.label },
        })
    }

    /// Reads refunds from writes to the sandbox's ledger, without the sandbox's code.
    pub(crate) fn by_sandbox(writes: &[Write]) -> Vec<Self> {
        let mut all = Vec::new();
        for entry in writes.iter().filter_map(entry) {
            let charge = entry.pointer("/intent/id").and_then(Value::as_str).unwrap_or_default();
            let refunds = entry.pointer("/intent/refunds").and_then(Value::as_array);
            all.extend(refunds.into_iter().flatten().filter_map(|refund| {
                let text = |name| refund.get(name).and_then(Value::as_str).map(str::to_owned);
                let until = refund.get("until").cloned()?;
                Some(Self {
                    id: text("id")?,
                    label: text("label")?,
                    charge: charge.to_owned(),
                    amount: refund.get("amount")?.as_u64()?,
                    until: serde_json::from_value(until).ok()?,
                    fails: refund.get("fails")?.as_bool()?,
                })
            }));
        }
        all
    }
}

impl Stripe {
    /// Answers `POST /v1/refunds`. Amounts ending in `06` take a while, and those in `07` fail after it.
    pub(crate) fn create_refund(&mut self, body: &[u8], now: Timestamp) -> Answer {
        let text = fields(body);
        let charge = text("payment_intent");
        let intent = match self.find(&charge, now) {
            Ok(intent) => intent.clone(),
            Err(answer) => return answer,
        };
        if intent.status != Status::Succeeded {
            return fault(400, "invalid_request_error", "payment_intent_unexpected_state");
        }
        let left = intent.amount.saturating_sub(self.refunded_total(&charge, now));
        let amount = text("amount").parse().unwrap_or(left);
        if left == 0 {
            return fault(400, "invalid_request_error", "charge_already_refunded");
        }
        if amount > left {
            let error = json!({ "type": "invalid_request_error", "param": "amount" });
            return (400, json!({ "error": error }));
        }
        let slow = matches!(amount % 100, 6 | 7);
        let refund = RefundEntry {
            id: format!("re_sim{:06}", self.refunds.len()),
            label: text("metadata[refund]"),
            charge,
            amount,
            until: if slow { now.after(PENDING) } else { now },
            fails: amount % 100 == 7,
        };
        let answer = refund.to_json(now);
        self.refunds.push(refund);
        let kind = if slow { "refund.updated" } else { "refund.created" };
        self.queue_event(kind, &intent.request);
        (200, answer)
    }

    /// `GET /v1/refunds?payment_intent=…`, newest first.
    pub(crate) fn list_refunds(&self, query: &str, now: Timestamp) -> Answer {
        let charge = fields(query.as_bytes())("payment_intent");
        let of = self.refunds.iter().rev().filter(|refund| refund.charge == charge);
        let data: Vec<Value> = of.map(|refund| refund.to_json(now)).collect();
        (200, json!({ "object": "list", "data": data, "has_more": false }))
    }

    /// Sums what went back of a charge, or is on its way.
    fn refunded_total(&self, charge: &str, now: Timestamp) -> u64 {
        let of = |refund: &&RefundEntry| refund.charge == charge && refund.status(now) != "failed";
        let amounts = self.refunds.iter().filter(of).map(|refund| refund.amount);
        amounts.fold(0, u64::saturating_add)
    }

    /// Returns how often the money of one refund went back, or is on its way.
    pub(crate) fn times_refunded(&self, label: &str, now: Timestamp) -> usize {
        let of = |refund: &&RefundEntry| refund.label == label && refund.status(now) != "failed";
        self.refunds.iter().filter(of).count()
    }

    /// Returns how often money went back of a request, for good.
    #[must_use]
    pub fn refunds_of(&self, request: &str, now: Timestamp) -> usize {
        let of = |refund: &&RefundEntry| {
            let ours = refund.label.rsplit_once('-').is_some_and(|(known, _)| known == request);
            ours && refund.status(now) == "succeeded"
        };
        self.refunds.iter().filter(of).count()
    }
}
