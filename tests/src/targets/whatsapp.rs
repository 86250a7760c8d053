//! Meta's callbacks: any body at all, signed and unsigned.

use axum::body::Body;
use domain::brand::Brand;
use domain::postback::{Action, Postback};
use domain::values::prompt_ref::PromptRef;
use serde_json::{Value, json};

use super::assertions::assert_sound;
use super::customer::assert_consent;
use super::fuzz_fixture::{FuzzFixture, Open, with_fixture};
use crate::providers::whatsapp::{NUMBER_ID, posted, signature};

const PATH: &str = "/callbacks/acme/whatsapp";

/// Words of these bodies.
pub(super) const WORDS: &[&str] = &[
    "null",
    "{}",
    "[]",
    "7",
    "messages",
    "statuses",
    "contacts",
    "metadata",
    "phone_number_id",
    NUMBER_ID,
    "interactive",
    "button_reply",
    "payload",
    "button",
    "text",
    "image",
    "caption",
    "body",
    "from",
    "from_user_id",
    "user_id",
    "wa_id",
    "US.1",
    "15551230004",
    "STOP",
    "delivered",
    "read",
    "failed",
    "errors",
    "131026",
    "biz_opaque_callback_data",
    "\\u0000",
    "\\ud800",
];

fn post(
    fuzz_fixture: &FuzzFixture,
    body: &[u8],
    signature: Option<&str>,
) -> super::fuzz_fixture::CallResult {
    let mut call = http::Request::post(PATH).header("content-type", "application/json");
    if let Some(signature) = signature {
        call = call.header("x-hub-signature-256", signature);
    }
    fuzz_fixture.ask(&fuzz_fixture.consent, call.body(Body::from(body.to_vec())).expect("a call"))
}

/// A signed body is handled or refused without a fault. It consents only to what a tap on the right code proves. The same
/// body changes nothing without its signature, or with that of another body.
pub fn whatsapp(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let before = fuzz_fixture.counts();
        let elsewhere = signature(&[input, b" "].concat());
        for signature in [None, Some(elsewhere.as_str())] {
            let answered = post(fuzz_fixture, input, signature);
            assert_sound(&answered, input);
            assert_eq!(answered.status, 403, "taken without a signature: {answered:?}");
        }
        assert!(!fuzz_fixture.changed_since(&before), "changed without a signature");
        let answered = post(fuzz_fixture, input, Some(&signature(input)));
        assert_sound(&answered, input);
        let is_json = serde_json::from_slice::<Value>(input).is_ok();
        // A body with an unreadable part is read without it.
        assert!(answered.status == 200 || !is_json && answered.status == 400, "{answered:?}");
        for open in [&fuzz_fixture.shown, &fuzz_fixture.texted] {
            assert_consent(fuzz_fixture, open, false);
        }
        let said = holds_postback(input, &fuzz_fixture.brand.now(), right(fuzz_fixture));
        assert_consent(fuzz_fixture, &fuzz_fixture.chatted, said);
    });
}

/// The tap that picks the code the agent reads out.
fn right(fuzz_fixture: &FuzzFixture) -> Postback {
    let code = fuzz_fixture.request(fuzz_fixture.chatted.id).session_code.expect("a session code");
    let place = code.choices.iter().position(|choice| *choice == code.code);
    let place = place.and_then(|place| u8::try_from(place).ok()).expect("one of three");
    let Open { id, prompt, .. } = fuzz_fixture.chatted;
    Postback { reference: PromptRef { request: id, prompt }, action: Action::Pick(place) }
}

/// Returns whether any text in the body is that postback. A body that is no JSON may hold it in a part that is still readable.
pub(super) fn holds_postback(body: &[u8], brand: &Brand, wanted: Postback) -> bool {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => carries(&value, brand, wanted),
        Err(_) => {
            let text = String::from_utf8_lossy(body).to_lowercase();
            text.contains(&wanted.write(&brand.link_key).to_lowercase())
        }
    }
}

/// Returns whether any text in it is that postback, in capitals perhaps.
fn carries(value: &Value, brand: &Brand, wanted: Postback) -> bool {
    match value {
        Value::String(text) => Postback::read(text, &brand.link_key) == Some(wanted),
        Value::Array(values) => values.iter().any(|value| carries(value, brand, wanted)),
        Value::Object(members) => members.values().any(|value| carries(value, brand, wanted)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn carried(brand: &Brand, open: &Open, action: Action) -> String {
    let reference = PromptRef { request: open.id, prompt: open.prompt };
    Postback { reference, action }.write(&brand.link_key)
}

/// Callbacks of every kind, about the fixture's own requests.
pub(super) fn samples() -> Vec<Vec<u8>> {
    with_fixture(|fuzz_fixture| {
        let brand = fuzz_fixture.brand.now();
        let open = &fuzz_fixture.chatted;
        let reference = format!("{}.{}", open.id, open.prompt);
        let message = |members: Value| {
            let mut message =
                json!({ "from": "15551230004", "id": "wamid.1", "timestamp": "1796083200" });
            let object = message.as_object_mut().expect("an object");
            object.extend(members.as_object().cloned().unwrap_or_default());
            let contact =
                json!({ "profile": { "name": "Zoë" }, "wa_id": "15551230004", "user_id": "US.1" });
            json!({ "contacts": [contact], "messages": [message] })
        };
        let tap = |action| {
            let reply = json!({ "id": carried(&brand, open, action), "title": "x" });
            let reply = json!({ "type": "button_reply", "button_reply": reply });
            message(json!({ "type": "interactive", "interactive": reply }))
        };
        let quick = json!({ "payload": carried(&brand, open, Action::NotMe), "text": "x" });
        let status = |status: &str, errors: Value| {
            let status = json!({
                "id": "wamid.1", "status": status, "recipient_id": "15551230004", "errors": errors,
                "biz_opaque_callback_data": reference,
            });
            json!({ "statuses": [status] })
        };
        let values = [
            tap(Action::Approve),
            tap(Action::Pick(0)),
            tap(Action::Pick(1)),
            tap(Action::Pick(2)),
            tap(Action::Deny),
            message(json!({ "type": "button", "button": quick })),
            message(json!({ "type": "text", "text": { "body": "STOP" } })),
            message(json!({ "type": "text", "text": { "body": "hello ✋" } })),
            message(json!({ "type": "image", "image": { "id": "1", "caption": "start" } })),
            message(
                json!({ "type": "text", "text": { "body": "hi" }, "from": null, "from_user_id": "US.1" }),
            ),
            status("delivered", json!([])),
            status("failed", json!([{ "code": 131_026, "title": "Message undeliverable" }])),
        ];
        let all = values.map(|mut value| {
            value["messaging_product"] = json!("whatsapp");
            value["metadata"] = json!({ "phone_number_id": NUMBER_ID });
            value
        });
        let mut bodies: Vec<String> =
            all.iter().map(|value| posted(std::slice::from_ref(value)).body).collect();
        bodies.push(posted(&all).body);
        bodies.push("test".to_owned());
        bodies.into_iter().map(String::into_bytes).collect()
    })
}
