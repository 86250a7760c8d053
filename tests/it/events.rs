//! Every event in `events/` is replayed, and its answer and the request's state are checked.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use agents::Agents;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::digest::digest_hex;
use domain::message::{Message, MessageResult, QueueName};
use domain::values::time::Timestamp;
use http::Method;
use ports::{Handler, Invocation, Invocations};
use serde_json::{Value, json};
use tests::world::{CreatedRequest, World, brand, topics};

/// The request and the prompt that the events name.
const REQUEST: &str = "req_01M844DZG03XCBJ52V4K8GHNXC";
const PROMPT: &str = "prm_01M844DZWGFW3SJKQ26BNN67GN";
/// The platforms of the events.
const CALLERS: [&str; 2] = [
    "arn:aws:connect:eu-west-1:123456789012:instance/0c3e1f6a-6a1b-4d2f-9d1e-1f2a3b4c5d6e",
    "arn:aws:lex:eu-west-1:123456789012:bot-alias/BOTID12345/ALIASID123",
];
/// The session code in the events' taps.
const CODE: u8 = 47;

/// The state of the request when the event comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RequestStage {
    Nothing,
    Accepted,
    Prompted,
    Authorized,
}

/// The expected answer to an event.
enum ExpectedAnswer {
    /// An HTTP status.
    Status(u16),
    /// The result for each message of a batch; `None` for an unreadable one.
    Batch(&'static [Option<MessageResult>]),
    /// The result for a topic's event.
    TopicEvent(MessageResult),
    /// The state in the answer to a platform's invocation.
    Invocation(&'static str),
}

const DONE: ExpectedAnswer = ExpectedAnswer::Batch(&[Some(MessageResult::Done)]);
const EVENT_DONE: ExpectedAnswer = ExpectedAnswer::TopicEvent(MessageResult::Done);

/// Every event: the state before it, its answer, and the state after all that follows.
const EVENTS: &[(&str, RequestStage, ExpectedAnswer, &str)] = &[
    // The nonce in these two belongs to no page. They show the form's shape and consent to nothing.
    ("consent-callback/approve", RequestStage::Prompted, ExpectedAnswer::Status(400), "prompted"),
    ("consent-callback/deny", RequestStage::Prompted, ExpectedAnswer::Status(400), "prompted"),
    ("consent-callback/page", RequestStage::Prompted, ExpectedAnswer::Status(200), "prompted"),
    (
        "consent-callback/page-preview",
        RequestStage::Prompted,
        ExpectedAnswer::Status(200),
        "prompted",
    ),
    (
        "consent-callback/phone-messages",
        RequestStage::Prompted,
        ExpectedAnswer::Status(200),
        "prompted",
    ),
    (
        "consent-callback/phone-tap",
        RequestStage::Prompted,
        ExpectedAnswer::Status(200),
        "fulfilled",
    ),
    ("consent-callback/topic-delivered", RequestStage::Prompted, EVENT_DONE, "prompted"),
    ("consent-callback/topic-mail-bounced", RequestStage::Prompted, EVENT_DONE, "prompted"),
    ("consent-callback/topic-stop", RequestStage::Prompted, EVENT_DONE, "denied"),
    ("consent-callback/topic-tap", RequestStage::Prompted, EVENT_DONE, "fulfilled"),
    (
        "consent-callback/twilio-delivered",
        RequestStage::Prompted,
        ExpectedAnswer::Status(200),
        "prompted",
    ),
    (
        "consent-callback/twilio-forged",
        RequestStage::Prompted,
        ExpectedAnswer::Status(403),
        "prompted",
    ),
    ("consent-callback/twilio-stop", RequestStage::Prompted, ExpectedAnswer::Status(200), "denied"),
    (
        "consent-callback/twilio-tap",
        RequestStage::Prompted,
        ExpectedAnswer::Status(200),
        "fulfilled",
    ),
    ("agents/connect-ask", RequestStage::Nothing, ExpectedAnswer::Invocation("pending"), ""),
    (
        "agents/connect-wait",
        RequestStage::Prompted,
        ExpectedAnswer::Invocation("prompted"),
        "prompted",
    ),
    ("agents/lex-ask", RequestStage::Nothing, ExpectedAnswer::Invocation("pending"), ""),
    ("agents/mcp-key-of-a-server", RequestStage::Nothing, ExpectedAnswer::Status(403), ""),
    ("agents/mcp-unknown-key", RequestStage::Nothing, ExpectedAnswer::Status(401), ""),
    ("fetch-info/fetch", RequestStage::Authorized, DONE, "fulfilled"),
    ("fetch-info/webhook", RequestStage::Prompted, DONE, "prompted"),
    ("fetch-info/refund", RequestStage::Prompted, DONE, "prompted"),
    ("fetch-info/erase-customer", RequestStage::Prompted, DONE, "prompted"),
    ("fetch-info/detach-card", RequestStage::Prompted, DONE, "prompted"),
    ("fetch-info/check-cards", RequestStage::Prompted, DONE, "prompted"),
    ("intake/customer", RequestStage::Prompted, ExpectedAnswer::Status(200), "prompted"),
    ("intake/erase-customer", RequestStage::Prompted, ExpectedAnswer::Status(409), "prompted"),
    ("intake/payment-method", RequestStage::Nothing, ExpectedAnswer::Status(404), ""),
    ("intake/end-payment-method", RequestStage::Nothing, ExpectedAnswer::Status(404), ""),
    ("intake/cancel", RequestStage::Prompted, ExpectedAnswer::Status(200), "cancelled"),
    ("intake/capabilities", RequestStage::Nothing, ExpectedAnswer::Status(200), ""),
    ("intake/create", RequestStage::Nothing, ExpectedAnswer::Status(201), ""),
    ("intake/create-invalid", RequestStage::Nothing, ExpectedAnswer::Status(400), ""),
    ("intake/create-malformed", RequestStage::Nothing, ExpectedAnswer::Status(400), ""),
    ("intake/create-wrong-key", RequestStage::Nothing, ExpectedAnswer::Status(401), ""),
    ("intake/extend", RequestStage::Prompted, ExpectedAnswer::Status(200), "prompted"),
    ("intake/get", RequestStage::Prompted, ExpectedAnswer::Status(200), "prompted"),
    ("intake/list", RequestStage::Prompted, ExpectedAnswer::Status(200), "prompted"),
    ("intake/problem", RequestStage::Nothing, ExpectedAnswer::Status(200), ""),
    ("intake/record", RequestStage::Prompted, ExpectedAnswer::Status(200), "prompted"),
    ("intake/refund", RequestStage::Prompted, ExpectedAnswer::Status(409), "prompted"),
    ("intake/resend", RequestStage::Prompted, ExpectedAnswer::Status(200), "prompted"),
    ("intake/unknown-path", RequestStage::Nothing, ExpectedAnswer::Status(404), ""),
    (
        "send-prompt/batch-with-unreadable-message",
        RequestStage::Accepted,
        ExpectedAnswer::Batch(&[Some(MessageResult::Done), None]),
        "prompted",
    ),
    ("send-prompt/check", RequestStage::Accepted, DONE, "prompted"),
    ("send-prompt/deliver", RequestStage::Accepted, DONE, "prompted"),
];

fn folder() -> PathBuf {
    tests::project_folder().join("events")
}

fn event(name: &str) -> Value {
    let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Splits an id into the time and the random bytes that make it.
fn id_parts(id: &str) -> (Timestamp, Vec<u8>) {
    let alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digit = |c: char| u128::try_from(alphabet.find(c).unwrap()).unwrap();
    let number = id[4..].chars().fold(0_u128, |number, c| number << 5 | digit(c));
    let bytes = number.to_be_bytes();
    let millis = i64::try_from(number >> 80).unwrap();
    (Timestamp::from_millis(millis), bytes[6..].to_vec())
}

/// Returns a world in which the events' request is in that state.
fn world(before: RequestStage) -> (World, Option<CreatedRequest>) {
    let ((at, request), (prompted_at, prompt)) = (id_parts(REQUEST), id_parts(PROMPT));
    let usual = json!({ "mode": "test", "sha256": digest_hex(brand::TEST_KEY.as_bytes()) });
    let platforms = json!({ "id": "key_ivr", "kind": "ivr", "mode": "test", "may": ["request", "read"],
        "callers": CALLERS });
    let world = World::builder().at(at).with("/keys", &json!([usual, platforms]));
    let world = world.drawing([request, prompt, vec![CODE]]).build();
    if before == RequestStage::Nothing {
        return (world, None);
    }
    let create = event("intake/create");
    let body: Value = serde_json::from_str(create["body"].as_str().unwrap()).unwrap();
    let asked = world.accepted(&body);
    assert_eq!((asked.id.as_str(), &asked.answer["session_code"]), (REQUEST, &json!("47")));
    world.clock_jumps_to(prompted_at);
    if before != RequestStage::Accepted {
        world.run_until_idle();
        assert_eq!(world.customer().newest().text("id"), PROMPT);
    } else {
        world.loses_messages(QueueName::Prompts);
    }
    if before == RequestStage::Authorized {
        let yes = json!({ "action": "approve", "session_code": "47" });
        world.customer().taps(&world.customer().newest(), &yes).ok(200);
        world.loses_messages(QueueName::Authorizations);
    }
    (world, Some(asked))
}

/// Makes the call of an event as an HTTP API passes it on. The path is decoded, and the body may be in base64.
fn call(world: &World, event: &Value) -> u16 {
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

/// Invokes the agents function as the platform of an event does. Returns the state in its answer.
fn invoke(world: &World, event: Value) -> String {
    let callers = CALLERS.map(|arn| format!("demo={arn}")).join(",").parse().unwrap();
    let agents = Agents { intake: Arc::clone(&world.machine.intake), callers };
    let function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:agents".to_owned();
    let invocation = Invocation { event, id: "8476a536".to_owned(), function_arn };
    let answer = world.run(agents.invoke(invocation)).unwrap();
    let state = answer.pointer("/sessionState/sessionAttributes/assent_state");
    state.unwrap_or(&answer["state"]).as_str().unwrap().to_owned()
}

/// Hands over the messages of an event, as the function's queue does.
fn handle_batch(world: &World, function: &str, event: &Value) -> Vec<Option<MessageResult>> {
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
fn table_and_event_files_match() {
    let mut files = BTreeSet::new();
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    for function in fs::read_dir(folder()).unwrap().map(Result::unwrap) {
        if function.file_name() == "README.md" {
            continue;
        }
        for file in fs::read_dir(function.path()).unwrap().map(Result::unwrap) {
            assert_eq!(file.path().extension().unwrap(), "json");
            let (function, case) = (function.file_name(), file.path());
            let case = case.file_stem().unwrap().to_str().unwrap();
            assert!(readme.contains(&format!("| `{case}` |")), "events/README.md lacks {case}");
            files.insert(format!("{}/{case}", function.to_str().unwrap()));
        }
    }
    let table: BTreeSet<String> = EVENTS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(table, files);
    for function in ["agents", "consent-callback", "fetch-info", "intake", "send-prompt"] {
        assert!(table.iter().any(|name| name.starts_with(function)), "{function} has no event");
    }
}

#[test]
fn every_event_is_answered_as_the_table_says() {
    for (name, before, answer, after) in EVENTS {
        let event = event(name);
        let (world, asked) = world(*before);
        if name.contains("/topic-") || name.contains("/twilio-") {
            // The prompt went to the sandbox phone. From here on, the channels of the same names report on it.
            let sms = json!({ "name": "sms", "kind": "sms", "settings": brand::twilio() });
            let settings = brand::twilio_chat("rcs:demo_agent");
            let cards = json!({ "name": "rcs", "kind": "rcs", "settings": settings });
            let rcs = match *name {
                name if name.contains("/topic-mail-") => topics::mail("rcs"),
                name if name.contains("/topic-") => topics::rcs(),
                _ => cards,
            };
            world.rotates("/test/channels", &json!([sms, rcs]));
        }
        match answer {
            ExpectedAnswer::Status(status) => assert_eq!(call(&world, &event), *status, "{name}"),
            ExpectedAnswer::Batch(expected) => {
                let function = name.split('/').next().unwrap();
                assert_eq!(handle_batch(&world, function, &event), *expected, "{name}");
            }
            ExpectedAnswer::TopicEvent(expected) => {
                assert_eq!(world.hands(event), *expected, "{name}");
            }
            ExpectedAnswer::Invocation(expected) => {
                assert_eq!(invoke(&world, event), *expected, "{name}");
            }
        }
        world.run_until_idle();
        if let Some(asked) = asked {
            assert_eq!(world.state(&asked), *after, "{name}");
        }
    }
}

#[test]
fn create_event_makes_the_request_of_the_other_events() {
    let (world, _) = world(RequestStage::Nothing);
    assert_eq!(call(&world, &event("intake/create")), 201);
    world.run_until_idle();
    assert!(world.items().iter().any(|item| item.key.pk == format!("REQ#{REQUEST}")));
}
