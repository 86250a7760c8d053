//! Notices: what the requester is told, signed as Standard Webhooks 1.0.0 says.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::request::WebhookEventType;
use crate::values::id::WebhookEventId;
use crate::values::time::Timestamp;

/// One notice of a request, as it is stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEvent {
    /// Its id, the same on every attempt.
    pub id: WebhookEventId,
    /// Its place among the request's notices, from 1.
    pub seq: u32,
    /// What it tells.
    pub kind: WebhookEventType,
    /// The body, the same bytes on every attempt.
    pub payload: String,
    /// When the next attempt is due.
    pub due_at: Timestamp,
    /// How many attempts failed.
    pub failures: u32,
    /// When the requester took it.
    pub delivered_at: Option<Timestamp>,
    /// Whether no more attempts are made.
    pub given_up: bool,
}

impl fmt::Debug for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notice")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}

/// The waits between the attempts, in seconds: 13 attempts over about 75 hours, the first ones while the call still goes on.
const WAITS: [u64; 12] = [1, 5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

impl WebhookEvent {
    /// Whether nothing is left to do for it.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.delivered_at.is_some() || self.given_up
    }

    /// The notice after its requester took it.
    #[must_use]
    pub fn delivered(&self, now: Timestamp) -> Self {
        Self { delivered_at: Some(now), ..self.clone() }
    }

    /// The notice after no more attempts will be made.
    #[must_use]
    pub fn abandoned(&self) -> Self {
        Self { given_up: true, ..self.clone() }
    }

    /// The notice after one more attempt failed: due again after the next wait, which `spread` (0 to 255) moves by up to a
    /// fifth either way so that many do not come at once, or given up on after the last.
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

/// A signing secret that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret is whsec_ and 24 to 64 bytes in base64")]
pub struct InvalidSecret;

/// The `webhook-signature` of one attempt: one `v1` signature per secret, so that a rotation needs no moment.
///
/// # Errors
/// [`InvalidSecret`] for a secret that is not `whsec_` and 24 to 64 bytes in base64, and for none at all.
pub fn signature<'a>(
    secrets: impl Iterator<Item = &'a str>,
    id: &str,
    sent_at: Timestamp,
    payload: &str,
) -> Result<String, InvalidSecret> {
    let mut signatures = Vec::new();
    for secret in secrets {
        let text = secret.strip_prefix("whsec_").unwrap_or(secret);
        let Ok(key) = STANDARD.decode(text) else { return Err(InvalidSecret) };
        if !(24..=64).contains(&key.len()) {
            return Err(InvalidSecret);
        }
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return Err(InvalidSecret) };
        mac.update(format!("{id}.{}.{payload}", sent_at.as_secs()).as_bytes());
        signatures.push(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
    }
    if signatures.is_empty() { Err(InvalidSecret) } else { Ok(signatures.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vector_signs_alike() {
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
    fn no_secret_or_a_short_one_never_signs() {
        assert_eq!(signature(std::iter::empty(), "a", Timestamp::EPOCH, ""), Err(InvalidSecret));
        assert_eq!(
            signature(["whsec_YWJj"].into_iter(), "a", Timestamp::EPOCH, ""),
            Err(InvalidSecret)
        );
    }

    #[test]
    fn thirteen_attempts_take_about_three_days_and_then_end_openly() {
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
