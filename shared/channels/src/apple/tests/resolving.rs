//! Replies that are too long to be sent inline.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pollster::block_on;
use ports::{Callback, UnverifiedCallback};
use serde_json::{Value, json};

use super::{base64, open, proven, settings};
use crate::doubles::{Script, World, fixtures};

/// The vector whose key and ciphertext stand for a stored reply of 57 bytes.
fn vector() -> Value {
    let file = crate::doubles::folder("apple/fixtures/signatures.json");
    let file: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    vectors.iter().find(|vector| vector["id"] == "apple-attachment-aes256ctr").unwrap().clone()
}

fn encrypted() -> Vec<u8> {
    base64(&vector()["ciphertext_base64"])
}

fn chosen() -> Value {
    fixtures("apple/fixtures/callbacks")["list-picker"]["body"]["interactiveData"].clone()
}

fn by_reference() -> Value {
    let mut body = fixtures("apple/fixtures/callbacks")["by-reference"]["body"].clone();
    body["interactiveDataRef"]["size"] = json!(encrypted().len());
    body
}

/// Apple's answers to the three calls.
fn answers(decoded: &Value) -> Vec<(u16, Bytes)> {
    let place = json!({ "download-url": "https://cvws.icloud-content.com/B/x?o=1" });
    vec![
        (200, place.to_string().into()),
        (200, encrypted().into()),
        (200, decoded.to_string().into()),
    ]
}

fn resolve(script: Script, body: &Value) -> (World, Result<Option<UnverifiedCallback>, String>) {
    let world = World::new(script);
    let callback = proven(body.to_string().as_bytes());
    let resolved = block_on(open(&world, &settings("messages")).resolve(&callback));
    let resolved = resolved.map_err(|error| format!("{error} {error:?}"));
    let whole = resolved.map(|body| body.map(|body| UnverifiedCallback { body, ..callback }));
    (world, whole)
}

fn tapped(callback: &UnverifiedCallback) -> String {
    let world = World::silent();
    let received = open(&world, &settings("messages")).receive(callback).unwrap();
    let [Callback::Tapped { postback, .. }] = received.callbacks.as_slice() else {
        panic!("{received:?}")
    };
    postback.clone()
}

#[test]
fn reply_by_reference_is_fetched_and_read() {
    for decoded in [json!({ "interactiveData": chosen() }), chosen()] {
        let (world, whole) = resolve(Script::InTurn(answers(&decoded)), &by_reference());
        assert_eq!(tapped(&whole.unwrap().unwrap()), "yes-postback");
        let calls = world.calls();
        let [asked, got, decoded] = calls.as_slice() else { panic!("{}", calls.len()) };
        assert_eq!(asked.uri(), "https://mspgw.push.apple.com/v1/preDownload");
        assert_eq!(asked.method(), "GET");
        assert_eq!(asked.headers()["source-id"], "a884eddf-0000-0000-0000-000000000000");
        assert_eq!(asked.headers()["mmcs-url"], "https://p61-content.icloud.com/M58C0");
        assert_eq!(asked.headers()["mmcs-owner"], "M58C0A2.C01USN00");
        let signature = hex::decode("81a619c81da5a01c6139219a5d20e17430c631e1eb").unwrap();
        assert_eq!(asked.headers()["mmcs-signature"], STANDARD.encode(signature));
        assert!(asked.headers()["authorization"].is_sensitive());
        assert_eq!(got.uri(), "https://cvws.icloud-content.com/B/x?o=1");
        assert!(got.headers().is_empty(), "the token is for Apple's gateway alone");
        assert_eq!(decoded.uri(), "https://mspgw.push.apple.com/v1/decodePayload");
        assert_eq!(decoded.body(), vector()["plaintext"].as_str().unwrap());
        assert_eq!(
            decoded.headers()["bid"],
            by_reference()["interactiveDataRef"]["bid"].as_str().unwrap()
        );
    }
}

#[test]
fn reference_with_base64_signature_and_text_size_is_read() {
    let mut body = by_reference();
    let reference = body["interactiveDataRef"].as_object_mut().unwrap();
    reference.remove("signature");
    reference.insert("signature-base64".to_owned(), json!("gaYZyA=="));
    let key = reference.remove("key").unwrap();
    reference.insert("dataRefSig".to_owned(), key);
    reference.insert("size".to_owned(), json!(encrypted().len().to_string()));
    let (world, whole) = resolve(Script::InTurn(answers(&chosen())), &body);
    assert_eq!(tapped(&whole.unwrap().unwrap()), "yes-postback");
    assert_eq!(world.calls()[0].headers()["mmcs-signature"], "gaYZyA==");
}

#[test]
fn unproven_or_inline_reply_is_not_fetched() {
    let world = World::new(Script::InTurn(answers(&chosen())));
    let channel = open(&world, &settings("messages"));
    let mut forged = proven(by_reference().to_string().as_bytes());
    forged.headers.clear();
    let mut elsewhere = by_reference();
    elsewhere["destinationId"] = json!("another");
    let mut bodies = fixtures("apple/fixtures/callbacks");
    bodies.remove("by-reference");
    let whole = bodies.into_values().map(|fixture| proven(fixture["body"].to_string().as_bytes()));
    let all = whole.chain([forged, proven(elsewhere.to_string().as_bytes()), proven(b"{")]);
    for callback in all {
        assert!(block_on(channel.resolve(&callback)).unwrap().is_none());
    }
    assert!(world.calls().is_empty());
}

#[test]
fn failed_fetch_quotes_nothing() {
    let failing = |place: usize, status: u16, body: &str| {
        let mut answers = answers(&chosen());
        answers[place] = (status, body.to_owned().into());
        resolve(Script::InTurn(answers), &by_reference()).1
    };
    for (place, status, body) in [
        (0, 403, "secret-body"),
        (0, 200, "secret-body"),
        (0, 200, "{\"download-url\":\"secret body\"}"),
        (1, 404, "secret-body"),
        (1, 200, "secret-body"),
        (2, 403, "secret-body"),
        (2, 200, "secret-body"),
    ] {
        let Err(error) = failing(place, status, body) else { panic!("{place} {status} {body}") };
        assert!(!error.contains("secret"), "{error}");
    }
    for calls in 0..3 {
        let some = answers(&chosen()).into_iter().take(calls).collect();
        assert!(resolve(Script::InTurn(some), &by_reference()).1.is_err());
    }
    let with = |field: &str, value: Value| {
        let mut body = by_reference();
        body["interactiveDataRef"][field] = value;
        resolve(Script::InTurn(answers(&chosen())), &body).1
    };
    for (field, value) in [
        ("key", json!("11")),
        ("signature", json!("xyz")),
        ("signature", json!(null)),
        ("size", json!(1)),
        ("size", json!("many")),
        ("url", json!("a\nb")),
        ("owner", json!(7)),
    ] {
        assert!(with(field, value.clone()).is_err(), "{field} {value}");
    }
}
