//! Apple Messages for Business: the customer writes first, and gets buttons or Apple Pay.

use domain::brand::Mode;
use domain::postback::{Action, Postback};
use domain::values::prompt_ref::PromptRef;
use http::Method;
use serde_json::{Value, json};
use tests::providers::apple::{
    self, HOST, PAY_HOST, Person, SentMessage, SignedCallback, TOKEN_DATA, posted,
};
use tests::world::{
    Answer, Core, CreatedRequest, PHONE, PUBLIC_BASE, Reply, World, WorldBuilder, brand,
};

/// Apple appends the last path segment to the address that is registered.
const CALLBACK: &str = "/callbacks/demo/apple/message";
const TWILIO: &str = "api.twilio.com";
const STRIPE: &str = "api.stripe.com";

/// A policy with limits that no story reaches.
fn patient() -> Value {
    json!({ "open_max": 9, "prompts_per_ten_minutes": 99, "denials_per_ten_minutes": 99 })
}

/// A brand that asks over Apple, then by text. A tap alone can approve.
pub(super) fn builder() -> WorldBuilder {
    let apple = json!({ "name": "apple", "kind": "apple", "settings": apple::paying_settings() });
    let sms = json!({ "name": "sms", "kind": "sms", "settings": brand::twilio() });
    let mut policy = patient();
    policy["session_code"] = json!(false);
    let channels = json!([apple, sms]);
    // Live payments need a wallet, where test payments accept a tap.
    let live = json!({ "channels": channels, "processors": [stripe()] });
    World::builder().with("/test/channels", &channels).with("/live", &live).with("/policy", &policy)
}

/// Stripe, with Apple Pay as the only payment option.
fn stripe() -> Value {
    let merchant = &apple::paying_settings()["apple_pay"];
    let apple_pay = json!({
        "merchant_identifier": merchant["merchant_identifier"], "display_name": "Demo Books",
        "certificate": merchant["certificate"], "key": merchant["key"], "country": "DE",
    });
    let settings = json!({ "secret_key": "sk_live_of_the_demo_brand", "hosted": false, "apple_pay": apple_pay });
    json!({ "name": "stripe", "kind": "stripe", "settings": settings })
}

pub(super) fn ada() -> Person {
    Person::with("ada", &["QUICK", "LIST"])
}

/// Delivers an event of Apple and runs nothing that follows.
fn post(core: &Core, posted: &SignedCallback) -> Answer {
    let call = core.call(Method::POST, CALLBACK).key(None).idempotency(None);
    let headers = posted.headers.iter();
    let call = headers.fold(call, |call, (name, value)| call.header(name, value));
    call.body(posted.body.clone()).send()
}

pub(super) fn deliver(core: &Core, posted: &SignedCallback) {
    let answer = post(core, posted).ok(200);
    assert!(answer.body.is_empty());
    core.run_until_idle();
}

/// Returns the entry link of a request and its payload.
fn entry_link(core: &Core, asked: &CreatedRequest) -> (String, String) {
    let stored = core.stored(asked);
    let reference = PromptRef { request: stored.id, prompt: stored.prompts.last().unwrap().id };
    let brand = core.run(core.ports.secrets.brand(&"demo".parse().unwrap())).unwrap();
    let intent = Postback { reference, action: Action::Open }.write(&brand.link_key);
    let channels = &core.machine.consent_callback.channels;
    let channel = channels.open(&brand, Mode::Test, &"apple".parse().unwrap()).unwrap();
    (channel.entry_link(&intent).unwrap(), intent)
}

/// A customer follows the entry link of an earlier request, and writes.
fn follow_entry_link(core: &Core, first: &CreatedRequest, who: &Person) {
    let (link, _) = entry_link(core, first);
    let (_, query) = link.split_once('?').unwrap();
    let fields: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let intent = &fields.iter().find(|(name, _)| name == "biz-intent-id").unwrap().1;
    deliver(core, &core.apple().writes(who, "I would like to pay", Some(intent), core.now()));
}

/// A world whose customer came by an entry link.
pub(super) fn introduced(beginning: WorldBuilder, who: &Person) -> World {
    let world = beginning.build();
    let first = world.asks(100);
    follow_entry_link(&world, &first, who);
    world.acts(&first, "cancel", &json!({})).ok(200);
    world
}

/// The same world in live mode.
fn introduced_live(beginning: WorldBuilder) -> World {
    let world = beginning.build();
    let first = asks_live(&world, 100);
    follow_entry_link(&world, &first, &ada());
    cancels_live(&world, &first);
    world
}

