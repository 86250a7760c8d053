//! The meaning of each event that the topic can bring.

use std::collections::BTreeSet;

use bytes::Bytes;
use domain::postback::Action;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use http::{HeaderMap, Method};
use ports::{Addressee, Callback, CallbackError, MessageOrigin, Proof, Sender, UnverifiedCallback};
use serde_json::json;

use super::events::{FallbackBy, addressee, receive};
use super::statuses::{MESSAGE_STATUSES, MessageStatus};
use crate::doubles::{NOW, PHONE, fixtures, postback, reference};

/// When SNS says that the message was published, which is no time of the message itself.
const PUBLISHED: Timestamp = Timestamp::from_millis(1_796_083_201_500);

/// The origin of a message that has no time of its own.
fn published(origin: MessageOrigin) -> MessageOrigin {
    MessageOrigin { written_at: Some(PUBLISHED), ..origin }
}

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
        proof: Proof::Topic { published_at: Some(PUBLISHED) },
    };
    receive(&callback, fallback).map(|received| {
        assert_eq!((received.reply.status, received.refusal), (200, None));
        received.callbacks
    })
}

/// The callbacks, in the words of the fixtures.
fn words(callbacks: &[Callback]) -> String {
    let from = |MessageOrigin { from: sender, written_at, .. }: &MessageOrigin| {
        assert!(written_at.is_none_or(|at| at == PUBLISHED));
        let number = sender.phone.as_ref().map(Phone::as_str);
        let of_a_short_code = (None, Some("40404"));
        let named = (number, sender.handle.as_deref());
        assert!(named == (Some(PHONE), None) || named == of_a_short_code);
        assert!(sender.features.is_empty());
    };
    let about = |about| assert_eq!(about, reference().into());
    let word = |callback: &Callback| {
        Some(match callback.clone() {
            Callback::Recipient { about: whom, recipient } => {
                about(whom);
                from(&recipient.into());
                return None;
            }
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
            Callback::Tapped { postback, origin: whom, .. } => {
                from(&whom);
                format!("tapped {postback}")
            }
            Callback::Paid { .. } => "paid".to_owned(),
            Callback::Unsubscribed { .. } => "unsubscribed".to_owned(),
            Callback::Stop(whom) => {
                from(&whom);
                "stop".to_owned()
            }
            Callback::Start(whom) => {
                from(&whom);
                "start".to_owned()
            }
            Callback::Wrote { origin: whom, text, intent } => {
                from(&whom);
                assert_eq!(intent, None);
                format!("wrote {text}")
            }
            Callback::Active(whom) => {
                from(&whom);
                "active".to_owned()
            }
        })
    };
    callbacks.iter().filter_map(word).collect::<Vec<_>>().join(", ")
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
            proof: Proof::Topic { published_at: Some(PUBLISHED) },
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
    assert!(matches!(received[..], [Callback::Active(_)]), "{received:?}");
}

fn stop(origin: MessageOrigin) -> Callback {
    Callback::Wrote { origin, text: "STOP".to_owned(), intent: None }
}

/// Its opt-out counts for itself, as soon as a status ties the id to a prompt.
#[test]
fn short_code_or_name_is_a_sender_without_a_number() {
    for id in ["12345", "ACME", "+0123456789", "++15551230001"] {
        let text = json!({ "originationNumber": id, "messageBody": "STOP" }).to_string();
        let from = Sender { handle: Some(id.to_owned()), ..Sender::default() };
        let stop = Ok(vec![stop(published(from.into()))]);
        assert_eq!(receive_topic(text, FallbackBy::NextRoute), stop, "{id}");
    }
    let text = json!({ "originationNumber": "", "messageBody": "STOP" }).to_string();
    assert_eq!(receive_topic(text, FallbackBy::NextRoute), Ok(vec![]));
}

#[test]
fn status_names_the_recipient() {
    let about = || reference().into();
    let of = |to: &str| {
        let context = json!({ "ref": reference().to_string() });
        let event = json!({
            "eventType": "TEXT_QUEUED", "destinationPhoneNumber": to, "context": context,
        });
        receive_topic(event.to_string(), FallbackBy::NextRoute).unwrap()
    };
    let recipient = Sender::from("+5215512345678".parse::<Phone>().unwrap());
    for to in ["+5215512345678", "5215512345678"] {
        assert_eq!(of(to), [Callback::Recipient { about: about(), recipient: recipient.clone() }]);
    }
    assert_eq!(of(""), []);
}

#[test]
fn unreadable_field_loses_no_stop() {
    for (body, expected) in [
        (r#"{"originationNumber":"+15551230001","messageBody":"STOP \ud83d"}"#, 1),
        (r#"{"originationNumber":"+15551230001","messageBody":"STOP","messageKeyword":7}"#, 1),
        (r#"{"originationNumber":"+15551230001","messageBody":"STOP","x":1e999}"#, 1),
        (r#"{"originationNumber":"+15551230001","messageBody":7}"#, 0),
    ] {
        let received = receive_topic(body, FallbackBy::NextRoute).unwrap();
        let stops = received.iter().filter(
            |callback| matches!(callback, Callback::Wrote { text, .. } if text.starts_with("STOP")),
        );
        assert_eq!(stops.count(), expected, "{body}");
    }
}

#[test]
fn message_has_the_id_that_its_repeat_has() {
    let text = json!({
        "originationNumber": PHONE, "messageBody": "STOP", "inboundMessageId": "in-1",
    });
    let from = PHONE.parse::<Phone>().unwrap().into();
    let origin = MessageOrigin { message_id: Some("in-1".to_owned()), ..published(from) };
    let received = receive_topic(text.to_string(), FallbackBy::NextRoute);
    assert_eq!(received, Ok(vec![stop(origin)]));
}

#[test]
fn time_of_publication_is_when_a_message_was_written() {
    let written_at = |body: &str, published_at| {
        let callback = UnverifiedCallback {
            method: Method::POST,
            url: String::new(),
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            now: NOW,
            proof: Proof::Topic { published_at },
        };
        let received = receive(&callback, FallbackBy::NextRoute).unwrap();
        received.callbacks[0].origin().unwrap().written_at
    };
    let said = |body: &str| json!({ "originationNumber": PHONE, "messageBody": body }).to_string();
    let tap = json!({ "type": "SUGGESTION", "text": "Pay", "postbackData": "00" }).to_string();
    let unsubscribe = json!({ "type": "UNSUBSCRIBE" }).to_string();
    let subscribe = json!({ "type": "SUBSCRIBE" }).to_string();
    let place = json!({ "originationNumber": PHONE }).to_string();
    for body in [said("STOP"), said(&tap), said(&unsubscribe), said(&subscribe), place] {
        assert_eq!(written_at(&body, Some(PUBLISHED)), Some(PUBLISHED), "{body}");
        assert_eq!(written_at(&body, None), None, "{body}");
    }
}
