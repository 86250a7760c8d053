//! The webhook events that this machine sends to itself, verified as a requester would and kept for the console.

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
/// The most that the clocks of two machines may differ, in seconds.
const TOLERANCE: i64 = 300;

/// The webhook events received, newest last.
#[derive(Default)]
pub struct ReceivedWebhooks(Mutex<VecDeque<Value>>);

impl ReceivedWebhooks {
    /// Verifies and keeps an event; `false` when its signature is wrong. A repeated event is kept once.
    pub fn take(&self, brand: &Brand, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
        let text = |name: &str| {
            headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        let id = text("webhook-id");
        let verified = verifies(brand, headers, body, now);
        let event: Value = serde_json::from_slice(body).unwrap_or_default();
        let kept = json!({
            "at": now,
            "id": id,
            "type": event.get("type"),
            "verified": verified,
            "request": event.pointer("/data/id"),
            "body": event,
        });
        let mut webhooks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            webhooks.iter_mut().find(|known| known.get("id").and_then(Value::as_str) == Some(id));
        match known {
            // An unverified sender may have used that id first.
            Some(known) if verified && known.get("verified") != Some(&json!(true)) => *known = kept,
            Some(_) => {}
            None => webhooks.push_back(kept),
        }
        while webhooks.len() > EVENTS_MAX {
            webhooks.pop_front();
        }
        verified
    }

    /// Returns all events, newest first.
    #[must_use]
    pub fn list(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }
}

/// Whether one of the signatures verifies with one of the secrets over exactly these bytes, and is recent.
fn verifies(brand: &Brand, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
    let text =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ok(sent_at) = text("webhook-timestamp").parse::<i64>() else { return false };
    let (Some(setup), Ok(payload)) = (&brand.test.webhooks, std::str::from_utf8(body)) else {
        return false;
    };
    let sent = Timestamp::from_millis(sent_at.saturating_mul(1000));
    let recent = (now.as_secs() - sent_at).abs() <= TOLERANCE;
    let given: Vec<&str> = text("webhook-signature").split(' ').collect();
    let ours = webhook::signature(setup.secret_texts(), text("webhook-id"), sent, payload)
        .unwrap_or_default();
    let mut matches =
        ours.split(' ').filter(|ours| given.iter().any(|given| keys::same(given, ours)));
    recent && matches.next().is_some()
}
