//! Requests over WhatsApp: what goes out before and after the customer has written, and what comes back.

use http::Method;
use serde_json::{Value, json};
use tests::providers::whatsapp::{
    self, ButtonAction, HOST, Person, Posted, Sent, VERIFY_TOKEN, posted, refusal, signed,
};
use tests::world::{Answer, Asked, Beginning, Core, PHONE, PUBLIC_BASE, Reply, World, brand};

const CALLBACK: &str = "/callbacks/demo/whatsapp";
const TWILIO: &str = "api.twilio.com";

/// A brand that asks over WhatsApp, and by text where that does not work.
fn beginning() -> Beginning {
    let whatsapp =
        json!({ "name": "whatsapp", "kind": "whatsapp", "settings": whatsapp::settings() });
    let sms = json!({ "name": "sms", "kind": "sms", "settings": brand::twilio() });
    World::beginning().with("/test/channels", &json!([whatsapp, sms]))
}

fn chatting() -> World {
    beginning().begin()
}

/// The same, where a tap alone can be a yes.
fn without_code() -> World {
    beginning().with("/policy", &json!({ "session_code": false })).begin()
}

fn customer() -> Person {
    Person::at(PHONE)
}

/// Delivers a callback and does what follows.
fn comes(core: &Core, posted: &Posted) -> Answer {
    let call = core.call(Method::POST, CALLBACK).key(None).idempotency(None);
    let call = call.header("content-type", "application/json");
    let call = call.header("x-hub-signature-256", &posted.signature).body(posted.body.clone());
    let answer = call.send();
    core.settles();
    answer
}

fn told(core: &Core, values: &[Value]) {
    let answer = comes(core, &posted(values)).ok(200);
    assert!(answer.body.is_empty() && answer.header("content-type") == "text/plain");
}

fn fares(core: &Core, message: &Sent, status: &str) {
    told(core, &[core.whatsapp().fares(message, status, core.now())]);
}

fn writes(core: &Core, who: &Person, words: &str) {
    told(core, &[core.whatsapp().writes(who, words, core.now())]);
}

/// Somebody taps a button of the newest message.
fn taps(core: &Core, who: &Person, label: &str) {
    let message = core.whatsapp().newest();
    told(core, &[core.whatsapp().taps(who, &message, label, core.now())]);
}

fn page(message: &Sent) -> String {
    message.link().replacen(PUBLIC_BASE, "", 1)
}

fn code(asked: &Asked) -> String {
    asked.answer["session_code"].as_str().unwrap().to_owned()
}

#[test]
fn a_chat_begins_with_the_template_whose_link_leads_to_the_page() {
    let world = chatting();
    let asked = world.asks(4250);
    let sent = world.whatsapp().newest();
    assert_eq!(sent.kind, "view_payment_v1");
    assert!(sent.text.starts_with("Demo Books asks you for 42.50 EUR."), "{}", sent.text);
    assert_eq!(sent.labels(), ["View request", "Call us", "This is not me"]);
    assert_eq!(world.timeline(&asked), ["accepted whatsapp"]);
    fares(&world, &sent, "delivered");
    let fields = [("action", "approve"), ("session_code", &code(&asked))];
    world.customer().answers_on(&page(&sent), &fields).ok(303);
    assert_eq!(world.state(&asked), "fulfilled");
    let told = ["prompted", "delivered", "opened", "authorized", "fulfilled"];
    assert_eq!(world.webhooks(), told.map(|what| format!("request.{what}")));
    assert!(world.calls_to(TWILIO).is_empty());
}

#[test]
fn statuses_that_come_twice_out_of_order_or_together_are_each_told_once() {
    let world = chatting();
    let asked = world.asks(4250);
    let sent = world.whatsapp().newest();
    let status = |status: &str| world.whatsapp().fares(&sent, status, world.now());
    told(&world, &[status("read"), status("delivered"), status("sent")]);
    for again in ["sent", "delivered", "read", "delivered", "played"] {
        fares(&world, &sent, again);
    }
    assert_eq!(world.timeline(&asked), ["accepted whatsapp", "read whatsapp"]);
    told(&world, &[world.whatsapp().fails(&sent, 131_026, world.now())]);
    assert_eq!(world.timeline(&asked), ["accepted whatsapp", "read whatsapp"]);
    world.acts(&asked, "cancel", &json!({})).ok(200);
    let version = world.reads(&asked)["version"].clone();
    fares(&world, &sent, "delivered");
    assert_eq!(world.reads(&asked)["version"], version);
}

