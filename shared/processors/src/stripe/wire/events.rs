//! Stripe's webhooks: verifies the signature over the raw bytes, then finds the request that an event is about.
//!
//! The signature follows Stripe's SDK (<https://github.com/stripe/stripe-node>, 23.1.0, read 2026-11-23) and 16 vectors.

use domain::brand::Mode;
use domain::keys;
use domain::processor_result::{Reference, ReportedResult};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use ports::{
    CallbackError, CallbackReply, IgnoredPart, ProcessorEvent, UnverifiedCallback, VerifiedWebhook,
    WebhookResponse,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;

use super::refunds;

/// The greatest difference between a signature's time and ours, either way. Stripe's libraries accept any future time.
const TOLERANCE_SECONDS: i64 = 300;

/// The events after which a request is looked up. All others, such as disputes, change nothing here.
const EVENTS: &[&str] = &[
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

/// Verifies a webhook, then reads it.
pub(in crate::stripe) fn receive(
    mode: Mode,
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
    let event = read(mode, &callback.body);
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
/// (<https://docs.stripe.com/connect/webhooks>, read 2026-11-26).
///
/// # Errors
/// The reason why the event has no effect.
fn read(mode: Mode, body: &[u8]) -> Result<ProcessorEvent, IgnoredPart> {
    // Thin events of the v2 API have another shape and no object.
    let event: StripeEvent =
        serde_json::from_slice(body).map_err(|_unreadable| IgnoredPart::OtherFormat)?;
    if event.object.as_deref().is_some_and(|object| object != "event") {
        return Err(IgnoredPart::OtherFormat);
    }
    // A stand-in sets `livemode` on the object only. The signature alone is not enough, since a secret may be in the
    // settings of the wrong mode.
    let live = event.livemode.or(event.data.object.livemode).ok_or(IgnoredPart::OtherFormat)?;
    if live != (mode == Mode::Live) {
        return Err(IgnoredPart::OtherMode);
    }
    if event.account.is_some() {
        return Err(IgnoredPart::OtherAccount);
    }
    if !EVENTS.contains(&event.kind.as_str()) {
        return Err(IgnoredPart::OtherType);
    }
    if let Some(failed) = event.data.object.failed_refund() {
        return Ok(failed);
    }
    let request = event.data.object.request().ok_or(IgnoredPart::OtherObject)?;
    Ok(ProcessorEvent::StatusChanged(request))
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
    Some(hex::encode(mac.finalize().into_bytes()))
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

    /// Returns the failure of a refund of ours. Stripe never takes one back, so the report is believed.
    ///
    /// A refund that succeeded can still fail, up to 30 days later (<https://docs.stripe.com/refunds>, read 2026-11-26).
    fn failed_refund(&self) -> Option<ProcessorEvent> {
        let (request, seq) = refunds::of_label(self.metadata.as_ref()?.refund.as_deref()?)?;
        let id = self.id.as_ref().filter(|id| refunds::is_refund(id))?;
        let code = refunds::failure(self.status.as_deref()?, self.failure_reason.as_deref())?;
        let fits = self.object.as_deref() == Some("refund");
        let reported = ReportedResult {
            success: false,
            reference: Reference(id.clone()),
            code: Some(code.to_owned()),
        };
        fits.then_some(ProcessorEvent::RefundReported { request, seq, reported })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const VECTORS: &str = include_str!("../fixtures/vectors-webhook.json");
    const REQUEST: &str = "req_01J00000000000000000000000";

    fn secrets(all: &[&str]) -> Vec<SecretString> {
        all.iter().map(|text| (*text).into()).collect()
    }

    #[test]
    fn signatures_match_the_reference_vectors() {
        let file: Value = serde_json::from_str(VECTORS).unwrap();
        let mut seen = 0;
        for vector in file["vectors"].as_array().unwrap() {
            let text = |name: &str| vector[name].as_str().unwrap_or_default();
            let now = Timestamp::from_millis(vector["now"].as_i64().unwrap() * 1000);
            let signed = is_signed(
                &secrets(&[text("secret")]),
                text("header"),
                text("body").as_bytes(),
                now,
            );
            // Stripe's library accepts any future time. We are stricter.
            let expected = text("expect") == "valid" && text("name") != "future_timestamp";
            assert_eq!(signed, expected, "{}", text("name"));
            seen += 1;
        }
        assert_eq!(seen, 16);
    }

    fn sent(secret: &str, body: &str) -> UnverifiedCallback {
        let at = "1767225600";
        let signature = signature(&secret.into(), at, body.as_bytes()).unwrap();
        let mut headers = http::HeaderMap::new();
        headers.insert("stripe-signature", format!("t={at},v1={signature}").parse().unwrap());
        UnverifiedCallback {
            method: Method::POST,
            url: "https://pay.example.com/callbacks/acme/stripe".to_owned(),
            headers,
            body: body.to_owned().into(),
            now: Timestamp::from_millis(1_767_225_600_000),
            proof: ports::Proof::None,
        }
    }

    fn event(kind: &str, object: &Value) -> String {
        json!({ "id": "evt_1", "object": "event", "type": kind, "livemode": false,
            "data": { "object": object } })
        .to_string()
    }

    /// Returns the event of a signed body, or the reason why it has none.
    fn heard(body: &str) -> Result<ProcessorEvent, IgnoredPart> {
        let webhook = receive(Mode::Test, &secrets(&["whsec_a"]), &sent("whsec_a", body));
        let Ok(VerifiedWebhook { mut events, mut ignored, reply }) = webhook else { panic!() };
        let WebhookResponse::Plain(reply) = reply else { panic!() };
        assert_eq!(reply.status, 200);
        match (events.pop(), ignored.pop()) {
            (Some(event), None) => Ok(event),
            (None, Some(reason)) => Err(reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn event_about_a_request_triggers_a_look_up_others_nothing() {
        let ours = json!({ "id": "pi_1", "metadata": { "request_id": REQUEST } });
        let look = Ok(ProcessorEvent::StatusChanged(REQUEST.parse().unwrap()));
        for kind in EVENTS {
            assert_eq!(heard(&event(kind, &ours)), look, "{kind}");
        }
        let by_reference = json!({ "id": "cs_1", "client_reference_id": REQUEST, "metadata": {} });
        assert_eq!(heard(&event("checkout.session.completed", &by_reference)), look);
        for (kind, object, reason) in [
            ("customer.created", &ours, IgnoredPart::OtherType),
            ("payment_intent.succeeded", &json!({ "id": "pi_2" }), IgnoredPart::OtherObject),
            (
                "payment_intent.succeeded",
                &json!({ "metadata": { "request_id": "order 7" } }),
                IgnoredPart::OtherObject,
            ),
            ("payment_intent.succeeded", &json!({ "metadata": null }), IgnoredPart::OtherObject),
        ] {
            assert_eq!(heard(&event(kind, object)), Err(reason), "{kind} {object}");
        }
    }

    /// Only Stripe's own word for a failure ends a refund. Everything else is read from Stripe.
    #[test]
    fn refund_that_failed_is_reported_and_others_are_looked_up() {
        let refund = |status: &str, label: &str| {
            json!({ "id": "re_1", "object": "refund", "status": status, "amount": 100,
                "failure_reason": (status == "failed").then_some("lost_or_stolen_card"),
                "metadata": { "request_id": REQUEST, "refund": label } })
        };
        let label = format!("{REQUEST}-2");
        for (kind, status, code) in [
            ("refund.failed", "failed", "card_unavailable"),
            ("refund.updated", "failed", "card_unavailable"),
            ("charge.refund.updated", "canceled", "refund_canceled"),
        ] {
            let failed = heard(&event(kind, &refund(status, &label)));
            let Ok(ProcessorEvent::RefundReported { request, seq, reported }) = failed else {
                panic!("{kind}")
            };
            assert_eq!((request.to_string().as_str(), seq), (REQUEST, 2));
            assert_eq!((reported.success, reported.code.as_deref()), (false, Some(code)));
        }
        let look = Ok(ProcessorEvent::StatusChanged(REQUEST.parse().unwrap()));
        let other = format!("{REQUEST}-02");
        for (status, label) in [
            ("succeeded", &label),
            ("pending", &label),
            ("failed", &other),
            ("failed", &"x".into()),
        ] {
            assert_eq!(heard(&event("refund.updated", &refund(status, label))), look, "{status}");
        }
    }

    #[test]
    fn signature_while_a_secret_is_rolled_is_accepted_from_both() {
        let body = event("payment_intent.succeeded", &json!({}));
        let both = secrets(&["whsec_new", "whsec_old"]);
        for secret in ["whsec_old", "whsec_new"] {
            assert!(receive(Mode::Test, &both, &sent(secret, &body)).is_ok());
        }
        let forged = Err(CallbackError::Forged);
        assert_eq!(receive(Mode::Test, &both, &sent("whsec_other", &body)), forged);
        assert_eq!(receive(Mode::Test, &[], &sent("whsec_old", &body)), forged);
        let unsigned = UnverifiedCallback { headers: http::HeaderMap::new(), ..sent("a", &body) };
        assert_eq!(receive(Mode::Test, &secrets(&[""]), &unsigned), forged);
    }

    #[test]
    fn event_of_another_mode_or_account_is_ignored() {
        let ours = json!({ "metadata": { "request_id": REQUEST } });
        let test = event("payment_intent.succeeded", &ours);
        let live = test.replace("false", "true");
        assert_eq!(heard(&live), Err(IgnoredPart::OtherMode));
        let secrets = secrets(&["whsec_a"]);
        let in_live = |body: &str| receive(Mode::Live, &secrets, &sent("whsec_a", body)).unwrap();
        assert_eq!((in_live(&live).events.len(), in_live(&test).events.len()), (1, 0));
        let connected = test.replacen('{', r#"{"account":"acct_2","#, 1);
        assert_eq!(heard(&connected), Err(IgnoredPart::OtherAccount));
        let of_object = json!({ "type": "checkout.session.completed",
            "data": { "object": { "livemode": false, "metadata": { "request_id": REQUEST } } } });
        assert!(heard(&of_object.to_string()).is_ok());
    }

    #[test]
    fn signed_body_of_another_format_is_ignored() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"id":"evt_1","object":"v2.core.event","type":"v1.billing.meter.no_meter_found","livemode":false}"#,
            r#"{"object":"v2.core.event","type":"a","livemode":false,"data":{"object":{}}}"#,
            r#"{"object":"event","type":"a","data":{"object":{}}}"#,
            r#"{"object":"event","type":"a","livemode":false,"data":{}}"#,
        ] {
            assert_eq!(heard(body), Err(IgnoredPart::OtherFormat), "{body}");
        }
        let get = UnverifiedCallback {
            method: Method::GET,
            ..sent("whsec_a", &event("payment_intent.succeeded", &json!({})))
        };
        let secrets = secrets(&["whsec_a"]);
        assert_eq!(receive(Mode::Test, &secrets, &get), Err(CallbackError::Malformed));
    }
}
