//! The request as the API shows it: the address masked, nothing sensitive.

use serde::Serialize;
use serde_json::{Value, json};

use crate::api_key::KeyRef;
use crate::ask::{Ask, Metadata, Session};
use crate::brand::Mode;
use crate::outcome::{Details, Outcome};
use crate::request::{
    DisputeRecord, LatePayment, OutsideRefund, RefundEnd, RefundRecord, Request, Reversal, State,
    TimelineEntry, WebhookEventType,
};
use crate::values::id::RequestId;
use crate::values::time::Timestamp;

#[derive(Serialize)]
struct View<'a> {
    id: RequestId,
    version: u64,
    state: &'static str,
    mode: Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a KeyRef>,
    ask: &'a Ask,
    customer: CustomerView<'a>,
    session: &'a Session,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    channels: Vec<&'a str>,
    fallback_seconds: u32,
    metadata: &'a Metadata,
    created_at: Timestamp,
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    in_doubt: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_at: Option<Timestamp>,
    timeline: Vec<TimelineEntry>,
    outcome: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<RefundView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capture_failed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disputes: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outside_refunds: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    late_payments: Vec<Value>,
}

#[derive(Serialize)]
struct RefundView<'a> {
    seq: u32,
    amount: u64,
    currency: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// The processor's id of the refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    /// A stable code of the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    asked_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
}

impl<'a> RefundView<'a> {
    fn of(refund: &'a RefundRecord, currency: &'a str) -> Self {
        let (state, code, ended_at) = match &refund.end {
            None => ("pending", None, None),
            Some(RefundEnd::Done { at }) => ("refunded", None, Some(*at)),
            Some(RefundEnd::Failed { at, code }) => ("failed", Some(code.as_str()), Some(*at)),
        };
        Self {
            seq: refund.seq,
            amount: refund.amount,
            currency,
            state,
            reason: refund.reason.as_ref().map(crate::values::text::DisplayText::as_str),
            reference: refund.reference.as_ref().map(|reference| reference.0.as_str()),
            code,
            asked_at: refund.asked_at,
            ended_at,
        }
    }
}

#[derive(Serialize)]
struct CustomerView<'a> {
    phone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
}

/// Renders a request for the API.
#[must_use]
pub fn request(request: &Request, version: u64) -> Value {
    let code = request.session_code.as_ref().map(|session| session.code.as_str());
    shown(request, version, code)
}

/// Renders the body of a webhook event: its type, its time and the request, without the session code and claims.
#[must_use]
pub fn webhook_payload(
    request: &Request,
    version: u64,
    kind: WebhookEventType,
    at: Timestamp,
) -> String {
    let mut data = shown(request, version, None);
    if let Some(customer) = data.get_mut("customer").and_then(Value::as_object_mut) {
        customer.remove("name");
    }
    json!({ "type": kind.as_str(), "timestamp": at, "data": data }).to_string()
}

fn shown(request: &Request, version: u64, session_code: Option<&str>) -> Value {
    let mut channels: Vec<&str> = Vec::new();
    for route in &request.routes {
        if !channels.contains(&route.as_str()) {
            channels.push(route.as_str());
        }
    }
    let customer = CustomerView {
        phone: request.customer.phone.masked(),
        email: request.customer.email.as_ref().map(crate::values::email::Email::masked),
        name: request.customer.name.as_ref().map(crate::values::text::DisplayText::as_str),
        language: request.customer.language.as_ref().map(crate::values::language::Language::as_str),
    };
    let currency = request.charge().map_or("", |charge| charge.currency.as_str());
    let view = View {
        id: request.id,
        version,
        state: request.state_name(),
        mode: request.mode,
        key: request.key.as_ref(),
        ask: &request.ask,
        customer,
        session: &request.session,
        session_code,
        language: request.language.as_ref().map(crate::values::language::Language::as_str),
        channels,
        fallback_seconds: request.fallback_seconds,
        metadata: &request.metadata,
        created_at: request.created_at,
        expires_at: request.expires_at,
        in_doubt: request.reported_doubt().is_some(),
        ended_at: request.ended_at(),
        erased_at: request.erased_at,
        timeline: timeline(request),
        outcome: request.outcome().map(outcome),
        refunds: request.refunds.iter().map(|refund| RefundView::of(refund, currency)).collect(),
        capture_failed_at: request.aftermath.capture_failed_at,
        disputes: request.aftermath.disputes.iter().map(|one| dispute(one, currency)).collect(),
        outside_refunds: request
            .aftermath
            .outside_refunds
            .iter()
            .map(|one| outside_refund(one, currency))
            .collect(),
        late_payments: request.aftermath.late_payments.iter().map(late_payment).collect(),
    };
    serde_json::to_value(view).unwrap_or_default()
}

