//! A webhook event as the API shows it, with its attempts.

use serde_json::{Value, json};

use crate::brand::Mode;
use crate::request::WebhookEventType;
use crate::values::id::RequestId;
use crate::values::time::Timestamp;
use crate::webhook::WebhookEvent;

/// Renders the body of an event that tests an endpoint.
#[must_use]
pub fn test_payload(mode: Mode, at: Timestamp) -> String {
    let kind = WebhookEventType::EndpointTest.as_str();
    json!({ "type": kind, "timestamp": at, "data": { "mode": mode } }).to_string()
}

/// Renders a webhook event for the API. An event that tests an endpoint is of no request.
#[must_use]
pub fn webhook_event(request: RequestId, event: &WebhookEvent) -> Value {
    let is_test = event.kind == WebhookEventType::EndpointTest;
    let state = match (event.delivered_at, event.given_up) {
        (Some(_), _) => "delivered",
        (None, true) => "failed",
        (None, false) => "pending",
    };
    let attempts = event.attempts.iter().map(|attempt| {
        json!({
            "at": attempt.at,
            "destination": attempt.destination,
            "status": attempt.status,
            "duration_ms": attempt.duration_ms,
            "answer": attempt.answer,
            "reason": attempt.reason,
            "headers": attempt.sent.as_ref().map(|sent| {
                json!({
                    "webhook-id": event.id,
                    "webhook-timestamp": sent.timestamp.to_string(),
                    "webhook-signature": sent.signature,
                })
            }),
        })
    });
    let payload: Value = serde_json::from_str(&event.payload).unwrap_or_default();
    json!({
        "id": event.id,
        "type": event.kind.as_str(),
        "created_at": event.id.made_at(),
        "request": (!is_test).then_some(request),
        "state": state,
        "delivered_at": event.delivered_at,
        "next_attempt_at": (!event.is_settled()).then_some(event.due_at),
        "erased_at": event.erased_at,
        "attempts": attempts.collect::<Vec<_>>(),
        "payload": payload,
    })
}
