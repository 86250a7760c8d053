//! A no is one tap away, on each channel and for each ask and policy.
//!
//! A prompt has a button that denies, or the message beside it has one.

mod routes;

use std::fmt::Write;

use domain::message::{Message, Step};
use domain::postback::{Action, Postback};
use domain::request::{MessageStatus, ThreadFact};
use domain::values::prompt_ref::PromptRef;
use http::Method;
use serde_json::{Value, json};
use tests::providers::apple::{self, Person};
use tests::providers::whatsapp;
use tests::world::{Core, CreatedRequest, PHONE, Reply, World};

use routes::{Approval, Code, ROUTES, Route, with_code};

/// Asks over one channel alone.
fn asks(core: &Core, route: Route, ask: Option<Value>) -> CreatedRequest {
    let mut body = payment_over(core, route);
    if let Some(ask) = ask {
        body["ask"] = ask;
    }
    core.asks_for(&body)
}

fn payment_over(core: &Core, route: Route) -> Value {
    let mut body = core.payment(PHONE, 4250);
    body["channels"] = json!([route.name()]);
    body["customer"]["email"] = json!("ada@example.com");
    body
}

/// Returns the postback that denies the newest prompt of a request.
fn deny_of(core: &Core, asked: &CreatedRequest) -> String {
    let stored = core.stored(asked);
    let reference = PromptRef { request: stored.id, prompt: stored.prompts.last().unwrap().id };
    let brand = core.run(core.ports.secrets.brand(&"demo".parse().unwrap())).unwrap();
    Postback { reference, action: Action::Deny }.write(&brand.link_key)
}

/// The statuses of the messages beside the prompts of a request.
fn ways_out(core: &Core, asked: &CreatedRequest) -> Vec<MessageStatus> {
    let messages = core.stored(asked).thread.messages.into_iter();
    let beside = messages.filter(|message| matches!(message.fact, ThreadFact::WayOut { .. }));
    beside.map(|message| message.status).collect()
}

/// Returns where the customer finds the button that denies.
fn place(world: &World, route: Route, asked: &CreatedRequest) -> &'static str {
    let deny = deny_of(world, asked);
    let buttons = route.messages(world).iter().filter(|sent| sent.contains(&deny)).count();
    match (buttons, ways_out(world, asked).as_slice()) {
        (1, []) => "in itself",
        (1, [MessageStatus::Sent]) => "beside it",
        (0, []) => "on the page",
        other => panic!("{route:?}: {other:?}"),
    }
}

#[test]
fn every_prompt_can_be_denied_by_a_button() {
    let kept = json!({ "kind": "payment_method", "description": "Card for later" });
    let claims = json!({ "kind": "identity", "claims": ["birthdate"], "description": "Age check" });
    let mut table = String::new();
    for route in ROUTES {
        for code in [Code::Picked, Code::Typed, Code::Off] {
            for approval in [Approval::Chat, Approval::Page] {
                let world = route.world(code, approval);
                let asks_for = |ask: Option<&Value>| asks(&world, route, ask.cloned());
                let place_of = |asked| place(&world, route, &asked);
                let places = [None, Some(&kept), Some(&claims)].map(asks_for).map(place_of);
                let on_page = places.map(|place| place == "on the page");
                assert_eq!(on_page, [route.is_text(); 3], "{route:?} {code:?} {approval:?}");
                let [payment, card, identity] = places;
                writeln!(
                    table,
                    "{route:?}, code {code:?}, {approval:?}: payment {payment}, card {card}, identity {identity}"
                )
                .unwrap();
                assert_eq!(world.apple().complaints(), Vec::<String>::new());
                assert_eq!(world.rbm().complaints(), Vec::<String>::new());
            }
        }
    }
    assert!(table == include_str!("way_out.txt"), "the table is now:\n{table}");
}

fn whatsapp_reports(core: &Core, value: Value) {
    let posted = whatsapp::posted(&[value]);
    let call = core.call(Method::POST, "/callbacks/demo/whatsapp").key(None).idempotency(None);
    let call = call.header("x-hub-signature-256", &posted.signature).body(posted.body);
    call.send().ok(200);
    core.run_until_idle();
}

