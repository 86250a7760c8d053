//! The events of Google's webhook, and the proof of its calls.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::postback::Action;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method};
use ports::{
    Addressee, Callback, CallbackError, Channel, MessageOrigin, PromptSelector, Proof,
    ReceivedWebhook, Sender, UnverifiedCallback,
};
use serde_json::{Value, json};
use sha2::Sha512;

use super::{open, phone, settings, uuid};
use crate::doubles::{NOW, PHONE, Script, World, postback, reference};

const TOKEN: &str = "secret-client-token";

fn call(body: &[u8], signature: Option<&str>) -> UnverifiedCallback {
    let mut headers = HeaderMap::new();
    if let Some(signature) = signature {
        headers.insert("x-goog-signature", signature.parse().unwrap());
    }
    UnverifiedCallback {
        method: Method::POST,
        url: "https://hooks.example.com/callbacks/acme/rcs".to_owned(),
        headers,
        body: body.to_vec().into(),
        now: NOW,
        proof: Proof::None,
    }
}

fn envelope(data: &[u8]) -> Value {
    json!({
        "message": {
            "attributes": {"business_id": "acme-agent@rbm.goog", "product": "RBM", "type": "message"},
            "data": STANDARD.encode(data), "messageId": "14150481888479752",
            "publishTime": "2026-01-01T00:00:00.123Z",
        },
        "subscription": "projects/rbm-partner/subscriptions/rbm-sub",
    })
}

/// The signature as Google computes it, independently of the code that verifies.
fn signature(data: &[u8], token: &str) -> String {
    let mut mac = Hmac::<Sha512>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(data);
    STANDARD.encode(mac.finalize().into_bytes())
}

fn signed(data: &[u8]) -> UnverifiedCallback {
    call(envelope(data).to_string().as_bytes(), Some(&signature(data, TOKEN)))
}

fn channel() -> Box<dyn Channel> {
    open(&World::new(Script::Lost))
}

fn received(data: &Value) -> Vec<Callback> {
    let received = channel().receive(&signed(data.to_string().as_bytes())).unwrap();
    assert_eq!((received.reply.status, received.reply.body.as_str()), (200, ""));
    received.callbacks
}

fn event(kind: &str) -> Value {
    json!({
        "senderPhoneNumber": PHONE, "eventType": kind, "eventId": "Ev1", "messageId": uuid(),
        "agentId": "acme-agent",
    })
}

fn about() -> PromptSelector {
    PromptSelector::Prompt(reference().prompt)
}

#[test]
fn signature_vector_is_judged_as_it_says() {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../../fixtures/google-signatures.json")).unwrap();
    assert_eq!(vectors.len(), 9);
    for vector in vectors {
        let mut settings = settings("google");
        settings["client_token"] = vector["client_token"].clone();
        let channel = World::new(Script::Lost).open("rcs", &settings).unwrap();
        let signature = vector["header"]["X-Goog-Signature"].as_str();
        let call = call(vector["request_body"].to_string().as_bytes(), signature);
        let received = channel.receive(&call);
        assert_eq!(received.is_ok(), vector["expect"] == "accept", "{}", vector["id"]);
        let Ok(ReceivedWebhook { callbacks, reply, .. }) = received else {
            assert_eq!(received, Err(CallbackError::Forged), "{}", vector["id"]);
            continue;
        };
        let prompt = "0b6f1f6e-6a8b-4d0e-9c36-3a8f4c8b7d11";
        let about =
            PromptSelector::Prompt(domain::values::id::PromptId::from_uuid(prompt).unwrap());
        let data = vector["request_body"]["message"]["data"].as_str().unwrap_or_default();
        let data: Value =
            serde_json::from_slice(&STANDARD.decode(data).unwrap_or_default()).unwrap_or_default();
        let of = |name: &str| data[name].as_str().map(str::to_owned);
        let origin = |id: &str| MessageOrigin {
            from: phone().into(),
            written_at: of("sendTime").map(|time| time.parse().unwrap()),
            message_id: of(id),
        };
        let tapped = |postback: &str| {
            let (postback, origin) = (postback.to_owned(), origin("messageId"));
            let label = data["suggestionResponse"]["text"].as_str().map(str::to_owned);
            vec![Callback::Tapped { postback, label, origin }]
        };
        let recipient = Callback::Recipient { about, recipient: phone().into() };
        let expected = match vector["id"].as_str().unwrap() {
            "rbm-suggestion-reply" => tapped("eyJ2IjoxLCJyIjoiMDFIWlgiLCJhIjoieSJ9"),
            "rbm-action-tap" => tapped("eyJ2IjoxLCJyIjoiMDFIWlgiLCJhIjoibyJ9"),
            "rbm-delivered" => vec![recipient, Callback::Delivered(about)],
            "rbm-ttl-revoked" => vec![Callback::Failed(about, "expired")],
            "rbm-non-ascii" => {
                let text = "Oui, d’accord ✅".to_owned();
                vec![Callback::Wrote { origin: origin("messageId"), text, intent: None }]
            }
            _ => Vec::new(),
        };
        assert_eq!(callbacks, expected, "{}", vector["id"]);
        let body = vector["response"]["body"].as_str().unwrap_or_default();
        assert_eq!((reply.status, reply.body.as_str()), (200, body), "{}", vector["id"]);
    }
}

