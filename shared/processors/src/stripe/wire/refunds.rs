//! Refunds: created, and found again among the refunds of a charge.

use domain::guards;
use domain::guards::Guard;
use domain::processor_result::Reference;
use domain::values::id::RequestId;
use ports::{Refund, RefundResult};
use serde::Deserialize;

use crate::stripe::errors;
use crate::stripe::form::Form;
use crate::stripe::ids::is_id;
use crate::stripe::keys;
use crate::stripe::transport::{StripeReply, StripeRequest};

/// The refunds of one page: Stripe's maximum.
const PAGE: u32 = 100;

/// Returns the label by which a refund is found after Stripe forgot its idempotency key.
fn label(refund: &Refund<'_>) -> String {
    format!("{}-{}", refund.request, refund.seq)
}

/// Reads a label of ours; `None` for another text.
pub(super) fn of_label(text: &str) -> Option<(RequestId, u32)> {
    let (request, seq) = text.rsplit_once('-')?;
    let (request, seq): (RequestId, u32) = (request.parse().ok()?, seq.parse().ok()?);
    (format!("{request}-{seq}") == text).then_some((request, seq))
}

/// Returns whether a text is the id of a refund.
pub(super) fn is_refund(id: &str) -> bool {
    is_id(id, "re_") || is_id(id, "pyr_")
}

/// Returns our code for the failure that a refund's status says; `None` where it did not fail.
pub(super) fn failure(status: &str, reason: Option<&str>) -> Option<&'static str> {
    match status {
        "canceled" => Some("refund_canceled"),
        "failed" => Some(failed(reason)),
        _ => None,
    }
}

/// Returns the call that refunds a charge.
pub(in crate::stripe) fn create(refund: &Refund<'_>, charge: &str, amount: u64) -> StripeRequest {
    let form = Form::default()
        .field(&["payment_intent"], charge)
        .field(&["amount"], amount)
        .field(&["metadata", "refund"], label(refund))
        .field(&["metadata", "request_id"], refund.request);
    let key = keys::refund_key(refund.request, refund.seq);
    StripeRequest::post("/v1/refunds", Some(key), form).that_moves_money()
}

/// Returns the call that lists a charge's refunds, newest first.
pub(in crate::stripe) fn list(charge: &str, after: Option<&str>) -> StripeRequest {
    let query = Form::default()
        .field(&["payment_intent"], charge)
        .field(&["limit"], PAGE)
        .field_if_some(&["starting_after"], after);
    StripeRequest::get("/v1/refunds", query)
}

#[derive(Deserialize)]
struct RefundObject {
    id: String,
    object: String,
    amount: Option<u64>,
    status: Option<String>,
    failure_reason: Option<String>,
    #[serde(default)]
    metadata: RefundMetadata,
}

#[derive(Default, Deserialize)]
struct RefundMetadata {
    refund: Option<String>,
}

#[derive(Deserialize)]
struct RefundList {
    data: Vec<RefundObject>,
    #[serde(default)]
    has_more: bool,
}

/// Interprets the reply to a refund.
pub(in crate::stripe) fn outcome(reply: &StripeReply, amount: u64) -> RefundResult {
    if !reply.status.is_success() {
        return errors::not_refunded(reply);
    }
    match serde_json::from_slice::<RefundObject>(&reply.body) {
        Ok(object) => interpret_status(object, amount),
        Err(_) => RefundResult::Unknown,
    }
}

/// Interprets the status of a refund.
fn interpret_status(object: RefundObject, amount: u64) -> RefundResult {
    let is_refund =
        object.object == "refund" && is_refund(&object.id) && object.amount == Some(amount);
    if !is_refund {
        return RefundResult::Unknown;
    }
    let status = object.status.as_deref();
    if let Some(code) = status.and_then(|status| failure(status, object.failure_reason.as_deref()))
    {
        return RefundResult::Failed { code };
    }
    match status {
        Some("succeeded") => RefundResult::Done(Reference(object.id)),
        Some("pending") if guards::is_disabled(Guard::PendingRefundIsNotDone) => {
            RefundResult::Done(Reference(object.id))
        }
        // `requires_action` waits for the customer's bank details. Refunds to cards never do.
        Some("pending" | "requires_action") => RefundResult::Pending(Reference(object.id)),
        Some(_) | None => RefundResult::Unknown,
    }
}

/// Maps the reason of a refund that failed later to a code of ours.
fn failed(reason: Option<&str>) -> &'static str {
    match reason {
        Some("lost_or_stolen_card" | "expired_or_canceled_card") => "card_unavailable",
        Some("insufficient_funds") => "balance_insufficient",
        Some("charge_for_pending_refund_disputed") => "disputed",
        Some("declined") => "refund_declined",
        Some("merchant_request") => "refund_canceled",
        // `unknown`, and reasons that Stripe adds later.
        Some(_) | None => "refund_failed",
    }
}

/// The result of looking for a refund on one page.
pub(in crate::stripe) enum RefundSearch {
    /// The page has the refund, with this status.
    There(RefundResult),
    /// The page does not have it; the next page begins after this id.
    NotYet(String),
    /// The charge does not have it.
    No,
    /// The page could not be read.
    Unknown,
}

/// Looks for a refund on a page.
pub(in crate::stripe) fn found(
    reply: &StripeReply,
    refund: &Refund<'_>,
    amount: u64,
) -> RefundSearch {
    if !reply.status.is_success() {
        return RefundSearch::Unknown;
    }
    let Ok(RefundList { data, has_more }) = serde_json::from_slice::<RefundList>(&reply.body)
    else {
        return RefundSearch::Unknown;
    };
    let label = label(refund);
    let last = data.last().map(|object| object.id.clone()).filter(|id| is_id(id, ""));
    let ours = data.into_iter().find(|object| object.metadata.refund.as_ref() == Some(&label));
    match (ours, has_more, last) {
        (Some(object), ..) => RefundSearch::There(interpret_status(object, amount)),
        (None, true, Some(last)) => RefundSearch::NotYet(last),
        (None, true, None) => RefundSearch::Unknown,
        (None, false, _) => RefundSearch::No,
    }
}
