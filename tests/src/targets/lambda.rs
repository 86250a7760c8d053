//! The events that Lambda hands to the functions, as bytes: HTTP calls, batches of a queue, topic messages.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use consent_callback::Topics;
use domain::message::{Message, MessageResult};
use domain::postback::{Action, Postback};
use domain::values::prompt_ref::PromptRef;
use lambda_events::{
    Batch, Call, Context, LambdaEvent, NotificationError, answer, answer_or_receive, report,
};
use ports::{Handler, Listener, Notification};
use serde_json::{Value, json};

use super::fuzz_fixture::{FuzzFixture, KEY, Open, wanted, with_fixture};
use crate::providers::aws_messaging::events;

/// Handles messages as the queues' functions do.
struct Machine<'a>(&'a local::Machine);

#[async_trait]
impl Handler for Machine<'_> {
    async fn handle(&self, message: &Message) -> MessageResult {
        self.0.handle(message).await
    }
}

fn subscribed_topics(fuzz_fixture: &FuzzFixture) -> Topics {
    Topics::new(fuzz_fixture.machine.consent_callback.channel_webhooks(), "assent".to_owned())
}

/// A batch of any bytes: each record that is not our message comes again, and no other id does.
pub fn batch(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let Ok(batch) = serde_json::from_slice::<Batch>(input) else { return };
        let ids: BTreeSet<String> = batch.records.iter().map(|record| record.id.clone()).collect();
        let strange = batch
            .records
            .iter()
            .filter(|record| serde_json::from_str::<Message>(&record.body).is_err());
        let strange: BTreeSet<String> = strange.map(|record| record.id.clone()).collect();
        let batch_report = fuzz_fixture.run(report(
            &Machine(&fuzz_fixture.machine),
            batch,
            Duration::from_secs(60),
        ));
        let failed: BTreeSet<String> =
            batch_report.failures.into_iter().map(|failure| failure.id).collect();
        assert!(strange.is_subset(&failed), "a stranger was taken");
        assert!(failed.is_subset(&ids), "a message failed that was not there");
    });
}

fn assert_answer(answer: &Value) {
    let status = answer["statusCode"].as_u64().expect("an answer has a status");
    assert!((200..500).contains(&status), "{answer}");
    assert!(answer["body"].is_string() || answer["body"].is_null(), "{answer}");
}

/// An HTTP event of any bytes: every function answers what is one, and refuses a call without a key.
pub fn call(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let routers: [&Router; 2] = [&fuzz_fixture.api, &fuzz_fixture.consent];
        for router in routers {
            let Ok(call) = serde_json::from_slice::<Call>(input) else { return };
            let event = LambdaEvent::new(call, Context::default());
            assert_answer(
                &fuzz_fixture.run(answer(router, event)).expect("an answer can be written"),
            );
        }
        let Ok(event) = serde_json::from_slice::<Value>(input) else { return };
        let event = LambdaEvent::new(event, Context::default());
        match fuzz_fixture.run(answer_or_receive(
            &fuzz_fixture.consent,
            &subscribed_topics(fuzz_fixture),
            event,
        )) {
            Ok(answer) => assert!(answer.is_null() || answer["statusCode"].is_number(), "{answer}"),
            Err(error) => assert_refusal(&error),
        }
    });
}

fn assert_refusal(error: &lambda_events::Error) {
    let known = error.is::<NotificationError>()
        || error.to_string() == "event is neither an HTTP call nor a notification";
    assert!(known, "{error}");
}

/// A postback that says yes to a request, with the code its agent reads out.
fn yes(fuzz_fixture: &FuzzFixture, open: &Open) -> String {
    let request = fuzz_fixture.request(open.id);
    let code = request.session_code.expect("a session code");
    let place = code.choices.iter().position(|choice| *choice == code.code);
    let place = u8::try_from(place.expect("the code is among its choices")).expect("one of three");
    let reference = PromptRef { request: open.id, prompt: open.prompt };
    let key = &fuzz_fixture.brand.now().link_key;
    Postback { reference, action: Action::Pick(place) }.write(key)
}