/// Asks for a live payment, and shows the prompt to the customer.
fn asks_live(core: &Core, amount: u64) -> CreatedRequest {
    let call = core.call(Method::POST, "/v1/requests").key(brand::LIVE_KEY);
    let answer = call.json(&core.payment(PHONE, amount)).send().ok(201);
    core.run_until_idle();
    let (path, answer) = (answer.header("location").to_owned(), answer.json());
    CreatedRequest { id: answer["id"].as_str().unwrap().to_owned(), path, answer }
}

fn cancels_live(core: &Core, asked: &CreatedRequest) {
    let call = core.call(Method::POST, &format!("{}/cancel", asked.path)).key(brand::LIVE_KEY);
    call.json(&json!({})).send().ok(200);
    core.run_until_idle();
}

fn reads_live(core: &Core, asked: &CreatedRequest) -> Value {
    core.call(Method::GET, &asked.path).key(brand::LIVE_KEY).send().ok(200).json()
}

fn timeline_live(core: &Core, asked: &CreatedRequest) -> Vec<String> {
    let facts = reads_live(core, asked)["timeline"].take();
    let words =
        |fact: &Value| ["what", "channel"].map(|word| fact[word].as_str().unwrap()).join(" ");
    facts.as_array().unwrap().iter().map(words).collect()
}

/// Sends a token from the customer's device to the payment gateway of the newest message.
/// Returns the newest payment sheet. A message with a way out is beside it.
fn newest_sheet(core: &Core) -> SentMessage {
    let mut sheets = core.apple().sent().into_iter().filter(|sent| sent.asked.is_some());
    sheets.next_back().unwrap()
}

fn pays(core: &Core, times: u32) -> Answer {
    let (url, body) = newest_sheet(core).pays(times);
    pay_with_token(core, &url, &body)
}

fn pay_with_token(core: &Core, url: &str, body: &Value) -> Answer {
    let uri = url.replacen(PUBLIC_BASE, "", 1);
    core.call(Method::POST, &uri).key(None).idempotency(None).json(body).send()
}

fn sheet(answer: &Answer) -> String {
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    answer.json()["status"].as_str().unwrap().to_owned()
}

fn routes(core: &Core) -> Value {
    let mut body = core.payment(PHONE, 100);
    body.as_object_mut().unwrap().remove("session");
    core.post("/v1/capabilities", &body).ok(200).json()["routes"].take()
}

#[test]
fn customer_who_never_wrote_is_asked_over_next_route() {
    let world = builder().build();
    let asked = world.asks(4250);
    assert_eq!(world.timeline(&asked), ["failed apple customer_must_start", "accepted sms"]);
    assert!(world.calls_to(HOST).is_empty());
    let routes = routes(&world);
    let apple =
        routes.as_array().unwrap().iter().find(|route| route["channel"] == "apple").unwrap();
    assert_eq!(
        (&apple["reachable"], &apple["reason"]),
        (&json!(false), &json!("customer_must_start"))
    );
}

#[test]
fn customer_who_came_by_entry_link_gets_buttons() {
    let world = introduced(builder(), &ada());
    let apple = routes(&world)[0].take();
    assert_eq!((&apple["channel"], &apple["reachable"]), (&json!("apple"), &json!(true)));
    assert_eq!((&apple["rich"], &apple["wallets"]), (&json!(true), &json!(["apple_pay"])));
    let asked = world.asks(4250);
    assert_eq!(world.timeline(&asked), ["accepted apple"]);
    let sent = world.apple().newest();
    assert_eq!((sent.kind, sent.to.as_str()), ("quick-reply", ada().handle.as_str()));
    assert!(sent.text.contains("42.50") && sent.text.contains("Invoice 4711"), "{}", sent.text);
    deliver(&world, &world.apple().taps(&ada(), &sent, "Approve", world.now()));
    assert_eq!(world.state(&asked), "fulfilled");
    let asked = world.asks(100);
    let sent = world.apple().newest();
    deliver(&world, &world.apple().taps(&ada(), &sent, "Decline", world.now()));
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "customer" }));
}

