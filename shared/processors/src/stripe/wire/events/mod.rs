//! Stripe's webhooks: verifies the signature over the raw bytes, then finds the request that an event is about.
//!
//! The signature follows Stripe's SDK (<https://github.com/stripe/stripe-node>, 23.1.0, read 2026-11-23) and 16 vectors.

use domain::brand::Mode;
use domain::digest::to_hex;
use domain::keys;
use domain::processor_result::{
    ChargeReport, DisputeReport, DisputeStatus, Reference, ReportedResult,
};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use ports::{
    CallbackError, CallbackReply, ChargeSelector, IgnoredPart, ProcessorEvent, UnverifiedCallback,
    VerifiedWebhook, WebhookResponse,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use super::refunds;
use crate::stripe::amounts;
use crate::stripe::ids::is_id;

/// The greatest difference between a signature's time and ours, either way. Stripe's libraries accept any future time.
const TOLERANCE_SECONDS: i64 = 300;

/// The events that are read. Most make a worker look up the request; disputes and outside refunds are believed.
const EVENTS: &[&str] = &[
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.refund.updated",
    "charge.refunded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "setup_intent.canceled",
    "setup_intent.requires_action",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
];

/// The account whose events are read.
#[derive(Clone, Copy)]
pub(in crate::stripe) struct ReceivingAccount<'a> {
    pub(in crate::stripe) mode: Mode,
    /// The connected account; `None` where the key's own account takes the money.
    pub(in crate::stripe) connected: Option<&'a str>,
}

/// Verifies a webhook, then reads it.
pub(in crate::stripe) fn receive(
    account: ReceivingAccount<'_>,
    secrets: &[SecretString],
    callback: &UnverifiedCallback,
) -> Result<VerifiedWebhook, CallbackError> {
    let header = callback.headers.get("stripe-signature").and_then(|value| value.to_str().ok());
    if !is_signed(secrets, header.unwrap_or_default(), &callback.body, callback.now) {
        return Err(CallbackError::Forged);
    }
    if callback.method != Method::POST {
        return Err(CallbackError::Malformed);
    }
    let event = read(account, &callback.body);
    let reply = CallbackReply {
        status: 200,
        content_type: "application/json",
        body: r#"{"received":true}"#.to_owned(),
    };
    let (events, ignored) = match event {
        Ok(event) => (vec![event], Vec::new()),
        Err(reason) => (Vec::new(), vec![reason]),
    };
    Ok(VerifiedWebhook { events, reply: WebhookResponse::Plain(reply), ignored })
}

/// Reads an event that is signed.
///
/// Stripe repeats for days what is refused, and then disables the endpoint. So an event that is not for this account is
/// acknowledged and has no effect. Live endpoints of a platform also get the test events of its connected accounts
/// (<https://support.stripe.com/questions/connect-account-webhook-configurations>, read 2026-11-26). The event names the
/// connected account in `account` (<https://docs.stripe.com/connect/webhooks>, read 2026-11-26).
///
/// # Errors
/// The reason why the event has no effect.
fn read(account: ReceivingAccount<'_>, body: &[u8]) -> Result<ProcessorEvent, IgnoredPart> {
    // Thin events of the v2 API have another shape and no object.
    let event: StripeEvent =
        serde_json::from_slice(body).map_err(|_unreadable| IgnoredPart::OtherFormat)?;
    if event.object.as_deref().is_some_and(|object| object != "event") {
        return Err(IgnoredPart::OtherFormat);
    }
    // A stand-in sets `livemode` on the object only. The signature alone is not enough, since a secret may be in the
    // settings of the wrong mode.
    let live = event.livemode.or(event.data.object.livemode).ok_or(IgnoredPart::OtherFormat)?;
    if live != (account.mode == Mode::Live) {
        return Err(IgnoredPart::OtherMode);
    }
    if event.account.as_deref() != account.connected {
        return Err(IgnoredPart::OtherAccount);
    }
    if !EVENTS.contains(&event.kind.as_str()) {
        return Err(IgnoredPart::OtherType);
    }
    if let Some(failed) = event.data.object.failed_refund() {
        return Ok(failed);
    }
    if let Some(request) = event.data.object.request() {
        return Ok(ProcessorEvent::StatusChanged(request));
    }
    event.data.object.charge_reported(&event.kind).ok_or(IgnoredPart::OtherObject)
}

/// Returns whether one of the secrets signed these bytes within the tolerance.
///
/// `t=<seconds>,v1=<hex>[,v1=<hex>…]`, each `v1` an HMAC-SHA256 over `<t>.<body>` keyed with the secret's whole text.
/// While a secret is rolled, Stripe signs with both.
fn is_signed(secrets: &[SecretString], header: &str, body: &[u8], now: Timestamp) -> bool {
    let mut at = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.split_once('=') {
            Some(("t", text)) => at = Some(text),
            Some(("v1", text)) => signatures.push(text),
            // Other schemes, such as `v0`, prove nothing.
            Some(_) | None => {}
        }
    }
    let Some((text, seconds)) = at.and_then(|text| Some((text, text.parse::<i64>().ok()?))) else {
        return false;
    };
    let now = now.as_millis().div_euclid(1000);
    if now.abs_diff(seconds) > TOLERANCE_SECONDS.unsigned_abs() {
        return false;
    }
    let expected = secrets.iter().filter_map(|secret| signature(secret, text, body));
    expected.fold(false, |found, expected| {
        signatures.iter().fold(found, |found, given| keys::same(given, &expected) | found)
    })
}

