//! Adyen through the port: the calls, and the meaning of every reply and webhook.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::authorization::{Authorization, Credential, CredentialKind};
use domain::brand::Mode;
use domain::processor_result::ReportedResult;
use domain::values::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use ports::{
    AttemptContext, Processor, ProcessorEvent, Proof, UnverifiedCallback, VerifiedWebhook,
};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::doubles::{Doubles, ScriptedReply};

mod detaching;
mod labels;
mod links;
mod payments;
mod settings;
mod webhooks;

pub(crate) const KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
pub(crate) const NAME: &str = "req_01J00000000000000000000000.1";
const PSP: &str = "7914073381342284";
/// The begin of every attempt of the doubles, in milliseconds.
const BEGUN: i64 = 1_767_225_600_000;

fn base() -> Value {
    json!({ "api_key": "AQE1", "merchant_account": "AcmeECOM", "hmac_keys": [KEY] })
}

fn open(doubles: &Doubles, more: &Value) -> Box<dyn Processor> {
    let mut settings = base();
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    doubles.open(Mode::Test, "adyen", &settings).ok().unwrap()
}

fn approval(kind: CredentialKind, secret: &str) -> Authorization {
    Credential::new(kind, secret).into()
}

fn apple() -> Authorization {
    let token =
        r#"{"paymentData":{ "version":"EC_v1","data":"b+/=" },"transactionIdentifier":"f7"}"#;
    approval(CredentialKind::ApplePay, token)
}

fn json_reply(status: u16, value: &Value) -> ScriptedReply {
    ScriptedReply::Answer(status, value.to_string().into_bytes())
}

/// Signs an item of a webhook.
fn signed(mut item: Value, key: &str) -> Value {
    let text = |pointer: &str| match item.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let fields = [
        "/pspReference",
        "/originalReference",
        "/merchantAccountCode",
        "/merchantReference",
        "/amount/value",
        "/amount/currency",
        "/eventCode",
        "/success",
    ];
    let mut mac = Hmac::<Sha256>::new_from_slice(&hex::decode(key).unwrap()).unwrap();
    mac.update(fields.map(text).join(":").as_bytes());
    let mac = STANDARD.encode(mac.finalize().into_bytes());
    item["additionalData"] = json!({ "hmacSignature": mac });
    item
}

fn item(event: &str, name: &str, success: &str) -> Value {
    json!({
        "eventCode": event, "success": success, "pspReference": PSP, "originalReference": "",
        "merchantAccountCode": "AcmeECOM", "merchantReference": name,
        "amount": { "value": 4250, "currency": "EUR" }, "eventDate": "2026-01-01T00:00:00+01:00",
        "paymentMethod": "visa", "reason": "064235:1234:12/2030", "operations": ["CANCEL"],
    })
}

fn webhook(live: &str, items: &[Value]) -> Value {
    let items: Vec<Value> =
        items.iter().map(|item| json!({ "NotificationRequestItem": item })).collect();
    json!({ "live": live, "notificationItems": items })
}

fn webhook_callback(body: &Value, after_secs: i64) -> UnverifiedCallback {
    UnverifiedCallback {
        method: http::Method::POST,
        url: "https://pay.example.com/callbacks/acme/primary".to_owned(),
        headers: http::HeaderMap::new(),
        body: body.to_string().into(),
        now: Timestamp::from_millis(BEGUN + after_secs * 1000),
        proof: Proof::None,
    }
}

/// Returns the events of a signed item that arrives some seconds after the attempt's begin.
fn events_of(processor: &dyn Processor, item: Value, after_secs: i64) -> Vec<ProcessorEvent> {
    let body = webhook("false", &[signed(item, KEY)]);
    let VerifiedWebhook { events, .. } =
        processor.receive(&webhook_callback(&body, after_secs)).unwrap();
    events
}

fn reported(
    processor: &dyn Processor,
    event: &str,
    success: &str,
    after_secs: i64,
) -> ReportedResult {
    match events_of(processor, item(event, NAME, success), after_secs).remove(0) {
        ProcessorEvent::AttemptReported { reported, .. } => reported,
        other @ (ProcessorEvent::StatusChanged(_)
        | ProcessorEvent::RefundReported { .. }
        | ProcessorEvent::ChargeReported { .. }
        | ProcessorEvent::Returned { .. }) => {
            panic!("{other:?}")
        }
    }
}

/// Returns the same attempt with a reported result.
fn with_reported<'a>(what: AttemptContext<'a>, reported: &'a ReportedResult) -> AttemptContext<'a> {
    AttemptContext { reported: Some(reported), ..what }
}