/// The answer to a list may come by reference, and is then fetched.
#[test]
fn device_without_quick_replies_gets_a_list_picker() {
    let old = Person::with("old", &["LIST"]);
    let world = introduced(builder(), &old);
    let asked = world.asks(4250);
    let sent = world.apple().newest();
    assert_eq!(sent.kind, "list-picker");
    deliver(&world, &world.apple().taps_at_length(&old, &sent, "Approve", world.now()));
    assert_eq!(world.state(&asked), "fulfilled");
    let asked = world.asks(100);
    let sent = world.apple().newest();
    let lost = world.apple().taps_at_length(&old, &sent, "Approve", world.now());
    world.replies("cvws.icloud-content.com", [Reply::NotSent]);
    post(&world, &lost).problem(503, "temporary-reduced-capacity");
    assert_eq!(world.state(&asked), "prompted");
    deliver(&world, &lost);
    assert_eq!(world.state(&asked), "fulfilled", "Apple tells it again");
}

/// Queues Stripe's answers to a token, and then to the payment.
fn stripe_charges(core: &Core) {
    let card = json!({ "brand": "visa", "last4": "1234", "wallet": { "type": "apple_pay" } });
    let charge = json!({ "payment_method_details": { "type": "card", "card": card } });
    let intent = |status: &str| {
        json!({ "id": "pi_apple", "object": "payment_intent", "status": status, "amount": 4250,
            "amount_received": 4250, "currency": "eur", "latest_charge": charge })
    };
    let answers = [
        json!({ "id": "tok_apple", "object": "token" }),
        json!({ "id": "pm_apple", "object": "payment_method" }),
        intent("requires_confirmation"),
        intent("succeeded"),
    ];
    core.replies(STRIPE, answers.map(|answer| Reply::Status(200, answer.to_string())));
}

#[test]
fn apple_pay_token_reaches_the_processor() {
    let world = introduced_live(builder());
    let asked = asks_live(&world, 4250);
    let sent = newest_sheet(&world);
    assert_eq!(sent.kind, "apple-pay");
    let payment = sent.asked.clone().unwrap();
    assert_eq!(payment.amount, "42.50 EUR");
    assert!(payment.fallback.starts_with(&format!("{PUBLIC_BASE}/c/")));
    assert!(sent.text.contains("Invoice 4711"), "{}", sent.text);
    assert_eq!(sheet(&pays(&world, 1)), "STATUS_SUCCESS");
    assert_eq!(reads_live(&world, &asked)["state"], "authorized");
    let version = reads_live(&world, &asked)["version"].clone();
    assert_eq!(sheet(&pays(&world, 1)), "STATUS_SUCCESS", "the device tells it again");
    assert_eq!(reads_live(&world, &asked)["version"], version);
    stripe_charges(&world);
    world.run_until_idle();
    let read = reads_live(&world, &asked);
    assert_eq!(read["state"], "fulfilled", "{read}");
    assert_eq!(read["outcome"]["payment"]["wallet"], "apple_pay");
    let form = world.calls_to(STRIPE)[0].body.clone();
    let fields: Vec<_> = form_urlencoded::parse(&form).into_owned().collect();
    let token = &fields.iter().find(|(name, _)| name == "pk_token").unwrap().1;
    let token: Value = serde_json::from_str(token).unwrap();
    assert_eq!(token["data"], format!("{TOKEN_DATA}1"));
    assert_eq!(sheet(&pays(&world, 1)), "STATUS_SUCCESS", "and once more when all is done");
    assert_eq!(world.calls_to(STRIPE).len(), 4);
}

#[test]
fn token_too_late_or_after_the_end_fails_in_the_sheet() {
    let world = introduced_live(builder());
    let late = asks_live(&world, 4250);
    world.time_passes(301);
    assert_eq!(reads_live(&world, &late)["state"], "expired");
    assert_eq!(sheet(&pays(&world, 1)), "STATUS_FAILURE");
    let cancelled = asks_live(&world, 4250);
    cancels_live(&world, &cancelled);
    assert_eq!(sheet(&pays(&world, 2)), "STATUS_FAILURE");
    assert_eq!(reads_live(&world, &cancelled)["state"], "cancelled");
}

#[test]
fn token_for_another_prompt_or_address_is_ignored() {
    let world = introduced_live(builder());
    let asked = asks_live(&world, 4250);
    let (url, body) = newest_sheet(&world).pays(1);
    let other = asks_live(&world, 100);
    let (_, swapped) = newest_sheet(&world).pays(2);
    pay_with_token(&world, &url, &swapped).problem(403, "callback-forged");
    let mut letters: Vec<char> = url.chars().collect();
    let last = letters.last_mut().unwrap();
    *last = if *last == '0' { '1' } else { '0' };
    let changed: String = letters.into_iter().collect();
    pay_with_token(&world, &changed, &body).problem(403, "callback-forged");
    pay_with_token(&world, &format!("{PUBLIC_BASE}/callbacks/demo/apple"), &body)
        .problem(403, "callback-forged");
    pay_with_token(&world, &url, &json!({ "payment": {} })).problem(400, "invalid-request");
    for asked in [asked, other] {
        assert_eq!(reads_live(&world, &asked)["state"], "prompted");
    }
}

