//! A refund: made, and found again among those of a charge.

use domain::guards::{self, Guard};
use domain::ports::{Reference, Refund, Refunded};
use serde::Deserialize;

use super::{Reply, Request, is_id};
use crate::stripe::errors;
use crate::stripe::form::Form;
use crate::stripe::keys;

/// How many refunds of a charge are asked for at once; Stripe's most.
const PAGE: u32 = 100;

/// What a refund is found again by, after its idempotency key is forgotten.
fn label(refund: &Refund<'_>) -> String {
    format!("{}-{}", refund.request, refund.seq)
}

/// The money goes back.
pub(in crate::stripe) fn create(refund: &Refund<'_>, charge: &str, amount: u64) -> Request {
    let form = Form::default()
        .field(&["payment_intent"], charge)
        .field(&["amount"], amount)
        .field(&["metadata", "refund"], label(refund))
        .field(&["metadata", "request_id"], refund.request);
    let key = keys::refund_key(refund.request, refund.seq);
    Request::post("/v1/refunds", Some(key), form).that_moves_money()
}

/// The refunds of a charge, newest first.
pub(in crate::stripe) fn list(charge: &str, after: Option<&str>) -> Request {
    let query = Form::default()
        .field(&["payment_intent"], charge)
        .field(&["limit"], PAGE)
        .field_if_some(&["starting_after"], after);
    Request::get("/v1/refunds", query)
}

#[derive(Deserialize)]
struct Object {
    id: String,
    object: String,
    amount: Option<u64>,
    status: Option<String>,
    failure_reason: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    refund: Option<String>,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Object>,
    #[serde(default)]
    has_more: bool,
}

/// What an answer to a refund means.
pub(in crate::stripe) fn outcome(reply: &Reply, amount: u64) -> Refunded {
    if !reply.status.is_success() {
        return errors::not_refunded(reply);
    }
    match serde_json::from_slice::<Object>(&reply.body) {
        Ok(object) => stands(object, amount),
        Err(_) => Refunded::Unknown,
    }
}

/// Where a refund stands.
fn stands(object: Object, amount: u64) -> Refunded {
    let is_refund = object.object == "refund"
        && (is_id(&object.id, "re_") || is_id(&object.id, "pyr_"))
        && object.amount == Some(amount);
    if !is_refund {
        return Refunded::Unknown;
    }
    match object.status.as_deref() {
        Some("succeeded") => Refunded::Done(Reference(object.id)),
        Some("pending") if guards::is_disabled(Guard::PendingRefundIsNotDone) => {
            Refunded::Done(Reference(object.id))
        }
        // `requires_action` waits for the customer to say where to; cards never do.
        Some("pending" | "requires_action") => Refunded::Pending(Reference(object.id)),
        Some("canceled") => Refunded::Failed { code: "refund_canceled" },
        Some("failed") => Refunded::Failed { code: failed(object.failure_reason.as_deref()) },
        Some(_) | None => Refunded::Unknown,
    }
}

/// Why a refund failed that was taken at first.
fn failed(reason: Option<&str>) -> &'static str {
    match reason {
        Some("lost_or_stolen_card" | "expired_or_canceled_card") => "card_unavailable",
        Some("insufficient_funds") => "balance_insufficient",
        Some("charge_for_pending_refund_disputed") => "disputed",
        Some("declined") => "refund_declined",
        Some("merchant_request") => "refund_canceled",
        // `unknown`, and whatever comes to be.
        Some(_) | None => "refund_failed",
    }
}

/// What a page of a charge's refunds says of one of them.
pub(in crate::stripe) enum Found {
    /// It is there, and stands like this.
    There(Refunded),
    /// It is not on this page; the next begins after this one.
    NotYet(String),
    /// It is not there.
    No,
    /// The page cannot be had now.
    Unknown,
}

/// Looks for a refund on a page.
pub(in crate::stripe) fn found(reply: &Reply, refund: &Refund<'_>, amount: u64) -> Found {
    if !reply.status.is_success() {
        return Found::Unknown;
    }
    let Ok(List { data, has_more }) = serde_json::from_slice::<List>(&reply.body) else {
        return Found::Unknown;
    };
    let label = label(refund);
    let last = data.last().map(|object| object.id.clone()).filter(|id| is_id(id, ""));
    let ours = data.into_iter().find(|object| object.metadata.refund.as_ref() == Some(&label));
    match (ours, has_more, last) {
        (Some(object), ..) => Found::There(stands(object, amount)),
        (None, true, Some(last)) => Found::NotYet(last),
        (None, true, None) => Found::Unknown,
        (None, false, _) => Found::No,
    }
}
