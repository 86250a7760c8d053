//! An EventBridge bus: takes events that its documentation allows, and nothing else.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html> and
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html>, read 2026-11-26.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderValue, Request};
use local::Machine;
use ports::{SignError, Signer};
use serde_json::{Value, json};

use super::Answer;

/// Where the region's service is.
pub const HOST: &str = "events.eu-west-1.amazonaws.com";
/// The bus of a requester.
pub const BUS: &str = "arn:aws:events:eu-west-1:123456789012:event-bus/orders";

/// The most bytes of an event.
const EVENT_MAX: usize = 1024 * 1024;

/// A signer whose signature names its scope, as one of AWS does.
pub struct ScopeSigner;

#[async_trait]
impl Signer for ScopeSigner {
    async fn sign(
        &self,
        mut request: Request<Bytes>,
        service: &str,
        region: &str,
    ) -> Result<Request<Bytes>, SignError> {
        let scope = format!("AKIDEXAMPLE/20261126/{region}/{service}/aws4_request");
        let value = format!("AWS4-HMAC-SHA256 Credential={scope}, Signature=0");
        let value = HeaderValue::try_from(value).map_err(|error| SignError(error.into()))?;
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok(request)
    }
}

/// Gives a machine the credentials that the bus takes.
pub fn join(machine: &mut Machine) {
    let fetch_info = Arc::get_mut(&mut machine.fetch_info);
    fetch_info.expect("the machine has no other holder yet").signer = Some(Arc::new(ScopeSigner));
}

/// Returns the answer to a call. `count` makes the event's id.
#[must_use]
pub fn answer(parts: &Parts, body: &[u8], count: usize) -> Answer {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let scope = header("authorization").unwrap_or_default();
    if !scope.contains("/eu-west-1/events/aws4_request") {
        return refused("MissingAuthenticationTokenException");
    }
    let is_protocol = header("content-type") == Some("application/x-amz-json-1.1")
        && header("x-amz-target") == Some("AWSEvents.PutEvents")
        && parts.uri.path() == "/";
    if !is_protocol {
        return refused("UnknownOperationException");
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some([entry]) = body["Entries"].as_array().map(Vec::as_slice) else {
        return refused("ValidationException");
    };
    let text = |name: &str| entry[name].as_str().unwrap_or_default();
    let detail = serde_json::from_str::<Value>(text("Detail")).unwrap_or_default();
    let is_sound = detail.is_object()
        && (1..=128).contains(&text("DetailType").len())
        && (1..=256).contains(&text("Source").len())
        && !text("Source").starts_with("aws.")
        && entry["Time"].is_u64()
        && entry["Resources"].as_array().is_some_and(|all| all.iter().all(Value::is_string))
        && entry.to_string().len() <= EVENT_MAX;
    if !is_sound || text("EventBusName") != BUS {
        let failed =
            json!({ "ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed." });
        return (200, json!({ "FailedEntryCount": 1, "Entries": [failed] }));
    }
    let id = format!("0a1b2c3d-4e5f-6071-8293-{count:012x}");
    (200, json!({ "FailedEntryCount": 0, "Entries": [{ "EventId": id }] }))
}

fn refused(kind: &str) -> Answer {
    (400, json!({ "__type": kind }))
}