/// Returns the signature of a body; `None` for an empty secret.
fn signature(secret: &SecretString, at: &str, body: &[u8]) -> Option<String> {
    let secret = secret.expose_secret();
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut mac = mac.ok().filter(|_| !secret.is_empty())?;
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(to_hex(&mac.finalize().into_bytes()))
}

/// Returns where a dispute stands, and its stage. An inquiry (`warning_…`) moves no money.
///
/// UNVERIFIED: the statuses are from pages about <https://docs.stripe.com/api/disputes/object>. Compare them before going live.
fn dispute(kind: &str, status: &str) -> Option<(DisputeStatus, u8)> {
    match status {
        "won" | "warning_closed" | "prevented" => Some((DisputeStatus::Won, 4)),
        "lost" => Some((DisputeStatus::Lost, 5)),
        _ if kind == "charge.dispute.funds_withdrawn" => Some((DisputeStatus::ChargedBack, 3)),
        "warning_needs_response" | "warning_under_review" => Some((DisputeStatus::Opened, 1)),
        "needs_response" | "under_review" => Some((DisputeStatus::Opened, 2)),
        _ => None,
    }
}

#[derive(Deserialize)]
struct StripeEvent {
    #[serde(rename = "type")]
    kind: String,
    object: Option<String>,
    livemode: Option<bool>,
    /// The connected account, where the event is about one.
    account: Option<String>,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: EventObject,
}

/// The fields of the event's object that are read. Other objects than refunds are then read from Stripe.
#[derive(Deserialize)]
struct EventObject {
    object: Option<String>,
    id: Option<String>,
    status: Option<String>,
    failure_reason: Option<String>,
    /// An id, or the expanded object.
    #[serde(default)]
    payment_intent: Value,
    amount: Option<u64>,
    currency: Option<String>,
    livemode: Option<bool>,
    client_reference_id: Option<String>,
    metadata: Option<EventMetadata>,
}

#[derive(Deserialize)]
struct EventMetadata {
    request_id: Option<String>,
    refund: Option<String>,
}

impl EventObject {
    fn request(&self) -> Option<RequestId> {
        let label = self.metadata.as_ref().and_then(|metadata| metadata.request_id.as_deref());
        label.or(self.client_reference_id.as_deref())?.parse().ok()
    }

    /// Returns a dispute of a charge, or a refund that was made in the dashboard. Both name the charge by its payment alone.
    fn charge_reported(&self, kind: &str) -> Option<ProcessorEvent> {
        let charge = Reference(super::id_of(&self.payment_intent, "pi_")?.to_owned());
        let id = self.id.as_ref().filter(|id| is_id(id, ""))?;
        let (amount, currency) = amounts::from_stripe(self.amount?, self.currency.as_deref()?)?;
        let (reference, status) = (Reference(id.clone()), self.status.as_deref()?);
        let report = match self.object.as_deref()? {
            "dispute" => {
                let (status, stage) = dispute(kind, status)?;
                let currency = currency.code().to_owned();
                let report = DisputeReport { reference, status, stage, amount, currency };
                ChargeReport::Dispute(report)
            }
            "refund" => {
                let failed = refunds::failure(status, self.failure_reason.as_deref()).is_some();
                if !failed && status != "succeeded" {
                    return None;
                }
                ChargeReport::Refund { reference, amount, success: !failed }
            }
            _ => return None,
        };
        Some(ProcessorEvent::ChargeReported { charge: ChargeSelector::Reference(charge), report })
    }

    /// Returns the failure of a refund of ours. Stripe never takes one back, so the report is believed.
    ///
    /// A refund that succeeded can still fail, up to 30 days later (<https://docs.stripe.com/refunds>).
    /// UNVERIFIED: the number of days. Read the page before going live.
    fn failed_refund(&self) -> Option<ProcessorEvent> {
        let (request, seq) = refunds::of_label(self.metadata.as_ref()?.refund.as_deref()?)?;
        let id = self.id.as_ref().filter(|id| refunds::is_refund(id))?;
        let code = refunds::failure(self.status.as_deref()?, self.failure_reason.as_deref())?;
        let fits = self.object.as_deref() == Some("refund");
        let reported = ReportedResult {
            success: false,
            reference: Reference(id.clone()),
            code: Some(code.to_owned()),
            original: None,
        };
        fits.then_some(ProcessorEvent::RefundReported { request, seq, reported })
    }
}

#[cfg(test)]
mod tests;
