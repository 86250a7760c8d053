//! The wire format of the fake: the members of each call, errors, and signed webhooks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, Request};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{ACCOUNT, HMAC_KEY};

/// The members of each call that are taken here, and those it must have.
const CALLS: &[(&str, &str, &str)] = &[
    (
        "/payments",
        "merchantAccount amount reference paymentMethod returnUrl",
        "channel shopperInteraction captureDelayHours metadata authenticationData countryCode shopperReference \
         recurringProcessingModel",
    ),
    ("/payments/details", "details", ""),
    (
        "/paymentLinks",
        "merchantAccount amount reference",
        "returnUrl reusable expiresAt allowedPaymentMethods captureDelayHours description countryCode shopperReference \
         storePaymentMethodMode recurringProcessingModel",
    ),
    ("/cancels", "merchantAccount paymentReference", "reference"),
    ("reversals", "merchantAccount", "reference"),
    ("refunds", "merchantAccount amount", "reference"),
];

/// Checks a call as Adyen does, and returns the fault that it finds.
pub(super) fn check(
    request: &Request<Bytes>,
    path: &str,
    body: &Value,
) -> Result<(), &'static str> {
    if *request.method() != Method::POST {
        let expires = *request.method() == Method::PATCH;
        let fits = if expires { *body == json!({ "status": "expired" }) } else { body.is_null() };
        return fits.then_some(()).ok_or("another body than the one there is");
    }
    let key = request.headers().get("idempotency-key").map_or(0, http::HeaderValue::len);
    if !(1..=64).contains(&key) {
        return Err("no key, or one that is too long");
    }
    let place = |name: &str| path == name || (!name.starts_with('/') && path.ends_with(name));
    let (_, must, may) = CALLS.iter().find(|(name, ..)| place(name)).ok_or("no such call")?;
    let body = body.as_object().ok_or("no object")?;
    let known = |name: &str| must.split(' ').chain(may.split_whitespace()).any(|one| one == name);
    if !body.keys().all(|name| known(name)) || !must.split(' ').all(|name| body.contains_key(name))
    {
        return Err("members that are unknown or missing");
    }
    if body.get("merchantAccount").is_some_and(|account| account != ACCOUNT) {
        return Err("another merchant account");
    }
    for name in ["reference", "paymentReference"] {
        let text = body.get(name).map_or("x", |value| value.as_str().unwrap_or(""));
        if text.is_empty() || text.len() > 80 {
            return Err("an invalid reference");
        }
    }
    let amount = body.get("amount").map(|amount| (&amount["value"], &amount["currency"]));
    if amount.is_some_and(|(value, currency)| !value.is_u64() || !currency.is_string()) {
        return Err("an invalid amount");
    }
    Ok(())
}

pub(super) fn error(status: u16, code: &str, kind: &str) -> Value {
    json!({ "status": status, "errorCode": code, "message": "…", "errorType": kind })
}

/// Signs the text of a webhook's item, as Adyen does.
///
/// # Panics
/// Never: the key is well formed.
#[must_use]
pub fn signature(text: &str) -> String {
    let key = hex::decode(HMAC_KEY).expect("hexadecimal");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The payment that a webhook reports, and its money.
#[derive(Clone, Copy, Debug)]
pub struct Notification<'a> {
    /// Adyen's id.
    pub psp: &'a str,
    /// The merchant's reference.
    pub reference: &'a str,
    /// The amount in minor units.
    pub value: u64,
    /// The currency's code.
    pub currency: &'a str,
}

/// A webhook with one item, signed.
#[must_use]
pub fn webhook(event: &str, success: bool, about: &Notification<'_>) -> Value {
    let Notification { psp, reference, value, currency } = about;
    let mac =
        signature(&format!("{psp}::{ACCOUNT}:{reference}:{value}:{currency}:{event}:{success}"));
    json!({ "live": "false", "notificationItems": [{ "NotificationRequestItem": {
        "eventCode": event, "success": success.to_string(), "pspReference": psp,
        "merchantAccountCode": ACCOUNT, "merchantReference": reference,
        "amount": { "value": value, "currency": currency },
        "eventDate": "2026-12-01T01:00:00+01:00", "additionalData": { "hmacSignature": mac },
    }}] })
}
