//! The meaning of each event that the topic can bring.

use std::collections::BTreeSet;

use bytes::Bytes;
use domain::postback::Action;
use domain::values::phone::Phone;
use http::{HeaderMap, Method};
use ports::{Addressee, Callback, CallbackError, Proof, Sender, UnverifiedCallback};
use serde_json::json;

use super::events::{FallbackBy, addressee, receive};
use super::statuses::{MESSAGE_STATUSES, MessageStatus};
use crate::doubles::{NOW, PHONE, fixtures, postback, reference};

fn receive_topic(
    body: impl Into<Bytes>,
    fallback: FallbackBy,
) -> Result<Vec<Callback>, CallbackError> {
    let callback = UnverifiedCallback {
        method: Method::POST,
        url: String::new(),
        headers: HeaderMap::new(),
        body: body.into(),
        now: NOW,
        proof: Proof::Topic,
    };
    receive(&callback, fallback).map(|received| {
        assert_eq!((received.reply.status, received.refusal), (200, None));
        received.callbacks
    })
}

/// The callbacks, in the words of the fixtures.
fn words(callbacks: &[Callback]) -> String {
    let from = |sender: &Sender| {
        assert_eq!(sender.phone.as_ref().map(Phone::as_str), Some(PHONE));
        assert_eq!((sender.handle.as_ref(), sender.features.len()), (None, 0));
    };
    let about = |about| assert_eq!(about, reference().into());
    let word = |callback: &Callback| match callback.clone() {
        Callback::Delivered(whom) => {
            about(whom);
            "delivered".to_owned()
        }
        Callback::Read(whom) => {
            about(whom);
            "read".to_owned()
        }
        Callback::FailedForNow(whom) => {
            about(whom);
            "failed for now".to_owned()
        }
        Callback::Failed(whom, reason) => {
            about(whom);
            format!("failed {reason}")
        }
        Callback::Tapped { postback, from: whom } => {
            from(&whom);
            format!("tapped {postback}")
        }
        Callback::Paid { .. } => "paid".to_owned(),
        Callback::Stop(whom) => {
            from(&whom);
            "stop".to_owned()
        }
        Callback::Start(whom) => {
            from(&whom);
            "start".to_owned()
        }
        Callback::Wrote { from: whom, text, intent, at } => {
            from(&whom);
            assert_eq!((intent, at), (None, None));
            format!("wrote {text}")
        }
    };
    callbacks.iter().map(word).collect::<Vec<_>>().join(", ")
}

#[test]
fn recorded_event_means_what_its_fixture_says() {
    for folder in ["rcs/fixtures/aws-events", "sms/fixtures/aws-events"] {
        for (name, fixture) in fixtures(folder) {
            let text = fixture["message"].to_string();
            let means = &fixture["means"];
            let text = text.replace("{ref}", &reference().to_string());
            let text = text.replace("{approve}", &postback(Action::Approve));
            let means = means.as_str().unwrap().replace("{approve}", &postback(Action::Approve));
            assert_eq!(
                words(&receive_topic(text, FallbackBy::NextRoute).unwrap()),
                means,
                "{folder} {name}"
            );
        }
    }
}

fn event(kind: &str, status: Option<&str>) -> String {
    let context = json!({ "ref": reference().to_string() });
    json!({ "eventType": kind, "messageStatus": status, "context": context }).to_string()
}

#[test]
fn status_word_is_read_as_type_and_as_status() {
    let words: BTreeSet<&str> = MESSAGE_STATUSES.iter().map(|(word, _)| *word).collect();
    assert_eq!(words.len(), MESSAGE_STATUSES.len());
    for (word, status) in MESSAGE_STATUSES {
        let expected = match status {
            MessageStatus::InTransit => vec![],
            MessageStatus::Delivered => vec![Callback::Delivered(reference().into())],
            MessageStatus::Read => vec![Callback::Read(reference().into())],
            MessageStatus::Failed(reason) => vec![Callback::Failed(reference().into(), reason)],
        };
        for about in ["", "RCS_", "TEXT_"] {
            let by_type = event(&format!("{about}{word}"), None);
            assert_eq!(
                receive_topic(by_type, FallbackBy::NextRoute).unwrap(),
                expected,
                "{about}{word}"
            );
        }
        let by_status = event("RCS_DELIVERED", Some(word));
        assert_eq!(receive_topic(by_status, FallbackBy::NextRoute).unwrap(), expected, "{word}");
        let by_status = event("RCS_SOMETHING_NEW", Some(word));
        assert_eq!(receive_topic(by_status, FallbackBy::NextRoute).unwrap(), expected, "{word}");
    }
    assert_eq!(receive_topic(event("RCS_SOMETHING_NEW", None), FallbackBy::NextRoute), Ok(vec![]));
    let delivered = vec![Callback::Delivered(reference().into())];
    assert_eq!(
        receive_topic(event("RCS_DELIVERED", Some("NEW")), FallbackBy::NextRoute),
        Ok(delivered)
    );
}

