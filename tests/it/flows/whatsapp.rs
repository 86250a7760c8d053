//! WhatsApp: templates, messages within the service window, and customers' replies.

use http::Method;
use serde_json::{Value, json};
use tests::providers::whatsapp::{
    self, ButtonAction, HOST, Person, SentMessage, SignedCallback, VERIFY_TOKEN, posted, refusal,
    signed,
};
use tests::world::{
    Answer, Core, CreatedRequest, PHONE, PUBLIC_BASE, Reply, World, WorldBuilder, brand,
};

const CALLBACK: &str = "/callbacks/demo/whatsapp";
const TWILIO: &str = "api.twilio.com";

/// A brand that asks over WhatsApp, then by text.
fn builder() -> WorldBuilder {
    let whatsapp =
        json!({ "name": "whatsapp", "kind": "whatsapp", "settings": whatsapp::settings() });
    let sms = json!({ "name": "sms", "kind": "sms", "settings": brand::twilio() });
    World::builder().with("/test/channels", &json!([whatsapp, sms]))
}

fn chatting() -> World {
    builder().build()
}

/// The same brand without texts.
fn without_sms() -> World {
    let whatsapp =
        json!({ "name": "whatsapp", "kind": "whatsapp", "settings": whatsapp::settings() });
    World::builder().with("/test/channels", &json!([whatsapp])).build()
}

/// The same brand, where a tap alone can approve.
fn without_code() -> World {
    builder().with("/policy", &json!({ "session_code": false })).build()
}

fn customer() -> Person {
    Person::at(PHONE)
}

/// Delivers a callback and runs all that follows.
fn post(core: &Core, posted: &SignedCallback) -> Answer {
    let call = core.call(Method::POST, CALLBACK).key(None).idempotency(None);
    let call = call.header("content-type", "application/json");
    let call = call.header("x-hub-signature-256", &posted.signature).body(posted.body.clone());
    let answer = call.send();
    core.run_until_idle();
    answer
}

fn deliver(core: &Core, values: &[Value]) {
    let answer = post(core, &posted(values)).ok(200);
    assert!(answer.body.is_empty() && answer.header("content-type") == "text/plain");
}

fn fares(core: &Core, message: &SentMessage, status: &str) {
    deliver(core, &[core.whatsapp().status(message, status, core.now())]);
}

pub(super) fn writes(core: &Core, who: &Person, words: &str) {
    deliver(core, &[core.whatsapp().writes(who, words, core.now())]);
}

/// Taps a button of the newest message, as the customer.
fn taps(core: &Core, who: &Person, label: &str) {
    let message = core.whatsapp().newest();
    deliver(core, &[core.whatsapp().taps(who, &message, label, core.now())]);
}

fn page(message: &SentMessage) -> String {
    message.link().replacen(PUBLIC_BASE, "", 1)
}

fn code(asked: &CreatedRequest) -> String {
    asked.answer["session_code"].as_str().unwrap().to_owned()
}

#[test]
fn template_opens_chat_and_links_to_the_page() {
    let world = chatting();
    let asked = world.asks(4250);
    let sent = world.whatsapp().newest();
    assert_eq!(sent.kind, "view_payment_v1");
    assert!(sent.text.starts_with("Demo Books asks you for 42.50 EUR."), "{}", sent.text);
    assert_eq!(sent.labels(), ["View request", "Call us", "Decline"]);
    assert_eq!(world.timeline(&asked), ["accepted whatsapp"]);
    fares(&world, &sent, "delivered");
    let fields = [("action", "approve"), ("session_code", &code(&asked))];
    world.customer().answers_on(&page(&sent), &fields).ok(303);
    assert_eq!(world.state(&asked), "fulfilled");
    let expected = ["prompted", "delivered", "opened", "authorized", "fulfilled"];
    assert_eq!(world.webhooks(), expected.map(|what| format!("request.{what}")));
    assert!(world.calls_to(TWILIO).is_empty());
}

