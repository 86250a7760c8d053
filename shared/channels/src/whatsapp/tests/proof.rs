//! The proof of a callback: the signature over its bytes, or the token of the one call without a signature.

use domain::values::phone::Phone;
use http::{HeaderMap, Method};
use ports::{Addressee, Callback, CallbackError, MessageOrigin, Sender, UnverifiedCallback};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{CUSTOMER, NUMBER, body, call, channel, headers, receive, settings, signed, value};
use crate::doubles::{Script, World};
use crate::whatsapp::{callback, signature};

#[test]
fn signature_vector_is_judged_as_it_says() {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../fixtures/signatures.json")).unwrap();
    assert_eq!(vectors.len(), 9);
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let accepts = if vector["kind"] == "webhook-verification" {
            let token = SecretString::from(text("verify_token"));
            let path = text("request").strip_prefix("GET ").unwrap();
            let answer = callback::handshake(&token, &format!("https://hooks.example.com{path}"));
            let reply = answer.as_ref().map(|received| &received.reply);
            if let Ok(reply) = reply {
                let answered = json!({
                    "status": reply.status, "body": reply.body, "content_type": reply.content_type,
                });
                assert_eq!(answered, vector["response"], "{}", vector["id"]);
            }
            answer.is_ok()
        } else {
            let given = headers(vector["header"]["X-Hub-Signature-256"].as_str().unwrap());
            let verify = |secret: &str| {
                let secret = SecretString::from(secret);
                signature::verify(&secret, &given, text("raw_body").as_bytes())
            };
            assert_eq!(verify("another secret"), Err(CallbackError::Forged), "{}", vector["id"]);
            verify(text("app_secret")).is_ok()
        };
        let wanted = vector["expect"].as_str().unwrap();
        assert!(accepts == (wanted == "accept") || wanted == "either", "{}", vector["id"]);
    }
}

#[test]
fn escaped_body_is_verified_raw_and_read_decoded() {
    let body = br#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{
        "messaging_product":"whatsapp","metadata":{"phone_number_id":"106540352242922"},
        "messages":[{"from":"15551230001","id":"wamid.IN2","type":"text",
        "text":{"body":"me\u0040example.com https:\/\/x.example\/ \u00eb\ud83d\ude00"}}]}}]}]}"#;
    let received = receive(body).unwrap();
    let from = Sender::from(format!("+{CUSTOMER}").parse::<Phone>().unwrap());
    let text = "me@example.com https://x.example/ ë😀".to_owned();
    let origin = MessageOrigin { from, written_at: None, message_id: Some("wamid.IN2".to_owned()) };
    assert_eq!(received.callbacks, [Callback::Wrote { origin, text, intent: None }]);
    let again = serde_json::from_slice::<Value>(body).unwrap().to_string();
    let mut changed = signed(body, "secret-app");
    changed.body = again.into();
    assert_eq!(channel("page").1.receive(&changed), Err(CallbackError::Forged));
}

#[test]
fn missing_doubled_or_foreign_signature_is_forged() {
    let (_, channel) = channel("page");
    let whole = signed(b"{}", "secret-app");
    let with = |change: &dyn Fn(&mut HeaderMap)| {
        let mut callback = whole.clone();
        change(&mut callback.headers);
        channel.receive(&callback)
    };
    assert!(with(&|_| {}).is_ok());
    let name = "x-hub-signature-256";
    let again = whole.headers[name].clone();
    assert_eq!(with(&|headers| drop(headers.remove(name))), Err(CallbackError::Forged));
    let doubled = with(&|headers| assert!(headers.append(name, again.clone())));
    assert_eq!(doubled, Err(CallbackError::Forged));
    for secret in ["secret-verify", "secret-access-token", ""] {
        assert_eq!(channel.receive(&signed(b"{}", secret)), Err(CallbackError::Forged));
    }
    for change in ["sha1=00", "sha256=", "sha256=zz", "sha256=00"] {
        let callback = call(Method::POST, "", headers(change), b"{}");
        assert_eq!(channel.receive(&callback), Err(CallbackError::Forged), "{change}");
    }
    let put = UnverifiedCallback { method: Method::PUT, ..whole };
    assert_eq!(channel.receive(&put), Err(CallbackError::Malformed));
}

