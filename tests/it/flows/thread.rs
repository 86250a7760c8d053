//! The messages that follow an answer in its thread: for each channel and end, what the customer gets.

use std::fmt::Write;

use domain::message::{Message, QueueName, Step};
use domain::request::{MessageStatus, ThreadFact};
use ports::ButtonAction;
use serde_json::{Value, json};
use tests::world::{Core, CreatedRequest, PHONE, World};

/// The channels of the table. A text is sent only because the brand wants receipts.
const STYLES: [&str; 4] = ["rcs", "whatsapp", "apple", "sms"];

/// The end of a request after an answer in the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Paid,
    PaidAfterRefusal,
    CardKept,
    Failed,
    Denied,
    Reported,
    ReportedAfterDenial,
    WrongCode,
    ExpiredAfterRefusal,
    CancelledAfterRefusal,
    SpentButton,
}

pub(crate) const ENDS: [End; 11] = [
    End::Paid,
    End::PaidAfterRefusal,
    End::CardKept,
    End::Failed,
    End::Denied,
    End::Reported,
    End::ReportedAfterDenial,
    End::WrongCode,
    End::ExpiredAfterRefusal,
    End::CancelledAfterRefusal,
    End::SpentButton,
];

fn policy() -> Value {
    json!({
        "session_code": false, "receipts": true, "open_max": 9, "prompts_per_ten_minutes": 99,
        "denials_per_ten_minutes": 99, "fallback_seconds": 300, "cooldown_seconds": 1,
    })
}

fn over(style: &str, policy: &Value) -> World {
    let channel = json!({ "name": style, "kind": "sandbox", "settings": { "style": style } });
    let builder = World::builder().with("/test/channels", &json!([channel]));
    builder.with("/policy", policy).with("/time_zone", &json!("Europe/Berlin")).build()
}

fn asks_for_card(world: &World) -> CreatedRequest {
    let mut body = world.payment(PHONE, 100);
    body["ask"] = json!({ "kind": "payment_method", "description": "Card for later" });
    world.asks_for(&body)
}

/// Lets a request end so on a channel of this style.
pub(crate) fn story(style: &str, end: End) -> (World, CreatedRequest) {
    let mut policy = policy();
    policy["session_code"] = json!(end == End::WrongCode);
    let world = over(style, &policy);
    let asked = match end {
        End::CardKept => asks_for_card(&world),
        End::Failed => world.asks(4203),
        End::Paid
        | End::PaidAfterRefusal
        | End::Denied
        | End::Reported
        | End::ReportedAfterDenial
        | End::WrongCode
        | End::ExpiredAfterRefusal
        | End::CancelledAfterRefusal
        | End::SpentButton => world.asks(4250),
    };
    world.time_passes(1);
    ends_so(&world, &asked, end);
    (world, asked)
}

/// Returns the messages that are beside a prompt and follow its answer, oldest first.
fn thread_texts(style: &str, end: End) -> Vec<String> {
    let (world, asked) = story(style, end);
    let code = world.reads(&asked)["outcome"]["transaction_code"].clone();
    let mut followed = world.customer().thread_messages();
    followed.reverse();
    followed.iter().map(|message| drawn(message, code.as_str())).collect()
}

/// Lets the customer or the requester do what leads to that end.
fn ends_so(world: &World, asked: &CreatedRequest, end: End) {
    let customer = world.customer();
    let refused = || {
        customer.approves_with("pm_card_chargeDeclined").ok(200);
        assert_eq!(world.state(asked), "prompted");
        world.time_passes(1);
    };
    match end {
        End::Paid | End::CardKept | End::Failed => drop(customer.approves().ok(200)),
        End::PaidAfterRefusal => {
            refused();
            customer.approves().ok(200);
        }
        End::Denied => drop(customer.denies().ok(200)),
        End::Reported => {
            customer.reports_not_me().ok(200);
            world.time_passes(2);
            customer.reports_not_me().ok(200);
        }
        End::ReportedAfterDenial => {
            customer.denies().ok(200);
            world.time_passes(1);
            customer.reports_not_me().ok(200);
        }
        End::WrongCode => drop(customer.approves_with_a_wrong_code().ok(200)),
        End::ExpiredAfterRefusal => {
            refused();
            world.time_passes(400);
        }
        End::CancelledAfterRefusal => {
            refused();
            world.acts(asked, "cancel", &json!({})).ok(200);
        }
        End::SpentButton => {
            let (message, approve) = (customer.newest(), postback_of(world, asked));
            customer.denies().ok(200);
            world.time_passes(1);
            for _ in 0..2 {
                customer.taps(&message, &json!({ "postback": approve })).ok(200);
                world.run_until_idle();
            }
        }
    }
}