#[test]
fn statuses_repeated_or_unordered_are_reported_once() {
    let world = chatting();
    let asked = world.asks(4250);
    let sent = world.whatsapp().newest();
    let status = |status: &str| world.whatsapp().status(&sent, status, world.now());
    deliver(&world, &[status("read"), status("delivered"), status("sent")]);
    for again in ["sent", "delivered", "read", "delivered", "played"] {
        fares(&world, &sent, again);
    }
    assert_eq!(world.timeline(&asked), ["accepted whatsapp", "read whatsapp"]);
    deliver(&world, &[world.whatsapp().fails(&sent, 131_026, world.now())]);
    assert_eq!(world.timeline(&asked), ["accepted whatsapp", "read whatsapp"]);
    world.acts(&asked, "cancel", &json!({})).ok(200);
    let version = world.reads(&asked)["version"].clone();
    fares(&world, &sent, "delivered");
    assert_eq!(world.reads(&asked)["version"], version);
}

#[test]
fn number_without_whatsapp_gets_a_text_at_once() {
    let later = chatting();
    let asked = later.asks(4250);
    let sent = later.whatsapp().newest();
    deliver(&later, &[later.whatsapp().fails(&sent, 131_026, later.now())]);
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
fn passing_failure_told_by_a_status_is_retried_in_time() {
    for code in [131_000, 131_016, 130_429, 131_056] {
        let world = without_sms();
        let asked = world.asks(4250);
        let sent = world.whatsapp().newest();
        deliver(&world, &[world.whatsapp().fails(&sent, code, world.now())]);
        world.time_passes(3);
        assert_eq!((world.state(&asked).as_str(), world.calls_to(HOST).len()), ("prompted", 2));
    }
}

#[test]
fn lost_answer_is_never_sent_twice() {
    let world = chatting();
    world.replies(HOST, [Reply::Lost]);
    let asked = world.asks(4250);
    assert_eq!(world.timeline(&asked), ["unknown whatsapp"]);
    world.redeliver(world.sent().into_iter().map(|(owed, _)| owed));
    assert_eq!(world.calls_to(HOST).len(), 1);
    world.time_passes(20);
    assert_eq!(world.calls_to(TWILIO).len(), 1, "the next route has its turn");
    assert_eq!(world.calls_to(HOST).len(), 1);
}

#[test]
fn opt_out_ends_open_requests_until_opt_in() {
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
fn webhook_address_is_verified_by_its_token() {
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
fn forged_callback_is_rejected_and_replay_is_harmless() {
    let world = chatting();
    let asked = world.asks(4250);
    let sent = world.whatsapp().newest();
    let genuine = posted(&[world.whatsapp().status(&sent, "delivered", world.now())]);
    let other = posted(&[world.whatsapp().status(&sent, "read", world.now())]);
    let forged = SignedCallback { body: other.body, ..genuine.clone() };
    post(&world, &forged).problem(403, "callback-forged");
    let unsigned = SignedCallback { signature: String::new(), ..genuine.clone() };
    post(&world, &unsigned).problem(403, "callback-forged");
    post(&world, &genuine).ok(200);
    let version = world.reads(&asked)["version"].clone();
    post(&world, &genuine).ok(200);
    assert_eq!(world.reads(&asked)["version"], version);
    assert_eq!(world.timeline(&asked), ["accepted whatsapp", "delivered whatsapp"]);
    let stop = posted(&[world.whatsapp().writes(&customer(), "STOP", world.now())]);
    // The same event, parsed and written again. Without the escapes its signature differs.
    let value: Value = serde_json::from_str(&stop.body).unwrap();
    let rewritten = SignedCallback { body: value.to_string(), ..stop };
    post(&world, &rewritten).problem(403, "callback-forged");
    assert_eq!(world.state(&asked), "prompted");
}

#[test]
fn foreign_or_malformed_event_changes_nothing() {
    let world = chatting();
    let asked = world.asks(4250);
    let version = world.reads(&asked)["version"].clone();
    let mut elsewhere = world.whatsapp().writes(&customer(), "STOP", world.now());
    elsewhere["metadata"]["phone_number_id"] = json!("1");
    deliver(&world, &[elsewhere, json!(null), json!({ "messages": [7] })]);
    let update = json!({ "field": "account_update", "value": { "event": "VERIFIED_ACCOUNT" } });
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [update] }] });
    post(&world, &signed(&body)).ok(200);
    writes(&world, &customer(), "my card is 4111 1111 1111 1111");
    assert_eq!(world.reads(&asked)["version"], version);
    let kept = |word: &str| {
        world.logs().contains(word) || world.items().iter().any(|item| item.body.contains(word))
    };
    assert!(!kept("4111 1111"));
}

