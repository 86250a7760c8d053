//! Stripe's webhooks: verifies the signature over the raw bytes, then finds the request that an event is about.
//!
//! The signature follows Stripe's SDK (<https://github.com/stripe/stripe-node>, 23.1.0, read 2026-11-23) and 16 vectors.

use domain::brand::Mode;
use domain::keys;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use ports::{
    CallbackError, CallbackReply, ProcessorEvent, UnverifiedCallback, VerifiedWebhook,
    WebhookResponse,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;

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
    let Ok(event) = serde_json::from_slice::<StripeEvent>(&callback.body) else {
        return Err(CallbackError::Malformed);
    };
    // Thin events of the v2 API have another shape and no object.
    if event.object.as_deref().is_some_and(|object| object != "event") {
        return Err(CallbackError::Malformed);
    }
    // A stand-in sets `livemode` on the object only. The signature alone is not enough, since a secret may be in the
    // settings of the wrong mode.
    let live = event.livemode.or(event.data.object.livemode);
    let live = live.ok_or(CallbackError::Malformed)?;
    match (mode, live) {
        (Mode::Test, false) | (Mode::Live, true) => {}
        (Mode::Test, true) | (Mode::Live, false) => return Err(CallbackError::Forged),
    }
    let request = event.data.object.request();
    let request = request.filter(|_| EVENTS.contains(&event.kind.as_str()));
    let reply = CallbackReply {
        status: 200,
        content_type: "application/json",
        body: r#"{"received":true}"#.to_owned(),
    };
    Ok(VerifiedWebhook {
        events: request.map(ProcessorEvent::StatusChanged).into_iter().collect(),
        reply: WebhookResponse::Plain(reply),
    })
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
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: EventObject,
}

/// The fields of the event's object that are read. The object itself is read from Stripe.
#[derive(Deserialize)]
struct EventObject {
    livemode: Option<bool>,
    client_reference_id: Option<String>,
    metadata: Option<EventMetadata>,
}

#[derive(Deserialize)]
struct EventMetadata {
    request_id: Option<String>,
}

impl EventObject {
    fn request(&self) -> Option<RequestId> {
        let label = self.metadata.as_ref().and_then(|metadata| metadata.request_id.as_deref());
        label.or(self.client_reference_id.as_deref())?.parse().ok()
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

    fn heard(body: &str) -> Result<Vec<ProcessorEvent>, CallbackError> {
        receive(Mode::Test, &secrets(&["whsec_a"]), &sent("whsec_a", body))
            .map(|heard| heard.events)
    }

    #[test]
    fn event_about_a_request_triggers_a_look_up_others_nothing() {
        let ours = json!({ "id": "pi_1", "metadata": { "request_id": REQUEST } });
        let look = Ok(vec![ProcessorEvent::StatusChanged(REQUEST.parse().unwrap())]);
        for kind in EVENTS {
            assert_eq!(heard(&event(kind, &ours)), look, "{kind}");
        }
        let by_reference = json!({ "id": "cs_1", "client_reference_id": REQUEST, "metadata": {} });
        assert_eq!(heard(&event("checkout.session.completed", &by_reference)), look);
        for (kind, object) in [
            ("charge.dispute.created", &ours),
            ("customer.created", &ours),
            ("payment_intent.succeeded", &json!({ "id": "pi_2" })),
            ("payment_intent.succeeded", &json!({ "metadata": { "request_id": "order 7" } })),
            ("payment_intent.succeeded", &json!({ "metadata": null })),
        ] {
            assert_eq!(heard(&event(kind, object)), Ok(Vec::new()), "{kind} {object}");
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
    fn event_of_the_other_mode_is_forged() {
        let live = event("payment_intent.succeeded", &json!({})).replace("false", "true");
        assert_eq!(heard(&live), Err(CallbackError::Forged));
        let secrets = secrets(&["whsec_a"]);
        assert!(receive(Mode::Live, &secrets, &sent("whsec_a", &live)).is_ok());
        let of_object = json!({ "type": "checkout.session.completed",
            "data": { "object": { "livemode": false, "metadata": { "request_id": REQUEST } } } });
        assert_eq!(heard(&of_object.to_string()).map(|events| events.len()), Ok(1));
    }

    #[test]
    fn signed_body_that_is_no_event_is_malformed() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"id":"evt_1","object":"v2.core.event","type":"v1.billing.meter.no_meter_found","livemode":false}"#,
            r#"{"object":"v2.core.event","type":"a","livemode":false,"data":{"object":{}}}"#,
            r#"{"object":"event","type":"a","data":{"object":{}}}"#,
            r#"{"object":"event","type":"a","livemode":false,"data":{}}"#,
        ] {
            assert_eq!(heard(body), Err(CallbackError::Malformed), "{body}");
        }
        let get = UnverifiedCallback {
            method: Method::GET,
            ..sent("whsec_a", &event("payment_intent.succeeded", &json!({})))
        };
        let secrets = secrets(&["whsec_a"]);
        assert_eq!(receive(Mode::Test, &secrets, &get), Err(CallbackError::Malformed));
    }
}