/// What the timeline tells after a request has ended.
const AFTER_END: [&str; 10] = [
    "refund_asked",
    "refunded",
    "refund_failed",
    "refunded_outside",
    "capture_failed",
    "disputed",
    "late_payment",
    "late_payment_reversed",
    "late_payment_kept",
    "erased",
];

/// Returns the timeline with the request's end: the last line, until something happens to the charge.
///
/// The end is the state's, and not stored once more.
fn timeline(request: &Request) -> Vec<TimelineEntry> {
    let mut timeline = request.timeline.clone();
    if let State::Closed { outcome, at } = &request.state {
        // Within the millisecond of the end, the code says what came later.
        let is_later = |entry: &TimelineEntry| {
            entry.at > *at || entry.at == *at && AFTER_END.contains(&entry.what.as_str())
        };
        let place = timeline.iter().position(is_later).unwrap_or(timeline.len());
        let end = TimelineEntry {
            at: *at,
            what: outcome.state_name().to_owned(),
            channel: None,
            reason: outcome.reason().map(str::to_owned),
        };
        timeline.insert(place, end);
    }
    timeline
}

fn dispute(dispute: &DisputeRecord, currency: &str) -> Value {
    json!({
        "reference": dispute.reference,
        "state": dispute.status,
        "amount": dispute.amount,
        "currency": dispute.amount.map(|_| currency),
        "opened_at": dispute.opened_at,
        "updated_at": dispute.updated_at,
    })
}

fn outside_refund(refund: &OutsideRefund, currency: &str) -> Value {
    json!({
        "reference": refund.reference,
        "amount": refund.amount,
        "currency": currency,
        "state": if refund.success { "refunded" } else { "failed" },
        "at": refund.at,
    })
}

fn late_payment(late: &LatePayment) -> Value {
    let state = match late.reversal {
        Reversal::Owed | Reversal::Requested => "reversing",
        Reversal::Done => "reversed",
        Reversal::Failed => "kept",
    };
    json!({ "reference": late.reference, "state": state, "at": late.at })
}

fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Fulfilled { transaction_code, processor, receipt } => {
            let mut outcome = json!({
                "kind": "fulfilled",
                "transaction_code": transaction_code,
                "processor": processor,
            });
            if let Some(fields) = outcome.as_object_mut() {
                fields.extend(details(receipt));
            }
            outcome
        }
        Outcome::Denied { reason } => json!({ "kind": "denied", "reason": reason }),
        Outcome::Expired => json!({ "kind": "expired" }),
        Outcome::Cancelled => json!({ "kind": "cancelled" }),
        Outcome::Undeliverable { reason } => json!({ "kind": "undeliverable", "reason": reason }),
        Outcome::Failed { reason } => json!({ "kind": "failed", "reason": reason }),
    }
}

fn details(receipt: &Details) -> Vec<(String, Value)> {
    let named = |fields: [(&str, Value); 2]| fields.map(|(name, value)| (name.to_owned(), value));
    match receipt {
        Details::Payment(receipt) => {
            let payment = json!({
                "amount": receipt.amount,
                "currency": receipt.currency,
                "method": receipt.method,
                "wallet": receipt.wallet,
                "card_brand": receipt.card_brand,
                "last4": receipt.last4,
            });
            named([("reference", json!(receipt.reference)), ("payment", payment)]).into()
        }
        Details::Card { card, receipt } => {
            let method = json!({
                "id": card,
                "method": "card",
                "wallet": receipt.wallet,
                "card_brand": receipt.card_brand,
                "last4": receipt.last4,
                "exp_month": receipt.exp_month,
                "exp_year": receipt.exp_year,
            });
            named([("reference", json!(receipt.reference)), ("payment_method", method)]).into()
        }
        Details::Claims(receipt) => {
            let identity = serde_json::to_value(receipt).unwrap_or_default();
            vec![("identity".to_owned(), identity)]
        }
    }
}