#[test]
fn template_tap_approves_and_opens_the_service_window() {
    let world = without_code();
    let asked = world.asks(4250);
    let template = world.whatsapp().newest();
    assert_eq!(template.kind, "approve_payment_v1");
    assert!(template.text.contains("Invoice 4711"), "{}", template.text);
    taps(&world, &customer(), "Approve");
    assert_eq!(world.state(&asked), "fulfilled");
    let timeline = ["accepted whatsapp", "authorized whatsapp", "fulfilled"];
    assert_eq!(world.timeline(&asked), timeline);
    let asked = world.asks(100);
    let free = world.whatsapp().newest();
    assert_eq!((free.kind.as_str(), free.labels()), ("button", template.labels()));
    taps(&world, &customer(), "Decline");
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "customer" }));
    let carried: Vec<String> = [template, free].iter().flat_map(carries).collect();
    assert_eq!(carried.len(), 6);
    assert!(carried.iter().all(|postback| postback.len() == 96));
}

fn carries(message: &SentMessage) -> Vec<String> {
    let carried = message.buttons.iter().map(|button| match &button.action {
        ButtonAction::Reply(carried) | ButtonAction::QuickReply(carried) => carried.clone(),
        ButtonAction::Open(_) | ButtonAction::Call => String::new(),
    });
    carried.filter(|carried| !carried.is_empty()).collect()
}

/// This holds within the service window.
#[test]
fn code_is_picked_in_chat_and_denial_is_behind_the_link() {
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

/// A template also follows where the window closed without our noticing.
#[test]
fn window_nearly_closed_uses_a_template() {
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
    assert_eq!(capability(&world), (json!(true), "not_checked".to_owned()));
    world.asks(100);
    assert_eq!(world.whatsapp().newest().kind, "approve_payment_v1");
    assert_eq!(world.calls_to(HOST).len(), 3, "the window is known to be shut");
    world.time_passes(1);
    writes(&world, &customer(), "hello");
    world.time_passes(24 * 3_600 - 601 - 60);
    world.asks(100);
    assert_eq!(world.whatsapp().newest().kind, "button");
    world.time_passes(120);
    assert_eq!(capability(&world), (json!(true), "not_checked".to_owned()));
    world.asks(100);
    assert_eq!(world.whatsapp().newest().kind, "approve_payment_v1");
}

/// Meta sends up to 3 MB, and an unreadable part takes nothing else with it.
#[test]
fn batch_of_three_megabytes_is_recorded() {
    let world = chatting();
    let asked = world.asks(4250);
    let sent = world.whatsapp().newest();
    let note = "y".repeat(2_000);
    let other = |n: usize| json!({ "id": format!("wamid.F{n}"), "status": "sent", "note": note });
    let others: Vec<Value> = (0..1_450).map(other).collect();
    let mut value = world.whatsapp().status(&sent, "delivered", world.now());
    value["statuses"].as_array_mut().unwrap().splice(0..0, others);
    let odd = world.whatsapp().writes(&customer(), "HALF", world.now());
    let whole = posted(&[odd, value, world.whatsapp().writes(&customer(), "STOP", world.now())]);
    let body = whole.body.replace("HALF", "\\ud83d");
    assert!((2_900_000..3_145_728).contains(&body.len()), "{}", body.len());
    let signature = whatsapp::signature(body.as_bytes());
    post(&world, &SignedCallback { body, signature }).ok(200);
    assert_eq!(world.reads(&asked)["outcome"]["reason"], "opted_out");
}

#[test]
fn customer_without_shared_number_can_tap_and_opt_out() {
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
fn tap_on_foreign_button_is_no_answer() {
    let world = without_code();
    let asked = world.asks(4250);
    let version = world.reads(&asked)["version"].clone();
    let mut tap =
        world.whatsapp().taps(&customer(), &world.whatsapp().newest(), "Approve", world.now());
    for payload in ["Approve", "", &"0".repeat(96)] {
        tap["messages"][0]["button"]["payload"] = json!(payload);
        deliver(&world, &[tap.clone()]);
    }
    assert_eq!(world.reads(&asked)["version"], version);
}
