//! AWS End User Messaging: takes texts and cards that its own model allows, and nothing else.

pub mod events;
mod model;

use bytes::Bytes;
use http::{HeaderMap, Uri, header};
use serde_json::{Value, json};

use model::Model;

/// Where a region's service is.
pub const HOST: &str = "sms-voice.eu-west-1.amazonaws.com";

/// A message that the service took.
#[derive(Clone, Debug)]
pub struct SentMessage {
    /// The name of the operation, such as `SendTextMessage`.
    pub operation: String,
    /// The call's body.
    pub body: Value,
}

/// A refusal of the service: its error, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    /// The error's name.
    pub error: &'static str,
    /// What is wrong, one thing each.
    pub faults: Vec<String>,
}

/// Looks at a call as the service would.
///
/// # Errors
/// What the service would answer instead of taking the message.
pub fn receive(uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Result<SentMessage, ServiceError> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let scope = signed_for(header(header::AUTHORIZATION.as_str()));
    let region = uri.host().and_then(|host| host.strip_prefix("sms-voice."));
    let region = region.and_then(|host| host.strip_suffix(".amazonaws.com"));
    if scope.is_none() || scope != region {
        return Err(refused("MissingAuthenticationTokenException", ["the signature's scope"]));
    }
    if header("content-type") != "application/x-amz-json-1.0" || uri.path() != "/" {
        return Err(refused("UnknownOperationException", ["the protocol"]));
    }
    let target = header("x-amz-target");
    let operation = target.strip_prefix("PinpointSMSVoiceV2.").unwrap_or_default().to_owned();
    if !matches!(operation.as_str(), "SendRcsMessage" | "SendTextMessage") {
        return Err(refused("UnknownOperationException", [target]));
    }
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return Err(refused("SerializationException", ["the body is no JSON"]));
    };
    let mut faults = Model::read().faults(&format!("{operation}Request"), &body);
    if faults.is_empty() {
        faults = if operation == "SendRcsMessage" { of_card(&body) } else { of_text(&body) };
    }
    if faults.is_empty() {
        Ok(SentMessage { operation, body })
    } else {
        Err(refused("ValidationException", faults))
    }
}

/// The service's answer: a status and a body. `count` makes the message's id.
#[must_use]
pub fn answer(looked: &Result<SentMessage, ServiceError>, count: usize) -> (u16, Value) {
    match looked {
        Ok(_) => (200, json!({ "MessageId": format!("0a1b2c3d-4e5f-6071-8293-{count:012x}") })),
        Err(ServiceError { error, faults }) => {
            let name = format!("com.amazonaws.pinpointsmsvoicev2#{error}");
            let message = faults.join("; ");
            (
                400,
                json!({ "__type": name, "Message": message, "Reason": "FIELD_VALIDATION_FAILED" }),
            )
        }
    }
}

fn refused<T: Into<String>>(
    error: &'static str,
    faults: impl IntoIterator<Item = T>,
) -> ServiceError {
    ServiceError { error, faults: faults.into_iter().map(Into::into).collect() }
}

/// The region that a signature of ours is for.
fn signed_for(authorization: &str) -> Option<&str> {
    let scope = authorization.strip_prefix("AWS4-HMAC-SHA256 Credential=")?;
    let parts: Vec<&str> = scope.split([',', ' ']).next()?.split('/').collect();
    match parts.as_slice() {
        [_, _, region, "sms-voice", "aws4_request"] => Some(region),
        _ => None,
    }
}

/// Returns what the service's guide and its field descriptions ask of a card beyond the model.
fn of_card(body: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut wants = |holds: bool, what: &str| {
        if !holds {
            faults.push(what.to_owned());
        }
    };
    let one_of = |value: &Value, words: &[&str]| {
        value.is_null() || value.as_str().is_some_and(|word| words.contains(&word))
    };
    let traffic =
        ["AUTHENTICATION", "TRANSACTION", "PROMOTION", "SERVICE_REQUEST", "ACKNOWLEDGEMENT"];
    wants(one_of(&body["MessageTrafficType"], &traffic), "MessageTrafficType");
    wants(!body["RcsMessageContent"].is_null(), "RcsMessageContent");
    let card = &body["RcsMessageContent"]["Content"]["RichCard"];
    wants(one_of(&card["CardOrientation"], &["HORIZONTAL", "VERTICAL"]), "CardOrientation");
    for suggestion in card["CardContent"]["Suggestions"].as_array().into_iter().flatten() {
        let open = &suggestion["OpenUrl"];
        wants(one_of(&open["Application"], &["BROWSER", "WEBVIEW"]), "Application");
        wants(one_of(&open["WebviewViewMode"], &["FULL", "HALF", "TALL"]), "WebviewViewMode");
        let viewed = open["WebviewViewMode"].is_null() || open["Application"] == "WEBVIEW";
        wants(viewed, "WebviewViewMode without a web view");
    }
    let fallback = &body["FallbackConfiguration"];
    if !fallback.is_null() {
        let from = fallback["OriginationIdentity"].as_str();
        let pooled = |text: &str| text.starts_with("pool-") || text.contains(":pool/");
        let agent = |text: &str| text.starts_with("rcs-") || text.contains(":rcs-agent/");
        wants(from.is_none_or(|from| !pooled(from) && !agent(from)), "the fallback's sender");
        let of_pool = body["OriginationIdentity"].as_str().is_some_and(pooled);
        wants(from.is_some() || of_pool, "the fallback needs a sender");
        let says = fallback["Channel"] != "SMS" || !fallback["MessageBody"].is_null();
        wants(says, "the fallback needs a body");
    }
    faults
}

fn of_text(body: &Value) -> Vec<String> {
    let needed = ["OriginationIdentity", "MessageBody"].into_iter();
    needed.filter(|name| body[name].is_null()).map(str::to_owned).collect()
}
