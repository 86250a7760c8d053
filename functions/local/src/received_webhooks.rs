//! The webhook events that this machine sends to itself, verified as a requester would and kept to be looked at.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use domain::brand::Brand;
use domain::keys;
use domain::values::time::Timestamp;
use domain::webhook;
use http::HeaderMap;
use serde_json::{Value, json};

/// The most events that are kept.
const EVENTS_MAX: usize = 500;
/// The most bytes of bodies that are kept.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// The most events without a valid signature that are kept, each without its body.
const UNVERIFIED_MAX: usize = 20;
/// The most characters of a text from an event without a valid signature.
const UNVERIFIED_TEXT_MAX: usize = 100;
/// The most that the clocks of two machines may differ, in seconds.
const TOLERANCE: i64 = 300;

/// The webhook events received, newest last.
#[derive(Default)]
pub struct ReceivedWebhooks(Mutex<VecDeque<ReceivedEvent>>);

struct ReceivedEvent {
    id: String,
    verified: bool,
    bytes: usize,
    shown: Value,
}

impl ReceivedWebhooks {
    /// Verifies and keeps an event; `false` when its signature is wrong. A repeated event is kept once.
    pub fn take(&self, brand: &Brand, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
        let text = |name: &str| {
            headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        let verified = verifies(brand, headers, body, now);
        let event: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut id = text("webhook-id").to_owned();
        let (mut kind, mut request) = (event.get("type"), event.pointer("/data/id"));
        if !verified {
            // Any process can send such an event. What is kept of it is short.
            let is_short = |value: &&Value| {
                value.as_str().is_some_and(|text| text.chars().count() <= UNVERIFIED_TEXT_MAX)
            };
            id = id.chars().take(UNVERIFIED_TEXT_MAX).collect();
            (kind, request) = (kind.filter(is_short), request.filter(is_short));
        }
        let bytes = if verified { body.len() } else { 0 };
        let shown = json!({
            "at": now,
            "id": id,
            "type": kind,
            "verified": verified,
            "request": request,
            "body": verified.then_some(&event),
        });
        let received = ReceivedEvent { id, verified, bytes, shown };
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match events.iter_mut().find(|known| known.id == received.id) {
            // An unverified sender may have used that id first.
            Some(known) if verified && !known.verified => *known = received,
            Some(_) => {}
            None => events.push_back(received),
        }
        bound(&mut events);
        verified
    }

    /// Returns all events, newest first.
    #[must_use]
    pub fn list(&self) -> Vec<Value> {
        let events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().rev().map(|event| event.shown.clone()).collect()
    }
}

/// Drops the oldest events beyond the bounds. Those without a valid signature displace no others.
fn bound(events: &mut VecDeque<ReceivedEvent>) {
    let unverified = |events: &VecDeque<ReceivedEvent>| {
        let places = events.iter().enumerate().filter(|(_, event)| !event.verified);
        places.map(|(place, _)| place).collect::<Vec<_>>()
    };
    let places = unverified(events);
    if places.len() > UNVERIFIED_MAX
        && let Some(oldest) = places.first()
    {
        events.remove(*oldest);
    }
    let bytes = |events: &VecDeque<ReceivedEvent>| {
        events.iter().fold(0_usize, |sum, event| sum.saturating_add(event.bytes))
    };
    while events.len() > EVENTS_MAX || bytes(events) > BYTES_MAX {
        events.pop_front();
    }
}

/// Returns whether one of the signatures verifies with one of the secrets over exactly these bytes, and is recent.
fn verifies(brand: &Brand, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
    let text =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ok(sent_at) = text("webhook-timestamp").parse::<i64>() else { return false };
    let (Some(setup), Ok(payload)) = (&brand.test.webhooks, std::str::from_utf8(body)) else {
        return false;
    };
    let sent = Timestamp::from_millis(sent_at.saturating_mul(1000));
    let recent = now.as_secs().saturating_sub(sent_at).saturating_abs() <= TOLERANCE;
    let given: Vec<&str> = text("webhook-signature").split(' ').collect();
    let ours = webhook::signature(setup.secret_texts(), text("webhook-id"), sent, payload)
        .unwrap_or_default();
    let mut matches =
        ours.split(' ').filter(|ours| given.iter().any(|given| keys::same(given, ours)));
    recent && matches.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_694_400_000);
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn brand() -> Brand {
        let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let text = json!({
            "version": "1", "name": "demo", "display_name": "Demo", "keys": [], "address_key": key, "link_key": key,
            "sealing": { "current": "k1", "keys": { "k1": key } },
            "test": { "webhooks": { "url": "http://127.0.0.1/", "secrets": [SECRET] } },
        });
        Brand::parse(&text.to_string()).unwrap()
    }

    /// Sends an event that is signed, or not.
    fn send(received: &ReceivedWebhooks, id: &str, body: &str, is_signed: bool) -> bool {
        let mut headers = HeaderMap::new();
        let signature = webhook::signature([SECRET].into_iter(), id, NOW, body).unwrap();
        let signature = if is_signed { signature.as_str() } else { "v1,x" };
        let seconds = NOW.as_secs().to_string();
        for (name, value) in
            [("webhook-id", id), ("webhook-timestamp", &seconds), ("webhook-signature", signature)]
        {
            headers.insert(name, value.parse().unwrap());
        }
        received.take(&brand(), &headers, body.as_bytes(), NOW)
    }

    #[test]
    fn unsigned_events_are_few_short_and_displace_no_others() {
        let received = ReceivedWebhooks::default();
        let body = json!({ "type": "request.prompted", "data": { "id": "req_1" } }).to_string();
        assert!(send(&received, "evt_1", &body, true));
        let large = json!({ "type": "x".repeat(200_000), "data": { "id": ["y"] } }).to_string();
        for number in 0..600 {
            assert!(!send(&received, &format!("n{number}"), &large, false));
        }
        let list = received.list();
        assert_eq!(list.len(), 1 + UNVERIFIED_MAX);
        assert!(json!(list).to_string().len() < 10_000);
        let kept = list.last().unwrap();
        assert_eq!(
            (&kept["id"], &kept["body"]["type"]),
            (&json!("evt_1"), &json!("request.prompted"))
        );
    }

    #[test]
    fn signed_events_are_bounded_in_number_and_bytes() {
        let received = ReceivedWebhooks::default();
        let body = |size: usize| json!({ "type": "x", "pad": "x".repeat(size) }).to_string();
        for number in 0..50 {
            assert!(send(&received, &format!("large{number}"), &body(250_000), true));
        }
        assert!(received.list().len() < 40);
        for number in 0..600 {
            assert!(send(&received, &format!("small{number}"), &body(1), true));
        }
        assert_eq!(received.list().len(), EVENTS_MAX);
        assert_eq!(received.list()[0]["id"], "small599");
    }

    #[test]
    fn absurd_timestamp_verifies_nothing() {
        for time in ["-9223372036854775808", "9223372036854775807", "x", ""] {
            let mut headers = HeaderMap::new();
            headers.insert("webhook-timestamp", time.parse().unwrap());
            assert!(!ReceivedWebhooks::default().take(&brand(), &headers, b"{}", NOW), "{time}");
        }
    }
}
