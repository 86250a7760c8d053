//! Webhook events to the requester, signed as Standard Webhooks 1.0.0 specifies.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::request::WebhookEventType;
use crate::values::id::WebhookEventId;
use crate::values::time::Timestamp;

/// A stored webhook event.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEvent {
    /// The event's id, the same on every attempt.
    pub id: WebhookEventId,
    /// The event's number in its request, from 1.
    pub seq: u32,
    /// The event's type.
    pub kind: WebhookEventType,
    /// The body, the same bytes on every attempt.
    pub payload: String,
    /// When the next attempt is due.
    pub due_at: Timestamp,
    /// The number of failed attempts.
    pub failures: u32,
    /// When the endpoint accepted it; `None` before that.
    pub delivered_at: Option<Timestamp>,
    /// Whether the event was given up.
    pub given_up: bool,
}

impl fmt::Debug for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookEvent")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}

/// The waits between attempts, in seconds: 13 attempts over about 75 hours.
const WAITS: [u64; 12] = [1, 5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

impl WebhookEvent {
    /// Returns whether the event was delivered or given up.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.delivered_at.is_some() || self.given_up
    }

    /// Returns the event without the customer's data: its type, its time, and what names the request.
    #[must_use]
    pub fn erased(&self) -> Self {
        let mut payload: Value = serde_json::from_str(&self.payload).unwrap_or_default();
        if let Some(data) = payload.pointer_mut("/data").and_then(Value::as_object_mut) {
            data.retain(|name, _| matches!(name.as_str(), "id" | "version" | "state" | "mode"));
        }
        Self { payload: payload.to_string(), ..self.clone() }
    }

    /// Returns the event after its delivery.
    #[must_use]
    pub fn delivered(&self, now: Timestamp) -> Self {
        Self { delivered_at: Some(now), ..self.clone() }
    }

    /// Returns the event after it was given up.
    #[must_use]
    pub fn abandoned(&self) -> Self {
        Self { given_up: true, ..self.clone() }
    }

    /// Returns the event after a failed attempt: due again after the next wait, or given up after the last.
    ///
    /// `spread` (0 to 255) moves the wait by up to a fifth, so that events do not arrive together.
    #[must_use]
    pub fn failed(&self, spread: u8, now: Timestamp) -> Self {
        let place = usize::try_from(self.failures).unwrap_or(usize::MAX);
        let failures = self.failures.saturating_add(1);
        let Some(wait) = WAITS.get(place) else {
            return Self { failures, given_up: true, ..self.clone() };
        };
        let millis = wait * 1000 * 4 / 5 + wait * 1000 * 2 / 5 * u64::from(spread) / 255;
        Self { failures, due_at: now.after(Duration::from_millis(millis)), ..self.clone() }
    }
}

/// A signing secret that is not valid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret must be whsec_ and 24 to 64 bytes in base64")]
pub struct InvalidSecret;

/// Computes the `webhook-signature` header: one `v1` signature for each secret, so that a rotation has no gap.
///
/// A secret that is not valid does not sign, and silences no other one. Reading the settings reports it.
///
/// # Errors
/// [`InvalidSecret`] when no secret is valid.
pub fn signature<'a>(
    secrets: impl Iterator<Item = &'a str>,
    id: &str,
    sent_at: Timestamp,
    payload: &str,
) -> Result<String, InvalidSecret> {
    let mut signatures = Vec::new();
    for secret in secrets {
        let Ok(key) = signing_key(secret) else { continue };
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return Err(InvalidSecret) };
        mac.update(format!("{id}.{}.{payload}", sent_at.as_secs()).as_bytes());
        signatures.push(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
    }
    if signatures.is_empty() { Err(InvalidSecret) } else { Ok(signatures.join(" ")) }
}

/// Decodes a signing secret.
///
/// # Errors
/// [`InvalidSecret`] for a secret that is not `whsec_` and 24 to 64 bytes in base64.
pub fn signing_key(secret: &str) -> Result<Zeroizing<Vec<u8>>, InvalidSecret> {
    let text = secret.strip_prefix("whsec_").unwrap_or(secret);
    let Ok(key) = STANDARD.decode(text).map(Zeroizing::new) else { return Err(InvalidSecret) };
    if (24..=64).contains(&key.len()) { Ok(key) } else { Err(InvalidSecret) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_matches_the_published_vector() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = signature(
            [secret, secret].into_iter(),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            Timestamp::from_millis(1_614_265_330_000),
            r#"{"test": 2432232314}"#,
        )
        .unwrap();
        let one = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed, format!("{one} {one}"));
    }

    #[test]
    fn signature_without_a_valid_secret_fails() {
        assert_eq!(signature(std::iter::empty(), "a", Timestamp::EPOCH, ""), Err(InvalidSecret));
        assert_eq!(
            signature(["whsec_YWJj"].into_iter(), "a", Timestamp::EPOCH, ""),
            Err(InvalidSecret)
        );
    }

    #[test]
    fn invalid_secret_does_not_silence_a_valid_one() {
        let good = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let sign = |secrets: &[&str]| signature(secrets.iter().copied(), "a", Timestamp::EPOCH, "");
        let alone = sign(&[good]).unwrap();
        for bad in ["whsec_YWJj", "whsec_%%%", "", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS"] {
            assert_eq!(sign(&[good, bad]).as_ref(), Ok(&alone), "{bad}");
            assert_eq!(sign(&[bad, good]).as_ref(), Ok(&alone), "{bad}");
            assert_eq!(sign(&[bad]), Err(InvalidSecret), "{bad}");
        }
    }

    #[test]
    fn webhook_is_given_up_after_13_attempts_in_3_days() {
        let mut webhook = WebhookEvent {
            id: WebhookEventId::new(Timestamp::EPOCH, [0; 10]),
            seq: 1,
            kind: WebhookEventType::Fulfilled,
            payload: String::new(),
            due_at: Timestamp::EPOCH,
            failures: 0,
            delivered_at: None,
            given_up: false,
        };
        let mut attempts = 0;
        while !webhook.given_up {
            attempts += 1;
            webhook = webhook.failed(128, webhook.due_at);
        }
        assert_eq!(attempts, 13);
        let hours = webhook.due_at.as_millis() / 3_600_000;
        assert!((74..=77).contains(&hours), "{hours}");
    }
}