/// Draws a message as text: its heading, its words, its buttons.
fn drawn(message: &tests::world::Message, code: Option<&str>) -> String {
    let actions = message.shown["actions"].as_array().unwrap().iter();
    let label = |action: &Value| format!("[{}]", action["label"].as_str().unwrap());
    let buttons: Vec<String> = actions.map(label).collect();
    let text = message.text("text").replace(code.unwrap_or("no code"), "CODE");
    let text = text.replace(message.text("link"), "LINK");
    assert!(message.shown["segments"].as_u64().is_none_or(|segments| segments == 1), "{text}");
    let lines = [message.text("title").to_owned(), text, buttons.join(" ")];
    let lines = lines.into_iter().filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the postback that approves the newest prompt.
fn postback_of(world: &World, asked: &CreatedRequest) -> String {
    use domain::postback::{Action, Postback};
    use domain::values::prompt_ref::PromptRef;
    let stored = world.stored(asked);
    let reference = PromptRef { request: stored.id, prompt: stored.prompts.last().unwrap().id };
    let brand = world.run(world.ports.secrets.brand(&"demo".parse().unwrap())).unwrap();
    Postback { reference, action: Action::Approve }.write(&brand.link_key)
}

#[test]
fn every_channel_tells_every_end() {
    let mut table = String::new();
    for end in ENDS {
        for style in STYLES {
            let messages = thread_texts(style, end).join("\n-\n");
            writeln!(table, "## {end:?} over {style}\n{messages}\n").unwrap();
        }
    }
    let golden = include_str!("thread.txt");
    assert!(table == golden, "the table is now:\n{table}");
}

/// Two fake channels, where a tap alone can approve.
fn with_fake_channels() -> World {
    World::builder().with_fake_channels(&["rcs", "whatsapp"]).with("/policy", &policy()).build()
}

/// Taps the button with that label on the newest prompt. What follows is not handled yet.
fn taps(core: &Core, label: &str) {
    let prompt = core.sent_messages().sent.pop().unwrap();
    let button = prompt.buttons.iter().find(|button| button.label == label).unwrap();
    let ButtonAction::Reply { postback } = &button.action else { panic!("no reply") };
    let tapped = json!({ "tapped": { "postback": postback, "from": { "phone": PHONE } } });
    core.channel_sends("rcs", &json!([tapped])).ok(200);
}

/// The statuses of the messages about a request's end.
fn ends(core: &Core, asked: &CreatedRequest) -> Vec<MessageStatus> {
    let thread = core.stored(asked).thread;
    let messages = thread.messages.into_iter().filter(|message| message.fact == ThreadFact::Ended);
    messages.map(|message| message.status).collect()
}

#[test]
fn message_follows_only_what_is_stored() {
    let world = with_fake_channels();
    let asked = world.asks(4250);
    taps(&world, "Approve");
    let id = world.stored(&asked).id;
    let deliver = Message::V1 { step: Step::Deliver, request: id };
    world.run(world.machine.handle(&deliver));
    assert_eq!(world.state(&asked), "authorized");
    assert!(world.sent_messages().thread_messages.is_empty(), "nothing is known yet");
    world.run_until_idle();
    let [message] = &world.sent_messages().thread_messages[..] else {
        panic!("{:?}", world.sent_messages().thread_messages)
    };
    assert_eq!(message.message.title, "Paid: 42.50 EUR");
    let prompt = world.sent_messages().sent.pop().unwrap();
    assert_eq!(message.answered, prompt.reference);
    assert_ne!(message.message.reference, prompt.reference, "an id of its own");
}

#[test]
fn fact_is_told_once() {
    let world = with_fake_channels();
    let asked = world.asks(4250);
    taps(&world, "Approve");
    world.run_until_idle();
    let id = world.stored(&asked).id;
    for step in [Step::Deliver, Step::Check, Step::Deliver] {
        world.redeliver([Message::V1 { step, request: id }]);
    }
    assert_eq!(world.sent_messages().thread_messages.len(), 1);
    assert_eq!(ends(&world, &asked), [MessageStatus::Sent]);
}

#[test]
fn message_whose_step_is_lost_is_found_by_the_check() {
    let world = with_fake_channels();
    let asked = world.asks(4250);
    taps(&world, "Decline");
    world.loses_messages(QueueName::Prompts);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "denied");
    assert!(world.sent_messages().thread_messages.is_empty());
    world.time_passes(400);
    assert_eq!(world.sent_messages().thread_messages.len(), 1);
}

#[test]
fn customer_who_opted_out_gets_no_message() {
    let world = with_fake_channels();
    let asked = world.asks(4250);
    taps(&world, "Decline");
    // The stop arrives before the message goes out.
    world.channel_sends("rcs", &json!([{ "stop": { "from": { "phone": PHONE } } }])).ok(200);
    world.run_until_idle();
    assert!(world.sent_messages().thread_messages.is_empty());
    assert_eq!(ends(&world, &asked), [MessageStatus::Withheld]);
}

