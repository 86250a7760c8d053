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

use crate::api_key::KeyId;
use crate::brand::{Destination, Mode};
use crate::request::WebhookEventType;
use crate::values::id::WebhookEventId;
use crate::values::name::BrandName;
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
    /// Whose event it is; `None` for an event of an older release, which its request alone names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<EventOwner>,
    /// The destinations that took it while another one did not yet. A redelivery goes to all again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<Destination>,
    /// The latest attempts, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<DeliveryAttempt>,
    /// When the customer's data was erased from the payload; `None` before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Timestamp>,
}

/// The owner of an event. Its delivery and its list need no request then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventOwner {
    /// The brand that gets the event.
    pub brand: BrandName,
    /// Test or live.
    pub mode: Mode,
    /// The key that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// How long the event is kept.
    pub kept_until: Timestamp,
}

/// An attempt to deliver an event.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryAttempt {
    /// When it began.
    pub at: Timestamp,
    /// Where it went.
    #[serde(default, skip_serializing_if = "Destination::is_url")]
    pub destination: Destination,
    /// The status of the answer; `None` where none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The beginning of the answer's body.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answer: String,
    /// Why it failed; `None` where the endpoint took the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<FailureReason>,
    /// What the call to the endpoint carried in its headers; `None` where there was no call, and at a bus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<SentHeaders>,
}

/// The headers of a call to an endpoint that differ from attempt to attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentHeaders {
    /// The `webhook-timestamp`, in seconds since 1970.
    pub timestamp: i64,
    /// The `webhook-signature`. It proves the event to who has a secret, and reveals none.
    pub signature: String,
}

impl fmt::Debug for DeliveryAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryAttempt")
            .field("at", &self.at)
            .field("status", &self.status)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl DeliveryAttempt {
    /// Returns an attempt that failed without a call.
    #[must_use]
    pub const fn uncalled(reason: FailureReason, at: Timestamp) -> Self {
        let destination = Destination::Url;
        let answer = String::new();
        let (status, sent) = (None, None);
        Self { at, destination, status, duration_ms: 0, answer, reason: Some(reason), sent }
    }
}

/// The reason why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The endpoint answered with another status than `2xx`.
    Status,
    /// The endpoint answered `410`.
    Gone,
    /// No connection to the endpoint could be made.
    NoConnection,
    /// The endpoint did not answer in time, or its answer was lost.
    NoAnswer,
    /// The address is not one that the mode may have.
    AddressNotAllowed,
    /// No secret signs the event, or no credentials the call to the bus.
    NotSigned,
    /// The bus did not take the event. Its answer says why.
    BusRejected,
    /// The endpoint was too slow for one more delivery.
    EndpointBusy,
    /// The endpoint is switched off.
    EndpointDisabled,
    /// The brand has no endpoint in this mode.
    NotConfigured,
}

/// The most attempts that are kept of an event.
pub const ATTEMPTS_MAX: usize = 30;

/// The most characters that are kept of an answer.
const ANSWER_MAX: usize = 512;

/// Returns the beginning of an endpoint's answer for display, without any signing secret that it quotes.
#[must_use]
pub fn shown_answer<'a>(body: &[u8], secrets: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    for secret in secrets {
        for form in [secret, secret.trim_start_matches("whsec_")] {
            if !form.is_empty() {
                text = text.replace(form, "[secret]");
            }
        }
    }
    for prefix in ["whsec_", "sk_test_", "sk_live_", "rk_test_", "rk_live_", "ct_"] {
        text = without_words(&text, prefix);
    }
    let shown = |c: char| if c.is_control() && c != '\n' && c != '\t' { ' ' } else { c };
    text.chars().take(ANSWER_MAX).map(shown).collect()
}

/// Replaces each word that begins with a prefix of secrets.
fn without_words(text: &str, prefix: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(prefix) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_-+/=.".contains(c);
        shown.push_str(before);
        shown.push_str("[secret]");
        rest = after.trim_start_matches(is_part);
    }
    shown.push_str(rest);
    shown
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
    pub fn erased(&self, now: Timestamp) -> Self {
        let mut payload: Value = serde_json::from_str(&self.payload).unwrap_or_default();
        if let Some(data) = payload.pointer_mut("/data").and_then(Value::as_object_mut) {
            data.retain(|name, _| matches!(name.as_str(), "id" | "version" | "state" | "mode"));
        }
        let mut erased = Self { payload: payload.to_string(), ..self.clone() };
        erased.erased_at = self.erased_at.or(Some(now));
        for attempt in &mut erased.attempts {
            attempt.answer.clear();
        }
        erased
    }

    /// Returns the event after one more attempt. The oldest make room.
    #[must_use]
    pub fn with_attempt(mut self, attempt: DeliveryAttempt) -> Self {
        self.attempts.push(attempt);
        let spare = self.attempts.len().saturating_sub(ATTEMPTS_MAX);
        self.attempts.drain(..spare);
        self
    }

    /// Returns the event as due again, on a schedule that begins now. Its id and its bytes stay.
    #[must_use]
    pub fn redelivered(&self, now: Timestamp) -> Self {
        let taken = Vec::new();
        Self {
            due_at: now,
            failures: 0,
            delivered_at: None,
            given_up: false,
            taken,
            ..self.clone()
        }
    }

    /// Returns the event after its delivery.
    #[must_use]
    pub fn delivered(&self, now: Timestamp) -> Self {
        Self { delivered_at: Some(now), taken: Vec::new(), ..self.clone() }
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
            owner: None,
            taken: Vec::new(),
            attempts: Vec::new(),
            erased_at: None,
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

    #[test]
    fn answer_is_shown_short_and_without_secrets() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let shown = |body: &str| shown_answer(body.as_bytes(), [secret].into_iter());
        assert_eq!(shown("taken\r\n"), "taken \n");
        assert_eq!(shown(&format!("KEY={secret};")), "KEY=[secret];");
        assert_eq!(shown("a MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw b"), "a [secret] b");
        assert_eq!(
            shown("whsec_b3RoZXI= sk_live_demo_x1, rk_test_a-b"),
            "[secret] [secret], [secret]"
        );
        assert_eq!(shown(&"é".repeat(2_000)).chars().count(), ANSWER_MAX);
        assert_eq!(shown_answer(&[b'o', 0xff, 0], std::iter::empty()), "o\u{fffd} ");
    }
}