#[test]
fn card_with_provider_fallback_fails_only_with_its_text() {
    for word in ["RCS_FAILED", "RCS_TTL_EXPIRED", "RCS_FALLEN_BACK_TO_SMS"] {
        assert_eq!(receive_topic(event(word, None), FallbackBy::Provider), Ok(vec![]), "{word}");
    }
    let failed = vec![Callback::Failed(reference().into(), "unreachable")];
    assert_eq!(receive_topic(event("TEXT_UNREACHABLE", None), FallbackBy::Provider), Ok(failed));
    let read = vec![Callback::Read(reference().into())];
    assert_eq!(receive_topic(event("RCS_READ", None), FallbackBy::Provider), Ok(read));
}

#[test]
fn event_about_a_foreign_message_says_nothing() {
    for context in [json!(null), json!({}), json!({ "ref": "theirs" }), json!({ "ref": 7 })] {
        let text = json!({ "eventType": "TEXT_DELIVERED", "context": context }).to_string();
        assert_eq!(receive_topic(text, FallbackBy::NextRoute), Ok(vec![]));
    }
}

#[test]
fn body_outside_a_topic_is_forged_and_nonsense_malformed() {
    let forged = UnverifiedCallback {
        method: Method::POST,
        url: String::new(),
        headers: HeaderMap::new(),
        body: event("RCS_READ", None).into(),
        now: NOW,
        proof: Proof::None,
    };
    assert_eq!(receive(&forged, FallbackBy::NextRoute), Err(CallbackError::Forged));
    let deep = "[".repeat(100_000);
    for bad in ["", "yes", "null", "[]", "{}", "{\"messageBody\":\"STOP\"}", &deep] {
        let error = receive_topic(bad.to_owned(), FallbackBy::NextRoute);
        assert_eq!(error, Err(CallbackError::Malformed), "{bad:.40}");
    }
}

#[test]
fn message_is_for_the_identity_that_it_names() {
    let names = |body: &str, identity: &str| {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let callback = UnverifiedCallback {
            method: Method::POST,
            url: String::new(),
            headers: HeaderMap::new(),
            body,
            now: NOW,
            proof: Proof::Topic,
        };
        addressee(&callback, identity) == Addressee::Own
    };
    let text = |number: &str| {
        json!({ "originationNumber": PHONE, "destinationNumber": number, "messageBody": "hi" })
            .to_string()
    };
    let agent = "arn:aws:sms-voice:eu-west-1:123456789012:rcs-agent/rcs-a1b2";
    assert!(names(&text("rcs-a1b2"), "rcs-a1b2"));
    assert!(names(&text("rcs-a1b2"), agent));
    assert!(names(&text("15550001111"), "+15550001111"));
    assert!(!names(&text("rcs-a1b3"), agent));
    assert!(!names(&text("+15550001111"), "pool-1"));
    assert!(!names(&text(""), ""));
    assert!(names(&event("TEXT_DELIVERED", None), "any"), "a status names its prompt");
    assert!(!names("{}", "any"));
}

#[test]
fn message_without_text_is_a_sign_of_life() {
    let body = json!({ "originationNumber": PHONE, "destinationNumber": "rcs-1" }).to_string();
    let received = receive_topic(body, FallbackBy::NextRoute).unwrap();
    let [Callback::Wrote { text, .. }] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!(text, "");
}

#[test]
fn short_code_or_name_is_no_customer() {
    for number in ["12345", "ACME", "", "+0123456789", "++15551230001"] {
        let text = json!({ "originationNumber": number, "messageBody": "STOP" }).to_string();
        assert_eq!(receive_topic(text, FallbackBy::NextRoute), Ok(vec![]), "{number}");
    }
}