#[test]
fn a_number_without_whatsapp_gets_a_text_at_once_however_it_is_told() {
    let later = chatting();
    let asked = later.asks(4250);
    let sent = later.whatsapp().newest();
    told(&later, &[later.whatsapp().fails(&sent, 131_026, later.now())]);
    let timeline = ["accepted whatsapp", "failed whatsapp not_on_channel", "accepted sms"];
    assert_eq!(later.timeline(&asked), timeline);
    let at_once = chatting();
    let (status, body) = refusal(400, 131_026, "Message undeliverable");
    at_once.replies(HOST, [Reply::Status(status, body.to_string())]);
    let asked = at_once.asks(4250);
    assert_eq!(at_once.timeline(&asked), ["failed whatsapp not_on_channel", "accepted sms"]);
    for world in [later, at_once] {
        assert_eq!(world.calls_to(TWILIO).len(), 1);
    }
}

#[test]
fn a_message_whose_answer_was_lost_is_never_sent_twice() {
    let world = chatting();
    world.replies(HOST, [Reply::Lost]);
    let asked = world.asks(4250);
    assert_eq!(world.timeline(&asked), ["unknown whatsapp"]);
    world.comes_again(world.sent().into_iter().map(|(owed, _)| owed));
    assert_eq!(world.calls_to(HOST).len(), 1);
    world.time_passes(20);
    assert_eq!(world.calls_to(TWILIO).len(), 1, "the next route has its turn");
    assert_eq!(world.calls_to(HOST).len(), 1);
}

#[test]
fn stop_ends_what_is_open_on_every_channel_until_start() {
    let world = chatting();
    let asked = world.asks(4250);
    writes(&world, &customer(), "Stop ✋");
    let denied = json!({ "kind": "denied", "reason": "opted_out" });
    assert_eq!(world.reads(&asked)["outcome"], denied);
    let refused = world.post("/v1/requests", &world.payment(PHONE, 100));
    refused.problem(403, "address-opted-out");
    writes(&world, &customer(), "START");
    world.asks(100);
    assert_eq!(world.whatsapp().sent().len(), 2);
}

#[test]
fn the_address_is_verified_by_its_token_and_nobody_elses() {
    let world = chatting();
    let gets = |token: &str| {
        let query = "hub.mode=subscribe&hub.challenge=1158201444";
        let uri = format!("{CALLBACK}?{query}&hub.verify_token={token}");
        world.call(Method::GET, &uri).key(None).send()
    };
    let answer = gets(VERIFY_TOKEN).ok(200);
    assert_eq!(
        (answer.text().as_str(), answer.header("content-type")),
        ("1158201444", "text/plain")
    );
    gets("another-token").problem(403, "callback-forged");
    gets("").problem(403, "callback-forged");
    world.call(Method::GET, CALLBACK).key(None).send().problem(403, "callback-forged");
}

#[test]
fn a_callback_that_is_forged_is_refused_and_a_replayed_one_changes_nothing() {
    let world = chatting();
    let asked = world.asks(4250);
    let sent = world.whatsapp().newest();
    let genuine = posted(&[world.whatsapp().fares(&sent, "delivered", world.now())]);
    let other = posted(&[world.whatsapp().fares(&sent, "read", world.now())]);
    let forged = Posted { body: other.body, ..genuine.clone() };
    comes(&world, &forged).problem(403, "callback-forged");
    let unsigned = Posted { signature: String::new(), ..genuine.clone() };
    comes(&world, &unsigned).problem(403, "callback-forged");
    comes(&world, &genuine).ok(200);
    let version = world.reads(&asked)["version"].clone();
    comes(&world, &genuine).ok(200);
    assert_eq!(world.reads(&asked)["version"], version);
    assert_eq!(world.timeline(&asked), ["accepted whatsapp", "delivered whatsapp"]);
    let stop = posted(&[world.whatsapp().writes(&customer(), "STOP", world.now())]);
    // The same, read and written again: without the escapes it has another signature.
    let value: Value = serde_json::from_str(&stop.body).unwrap();
    let rewritten = Posted { body: value.to_string(), ..stop };
    comes(&world, &rewritten).problem(403, "callback-forged");
    assert_eq!(world.state(&asked), "prompted");
}

#[test]
fn what_is_for_others_or_makes_no_sense_is_heard_and_changes_nothing() {
    let world = chatting();
    let asked = world.asks(4250);
    let version = world.reads(&asked)["version"].clone();
    let mut elsewhere = world.whatsapp().writes(&customer(), "STOP", world.now());
    elsewhere["metadata"]["phone_number_id"] = json!("1");
    told(&world, &[elsewhere, json!(null), json!({ "messages": [7] })]);
    let update = json!({ "field": "account_update", "value": { "event": "VERIFIED_ACCOUNT" } });
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [update] }] });
    comes(&world, &signed(&body)).ok(200);
    writes(&world, &customer(), "my card is 4111 1111 1111 1111");
    assert_eq!(world.reads(&asked)["version"], version);
    let kept = |word: &str| {
        world.logs().contains(word) || world.items().iter().any(|item| item.body.contains(word))
    };
    assert!(!kept("4111 1111"));
}

