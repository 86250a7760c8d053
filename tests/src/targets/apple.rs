//! Apple's webhooks, and what a device sends to a payment gateway: any body, with proof and without.

use axum::body::Body;
use domain::keys;
use domain::postback::{Action, Postback};
use domain::values::prompt_ref::PromptRef;
use serde_json::{Value, json};

use super::assertions::assert_sound;
use super::customer::assert_consent;
use super::fuzz_fixture::{BASE, CallResult, FuzzFixture, Open, with_fixture};
use super::whatsapp::holds_postback;
use crate::providers::apple::{BUSINESS, SignedCallback, TOKEN_DATA, posted};

/// The customer's handle at Apple.
pub(super) const HANDLE: &str = "urn:mbid:AQAAYof-the-ground==";
const CALLBACK: &str = "/callbacks/acme/apple/message";
const GATEWAY: &str = "/callbacks/acme/apple";

/// Words of these bodies.
pub(super) const WORDS: &[&str] = &[
    "null",
    "{}",
    "[]",
    "7",
    "-1",
    "type",
    "text",
    "interactive",
    "close",
    "typing_start",
    "sourceId",
    "destinationId",
    BUSINESS,
    HANDLE,
    "tel:+15551230002",
    "tel:",
    "body",
    "intent",
    "STOP",
    "START",
    "interactiveData",
    "interactiveDataRef",
    "data",
    "quick-reply",
    "selectedIdentifier",
    "selectedIndex",
    "items",
    "identifier",
    "listPicker",
    "sections",
    "requestIdentifier",
    "payment",
    "paymentToken",
    "paymentData",
    "paymentMethod",
    "transactionIdentifier",
    "pay=",
    "&",
    "\u{1f}\u{8b}",
    "\\u0000",
    "\\ud800",
];

/// The posted body, or another one with the same proof.
fn post(fuzz_fixture: &FuzzFixture, address: &str, posted: &SignedCallback) -> Option<CallResult> {
    let mut call = http::Request::post(address);
    for (name, value) in &posted.headers {
        call = call.header(*name, value);
    }
    let call = call.body(Body::from(posted.body.clone())).ok()?;
    Some(fuzz_fixture.ask(&fuzz_fixture.consent, call))
}

/// Returns what Apple would post of these bytes; packed already, if they are.
fn proven(fuzz_fixture: &FuzzFixture, input: &[u8]) -> SignedCallback {
    let whole = posted(input, fuzz_fixture.machine.consent_callback.ports.clock.now());
    let packed = input.starts_with(&[0x1f, 0x8b]);
    if packed { SignedCallback { body: input.to_vec(), ..whole } } else { whole }
}

/// Teaches the fixture whose id that is, by an introduction.
pub(super) fn introduce(fuzz_fixture: &FuzzFixture) {
    let intent = carried(fuzz_fixture, &fuzz_fixture.texted, Action::Open);
    let message = message(&json!({ "type": "text", "body": "hello", "intent": intent }));
    let answered =
        post(fuzz_fixture, CALLBACK, &proven(fuzz_fixture, message.to_string().as_bytes()));
    assert_eq!(answered.expect("a call").status, 200);
}

fn carried(fuzz_fixture: &FuzzFixture, open: &Open, action: Action) -> String {
    postback(open, action).write(&fuzz_fixture.brand.now().link_key)
}

fn postback(open: &Open, action: Action) -> Postback {
    Postback { reference: PromptRef { request: open.id, prompt: open.prompt }, action }
}

/// The tap that gives the right one of three codes.
fn right_tap(fuzz_fixture: &FuzzFixture) -> Postback {
    let request = fuzz_fixture.request(fuzz_fixture.greeted.id);
    let codes = request.session_code.expect("a session code").choices;
    let place = codes.iter().zip(0..).find(|(code, _)| **code == fuzz_fixture.greeted.code);
    postback(&fuzz_fixture.greeted, Action::Pick(place.expect("one is right").1))
}

fn says(input: &[u8], text: &str) -> bool {
    input.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A body with Apple's token is handled or refused without a fault. It is a consent only by a postback of ours. The same
/// body changes nothing without Apple's token.
pub fn apple(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let (before, whole) = (fuzz_fixture.counts(), proven(fuzz_fixture, input));
        for authorization in ["", "Bearer a.b.c"] {
            let mut unproven = whole.clone();
            unproven.headers.retain(|(name, _)| *name != "authorization");
            unproven.headers.push(("authorization", authorization.to_owned()));
            let answered = post(fuzz_fixture, CALLBACK, &unproven).expect("a call");
            assert_sound(&answered, input);
            assert_eq!(answered.status, 403, "taken without a token: {answered:?}");
        }
        assert!(!fuzz_fixture.changed_since(&before), "changed without a token");
        let answered = post(fuzz_fixture, CALLBACK, &whole).expect("a call");
        // The fixture keeps no long replies: a reply by reference is to be sent again.
        if answered.status != 503 || !says(input, "interactiveDataRef") {
            assert_sound(&answered, input);
        }
        assert!(
            answered.status == 200 || !fuzz_fixture.changed_since(&before),
            "a refused callback changed something: {answered:?}"
        );
        for open in [&fuzz_fixture.shown, &fuzz_fixture.texted] {
            assert_consent(fuzz_fixture, open, false);
        }
        let tap = right_tap(fuzz_fixture);
        let given = holds_postback(input, &fuzz_fixture.brand.now(), tap);
        assert_consent(fuzz_fixture, &fuzz_fixture.greeted, given);
    });
}

/// The gateway's address of a prompt, told independently of the code that writes it.
fn gateway(fuzz_fixture: &FuzzFixture, open: &Open) -> String {
    let (request, prompt) = (open.id, open.prompt);
    let key = fuzz_fixture.brand.now();
    let mac = keys::derived(&key.link_key, &format!("apple_pay {prompt}"), request, 0);
    format!("pay={request}.{prompt}.{}", hex::encode(&mac[..16]))
}