#[test]
fn event_reports_delivery() {
    let recipient = || Callback::Recipient { about: about(), recipient: phone().into() };
    assert_eq!(received(&event("DELIVERED")), [recipient(), Callback::Delivered(about())]);
    assert_eq!(received(&event("READ")), [recipient(), Callback::Read(about())]);
    let mut capitals = event("READ");
    capitals["messageId"] = json!(uuid().to_uppercase());
    assert_eq!(received(&capitals), [recipient(), Callback::Read(about())]);
    let mut unnamed = event("READ");
    unnamed["senderPhoneNumber"] = json!(null);
    assert_eq!(received(&unnamed), [Callback::Read(about())]);
    for (kind, expected) in [
        ("TTL_EXPIRATION_REVOKED", vec![Callback::Failed(about(), "expired")]),
        ("TTL_EXPIRATION_REVOKE_FAILED", vec![]),
    ] {
        let platform = json!({
            "phoneNumber": PHONE, "messageId": uuid(), "agentId": "acme-agent@rbm.goog", "eventType": kind,
            "eventId": "Ev2", "sendTime": "2026-01-01T00:05:00Z",
        });
        assert_eq!(received(&platform), expected, "{kind}");
    }
}

#[test]
fn tap_returns_the_buttons_postback() {
    let carried = postback(Action::Deny);
    let reply = json!({
        "agentId": "acme-agent", "senderPhoneNumber": PHONE, "messageId": "Ms1",
        "sendTime": "2026-01-01T00:01:00.045123Z",
        "suggestionResponse": {"postbackData": carried, "text": "No", "type": "REPLY"},
    });
    let action = json!({
        "agentId": "acme-agent", "senderPhoneNumber": PHONE, "eventId": "Ev3",
        "suggestionResponse": {"postbackData": carried},
    });
    let written_at = Some("2026-01-01T00:01:00.045Z".parse().unwrap());
    let origin =
        MessageOrigin { from: phone().into(), written_at, message_id: Some("Ms1".to_owned()) };
    let (postback, label) = (carried.clone(), Some("No".to_owned()));
    assert_eq!(received(&reply), [Callback::Tapped { postback, label, origin }]);
    let origin = MessageOrigin::from(Sender::from(phone()));
    assert_eq!(
        received(&action),
        [Callback::Tapped { postback: carried.clone(), label: None, origin }]
    );
    let unnamed =
        json!({ "agentId": "acme-agent", "suggestionResponse": {"postbackData": carried} });
    let origin = MessageOrigin::default();
    assert_eq!(received(&unnamed), [Callback::Tapped { postback: carried, label: None, origin }]);
}

#[test]
fn inbound_text_is_words_and_an_event_a_stop() {
    let of = |text: &str| {
        received(&json!({
            "agentId": "acme-agent", "senderPhoneNumber": PHONE, "messageId": "Ms2",
            "sendTime": "2026-01-01T00:01:00Z", "text": text,
        }))
    };
    let origin = || MessageOrigin {
        from: phone().into(),
        written_at: Some("2026-01-01T00:01:00Z".parse().unwrap()),
        message_id: Some("Ms2".to_owned()),
    };
    for text in ["STOP", "who is this?"] {
        let words = Callback::Wrote { origin: origin(), text: text.to_owned(), intent: None };
        assert_eq!(of(text), [words]);
    }
    let by_event = |from: Sender| MessageOrigin {
        message_id: Some("Ev1".to_owned()),
        ..MessageOrigin::from(from)
    };
    assert_eq!(received(&event("UNSUBSCRIBE")), [Callback::Stop(by_event(phone().into()))]);
    assert_eq!(received(&event("SUBSCRIBE")), [Callback::Start(by_event(phone().into()))]);
    let mut by_id = event("UNSUBSCRIBE");
    by_id["senderPhoneNumber"] = json!("72975");
    let id = Sender { handle: Some("72975".to_owned()), ..Sender::default() };
    assert_eq!(received(&by_id), [Callback::Stop(by_event(id))]);
}