#[test]
fn stop_that_ends_a_request_gets_no_message() {
    let world = with_fake_channels();
    let asked = world.asks(4250);
    world.channel_sends("rcs", &json!([{ "stop": { "from": { "phone": PHONE } } }])).ok(200);
    world.run_until_idle();
    assert_eq!(world.reads(&asked)["outcome"]["reason"], "opted_out");
    taps(&world, "Approve");
    world.run_until_idle();
    assert!(world.sent_messages().thread_messages.is_empty());
}

#[test]
fn request_without_an_answer_in_a_chat_sends_nothing() {
    let world = over("rcs", &json!({ "session_code": false, "open_max": 9 }));
    let unanswered = world.asks(4250);
    world.time_passes(400);
    assert_eq!(world.state(&unanswered), "expired");
    let on_the_page = world.asks(4250);
    let customer = world.customer();
    customer.answers_on(&customer.newest().page, &[("action", "approve")]).ok(303);
    assert_eq!(world.state(&on_the_page), "fulfilled");
    let cancelled = world.asks(4250);
    world.acts(&cancelled, "cancel", &json!({})).ok(200);
    assert!(customer.thread_messages().is_empty(), "{:?}", customer.thread_messages());
}

#[test]
fn text_gets_a_receipt_only_where_the_brand_wants_it() {
    for receipts in [false, true] {
        let world = over("sms", &json!({ "session_code": false, "receipts": receipts }));
        world.asks(4250);
        let customer = world.customer();
        customer.answers_on(&customer.newest().page, &[("action", "approve")]).ok(303);
        let followed = customer.thread_messages();
        assert_eq!(followed.len(), usize::from(receipts), "{followed:?}");
    }
}

#[test]
fn message_goes_to_the_thread_of_the_answer_alone() {
    let world = with_fake_channels();
    let asked = world.asks(4250);
    world.acts(&asked, "resend", &json!({ "channel": "whatsapp" })).ok(200);
    let prompt = world.sent_messages().sent.pop().unwrap();
    let ButtonAction::Reply { postback } = &prompt.buttons[0].action else { panic!("no reply") };
    let tapped = json!({ "tapped": { "postback": postback, "from": { "phone": PHONE } } });
    world.channel_sends("whatsapp", &json!([tapped])).ok(200);
    world.run_until_idle();
    let [message] = &world.sent_messages().thread_messages[..] else {
        panic!("{:?}", world.sent_messages().thread_messages)
    };
    assert_eq!(message.answered, prompt.reference);
    assert!(message.message.callback.ends_with("/whatsapp"), "{}", message.message.callback);
}

#[test]
fn messages_change_neither_webhooks_nor_the_timeline() {
    let world = with_fake_channels();
    let asked = world.asks(4250);
    taps(&world, "Approve");
    world.run_until_idle();
    assert_eq!(world.timeline(&asked), ["accepted rcs", "authorized rcs", "fulfilled"]);
    assert_eq!(world.stored(&asked).webhooks, 3, "prompted, authorized, fulfilled");
}

#[test]
fn spent_button_looks_spent_on_the_phone() {
    let world = over("rcs", &policy());
    world.asks(4250);
    let customer = world.customer();
    assert_eq!(customer.newest().shown["spent"], false);
    customer.denies().ok(200);
    assert_eq!(customer.newest().shown["spent"], true);
    assert_eq!(customer.thread_messages()[0].shown["spent"], false, "the report can still be made");
    customer.reports_not_me().ok(200);
    assert_eq!(customer.thread_messages()[1].shown["spent"], true);
}

/// The button of the prompt is easily hit, so that its report is asked once more.
#[test]
fn report_in_a_chat_is_confirmed_before_it_silences() {
    let world = over("rcs", &policy());
    let asked = world.asks(4250);
    let customer = world.customer();
    for _ in 0..2 {
        customer.reports_not_me().ok(200);
    }
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "not_me" }));
    let question = customer.thread_messages().remove(0);
    assert_eq!(question.shown["actions"][0]["action"], "not_me", "a double tap is one tap");
    assert!(question.text("text").contains("Was this not meant for you?"));
    world.asks(100);
    world.time_passes(2);
    let confirms = json!({ "postback": question.shown["actions"][0]["postback"] });
    customer.taps(&question, &confirms).ok(200);
    world.run_until_idle();
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "not_me" }));
    let next = world.post("/v1/requests", &world.payment(PHONE, 100));
    next.problem(429, "address-reported");
}

#[test]
fn report_after_a_denial_keeps_the_address_quiet() {
    let world = over("rcs", &json!({ "session_code": false, "denials_per_ten_minutes": 99 }));
    let asked = world.asks(4250);
    world.customer().denies().ok(200);
    let webhooks = world.stored(&asked).webhooks;
    world.customer().reports_not_me().ok(200);
    let denied = json!({ "kind": "denied", "reason": "customer" });
    assert_eq!(world.reads(&asked)["outcome"], denied, "an end never changes");
    assert_eq!(world.stored(&asked).webhooks, webhooks);
    let next = world.post("/v1/requests", &world.payment(PHONE, 100));
    assert_eq!(next.status, 429, "{}", next.text());
}
