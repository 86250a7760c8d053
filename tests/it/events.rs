//! Every event in `events/` is replayed: what it is answered with, and what becomes of the request it is about.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::message::{Handled, Handler, Message, QueueName};
use domain::values::time::Timestamp;
use http::Method;
use serde_json::{Value, json};
use tests::world::{Asked, World, brand, topics};

/// The request and the prompt that the events name.
const REQUEST: &str = "req_01M844DZG03XCBJ52V4K8GHNXC";
const PROMPT: &str = "prm_01M844DZWGFW3SJKQ26BNN67GN";
/// The session code that the events tap.
const CODE: u8 = 47;

/// How far the request is when the event comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Accepted,
    Prompted,
    Authorized,
}

/// What the event is answered with.
enum Answer {
    /// A status.
    Status(u16),
    /// How each message of the batch is handled; `None` for one that is none of ours.
    Batch(&'static [Option<Handled>]),
    /// How what a topic told is handled.
    VerifiedWebhook(Handled),
}

const DONE: Answer = Answer::Batch(&[Some(Handled::Done)]);
const HEARD: Answer = Answer::VerifiedWebhook(Handled::Done);

/// Every event: how far the request is, the answer, and the request's state when everything that follows is done.
const EVENTS: &[(&str, Before, Answer, &str)] = &[
    // The nonce in these two is of no page: they show what a form looks like, and consent to nothing.
    ("consent-callback/approve", Before::Prompted, Answer::Status(400), "prompted"),
    ("consent-callback/deny", Before::Prompted, Answer::Status(400), "prompted"),
    ("consent-callback/page", Before::Prompted, Answer::Status(200), "prompted"),
    ("consent-callback/page-preview", Before::Prompted, Answer::Status(200), "prompted"),
    ("consent-callback/phone-messages", Before::Prompted, Answer::Status(200), "prompted"),
    ("consent-callback/phone-tap", Before::Prompted, Answer::Status(200), "fulfilled"),
    ("consent-callback/topic-delivered", Before::Prompted, HEARD, "prompted"),
    ("consent-callback/topic-stop", Before::Prompted, HEARD, "denied"),
    ("consent-callback/topic-tap", Before::Prompted, HEARD, "fulfilled"),
    ("consent-callback/twilio-delivered", Before::Prompted, Answer::Status(200), "prompted"),
    ("consent-callback/twilio-forged", Before::Prompted, Answer::Status(403), "prompted"),
    ("consent-callback/twilio-stop", Before::Prompted, Answer::Status(200), "denied"),
    ("fetch-info/fetch", Before::Authorized, DONE, "fulfilled"),
    ("fetch-info/webhook", Before::Prompted, DONE, "prompted"),
    ("fetch-info/refund", Before::Prompted, DONE, "prompted"),
    ("intake/cancel", Before::Prompted, Answer::Status(200), "cancelled"),
    ("intake/capabilities", Before::Nothing, Answer::Status(200), ""),
    ("intake/create", Before::Nothing, Answer::Status(201), ""),
    ("intake/create-invalid", Before::Nothing, Answer::Status(400), ""),
    ("intake/create-malformed", Before::Nothing, Answer::Status(400), ""),
    ("intake/create-wrong-key", Before::Nothing, Answer::Status(401), ""),
    ("intake/extend", Before::Prompted, Answer::Status(200), "prompted"),
    ("intake/get", Before::Prompted, Answer::Status(200), "prompted"),
    ("intake/list", Before::Prompted, Answer::Status(200), "prompted"),
    ("intake/problem", Before::Nothing, Answer::Status(200), ""),
    ("intake/refund", Before::Prompted, Answer::Status(409), "prompted"),
    ("intake/resend", Before::Prompted, Answer::Status(200), "prompted"),
    ("intake/unknown-path", Before::Nothing, Answer::Status(404), ""),
    (
        "send-prompt/batch-with-a-stranger",
        Before::Accepted,
        Answer::Batch(&[Some(Handled::Done), None]),
        "prompted",
    ),
    ("send-prompt/check", Before::Accepted, DONE, "prompted"),
    ("send-prompt/deliver", Before::Accepted, DONE, "prompted"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}

fn event(name: &str) -> Value {
    let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The time and the chance that make an id.
fn parts(id: &str) -> (Timestamp, Vec<u8>) {
    let alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digit = |c: char| u128::try_from(alphabet.find(c).unwrap()).unwrap();
    let number = id[4..].chars().fold(0_u128, |number, c| number << 5 | digit(c));
    let bytes = number.to_be_bytes();
    let millis = i64::try_from(number >> 80).unwrap();
    (Timestamp::from_millis(millis), bytes[6..].to_vec())
}

/// A world in which the request that the events name is that far.
fn world(before: Before) -> (World, Option<Asked>) {
    let ((at, request), (prompted_at, prompt)) = (parts(REQUEST), parts(PROMPT));
    // Its own prompts are on the sandbox phone; a topic of the same name tells what happens to cards.
    let live =
        json!([{ "name": "sms", "kind": "sms", "settings": brand::twilio() }, topics::rcs()]);
    let world = World::beginning().at(at).with("/live/channels", &live);
    let world = world.drawing([request, prompt, vec![CODE]]).begin();
    if before == Before::Nothing {
        return (world, None);
    }
    let create = event("intake/create");
    let body: Value = serde_json::from_str(create["body"].as_str().unwrap()).unwrap();
    let asked = world.accepted(&body);
    assert_eq!((asked.id.as_str(), &asked.answer["session_code"]), (REQUEST, &json!("47")));
    world.clock_is(prompted_at);
    if before != Before::Accepted {
        world.settles();
        assert_eq!(world.customer().newest().text("id"), PROMPT);
    } else {
        world.loses_messages(QueueName::Prompts);
    }
    if before == Before::Authorized {
        let yes = json!({ "action": "approve", "session_code": "47" });
        world.customer().taps(&world.customer().newest(), &yes).ok(200);
        world.loses_messages(QueueName::Authorizations);
    }
    (world, Some(asked))
}

/// Makes the call of an event, as an HTTP API hands it over: the path decoded, the body perhaps in base64.
fn called(world: &World, event: &Value) -> u16 {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    assert_eq!(event["version"], "2.0");
    let method: Method = text(&event["requestContext"]["http"]["method"]).parse().unwrap();
    let query = text(&event["rawQueryString"]);
    let mark = if query.is_empty() { "" } else { "?" };
    let uri = format!("{}{mark}{query}", text(&event["rawPath"]).replace(' ', "%20"));
    let mut call = world.call(method, &uri).key(None).idempotency(None);
    for (name, value) in event["headers"].as_object().unwrap() {
        call = call.header(name, value.as_str().unwrap());
    }
    let body = text(&event["body"]);
    let body = match event["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.decode(body).unwrap(),
        Some(false) | None => body.into_bytes(),
    };
    call.body(body).send().status
}

/// Hands over the messages of an event, as the function's queue does.
fn handled(world: &World, function: &str, event: &Value) -> Vec<Option<Handled>> {
    let handler: &dyn Handler = match function {
        "send-prompt" => world.machine.send_prompt.as_ref(),
        _ => world.machine.fetch_info.as_ref(),
    };
    let records = event["Records"].as_array().unwrap().iter();
    let taken = records.map(|record| {
        let message: Message = serde_json::from_str(record["body"].as_str().unwrap()).ok()?;
        Some(world.run(handler.handle(&message)))
    });
    taken.collect()
}

#[test]
fn every_event_is_in_the_table_and_every_line_of_it_is_a_file() {
    let mut files = BTreeSet::new();
    for function in fs::read_dir(folder()).unwrap().map(Result::unwrap) {
        for file in fs::read_dir(function.path()).unwrap().map(Result::unwrap) {
            assert_eq!(file.path().extension().unwrap(), "json");
            let (function, case) = (function.file_name(), file.path());
            let case = case.file_stem().unwrap().to_str().unwrap();
            files.insert(format!("{}/{case}", function.to_str().unwrap()));
        }
    }
    let table: BTreeSet<String> = EVENTS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(table, files);
    for function in ["consent-callback", "fetch-info", "intake", "send-prompt"] {
        assert!(table.iter().any(|name| name.starts_with(function)), "{function} has no event");
    }
}

#[test]
fn every_event_is_answered_as_the_table_says() {
    for (name, before, answer, after) in EVENTS {
        let event = event(name);
        let (world, asked) = world(*before);
        match answer {
            Answer::Status(status) => assert_eq!(called(&world, &event), *status, "{name}"),
            Answer::Batch(expected) => {
                let function = name.split('/').next().unwrap();
                assert_eq!(handled(&world, function, &event), *expected, "{name}");
            }
            Answer::VerifiedWebhook(expected) => {
                assert_eq!(world.hands(event), *expected, "{name}")
            }
        }
        world.settles();
        if let Some(asked) = asked {
            assert_eq!(world.state(&asked), *after, "{name}");
        }
    }
}

#[test]
fn the_call_that_creates_makes_the_very_request_that_the_other_events_are_about() {
    let (world, _) = world(Before::Nothing);
    assert_eq!(called(&world, &event("intake/create")), 201);
    world.settles();
    assert!(world.items().iter().any(|item| item.key.pk == format!("REQ#{REQUEST}")));
}