#[test]
fn way_out_beside_three_numbers_denies_the_prompt() {
    let world = Route::WhatsappChat.world(Code::Picked, Approval::Chat);
    let asked = asks(&world, Route::WhatsappChat, None);
    let prompt = world.whatsapp().newest();
    assert_eq!((prompt.buttons.len(), prompt.labels().contains(&"Decline")), (3, false));
    let [beside] = &world.whatsapp().thread_messages()[..] else { panic!("one message") };
    assert_eq!(beside.text, "Payment of 42.50 EUR\nNot expecting this? Decline here.");
    assert_eq!(beside.labels(), ["Decline", "This is not me"]);
    assert_eq!(beside.quotes.as_ref(), Some(&prompt.id));
    let version = world.reads(&asked)["version"].clone();
    for status in ["delivered", "read"] {
        whatsapp_reports(&world, world.whatsapp().status(beside, status, world.now()));
    }
    whatsapp_reports(&world, world.whatsapp().fails(beside, 131_026, world.now()));
    assert_eq!(world.reads(&asked)["version"], version, "only the prompt's own statuses count");
    assert_eq!(world.timeline(&asked), ["accepted whatsapp"]);
    let person = whatsapp::Person::at(PHONE);
    whatsapp_reports(&world, world.whatsapp().taps(&person, beside, "Decline", world.now()));
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "customer" }));
}

/// WhatsApp may have closed a chat that our record has open.
#[test]
fn template_in_place_of_three_numbers_has_no_message_beside_it() {
    let world = Route::WhatsappChat.world(Code::Picked, Approval::Chat);
    let (status, body) = whatsapp::refusal(400, 131_047, "Re-engagement message");
    world.replies(whatsapp::HOST, [Reply::Status(status, body.to_string())]);
    let before = world.calls_to(whatsapp::HOST).len();
    let asked = asks(&world, Route::WhatsappChat, None);
    let template = world.whatsapp().newest();
    assert!(template.labels().contains(&"Decline"), "{:?}", template.labels());
    assert_eq!(world.calls_to(whatsapp::HOST).len() - before, 2, "a refusal and the template");
    assert_eq!(ways_out(&world, &asked), [MessageStatus::Withheld]);
    let person = whatsapp::Person::at(PHONE);
    whatsapp_reports(&world, world.whatsapp().taps(&person, &template, "Decline", world.now()));
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "customer" }));
}

/// A gateway that is busy twice: when the prompt is out, and for the step that finds the message owed.
const BUSY: [Reply; 2] = [Reply::NotSent, Reply::NotSent];

/// A customer who may be asked with Apple's sheet.
fn with_sheet() -> World {
    Route::AppleQuickReplies.world(Code::Off, Approval::Page)
}

/// Asks with a sheet, which the gateway takes. Its next two answers are about the message beside it. No time passes.
fn asks_with_sheet(world: &World, beside: [Reply; 2]) -> CreatedRequest {
    world.replies(apple::HOST, [Reply::Status(200, String::new())].into_iter().chain(beside));
    let asked = world.accepted(&payment_over(world, Route::AppleQuickReplies));
    world.run_until_idle();
    asked
}

#[test]
fn way_out_beside_a_sheet_denies_the_payment() {
    let world = with_sheet();
    let asked = asks(&world, Route::AppleQuickReplies, None);
    let [.., sheet, beside] = &world.apple().sent()[..] else { panic!("two messages") };
    assert_eq!((sheet.kind, beside.kind), ("apple-pay", "quick-reply"));
    assert_eq!(beside.text, "Payment of 42.50 EUR\nNot expecting this? Decline here.");
    let ada = Person::with("ada", &["QUICK", "LIST"]);
    super::apple::deliver(&world, &world.apple().taps(&ada, beside, "Decline", world.now()));
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "customer" }));
}

#[test]
fn busy_channel_gets_the_way_out_a_moment_later() {
    let world = with_sheet();
    let asked = asks_with_sheet(&world, BUSY);
    assert_eq!(ways_out(&world, &asked), [MessageStatus::Busy]);
    world.time_passes(3);
    assert_eq!(ways_out(&world, &asked), [MessageStatus::Sent]);
    assert_eq!(world.apple().newest().kind, "quick-reply");
}