#[test]
fn a_tap_in_the_template_is_a_yes_and_opens_the_window_for_buttons_of_our_own() {
    let world = without_code();
    let asked = world.asks(4250);
    let template = world.whatsapp().newest();
    assert_eq!(template.kind, "approve_payment_v1");
    assert!(template.text.contains("Invoice 4711"), "{}", template.text);
    taps(&world, &customer(), "Approve");
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.timeline(&asked), ["accepted whatsapp", "authorized whatsapp"]);
    let asked = world.asks(100);
    let free = world.whatsapp().newest();
    assert_eq!((free.kind.as_str(), free.labels()), ("button", template.labels()));
    taps(&world, &customer(), "Decline");
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "customer" }));
    let carried: Vec<String> = [template, free].iter().flat_map(carries).collect();
    assert_eq!(carried.len(), 6);
    assert!(carried.iter().all(|postback| postback.len() == 96));
}

fn carries(message: &Sent) -> Vec<String> {
    let carried = message.buttons.iter().map(|button| match &button.action {
        ButtonAction::Reply(carried) | ButtonAction::QuickReply(carried) => carried.clone(),
        ButtonAction::Open(_) | ButtonAction::Call => String::new(),
    });
    carried.filter(|carried| !carried.is_empty()).collect()
}

#[test]
fn within_the_window_the_code_is_picked_in_the_chat_and_the_no_is_behind_the_link() {
    let world = chatting();
    writes(&world, &customer(), "hello ✋");
    let asked = world.asks(4250);
    let sent = world.whatsapp().newest();
    assert_eq!((sent.kind.as_str(), sent.buttons.len()), ("button", 3));
    let (_, link) = sent.text.rsplit_once("\n\nDecline / This is not me → ").unwrap();
    let page = link.replacen(PUBLIC_BASE, "", 1);
    assert!(world.customer().opens(&page).ok(200).text().contains("42.50"));
    taps(&world, &customer(), &code(&asked));
    assert_eq!(world.state(&asked), "fulfilled");
    let refused = world.asks(100);
    let sent = world.whatsapp().newest();
    let wrong = sent.labels().into_iter().find(|label| *label != code(&refused)).unwrap();
    taps(&world, &customer(), wrong);
    let outcome = json!({ "kind": "denied", "reason": "wrong_session_code" });
    assert_eq!(world.reads(&refused)["outcome"], outcome);
}

#[test]
fn the_window_is_left_before_it_closes_and_a_template_follows_where_it_closed_unseen() {
    let world = without_code();
    writes(&world, &customer(), "hello");
    let capability = |world: &World| {
        let mut body = world.payment(PHONE, 100);
        body.as_object_mut().unwrap().remove("session");
        let routes = world.post("/v1/capabilities", &body).ok(200).json()["routes"].take();
        (routes[0]["reachable"].clone(), routes[0]["reason"].as_str().unwrap().to_owned())
    };
    assert_eq!(capability(&world), (json!(true), "window_open".to_owned()));
    let closed = refusal(400, 131_047, "Re-engagement message");
    world.replies(HOST, [Reply::Status(closed.0, closed.1.to_string())]);
    let asked = world.asks(4250);
    assert_eq!(world.whatsapp().newest().kind, "approve_payment_v1");
    assert_eq!(world.calls_to(HOST).len(), 2);
    assert_eq!(world.timeline(&asked), ["accepted whatsapp"]);
    world.time_passes(24 * 3_600 - 601 - 60);
    world.asks(100);
    assert_eq!(world.whatsapp().newest().kind, "button");
    world.time_passes(120);
    assert_eq!(capability(&world), (json!(true), "not_checked".to_owned()));
    world.asks(100);
    assert_eq!(world.whatsapp().newest().kind, "approve_payment_v1");
}

#[test]
fn somebody_whose_number_is_told_to_nobody_can_tap_and_stop() {
    let world = without_code();
    let nameless = customer().with_username();
    let asked = world.asks(4250);
    taps(&world, &nameless, "Approve");
    assert_eq!(world.state(&asked), "fulfilled");
    let open = world.asks(100);
    assert_eq!(world.whatsapp().newest().kind, "button", "the tap told whose window it is");
    writes(&world, &nameless, "STOP");
    let denied = json!({ "kind": "denied", "reason": "opted_out" });
    assert_eq!(world.reads(&open)["outcome"], denied);
    let refused = world.post("/v1/requests", &world.payment(PHONE, 100));
    refused.problem(403, "address-opted-out");
}

#[test]
fn a_tap_of_anybody_on_a_button_that_is_not_ours_is_no_answer() {
    let world = without_code();
    let asked = world.asks(4250);
    let version = world.reads(&asked)["version"].clone();
    let mut tap =
        world.whatsapp().taps(&customer(), &world.whatsapp().newest(), "Approve", world.now());
    for payload in ["Approve", "", &"0".repeat(96)] {
        tap["messages"][0]["button"]["payload"] = json!(payload);
        told(&world, &[tap.clone()]);
    }
    assert_eq!(world.reads(&asked)["version"], version);
}