#[test]
fn merchant_session_failure_falls_back_to_next_route() {
    let world = introduced_live(builder());
    world.replies(PAY_HOST, [Reply::Status(417, "not registered merchant".to_owned())]);
    let asked = asks_live(&world, 4250);
    assert_eq!(timeline_live(&world, &asked), ["failed apple", "accepted sms"]);
    assert_eq!(reads_live(&world, &asked)["timeline"][0]["reason"], "apple_pay");
    assert_eq!((world.calls_to(HOST).len(), world.calls_to(TWILIO).len()), (0, 2));
}

#[test]
fn lost_answer_is_never_sent_twice() {
    let world = introduced(builder(), &ada());
    world.replies(HOST, [Reply::Lost]);
    let asked = world.asks(4250);
    assert_eq!(world.timeline(&asked), ["unknown apple"]);
    world.redeliver(world.sent().into_iter().map(|(owed, _)| owed));
    assert_eq!(world.apple().sent().len(), 1);
    let sent = world.apple().newest();
    deliver(&world, &world.apple().taps(&ada(), &sent, "Approve", world.now()));
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn session_code_is_picked_in_chat_or_page_not_in_sheet() {
    let world = introduced(builder().with("/policy", &patient()), &ada());
    assert_eq!(routes(&world)[0]["wallets"], json!([]));
    let asked = world.asks(4250);
    let sent = world.apple().newest();
    assert_eq!(sent.kind, "quick-reply");
    let code = asked.answer["session_code"].as_str().unwrap();
    deliver(&world, &world.apple().taps(&ada(), &sent, code, world.now()));
    assert_eq!(world.state(&asked), "fulfilled");
    let coded = introduced_live(builder().with("/policy", &patient()));
    let asked = asks_live(&coded, 4250);
    let [.., sent, beside] = &coded.apple().sent()[..] else { panic!("two messages") };
    assert!(sent.kind == "text" && sent.text.contains(&format!("{PUBLIC_BASE}/c/")));
    assert_eq!(beside.kind, "quick-reply");
    assert_eq!((coded.apple().sessions(), world.apple().sessions()), (0, 0));
    assert_eq!(reads_live(&coded, &asked)["state"], "prompted");
}

#[test]
fn opt_out_stops_prompts_until_opt_in() {
    let world = introduced(builder(), &ada());
    let stop = |world: &World| world.apple().writes(&ada(), "Stop", None, world.now());
    let leave = |world: &World| world.apple().action(&ada(), "close", world.now());
    let payment_options: [&dyn Fn(&World) -> SignedCallback; 2] = [&stop, &leave];
    for option in payment_options {
        let asked = world.asks(4250);
        deliver(&world, &option(&world));
        let denied = json!({ "kind": "denied", "reason": "opted_out" });
        assert_eq!(world.reads(&asked)["outcome"], denied);
        let refused = world.post("/v1/requests", &world.payment(PHONE, 100));
        refused.problem(403, "address-opted-out");
        deliver(&world, &world.apple().writes(&ada(), "START", None, world.now()));
    }
    world.asks(100);
    assert_eq!(world.apple().sent().len(), 3);
}

#[test]
fn unrelated_message_changes_nothing_and_is_not_kept() {
    let world = introduced(builder(), &ada());
    let asked = world.asks(4250);
    let version = world.reads(&asked)["version"].clone();
    let apple = world.apple();
    deliver(&world, &apple.writes(&ada(), "my card is 4111 1111 1111 1111", None, world.now()));
    deliver(&world, &apple.action(&ada(), "typing_start", world.now()));
    deliver(&world, &apple.action(&ada(), "typing_end", world.now()));
    let stranger = Person::with("stranger", &[]);
    deliver(&world, &apple.writes(&stranger, "STOP", Some("not-a-postback"), world.now()));
    let mut forged = apple.taps(&ada(), &apple.newest(), "Approve", world.now());
    forged.headers.retain(|(name, _)| *name != "authorization");
    post(&world, &forged).problem(403, "callback-forged");
    post(&world, &posted(b"{}", world.now())).problem(400, "invalid-request");
    assert_eq!(world.reads(&asked)["version"], version);
    let kept = |word: &str| {
        world.logs().contains(word) || world.items().iter().any(|item| item.body.contains(word))
    };
    assert!(!kept("4111 1111"));
}
