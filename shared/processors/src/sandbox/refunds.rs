//! Refunds of the sandbox, each with the PaymentIntent whose charge it is of.

use std::time::Duration;

use domain::values::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::intents::Intent;
use super::ledger::{Digested, Entry, Object, id};
use super::standin::{Answer, Call, Form, StandIn, Stop};

/// How long a refund takes that does not go back at once.
const PENDING: Duration = Duration::from_secs(3);
/// How many refunds are listed at once, unless asked for fewer.
const PAGE: usize = 100;

/// A refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refund {
    id: String,
    key: String,
    body: Digested,
    /// As Stripe counts it.
    pub(super) amount: u64,
    label: String,
    made_at: Timestamp,
    /// Until when it is on its way.
    until: Timestamp,
    /// Whether it comes back then.
    fails: bool,
}

impl Refund {
    fn status(&self, now: Timestamp) -> &'static str {
        match (self.until <= now, self.fails) {
            (false, _) => "pending",
            (true, false) => "succeeded",
            (true, true) => "failed",
        }
    }

    /// Whether the money is gone, or on its way.
    pub(super) fn counts(&self, now: Timestamp) -> bool {
        self.status(now) != "failed"
    }

    /// As Stripe writes it.
    fn to_json(&self, intent: &str, now: Timestamp) -> Value {
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

impl Intent {
    /// How much of the charge was given back, or is on its way.
    pub(super) fn refunded(&self, now: Timestamp) -> u64 {
        let counted = self.refunds.iter().filter(|refund| refund.counts(now));
        counted.map(|refund| refund.amount).fold(0, u64::saturating_add)
    }
}

impl StandIn {
    /// `POST /v1/refunds`. The last two digits choose: `06` is on its way for three seconds, `07` for as long, and then
    /// the customer's bank does not take it.
    pub(super) async fn make_refund(&self, call: &Call<'_>) -> Result<Answer, Stop> {
        let form = Form::of(call.body);
        let found = self.intent(&form.text("payment_intent")).await?;
        let Some((entry, mut intent)) = found else { return Ok(Answer::missing()) };
        let (now, body) = (self.now(), Digested::of(call.body));
        if let Some(known) = intent.refunds.iter().find(|refund| refund.key == call.key) {
            if known.body != body {
                return Ok(Answer::key_reused());
            }
            return Ok(Answer::new(200, &known.to_json(&intent.id, known.made_at)));
        }
        if !intent.is_charged(now) {
            return Ok(Answer::invalid(400, "payment_intent_unexpected_state"));
        }
        let left = intent.amount.saturating_sub(intent.refunded(now));
        if left == 0 {
            return Ok(Answer::invalid(400, "charge_already_refunded"));
        }
        let amount = form.number("amount").unwrap_or(left);
        if amount > left {
            let error = json!({ "type": "invalid_request_error", "param": "amount" });
            return Ok(Answer::new(400, &json!({ "error": error })));
        }
        let slow = matches!(amount % 100, 6 | 7);
        let refund = Refund {
            id: id("re_", call.key),
            key: call.key.to_owned(),
            body,
            amount,
            label: form.text("metadata[refund]"),
            made_at: now,
            until: if slow { now.after(PENDING) } else { now },
            fails: amount % 100 == 7,
        };
        let answer = Answer::new(200, &refund.to_json(&intent.id, now));
        intent.refunds.push(refund);
        self.ledger.write(&[&Entry { object: Object::Intent(intent), ..entry }]).await?;
        Ok(answer)
    }

    /// `GET /v1/refunds?payment_intent=…`, newest first.
    pub(super) async fn list_refunds(&self, call: &Call<'_>) -> Result<Answer, Stop> {
        let query = Form::of(call.query.as_bytes());
        let found = self.intent(&query.text("payment_intent")).await?;
        let Some((_, intent)) = found else { return Ok(Answer::missing()) };
        let limit = query.number("limit").and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.unwrap_or(PAGE).min(PAGE);
        let newest = intent.refunds.iter().rev();
        let rest: Vec<&Refund> = match query.some("starting_after") {
            Some(after) => newest.skip_while(|refund| refund.id != after).skip(1).collect(),
            None => newest.collect(),
        };
        let now = self.now();
        let page = rest.iter().take(limit).map(|refund| refund.to_json(&intent.id, now));
        let data: Vec<Value> = page.collect();
        let body = json!({ "object": "list", "data": data, "has_more": rest.len() > limit });
        Ok(Answer::new(200, &body))
    }
}