#[test]
fn message_without_a_text_is_a_sign_of_life() {
    for content in [
        json!({ "location": {"latitude": 48.1, "longitude": 11.5} }),
        json!({ "userFile": {"payload": {"mimeType": "image/gif", "fileUri": "https://a.example/"}} }),
        json!({ "text": {"body": "STOP"} }),
    ] {
        let mut message =
            json!({ "agentId": "acme-agent", "senderPhoneNumber": PHONE, "messageId": "Ms3" });
        message.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        let received = received(&message);
        assert!(matches!(received[..], [Callback::Active(_)]), "{received:?}");
    }
}

#[test]
fn unreadable_part_loses_no_stop() {
    for rest in [
        r#""text":"STOP \ud83d""#,
        r#""text":"STOP","sendTime":7"#,
        r#""text":"STOP","suggestionResponse":{}"#,
        r#""text":"STOP","messageId":{"id":1}"#,
        r#""text":"STOP","x":1e999"#,
    ] {
        let data = format!(r#"{{"agentId":"acme-agent","senderPhoneNumber":"{PHONE}",{rest}}}"#);
        let received = channel().receive(&signed(data.as_bytes())).unwrap().callbacks;
        assert!(
            matches!(&received[..], [Callback::Wrote { text, .. }] if text.starts_with("STOP")),
            "{rest} {received:?}"
        );
    }
}

#[test]
fn verified_event_without_meaning_is_acknowledged() {
    let with = |place: &str, value: Value| {
        let mut event = event("DELIVERED");
        event[place] = value;
        event
    };
    for data in [
        event("IS_TYPING"),
        event("A_WORD_OF_TOMORROW"),
        with("agentId", json!("another-agent")),
        with("agentId", json!("acme-agent@rbm.goog@rbm.goog")),
        with("agentId", json!(null)),
        with("messageId", json!("MxAnotherSystemsMessage")),
        with("messageId", json!(7)),
        json!({ "agentId": "acme-agent", "eventType": "UNSUBSCRIBE" }),
        json!({ "agentId": "acme-agent", "text": "STOP" }),
        json!({ "agentId": "acme-agent@rbm.goog", "eventId": "Ev4", "regionId": "/v1/regions/fi-rcs",
                "oldLaunchState": "PENDING", "newLaunchState": "REJECTED", "comment": "…" }),
        json!({}),
        json!([]),
        json!(null),
    ] {
        assert_eq!(received(&data), [], "{data}");
    }
    for data in [&b""[..], b"{", b"\xff\xfe", b"{\"agentId\":\"acme-agent\",\"agentId\":\"x\"}"] {
        assert_eq!(channel().receive(&signed(data)).unwrap().callbacks, []);
    }
}

#[test]
fn handshake_with_the_client_token_is_answered() {
    let channel = channel();
    let shake = |body: Value| channel.receive(&call(body.to_string().as_bytes(), None));
    let received =
        shake(json!({ "clientToken": TOKEN, "secret": "1234567890", "new": 1 })).unwrap();
    let reply = received.reply;
    assert_eq!(received.callbacks, []);
    assert_eq!(
        (reply.status, reply.content_type, reply.body.as_str()),
        (200, "text/plain", "1234567890")
    );
    for body in [
        json!({ "clientToken": "secret-client-toke", "secret": "1" }),
        json!({ "clientToken": "", "secret": "1" }),
        json!({ "clientToken": null, "secret": "1" }),
        json!({ "clientToken": TOKEN }),
        json!({ "clientToken": TOKEN, "secret": 1 }),
        json!({ "clientToken": TOKEN, "secret": "x".repeat(1_025) }),
        json!({ "secret": "1" }),
    ] {
        assert_eq!(shake(body), Err(CallbackError::Forged));
    }
}

#[test]
fn missing_doubled_or_misplaced_signature_is_forged() {
    let (channel, data) = (channel(), event("DELIVERED").to_string());
    let whole = signed(data.as_bytes());
    assert!(channel.receive(&whole).is_ok());
    let forged = Err(CallbackError::Forged);
    let with = |change: &dyn Fn(&mut UnverifiedCallback)| {
        let mut callback = whole.clone();
        change(&mut callback);
        channel.receive(&callback)
    };
    assert_eq!(with(&|call| drop(call.headers.remove("x-goog-signature"))), forged);
    let again = whole.headers["x-goog-signature"].clone();
    assert_eq!(
        with(&|call| assert!(call.headers.append("x-goog-signature", again.clone()))),
        forged
    );
    assert_eq!(with(&|call| call.method = Method::GET), forged);
    let body = envelope(data.as_bytes()).to_string();
    for given in [
        signature(data.as_bytes(), "another token"),
        signature(STANDARD.encode(&data).as_bytes(), TOKEN),
        signature(body.as_bytes(), TOKEN),
        signature(b"", TOKEN),
        signature(data.as_bytes(), TOKEN).trim_end_matches('=').to_owned(),
        hex::encode(STANDARD.decode(signature(data.as_bytes(), TOKEN)).unwrap()),
        String::new(),
    ] {
        assert_eq!(channel.receive(&call(body.as_bytes(), Some(&given))), forged, "{given}");
    }
}

/// Changes outside the signed data have no effect.
#[test]
fn signed_data_with_any_change_is_forged() {
    let channel = channel();
    let mut tap = event("READ");
    tap["suggestionResponse"] = json!({ "postbackData": postback(Action::Approve) });
    let data = tap.to_string();
    let whole = signed(data.as_bytes());
    let received = channel.receive(&whole).unwrap();
    let mut mutations = 0;
    for at in 0..whole.body.len() {
        for byte in (0..=255).filter(|byte| *byte != whole.body[at]) {
            let mut body = whole.body.to_vec();
            body[at] = byte;
            mutations += 1;
            match channel.receive(&UnverifiedCallback { body: body.into(), ..whole.clone() }) {
                Err(error) => assert_eq!(error, CallbackError::Forged),
                Ok(again) => assert_eq!(again, received, "{at} {byte}"),
            }
        }
    }
    assert!(mutations > 100_000);
    for at in 0..data.len() {
        for bit in 0..8 {
            let mut changed = data.clone().into_bytes();
            changed[at] ^= 1 << bit;
            let body = envelope(&changed).to_string();
            let given = whole.headers["x-goog-signature"].to_str().unwrap();
            let received = channel.receive(&call(body.as_bytes(), Some(given)));
            assert_eq!(received, Err(CallbackError::Forged), "{at} {bit}");
        }
    }
}

/// One webhook may serve all agents of a partner, and each channel reads its own.
#[test]
fn channel_reads_the_events_of_its_own_agent() {
    let channel = channel();
    let received = |agent: &str| {
        let mut event = event("READ");
        event["agentId"] = json!(agent);
        let call = signed(event.to_string().as_bytes());
        assert_eq!(channel.addressee(&call), Addressee::Own);
        channel.receive(&call).unwrap().callbacks.len()
    };
    assert_eq!(received("acme-agent"), 2);
    assert_eq!(received("acme-agent@rbm.goog"), 2);
    assert_eq!(received("another"), 0);
}

#[test]
fn client_token_verifies_before_and_after_its_rotation() {
    let mut settings = settings("google");
    settings["client_token"] = json!(["secret-new-token", TOKEN]);
    let channel = World::silent().open("rcs", &settings).unwrap();
    let data = event("READ").to_string();
    let with = |token: &str| {
        let body = envelope(data.as_bytes()).to_string();
        channel.receive(&call(body.as_bytes(), Some(&signature(data.as_bytes(), token))))
    };
    for token in [TOKEN, "secret-new-token"] {
        assert_eq!(with(token).unwrap().callbacks.len(), 2, "{token}");
        let shake = json!({ "clientToken": token, "secret": "1234" }).to_string();
        assert!(channel.receive(&call(shake.as_bytes(), None)).is_ok(), "{token}");
    }
    assert_eq!(with("secret-old-token"), Err(CallbackError::Forged));
}
