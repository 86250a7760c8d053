//! The signature vectors, each through the production code.

use domain::values::time::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue};
use ports::{Callback, CallbackError};
use serde_json::Value;

use super::super::{pay, reference, token};
use super::{base64, open, proven, settings};
use crate::doubles::{Script, World, fixtures, prompt_to};

/// The channel with the account of a vector.
fn with_account(vector: &Value) -> Value {
    let mut settings = settings("messages");
    settings["csp_id"] = vector["msp_id"].clone();
    settings["api_secret"] = vector["secret_base64"].clone();
    settings
}

fn outbound(vector: &Value) {
    let world = World::new(Script::Lost);
    let mut prompt = prompt_to(crate::doubles::PHONE);
    prompt.now = Timestamp::from_millis(vector["claims"]["iat"].as_i64().unwrap() * 1000 + 999);
    let channel = open(&world, &with_account(vector));
    pollster::block_on(channel.send(&prompt)).unwrap_err();
    let sent = world.calls()[0].headers()["authorization"].clone();
    assert_eq!(sent, vector["header"]["Authorization"].as_str().unwrap());
    assert!(sent.is_sensitive());
}

fn inbound(vector: &Value) {
    let world = World::silent();
    let channel = open(&world, &with_account(vector));
    let body = &fixtures("apple/fixtures/callbacks")["text"]["body"];
    let mut callback = proven(body.to_string().as_bytes());
    let header = vector["header"]["Authorization"].as_str().unwrap();
    callback.headers.insert("authorization", HeaderValue::from_str(header).unwrap());
    callback.now = Timestamp::from_millis(vector["verify_at"].as_i64().unwrap() * 1000);
    let received = channel.receive(&callback);
    match vector["expect"].as_str().unwrap() {
        "accept" => assert_eq!(received.unwrap().callbacks.len(), 1, "{vector}"),
        "reject" => assert_eq!(received, Err(CallbackError::Forged), "{vector}"),
        other => panic!("{other}"),
    }
}

fn gzipped(vector: &Value) {
    let mut settings = settings("messages");
    settings["business_id"] = vector["decoded"]["destinationId"].clone();
    let world = World::silent();
    let channel = open(&world, &settings);
    let mut callback = proven(&base64(&vector["body_base64"]));
    let mut headers: HeaderMap = vector["request_headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, HeaderValue::from_str(value.as_str().unwrap()).unwrap())
        })
        .collect();
    std::mem::swap(&mut headers, &mut callback.headers);
    callback.headers.insert("authorization", headers["authorization"].clone());
    let received = channel.receive(&callback).unwrap();
    let [Callback::Wrote { origin, text, intent: None }] = received.callbacks.as_slice() else {
        panic!("{received:?}");
    };
    assert_eq!(text.as_str(), vector["decoded"]["body"].as_str().unwrap());
    assert_eq!(origin.message_id.as_deref(), vector["decoded"]["id"].as_str());
    assert_eq!(origin.written_at, None);
    let from = &origin.from;
    assert_eq!(from.handle.as_deref(), vector["decoded"]["sourceId"].as_str());
    assert_eq!(from.features, ["QUICK", "LIST", "TIME", "AUTH", "AUTH2", "FORM"]);
}

#[test]
fn signature_vector_is_judged_as_it_says() {
    let file = crate::doubles::folder("apple/fixtures/signatures.json");
    let file: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 10);
    for vector in vectors {
        match vector["id"].as_str().unwrap() {
            "apple-jwt-outbound" => outbound(vector),
            "apple-inbound-gzip-body" => gzipped(vector),
            "jws-hs256-rfc7515-a1" => {
                use base64::Engine;
                let key = vector["key_base64url"].as_str().unwrap();
                let key = super::URL_SAFE_NO_PAD.decode(key).unwrap();
                let claims = token::claims(vector["token"].as_str().unwrap(), &key).unwrap();
                let claims: Value = serde_json::from_slice(&claims).unwrap();
                assert_eq!(
                    (&claims["iss"], &claims["exp"]),
                    (&"joe".into(), &1_300_819_380.into())
                );
                assert_eq!(token::claims(vector["token"].as_str().unwrap(), &key[1..]), None);
            }
            "apple-attachment-aes256ctr" => {
                let key = vector["key_string"].as_str().unwrap();
                let opened = reference::decrypt(key, &base64(&vector["ciphertext_base64"]));
                assert_eq!(opened.unwrap(), vector["plaintext"].as_str().unwrap().as_bytes());
                for bad in
                    ["", "00", &key[2..], &key[..64], &format!("{key}00"), &key.replace('F', "G")]
                {
                    assert_eq!(reference::decrypt(bad, b"x"), None, "{bad}");
                }
            }
            "apple-merchant-id-hash" => {
                let hash = pay::merchant_hash(vector["merchant_identifier"].as_str().unwrap());
                assert_eq!(hash, vector["sha256_hex"].as_str().unwrap());
            }
            id if id.starts_with("apple-jwt-") => inbound(vector),
            other => panic!("{other} is not tried"),
        }
    }
}