#[test]
fn signed_body_with_any_change_is_forged() {
    let (_, channel) = channel("page");
    let whole = signed(&body(&[value(&json!({ "messages": [] }))]), "secret-app");
    assert!(channel.receive(&whole).is_ok());
    for at in 0..whole.body.len() {
        for bit in 0..8 {
            let mut body = whole.body.to_vec();
            body[at] ^= 1 << bit;
            let changed = UnverifiedCallback { body: body.into(), ..whole.clone() };
            assert_eq!(channel.receive(&changed), Err(CallbackError::Forged), "{at} {bit}");
        }
        let shorter = [&whole.body[..at], &whole.body[at + 1..]].concat();
        let changed = UnverifiedCallback { body: shorter.into(), ..whole.clone() };
        assert_eq!(channel.receive(&changed), Err(CallbackError::Forged), "{at}");
    }
}

#[test]
fn handshake_with_the_verify_token_is_answered() {
    let (_, channel) = channel("page");
    let gets = |query: &str| channel.receive(&call(Method::GET, query, HeaderMap::new(), b""));
    let received =
        gets("?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=secret-verify")
            .unwrap();
    let reply = &received.reply;
    assert_eq!((reply.status, reply.body.as_str()), (200, "1158201444"));
    assert_eq!((reply.content_type, received.callbacks.len()), ("text/plain", 0));
    for query in [
        "",
        "?",
        "?hub.mode=subscribe&hub.challenge=1",
        "?hub.mode=subscribe&hub.challenge=1&hub.verify_token=",
        "?hub.mode=subscribe&hub.challenge=1&hub.verify_token=secret-verify2",
        "?hub.mode=subscribe&hub.challenge=1&hub.verify_token=secret-verif",
        "?hub.mode=subscribe&hub.challenge=1&hub.verify_token=secret-app",
        "?hub.challenge=1&hub.verify_token=x&hub.verify_token=secret-verify",
        "?hub.challenge=1#&hub.verify_token=secret-verify",
    ] {
        assert_eq!(gets(query), Err(CallbackError::Forged), "{query}");
    }
    for query in ["", "&hub.mode=subscribe", "&hub.mode=unsubscribe&hub.challenge=1"] {
        let query = format!("?hub.verify_token=secret-verify{query}");
        assert_eq!(gets(&query), Err(CallbackError::Malformed), "{query}");
    }
    for challenge in ["", "%3Cb%3E%20x", "1%0A", &"1".repeat(257)] {
        let rest =
            format!("?hub.mode=subscribe&hub.verify_token=secret-verify&hub.challenge={challenge}");
        assert_eq!(gets(&rest), Err(CallbackError::Malformed), "{challenge}");
    }
}

/// One app serves several numbers, and each channel reads its own.
#[test]
fn channel_reads_the_events_of_its_own_number() {
    let (_, channel) = channel("page");
    let tapped = json!({ "type": "button", "button": { "payload": "x" } });
    let received = |numbers: &[&str]| {
        let value = |number: &&str| {
            let mut value = value(&json!({ "messages": [tapped] }));
            value["metadata"]["phone_number_id"] = json!(number);
            value
        };
        let body = body(&numbers.iter().map(value).collect::<Vec<_>>());
        let call = signed(&body, "secret-app");
        assert_eq!(channel.addressee(&call), Addressee::Own);
        channel.receive(&call).unwrap().callbacks.len()
    };
    assert_eq!(received(&[NUMBER]), 1);
    assert_eq!(received(&["2"]), 0);
    assert_eq!(received(&["2", NUMBER, "3", NUMBER]), 2);
}

#[test]
fn secrets_verify_before_and_after_their_rotation() {
    let mut settings = settings("page");
    settings["app_secret"] = json!(["secret-app-2", "secret-app"]);
    settings["verify_token"] = json!(["secret-verify-2", "secret-verify"]);
    let channel = World::new(Script::Lost).open("whatsapp", &settings).unwrap();
    for secret in ["secret-app", "secret-app-2"] {
        assert!(channel.receive(&signed(b"{}", secret)).is_ok(), "{secret}");
    }
    assert_eq!(channel.receive(&signed(b"{}", "secret-app-3")), Err(CallbackError::Forged));
    let gets = |token: &str, challenge: &str| {
        let query =
            format!("?hub.mode=subscribe&hub.challenge={challenge}&hub.verify_token={token}");
        channel.receive(&call(Method::GET, &query, HeaderMap::new(), b""))
    };
    for token in ["secret-verify", "secret-verify-2"] {
        assert!(gets(token, "1").is_ok(), "{token}");
        assert_eq!(gets(token, ""), Err(CallbackError::Malformed), "{token}");
    }
    assert_eq!(gets("secret-verify-3", "1"), Err(CallbackError::Forged));
}
