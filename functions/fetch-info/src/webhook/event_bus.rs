//! One event put on a requester's EventBridge bus.
//!
//! The call is signed with the function's role. One entry of one event goes in a call, so that its answer is the event's.
//! A bus takes events of up to 1 MB; a stored event of ours has at most 256 KiB.
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>, and for the size
//! <https://aws.amazon.com/blogs/compute/more-room-to-build-serverless-services-now-support-payloads-up-to-1-mb>, read 2026-11-26.

use std::time::Duration;

use bytes::Bytes;
use domain::brand::{EventBus, Mode};
use domain::values::name::BrandName;
use domain::webhook::{FailureReason, WebhookEvent};
use http::{Request, StatusCode, header};
use ports::{Http, HttpError, LiveHttp, Reach, Signer};
use serde_json::{Value, json};

use super::delivery_result::{ANSWER_BYTES, DeliveryResult};

/// Short, since the URL may have its whole time after it within one run of the function.
const TIME_MAX: Duration = Duration::from_secs(5);
const SERVICE: &str = "events";

/// The way to a bus, and whose events go there.
pub(crate) struct BusCaller<'a> {
    pub(crate) http: &'a dyn Http,
    pub(crate) signer: Option<&'a dyn Signer>,
    pub(crate) brand: &'a BrandName,
    pub(crate) mode: Mode,
}

impl BusCaller<'_> {
    /// Puts the event on the bus.
    pub(crate) async fn put(&self, webhook: &WebhookEvent, bus: &EventBus) -> DeliveryResult {
        let id = webhook.id;
        let Some(signer) = self.signer else {
            tracing::error!(webhook.id = %id, "no credentials to sign calls to the event bus with");
            return DeliveryResult::failed(FailureReason::NotSigned);
        };
        let call = Request::post(format!("{}/", bus.base))
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", "AWSEvents.PutEvents")
            .body(Bytes::from(self.entry(webhook, bus).to_string()));
        let Ok(call) = call else {
            return DeliveryResult::failed(FailureReason::AddressNotAllowed);
        };
        let call = match signer.sign(call, SERVICE, &bus.region).await {
            Ok(call) => call,
            Err(error) => {
                tracing::error!(webhook.id = %id, error = %error, "failed to sign a call to the event bus");
                return DeliveryResult::failed(FailureReason::NotSigned);
            }
        };
        let reach = match self.mode {
            Mode::Live => LiveHttp::reach(Reach::Configured),
            Mode::Test => Reach::Configured,
        };
        match self.http.call(call, reach, TIME_MAX).await {
            Ok(answer) => taken(webhook, answer.status(), answer.into_body()),
            Err(HttpError::Forbidden) => {
                tracing::error!(webhook.id = %id, "address of the event bus is not public");
                DeliveryResult::failed(FailureReason::AddressNotAllowed)
            }
            Err(HttpError::NotSent(error)) => {
                tracing::warn!(webhook.id = %id, error = %error, "event bus could not be reached");
                DeliveryResult::failed(FailureReason::NoConnection)
            }
            Err(HttpError::Lost(error)) => {
                tracing::warn!(webhook.id = %id, error = %error, "event bus did not answer");
                DeliveryResult::failed(FailureReason::NoAnswer)
            }
        }
    }

    /// Returns the body of the call. EventBridge gives each delivery an id of its own, so that ours is a resource.
    fn entry(&self, webhook: &WebhookEvent, bus: &EventBus) -> Value {
        let millis = webhook.id.made_at().as_millis();
        json!({ "Entries": [{
            "EventBusName": bus.arn,
            "Source": format!("assent.{}", self.brand),
            "DetailType": webhook.kind.as_str(),
            "Detail": webhook.payload,
            "Resources": [webhook.id],
            "Time": millis.div_euclid(1_000),
        }] })
    }
}

/// Reads an answer. An entry may have failed though the status is 200.
fn taken(webhook: &WebhookEvent, status: StatusCode, mut body: Bytes) -> DeliveryResult {
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    let code = answer.pointer("/Entries/0/ErrorCode").and_then(Value::as_str);
    let event = answer.pointer("/Entries/0/EventId").and_then(Value::as_str);
    let failed = answer.pointer("/FailedEntryCount").and_then(Value::as_u64);
    let reason = if !status.is_success() {
        Some(FailureReason::Status)
    } else if code.is_none() && event.is_some() && failed == Some(0) {
        None
    } else {
        Some(FailureReason::BusRejected)
    };
    if reason.is_some() {
        let kind = answer.get("__type").and_then(Value::as_str).or(code).unwrap_or_default();
        tracing::warn!(webhook.id = %webhook.id, http.status = status.as_u16(), error.kind = kind, "event rejected by its bus");
    }
    body.truncate(ANSWER_BYTES);
    DeliveryResult { status: Some(status), body, reason, wait: None, sent: None }
}