#[test]
fn way_out_whose_answer_is_lost_is_never_sent_twice() {
    let world = with_sheet();
    let asked = asks_with_sheet(&world, [Reply::Lost, Reply::Lost]);
    let calls = world.calls_to(apple::HOST).len();
    world.redeliver(world.sent().into_iter().map(|(owed, _)| owed));
    world.time_passes(60);
    assert_eq!(ways_out(&world, &asked), [MessageStatus::Unknown]);
    assert_eq!(world.calls_to(apple::HOST).len(), calls);
}

#[test]
fn request_that_ended_meanwhile_gets_no_way_out() {
    let world = with_sheet();
    let asked = asks_with_sheet(&world, BUSY);
    assert_eq!(ways_out(&world, &asked), [MessageStatus::Busy]);
    let calls = world.calls_to(apple::HOST).len();
    world.acts(&asked, "cancel", &json!({})).ok(200);
    world.time_passes(60);
    assert_eq!(world.calls_to(apple::HOST).len(), calls);
    assert_eq!(ways_out(&world, &asked), [MessageStatus::Busy]);
}

#[test]
fn customer_who_stopped_meanwhile_gets_no_way_out() {
    let world = with_sheet();
    let asked = asks_with_sheet(&world, BUSY);
    assert_eq!(ways_out(&world, &asked), [MessageStatus::Busy]);
    let calls = world.calls_to(apple::HOST).len();
    let ada = Person::with("ada", &["QUICK", "LIST"]);
    super::apple::deliver(&world, &world.apple().writes(&ada, "Stop", None, world.now()));
    world.time_passes(60);
    assert_eq!(world.reads(&asked)["outcome"]["reason"], "opted_out");
    assert_eq!(world.calls_to(apple::HOST).len(), calls);
}

/// A fake channel whose prompts lack the button.
fn without_deny() -> World {
    let settings = json!({ "lacks": ["deny"] });
    let channel = json!([{ "name": "rcs", "kind": "fake-channel", "settings": settings }]);
    with_code(World::builder().with("/test/channels", &channel), Code::Off).build()
}

#[test]
fn each_prompt_gets_one_way_out_before_the_answer() {
    let world = without_deny();
    let asked = world.asks(4250);
    let id = world.stored(&asked).id;
    for step in [Step::Deliver, Step::Check, Step::Deliver] {
        world.redeliver([Message::V1 { step, request: id }]);
    }
    let sent = world.sent_messages();
    let [beside] = &sent.thread_messages[..] else { panic!("{:?}", sent.thread_messages) };
    assert_eq!(beside.answered, sent.sent[0].reference);
    assert_ne!(beside.message.reference, sent.sent[0].reference, "an id of its own");
    let labels: Vec<&str> =
        beside.message.buttons.iter().map(|button| button.label.as_str()).collect();
    assert_eq!(labels, ["Decline", "This is not me"]);
    assert_eq!(world.timeline(&asked), ["accepted rcs"], "it is no prompt");
    world.acts(&asked, "resend", &json!({ "channel": "rcs" })).ok(200);
    let sent = world.sent_messages();
    let beside: Vec<PromptRef> = sent.thread_messages.iter().map(|one| one.answered).collect();
    assert_eq!(beside, sent.sent.iter().map(|one| one.reference).collect::<Vec<_>>());
    assert_eq!(ways_out(&world, &asked), [MessageStatus::Sent; 2]);
}

#[test]
fn sandbox_phone_denies_by_the_way_out_and_shows_it_spent() {
    for (route, code) in [(Route::SandboxWhatsapp, Code::Picked), (Route::SandboxApple, Code::Off)]
    {
        let world = route.world(code, Approval::Chat);
        let asked = asks(&world, route, None);
        let customer = world.customer();
        let beside = customer.thread_messages().remove(0);
        assert_eq!(beside.text("text"), "Not expecting this? Decline here.");
        assert_eq!(beside.shown["answers"], customer.newest().shown["id"]);
        let deny = beside.shown["actions"][0].clone();
        assert_eq!((&deny["action"], &beside.shown["spent"]), (&json!("deny"), &json!(false)));
        customer.taps(&beside, &json!({ "postback": deny["postback"] })).ok(200);
        world.run_until_idle();
        assert_eq!(world.reads(&asked)["outcome"]["reason"], "customer", "{route:?}");
        let spent =
            customer.thread_messages().into_iter().find(|one| one.text("id") == beside.text("id"));
        assert_eq!(spent.unwrap().shown["spent"], true);
    }
}