/// A yes stands only where its postback was told; nothing is ever charged by what a topic tells alone.
fn assert_consent(fuzz_fixture: &FuzzFixture, published: &[u8]) {
    // Hexadecimal digits are the same in capitals.
    let published = published.to_ascii_lowercase();
    for open in [&fuzz_fixture.shown, &fuzz_fixture.texted, &fuzz_fixture.carded] {
        let postback = yes(fuzz_fixture, open);
        let said = published.windows(postback.len()).any(|window| window == postback.as_bytes());
        match fuzz_fixture.request(open.id).state_name() {
            "prompted" | "denied" => {}
            "authorized" => assert!(said, "an approval that the customer did not give"),
            other => panic!("a topic made the request {other}"),
        }
    }
}

/// Hands any bytes over as SNS does.
pub fn topic(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let Ok(event) = serde_json::from_slice::<Value>(input) else { return };
        let event = LambdaEvent::new(event, Context::default());
        let answer = fuzz_fixture.run(answer_or_receive(
            &fuzz_fixture.consent,
            &subscribed_topics(fuzz_fixture),
            event,
        ));
        if let Err(error) = answer {
            assert_refusal(&error);
        }
        assert_consent(fuzz_fixture, &unescaped(input));
    });
}

/// The texts within an event, out of however many strings within strings.
fn unescaped(input: &[u8]) -> Vec<u8> {
    fn collect(value: &Value, depth: u32, all: &mut Vec<u8>) {
        match value {
            Value::String(text) => {
                all.extend_from_slice(text.as_bytes());
                all.push(b' ');
                if let Some(inner) = serde_json::from_str(text).ok().filter(|_| depth < 4) {
                    collect(&inner, depth + 1, all);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| collect(value, depth, all)),
            Value::Object(values) => values.values().for_each(|value| collect(value, depth, all)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut all = input.to_vec();
    if let Ok(value) = serde_json::from_slice(input) {
        collect(&value, 0, &mut all);
    }
    all
}

/// A topic's name, a line's end, and what was published there. Everything is heard, as nothing outside is down.
pub fn topic_text(input: &[u8]) {
    with_fixture(|fuzz_fixture| {
        let Ok(text) = std::str::from_utf8(input) else { return };
        let (name, text) = text.split_once('\n').unwrap_or((text, ""));
        let notification = Notification { topic: name, text, published_at: None };
        let before = fuzz_fixture.counts();
        assert_eq!(
            fuzz_fixture.run(subscribed_topics(fuzz_fixture).receive(notification)),
            MessageResult::Done,
            "{name}"
        );
        let ours = ["assent_acme_aws", "assent_acme_cards"].contains(&name);
        assert!(ours || !fuzz_fixture.changed_since(&before), "{name} changed something");
        assert_consent(fuzz_fixture, &unescaped(text.as_bytes()));
    });
}

fn http_event(method: &str, path: &str, body: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "wait=1&after=0",
        "cookies": ["a=1"],
        "headers": {
            "authorization": format!("Bearer {KEY}"), "content-type": "application/json", "host": "pay.example.com",
            "idempotency-key": "k-1",
        },
        "requestContext": {
            "accountId": "123456789012", "apiId": "a1b2c3d4e5", "domainName": "pay.example.com",
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "curl/8",
            },
            "requestId": "RSNUDxUEzRcQDEg=", "stage": "$default", "timeEpoch": 1_796_083_200_000_u64,
        },
        "body": body, "isBase64Encoded": false,
    })
}

fn written(all: impl IntoIterator<Item = Value>) -> Vec<Vec<u8>> {
    all.into_iter().map(|value| value.to_string().into_bytes()).collect()
}

pub(super) fn calls() -> Vec<Vec<u8>> {
    let (id, token) =
        with_fixture(|fuzz_fixture| (fuzz_fixture.shown.id, fuzz_fixture.shown.token.clone()));
    let wanted = wanted("+15551230009", "chat").to_string();
    let mut encoded = http_event("POST", "/v1/requests", "e30=");
    encoded["isBase64Encoded"] = json!(true);
    let mut staged = http_event("GET", "/live/v1/requests", "");
    staged["requestContext"]["stage"] = json!("live");
    written([
        http_event("POST", "/v1/requests", &wanted),
        http_event("GET", &format!("/v1/requests/{id}"), ""),
        http_event("GET", &format!("/c/{token}"), ""),
        http_event("POST", "/callbacks/acme/sms", "From=%2B15551230002&Body=STOP"),
        http_event("GET", "/v1/requests/a b%", ""),
        encoded,
        staged,
    ])
}

pub(super) fn batches() -> Vec<Vec<u8>> {
    let id = with_fixture(|fuzz_fixture| fuzz_fixture.shown.id);
    let record = |step: Value, number: u32| {
        let body = json!({ "version": "1", "step": step, "request": id }).to_string();
        json!({
            "messageId": format!("dc3fa367-{number}"), "receiptHandle": "AQEB", "body": body,
            "attributes": { "ApproximateReceiveCount": "1" }, "messageAttributes": {},
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:assent-Prompts",
            "awsRegion": "eu-west-1",
        })
    };
    let mut stranger = record(json!({ "kind": "deliver" }), 4);
    stranger["body"] = json!("hello");
    written([
        json!({ "Records": [record(json!({ "kind": "check" }), 1)] }),
        json!({ "Records": [record(json!({ "kind": "webhook", "seq": 1 }), 2), stranger] }),
        json!({ "Records": [record(json!({ "kind": "fetch" }), 3)] }),
        json!({ "Records": [] }),
    ])
}

/// Returns what a channel's topic tells, with the name of the channel.
fn published_events() -> Vec<(&'static str, String)> {
    with_fixture(|fuzz_fixture| {
        let (carded, phone) = (&fuzz_fixture.carded, "+15551230004");
        let reference = format!("{}.{}", carded.id, carded.prompt);
        let no = PromptRef { request: carded.id, prompt: carded.prompt };
        let no = Postback { reference: no, action: Action::Deny };
        let no = no.write(&fuzz_fixture.brand.now().link_key);
        vec![
            ("cards", events::of_card("RCS_DELIVERED", "DELIVERED", &reference, phone)),
            ("cards", events::of_card("RCS_FAILED", "UNDELIVERABLE", &reference, phone)),
            ("cards", events::tap(phone, "Pay", &yes(fuzz_fixture, carded))),
            ("cards", events::tap(phone, "No", &no)),
            ("cards", events::text(phone, "STOP")),
            ("cards", events::typing(phone)),
            ("aws", events::of_text("DELIVERED", &reference, phone)),
            ("aws", events::text(phone, "yes")),
            ("sms", events::text("+15551230002", "STOP")),
        ]
    })
}

pub(super) fn topics() -> Vec<Vec<u8>> {
    let published = published_events()
        .into_iter()
        .map(|(channel, text)| events::published(&format!("assent_acme_{channel}"), &text));
    written(published)
}

pub(super) fn topic_texts() -> Vec<Vec<u8>> {
    let events = published_events().into_iter();
    events.map(|(channel, text)| format!("assent_acme_{channel}\n{text}").into_bytes()).collect()
}

/// Words of events and of what topics tell.
pub(super) const WORDS: &[&str] = &[
    "Records",
    "EventSource",
    "eventSource",
    "aws:sns",
    "aws:sqs",
    "Sns",
    "TopicArn",
    "Message",
    "assent_acme_cards",
    "assent_acme_aws",
    "_",
    ":",
    "body",
    "messageId",
    "isBase64Encoded",
    "true",
    "null",
    "{}",
    "[]",
    "\\u0000",
    "\\ud800",
    "rawPath",
    "rawQueryString",
    "requestContext",
    "stage",
    "$default",
    "%2F",
    "%",
    "//",
    "cookies",
    "headers",
    "host",
    "version",
    "1e999",
    "SUGGESTION",
    "postbackData",
    "UNSUBSCRIBE",
    "STOP",
    "START",
    "RCS_DELIVERED",
    "RCS_FAILED",
    "TEXT_DELIVERED",
    "context",
    "ref",
    "+15551230004",
    "15551230004",
];