/// A body at the gateway, with the query of its URL in the first line. Only our own URL counts, and no payment counts for
/// a request with a session code.
pub fn apple_pay(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
        let (query, body) = input.split_at(end);
        let Ok(query) = std::str::from_utf8(query) else { return };
        // A URL's fragment is never sent.
        let query = query.split('#').next().unwrap_or_default();
        let (headers, body) = (Vec::new(), body.get(1..).unwrap_or_default().to_vec());
        let (before, address) = (fuzz_fixture.counts(), format!("{GATEWAY}?{query}"));
        let Some(answered) = post(fuzz_fixture, &address, &SignedCallback { headers, body }) else {
            return;
        };
        assert_sound(&answered, input);
        let own =
            [&fuzz_fixture.greeted, &fuzz_fixture.texted].map(|open| gateway(fuzz_fixture, open));
        let fields: Vec<_> =
            form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "pay").collect();
        let ours = fields.len() == 1
            && own.iter().any(|own| own.strip_prefix("pay=") == Some(fields[0].1.as_ref()));
        assert!(ours || answered.status == 403, "heard at another address: {answered:?}");
        if answered.status == 200 {
            assert_eq!(answered.json(), json!({ "status": "STATUS_FAILURE" }));
        }
        assert!(
            !fuzz_fixture.changed_since(&before),
            "a payment without its code changed something"
        );
        for open in [&fuzz_fixture.shown, &fuzz_fixture.texted, &fuzz_fixture.greeted] {
            assert_consent(fuzz_fixture, open, false);
        }
    });
}

fn message(members: &Value) -> Value {
    let mut message = json!({ "v": 1, "id": "m1", "sourceId": HANDLE, "destinationId": BUSINESS });
    if let (Value::Object(message), Value::Object(members)) = (&mut message, members) {
        message.extend(members.clone());
    }
    message
}

/// Callbacks of every kind, about the fixture's own requests.
pub(super) fn samples() -> Vec<Vec<u8>> {
    with_fixture(|fuzz_fixture| {
        let tap = |action| carried(fuzz_fixture, &fuzz_fixture.greeted, action);
        let item = |action| json!({ "identifier": tap(action), "title": "x" });
        let interactive = |data: Value| {
            message(
                &json!({ "type": "interactive", "interactiveData": { "bid": "b", "data": data } }),
            )
        };
        let quick = |chosen: Value| {
            let items =
                [Action::Pick(0), Action::Pick(1), Action::Pick(2), Action::NotMe].map(item);
            let mut quick = json!({ "items": items });
            if let (Value::Object(quick), Value::Object(chosen)) = (&mut quick, chosen) {
                quick.extend(chosen);
            }
            interactive(json!({ "quick-reply": quick }))
        };
        let list = |items: Value| {
            interactive(json!({ "listPicker": { "sections": [{ "items": items }] } }))
        };
        let reference = json!({
            "bid": "b", "url": "https://kept.example/x", "owner": "o", "signature": "81ab", "size": 7,
            "key": format!("00{}", "AB".repeat(32)),
        });
        let all = [
            message(&json!({ "type": "text", "body": "hello", "intent": tap(Action::Open) })),
            message(&json!({ "type": "text", "body": "STOP" })),
            message(&json!({ "type": "text", "body": "start ✋", "locale": "en_US" })),
            message(&json!({ "type": "close" })),
            message(&json!({ "type": "close", "sourceId": "tel:+15551230002" })),
            message(&json!({ "type": "typing_start" })),
            quick(json!({ "selectedIdentifier": tap(right_tap(fuzz_fixture).action) })),
            quick(json!({ "selectedIndex": 1 })),
            list(json!([item(Action::Deny)])),
            list(json!([item(Action::Approve), item(Action::NotMe)])),
            message(&json!({ "type": "interactive", "interactiveDataRef": reference })),
        ];
        let mut bodies: Vec<Vec<u8>> =
            all.iter().map(|message| message.to_string().into_bytes()).collect();
        bodies.push(
            posted(b"{\"type\":\"text\"}", fuzz_fixture.machine.consent_callback.ports.clock.now())
                .body,
        );
        bodies
    })
}

/// Payments for the fixture's own requests.
pub(super) fn pay_samples() -> Vec<Vec<u8>> {
    with_fixture(|fuzz_fixture| {
        let token = json!({
            "paymentData": { "version": "EC_v1", "data": TOKEN_DATA }, "paymentMethod": { "network": "Visa" },
            "transactionIdentifier": "AB",
        });
        let body = |open: &Open| {
            json!({
                "requestIdentifier": open.prompt.to_uuid(), "version": 1,
                "payment": { "paymentToken": token },
            })
        };
        let of = |query: &str, body: &Value| format!("{query}\n{body}").into_bytes();
        let (own, other) = (
            gateway(fuzz_fixture, &fuzz_fixture.greeted),
            gateway(fuzz_fixture, &fuzz_fixture.texted),
        );
        vec![
            of(&own, &body(&fuzz_fixture.greeted)),
            of(&other, &body(&fuzz_fixture.texted)),
            of(&own, &body(&fuzz_fixture.texted)),
            of(&own, &json!({ "payment": { "paymentToken": token } })),
            of(&own, &json!({ "payment": {} })),
            of(&format!("{own}&pay=x"), &body(&fuzz_fixture.greeted)),
            of(
                &format!("pay={}", carried(fuzz_fixture, &fuzz_fixture.greeted, Action::Approve)),
                &json!({}),
            ),
            of(&format!("x={BASE}"), &json!([])),
        ]
    })
}
