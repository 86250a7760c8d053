//! RCS through Google: what its API answers, and what any caller may post to its webhook.
#![expect(clippy::expect_used, reason = "a property that does not hold fails by panicking")]

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::brand::Mode;
use domain::contact::Contact;
use ports::Channels;
use serde_json::{Value, json};

use super::assertions::assert_sound;
use super::fuzz_fixture::{CallResult, FuzzFixture, with_fixture};
use super::providers::{prompt, script, scripted_input};
use crate::doubles::START_TIME;
use crate::providers::rbm::{AGENT, CLIENT_TOKEN, SignedEvent};

const RECEIPT: &str = r#"{"senderPhoneNumber": "+15551230001", "eventType": "READ", "eventId": "Ev1",
 "messageId": "0b6f1f6e-6a8b-4d0e-9c36-3a8f4c8b7d11", "agentId": "demo-agent@rbm.goog"}"#;

/// Words of its language.
pub(super) const WORDS: &[&str] = &[
    "null",
    "7",
    "[]",
    "{}",
    "\\ud800",
    "eventType",
    "DELIVERED",
    "TTL_EXPIRATION_REVOKED",
    "UNSUBSCRIBE",
    "suggestionResponse",
    "postbackData",
    "senderPhoneNumber",
    "messageId",
    "agentId",
    "demo-agent@rbm.goog",
    "clientToken",
    "secret",
    "message",
    "data",
    "STOP",
    "access_token",
    "expires_in",
    "18446744073709551616",
    "features",
    "name",
];

/// The API's answers: a card counts as taken only on a success that names it, and a look-up never fails.
pub fn rbm(input: &[u8]) {
    let Some(scripted) = scripted_input(input) else { return };
    with_fixture(|fuzz_fixture| {
        script(fuzz_fixture, &scripted, "retry-after");
        fuzz_fixture.http.grants_tokens(scripted.word != "token");
        let (brand, name) = (fuzz_fixture.brand.now(), "rbm".parse().expect("a name"));
        let channel = fuzz_fixture.channels().open(&brand, Mode::Test, &name).expect("a channel");
        let prompt = prompt(fuzz_fixture);
        let sent = fuzz_fixture.run(channel.send(&prompt));
        let said: Value = serde_json::from_slice(scripted.body).unwrap_or_default();
        let name = said["name"].as_str().unwrap_or_default().to_ascii_lowercase();
        let named = name.ends_with(&prompt.reference.prompt.to_uuid());
        assert!(sent.is_err() || (scripted.status.is_success() && named), "{sent:?}");
        let phone = "+15551230001".parse().expect("a phone");
        let can = fuzz_fixture.run(channel.capability(&phone, &Contact::default(), START_TIME));
        assert!(can.reachable || can.reason.is_some(), "{can:?}");
        fuzz_fixture.http.grants_tokens(true);
    });
}

fn posts(fuzz_fixture: &FuzzFixture, scripted: &SignedEvent) -> CallResult {
    let posted = http::Request::post("/callbacks/acme/rbm")
        .header("x-goog-signature", &scripted.signature)
        .body(Body::from(scripted.body.clone()));
    fuzz_fixture.ask(&fuzz_fixture.consent, posted.expect("a call"))
}

/// Every signed body is acknowledged, or it would come again for a week. It is no consent.
pub fn rbm_signed(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let answered = posts(fuzz_fixture, &SignedEvent::of(input));
        assert_sound(&answered, input);
        assert_eq!(answered.status, 200, "{answered:?}");
        for open in [&fuzz_fixture.shown, &fuzz_fixture.texted] {
            let state = fuzz_fixture.request(open.id).state_name();
            assert!(matches!(state, "prompted" | "denied"), "a callback made the request {state}");
        }
    });
}

/// A body beside the signature of another call: accepted only if it has the signed bytes or the token.
pub fn rbm_unsigned(input: &[u8]) {
    let Ok(body) = String::from_utf8(input.to_vec()) else { return };
    with_fixture(|fuzz_fixture| {
        let genuine = SignedEvent::of(RECEIPT.as_bytes());
        let before = fuzz_fixture.counts();
        let answered = posts(fuzz_fixture, &SignedEvent { body: body.clone(), ..genuine });
        assert_sound(&answered, input);
        let read: Value = serde_json::from_str(&body).unwrap_or_default();
        let data = read["message"]["data"].as_str().and_then(|data| STANDARD.decode(data).ok());
        let same = data.is_some_and(|data| data == RECEIPT.as_bytes());
        let knows = read["clientToken"] == CLIENT_TOKEN;
        assert!(answered.status != 200 || same || knows, "taken without a signature: {answered:?}");
        assert!(
            !fuzz_fixture.changed_since(&before),
            "a receipt for an unknown prompt changed something"
        );
    });
}

pub(super) fn answer_samples() -> Vec<Vec<u8>> {
    let id = with_fixture(|fuzz_fixture| fuzz_fixture.shown.prompt.to_uuid());
    [
        format!("send 200\n{{\"name\": \"phones/+15551230001/agentMessages/{id}\", \"sendTime\": \"x\"}}"),
        "send 404\n{\"error\": {\"code\": 404, \"status\": \"NOT_FOUND\"}}".to_owned(),
        "send 429 5\n".to_owned(),
        "send 200\n{\"features\": [\"RICHCARD_STANDALONE\", \"ACTION_OPEN_URL\"]}".to_owned(),
        "token 200\n{\"access_token\": \"ya29.x\", \"expires_in\": 3599, \"token_type\": \"Bearer\"}".to_owned(),
        "token 400\n{\"error\": \"invalid_grant\"}".to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}

pub(super) fn event_samples() -> Vec<Vec<u8>> {
    let id = with_fixture(|fuzz_fixture| fuzz_fixture.shown.prompt.to_uuid());
    let phone = "+15551230001";
    [
        RECEIPT.to_owned(),
        json!({ "agentId": AGENT, "senderPhoneNumber": phone, "eventType": "DELIVERED", "messageId": id })
            .to_string(),
        json!({ "agentId": AGENT, "phoneNumber": phone, "eventType": "TTL_EXPIRATION_REVOKED", "messageId": id })
            .to_string(),
        json!({ "agentId": AGENT, "senderPhoneNumber": phone, "messageId": "Ms1",
                "suggestionResponse": { "postbackData": "00".repeat(48), "text": "Approve" } })
        .to_string(),
        json!({ "agentId": AGENT, "senderPhoneNumber": phone, "messageId": "Ms2", "text": "STOP" }).to_string(),
        json!({ "agentId": AGENT, "senderPhoneNumber": phone, "eventType": "UNSUBSCRIBE" }).to_string(),
        json!({ "agentId": AGENT, "eventId": "Ev2", "newLaunchState": "LAUNCHED" }).to_string(),
    ]
    .map(String::into_bytes)
    .to_vec()
}

pub(super) fn body_samples() -> Vec<Vec<u8>> {
    let handshake = json!({ "clientToken": "another", "secret": "1234567890" }).to_string();
    let others = event_samples().into_iter().map(|data| SignedEvent::of(&data).body.into_bytes());
    others.chain([handshake.into_bytes()]).collect()
}
