//! Google's calls to the agent's webhook: real shapes, signed as Google signs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha512;

use super::{AGENT, CLIENT_TOKEN, Fate, Message, Rbm};

/// One call to the webhook.
#[derive(Clone, Debug)]
pub struct SignedEvent {
    /// The body: an envelope as Pub/Sub pushes it.
    pub body: String,
    /// The header `X-Goog-Signature`.
    pub signature: String,
}

impl SignedEvent {
    /// A signed envelope around any bytes.
    #[must_use]
    pub fn of(data: &[u8]) -> Self {
        Self { body: envelope(data).to_string(), signature: signature(data, CLIENT_TOKEN) }
    }

    /// The same call, with a guessed signature.
    #[must_use]
    pub fn forged(&self) -> Self {
        Self { signature: signature(self.body.as_bytes(), "a guess"), ..self.clone() }
    }

    fn event(data: &Value) -> Self {
        Self::of(data.to_string().as_bytes())
    }
}

fn envelope(data: &[u8]) -> Value {
    json!({
        "message": {
            "attributes": {
                "business_id": format!("{AGENT}@rbm.goog"), "product": "RBM", "type": "message",
                "message_type": "TEXT",
            },
            "data": STANDARD.encode(data),
            "messageId": "14150481888479752",
            "publishTime": "2026-12-01T00:00:00.123Z",
        },
        "subscription": "projects/rbm-partner/subscriptions/rbm-sub",
    })
}

fn signature(data: &[u8], token: &str) -> String {
    let mut mac = Hmac::<Sha512>::new_from_slice(token.as_bytes()).expect("any key will do");
    mac.update(data);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The suggestion in a card that says so.
fn suggestion<'a>(message: &'a Message, label: &str) -> (&'static str, &'a Value) {
    let suggestions = message.card["suggestions"].as_array().expect("a card with suggestions");
    let kinds = ["reply", "action"];
    let mut all = suggestions.iter().flat_map(|one| kinds.map(|kind| (kind, &one[kind])));
    all.find(|(_, one)| one["text"] == label).expect("a suggestion that says so")
}

/// What happens on phones, and what Google tells of it.
impl Rbm {
    /// A message reaches its phone.
    pub fn delivers(&self, message: &Message) -> SignedEvent {
        let mut state = self.lock();
        let known = state.messages.iter_mut().find(|known| known.id == message.id);
        known.expect("a message that was taken").fate = Fate::Delivered;
        Self::receipt(message, "DELIVERED")
    }

    /// A message was read.
    #[must_use]
    pub fn reads(&self, message: &Message) -> SignedEvent {
        Self::receipt(message, "READ")
    }

    fn receipt(message: &Message, kind: &str) -> SignedEvent {
        SignedEvent::event(&json!({
            "senderPhoneNumber": message.phone, "eventType": kind, "eventId": format!("Ev{kind}"),
            "messageId": message.id, "agentId": format!("{AGENT}@rbm.goog"),
        }))
    }

    /// Returns what the platform tells of a message's end: `TTL_EXPIRATION_REVOKED` or `TTL_EXPIRATION_REVOKE_FAILED`.
    #[must_use]
    pub fn expires(&self, message: &Message, kind: &str) -> SignedEvent {
        SignedEvent::event(&json!({
            "phoneNumber": message.phone, "messageId": message.id, "agentId": AGENT,
            "eventType": kind, "eventId": format!("Ev{kind}"), "sendTime": "2026-12-01T00:05:00Z",
        }))
    }

    /// The customer taps a button in a card: what comes back names no message.
    #[must_use]
    pub fn taps(&self, message: &Message, label: &str) -> SignedEvent {
        let (kind, suggestion) = suggestion(message, label);
        let mut tap = json!({ "senderPhoneNumber": message.phone, "agentId": AGENT });
        tap["suggestionResponse"] = json!({ "postbackData": suggestion["postbackData"] });
        if kind == "reply" {
            tap["messageId"] = json!(message_id(suggestion));
            tap["sendTime"] = json!("2026-12-01T00:01:00.045123Z");
            tap["suggestionResponse"]["text"] = suggestion["text"].clone();
        } else {
            tap["eventId"] = json!(message_id(suggestion));
        }
        SignedEvent::event(&tap)
    }

    /// A customer writes.
    #[must_use]
    pub fn writes(&self, phone: &str, text: &str) -> SignedEvent {
        SignedEvent::event(&json!({
            "agentId": AGENT, "senderPhoneNumber": phone, "messageId": message_id(&json!(text)),
            "sendTime": "2026-12-01T00:01:00Z", "text": text,
        }))
    }

    /// A customer switches something: `SUBSCRIBE`, `UNSUBSCRIBE`, `IS_TYPING`.
    #[must_use]
    pub fn switches(&self, phone: &str, kind: &str) -> SignedEvent {
        SignedEvent::event(&json!({
            "senderPhoneNumber": phone, "eventType": kind, "eventId": format!("Ev{kind}"), "agentId": AGENT,
        }))
    }
}

/// The id of a customer's message: each content has its own.
fn message_id(content: &Value) -> String {
    format!("Ms{}", domain::digest::digest_hex(content.to_string().as_bytes()))
}
