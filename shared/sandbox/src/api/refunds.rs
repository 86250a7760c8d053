//! The operations on refunds.

use std::time::Duration;

use serde_json::{Value, json};

use super::StandIn;
use crate::calls::{ApiCall, ApiError, ApiReply, Form};
use crate::ids::{BodyDigest, id};
use crate::ledger::{Entry, SandboxObject};
use crate::objects::refund::StoredRefund;

/// The duration of the status `pending`.
const PENDING: Duration = Duration::from_secs(3);
/// The refunds of one page, unless the call asks for fewer.
const PAGE: usize = 100;

impl StandIn {
    /// Serves `POST /v1/refunds`. An amount that ends in `06` is pending for three seconds; one in `07` then fails.
    pub(crate) async fn make_refund(&self, call: &ApiCall<'_>) -> Result<ApiReply, ApiError> {
        let form = Form::of(call.body);
        let found = self.intent(&form.text("payment_intent")).await?;
        let Some((entry, mut intent)) = found else { return Ok(ApiReply::missing()) };
        let (now, body) = (self.now(), BodyDigest::of(call.body));
        if let Some(known) = intent.refunds.iter().find(|refund| refund.key == call.key) {
            if known.body != body {
                return Ok(ApiReply::key_reused());
            }
            return Ok(ApiReply::new(200, &known.to_json(&intent.id, known.made_at)));
        }
        if !intent.is_charged(now) {
            return Ok(ApiReply::invalid(400, "payment_intent_unexpected_state"));
        }
        let left = intent.amount.saturating_sub(intent.refunded(now));
        if left == 0 {
            return Ok(ApiReply::invalid(400, "charge_already_refunded"));
        }
        let amount = form.number("amount").unwrap_or(left);
        if amount > left {
            let error = json!({ "type": "invalid_request_error", "param": "amount" });
            return Ok(ApiReply::new(400, &json!({ "error": error })));
        }
        let slow = matches!(amount % 100, 6 | 7);
        let refund = StoredRefund {
            id: id("re_", call.key),
            key: call.key.to_owned(),
            body,
            amount,
            label: form.text("metadata[refund]"),
            made_at: now,
            until: if slow { now.after(PENDING) } else { now },
            fails: amount % 100 == 7,
        };
        let answer = ApiReply::new(200, &refund.to_json(&intent.id, now));
        intent.refunds.push(refund);
        self.ledger.write(&[&Entry { object: SandboxObject::Intent(intent), ..entry }]).await?;
        Ok(answer)
    }

    /// Serves `GET /v1/refunds?payment_intent=…`, newest first.
    pub(crate) async fn list_refunds(&self, call: &ApiCall<'_>) -> Result<ApiReply, ApiError> {
        let query = Form::of(call.query.as_bytes());
        let found = self.intent(&query.text("payment_intent")).await?;
        let Some((_, intent)) = found else { return Ok(ApiReply::missing()) };
        let limit = query.number("limit").and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.unwrap_or(PAGE).min(PAGE);
        let newest = intent.refunds.iter().rev();
        let rest: Vec<&StoredRefund> = match query.some("starting_after") {
            Some(after) => newest.skip_while(|refund| refund.id != after).skip(1).collect(),
            None => newest.collect(),
        };
        let now = self.now();
        let page = rest.iter().take(limit).map(|refund| refund.to_json(&intent.id, now));
        let data: Vec<Value> = page.collect();
        let body = json!({ "object": "list", "data": data, "has_more": rest.len() > limit });
        Ok(ApiReply::new(200, &body))
    }
}
