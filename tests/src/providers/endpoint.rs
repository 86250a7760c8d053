//! The requester's endpoint: verifies each webhook by Standard Webhooks, and keeps it by its id.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::values::time::Timestamp;
use domain::webhook;
use http::Request;

/// The webhooks that the requester took.
#[derive(Clone, Debug, Default)]
pub struct Endpoint {
    /// The secrets it knows.
    pub secrets: Vec<String>,
    /// The body of each webhook that it took, by id.
    pub taken: BTreeMap<String, Bytes>,
}

impl Endpoint {
    /// Takes a webhook. Returns the status, or an error that says what is wrong.
    pub(crate) fn take(
        &mut self,
        request: &Request<Bytes>,
        now: Timestamp,
    ) -> Result<u16, &'static str> {
        let text = |name: &str| {
            let value = request.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default()
        };
        let id = text("webhook-id");
        let Ok(seconds) = text("webhook-timestamp").parse::<i64>() else {
            return Err("a webhook without a time");
        };
        let sent_at = Timestamp::from_millis(seconds.saturating_mul(1000));
        let Ok(payload) = std::str::from_utf8(request.body()) else {
            return Err("a webhook that is no text");
        };
        if crate::providers::shows_a_secret(payload) {
            return Err("C6: a webhook tells a secret");
        }
        let given: Vec<&str> = text("webhook-signature").split(' ').collect();
        let known = self.secrets.iter().any(|secret| {
            let ours = webhook::signature(std::iter::once(secret.as_str()), id, sent_at, payload);
            ours.is_ok_and(|ours| given.contains(&ours.as_str()))
        });
        if !known {
            return Ok(401);
        }
        if now.as_secs().saturating_sub(seconds).abs() > 300 {
            return Ok(400);
        }
        let before = self.taken.insert(id.to_owned(), request.body().clone());
        if before.is_some_and(|before| before != *request.body()) {
            return Err("C3: two webhooks of one id differ");
        }
        Ok(204)
    }
}
