//! The texts and replies of customers, and the refused callbacks.

use bytes::Bytes;
use domain::values::time::Timestamp;
use http::{HeaderValue, Method};
use ports::{Callback, CallbackError, MessageOrigin, ReceivedWebhook, Sender, UnverifiedCallback};
use serde_json::{Value, json};

use super::{CSP, SECRET, bearer, open, proven, settings, token};
use crate::doubles::{HANDLE, NOW, World, fixtures};

fn receive(callback: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError> {
    open(&World::silent(), &settings("messages")).receive(callback)
}

fn hello() -> Vec<u8> {
    fixtures("apple/fixtures/callbacks")["text"]["body"].to_string().into_bytes()
}

fn by_handle(sender: &Sender) -> bool {
    sender.handle.as_deref() == Some(HANDLE) && sender.phone.is_none()
}

/// A callback in the words of the fixtures.
fn words(received: &ReceivedWebhook) -> String {
    match received.callbacks.as_slice() {
        [] => "nothing".to_owned(),
        [Callback::Stop(MessageOrigin { from, .. })] => {
            assert!(by_handle(from) || from.phone.is_some() && from.handle.is_none());
            "stop".to_owned()
        }
        [Callback::Start(origin)] if by_handle(&origin.from) => "start".to_owned(),
        [Callback::Tapped { postback, origin, .. }] if by_handle(&origin.from) => {
            format!("tapped {postback}")
        }
        [Callback::Wrote { origin, intent, .. }] if by_handle(&origin.from) => {
            format!("wrote {}", intent.as_deref().unwrap_or("-"))
        }
        [Callback::Active(origin)] if by_handle(&origin.from) => "active".to_owned(),
        _ => panic!("{received:?}"),
    }
}

#[test]
fn recorded_callback_means_what_its_fixture_says() {
    for (name, fixture) in fixtures("apple/fixtures/callbacks") {
        let body = fixture["body"].to_string();
        for body in [body.clone().into_bytes(), gzip(body.as_bytes())] {
            let received = receive(&proven(&body)).unwrap();
            assert_eq!(words(&received), fixture["tells"].as_str().unwrap(), "{name}");
            assert_eq!((received.reply.status, received.refusal), (200, None), "{name}");
        }
    }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn device_features_are_read_from_either_header() {
    for (name, list, expected) in [
        ("capability-list", "QUICK,LIST,TIME", vec!["QUICK", "LIST", "TIME"]),
        ("capabilities", " auth2 , form", vec!["AUTH2", "FORM"]),
        ("capability-list", "", vec![]),
        ("capability-list", "a b,\u{e9},,X-Y,QUICK", vec!["QUICK"]),
    ] {
        let mut callback = proven(&hello());
        callback.headers.insert(name, HeaderValue::from_bytes(list.as_bytes()).unwrap());
        let received = receive(&callback).unwrap();
        let [Callback::Wrote { origin, .. }] = received.callbacks.as_slice() else { panic!() };
        // A header that is not ASCII is ignored.
        let expected = if list.is_ascii() { expected } else { vec![] };
        assert_eq!(origin.from.features, expected, "{list}");
    }
}

#[test]
fn token_for_another_provider_or_time_is_forged() {
    let (header, now) = (json!({ "alg": "HS256" }), NOW.as_secs());
    let with = |header: &Value, claims: &Value| {
        let mut callback = proven(&hello());
        let token = format!("Bearer {}", token(header, claims, SECRET));
        callback.headers.insert("authorization", HeaderValue::from_str(&token).unwrap());
        receive(&callback).is_ok()
    };
    for (iat, taken) in
        [(now, true), (now - 360, true), (now - 361, false), (now + 60, true), (now + 61, false)]
    {
        assert_eq!(with(&header, &json!({ "aud": CSP, "iat": iat })), taken, "{iat}");
    }
    for (claims, taken) in [
        (json!({ "aud": [CSP, "other"], "iat": now }), true),
        (json!({ "aud": [], "iat": now }), false),
        (json!({ "aud": "other", "iat": now }), false),
        (json!({ "iat": now }), false),
        (json!({ "aud": CSP }), false),
        (json!({ "aud": CSP, "iat": "now" }), false),
        (json!({ "aud": CSP, "iat": i64::MIN }), false),
        (json!({ "aud": CSP, "iat": now, "exp": now - 59 }), true),
        (json!({ "aud": CSP, "iat": now, "exp": now - 60 }), false),
        (json!({ "iss": CSP, "iat": now }), false),
        (json!([]), false),
    ] {
        assert_eq!(with(&header, &claims), taken, "{claims}");
    }
    let claims = json!({ "aud": CSP, "iat": now });
    for header in [
        json!({ "alg": "HS512" }),
        json!({ "alg": "none" }),
        json!({ "alg": "hs256" }),
        json!({ "typ": "JWT" }),
        json!({ "alg": "HS256", "crit": ["b64"], "b64": false }),
    ] {
        assert!(!with(&header, &claims), "{header}");
    }
    assert!(with(&json!({ "alg": "HS256", "typ": "JWT", "kid": "x" }), &claims));
}

#[test]
fn older_token_is_accepted_where_set() {
    let mut lenient = settings("messages");
    lenient["token_seconds"] = json!(3600);
    let world = World::silent();
    let channel = open(&world, &lenient);
    let at = |seconds: i64| {
        let now = Timestamp::from_millis((NOW.as_secs() + seconds) * 1000);
        channel.receive(&UnverifiedCallback { now, ..proven(&hello()) }).is_ok()
    };
    assert!(at(3660) && !at(3661));
}

#[test]
fn token_with_any_change_is_forged() {
    let whole = bearer();
    let with = |header: &[u8]| {
        let mut callback = proven(&hello());
        let Ok(value) = HeaderValue::from_bytes(header) else { return Err(CallbackError::Forged) };
        callback.headers.insert("authorization", value);
        receive(&callback)
    };
    assert!(with(whole.as_bytes()).is_ok());
    for place in "Bearer ".len()..whole.len() {
        for byte in [b'A', b'B', b'-', b'_', b'.', b'=', b' ', b'~'] {
            let mut changed = whole.clone().into_bytes();
            if changed[place] == byte {
                continue;
            }
            changed[place] = byte;
            assert_eq!(with(&changed), Err(CallbackError::Forged), "{place} {byte}");
        }
        assert_eq!(with(&whole.as_bytes()[..place]), Err(CallbackError::Forged));
    }
    for scheme in ["Basic ", "", "Bearer"] {
        let other = whole.replacen("Bearer ", scheme, 1);
        assert_eq!(with(other.as_bytes()), Err(CallbackError::Forged), "{scheme}");
    }
    let mut twice = proven(&hello());
    twice.headers.append("authorization", HeaderValue::from_str(&whole).unwrap());
    assert_eq!(receive(&twice), Err(CallbackError::Forged));
    let mut none = proven(&hello());
    none.headers.clear();
    assert_eq!(receive(&none), Err(CallbackError::Forged));
}

#[test]
fn message_to_another_business_is_acknowledged_only() {
    let mut body = fixtures("apple/fixtures/callbacks")["text"]["body"].clone();
    body["destinationId"] = json!("b884eddf-0000-0000-0000-000000000000");
    let count = |body: &Value| {
        receive(&proven(body.to_string().as_bytes())).map(|received| received.callbacks.len())
    };
    assert_eq!(count(&body), Ok(0));
    body["destinationId"] = json!("A884EDDF-0000-0000-0000-000000000000");
    assert_eq!(count(&body), Ok(1));
}

#[test]
fn body_that_is_no_message_is_malformed() {
    let body = fixtures("apple/fixtures/callbacks")["text"]["body"].clone();
    let with = |field: &str, value: Value| {
        let mut body = body.clone();
        body[field] = value;
        receive(&proven(body.to_string().as_bytes()))
    };
    for (field, value) in [
        ("sourceId", json!("")),
        ("sourceId", json!("urn:mbid:a b")),
        ("sourceId", json!("urn:mbid:\r\nx: y")),
        ("sourceId", json!("x".repeat(257))),
        ("sourceId", json!("tel:911")),
        ("sourceId", json!(7)),
        ("type", json!(null)),
    ] {
        assert_eq!(with(field, value.clone()), Err(CallbackError::Malformed), "{field} {value}");
    }
    for (field, value) in [("body", json!({})), ("intent", json!([])), ("id", json!(7))] {
        let received = with(field, value.clone()).unwrap();
        assert_eq!(words(&received).split(' ').next(), Some("wrote"), "{field} {value}");
    }
    for bytes in [b"".as_slice(), b"{", b"[]", b"\xff", b"\x1f\x8b", b"type=text&body=STOP"] {
        assert_eq!(receive(&proven(bytes)), Err(CallbackError::Malformed), "{bytes:?}");
    }
    let read = UnverifiedCallback { method: Method::GET, ..proven(&hello()) };
    assert_eq!(receive(&read), Err(CallbackError::Malformed));
    let forged = UnverifiedCallback {
        headers: http::HeaderMap::new(),
        body: Bytes::from_static(b"\x1f\x8b"),
        ..proven(&hello())
    };
    assert_eq!(receive(&forged), Err(CallbackError::Forged), "nothing is unpacked before that");
}

#[test]
fn unreadable_field_loses_no_stop() {
    let mut body = fixtures("apple/fixtures/callbacks")["text"]["body"].clone();
    body["body"] = json!("STOP HALF");
    body["intent"] = json!({});
    let body = body.to_string().replace(" HALF", "\n\\ud83d");
    let received = receive(&proven(body.as_bytes())).unwrap();
    let [Callback::Wrote { text, .. }] = received.callbacks.as_slice() else {
        panic!("{received:?}");
    };
    assert!(text.starts_with("STOP"), "{text:?}");
}
