//! Customers whose id on a channel is not the number that was asked. Webhooks that come late, twice or out of order.

use http::Method;
use ports::ButtonAction;
use serde_json::{Value, json};
use tests::world::{Answer, Core, CreatedRequest, PHONE, World};

/// Another spelling of the customer's number, as a provider may report it.
const ALIAS: &str = "+15559990001";
const STRANGER: &str = "+15557770001";

fn policy() -> Value {
    json!({
        "session_code": false, "open_max": 9, "prompts_per_ten_minutes": 99, "fallback_seconds": 300,
        "cooldown_seconds": 1, "denials_per_ten_minutes": 50, "text_replies": true,
    })
}

pub(super) fn world() -> World {
    World::builder().with_fake_channels(&["whatsapp", "sms"]).with("/policy", &policy()).build()
}

/// A channel whose answer to each prompt names the customer so.
fn answering(recipient: &Value) -> World {
    let settings = json!({ "recipient": recipient });
    let channels = json!([{ "name": "whatsapp", "kind": "fake-channel", "settings": settings }]);
    World::builder().with("/test/channels", &channels).with("/policy", &policy()).build()
}

pub(super) fn deliver(core: &Core, what: &Value) {
    core.channel_sends("whatsapp", &json!([what])).ok(200);
    core.run_until_idle();
}

/// Reports events on a channel where no customer waits at a payment sheet.
fn reports(core: &Core, callbacks: &Value) -> Answer {
    let call = core.call(Method::POST, "/callbacks/demo/whatsapp").key(None).idempotency(None);
    let body = json!({ "callbacks": callbacks, "refusal": false });
    call.header("x-proof", "proven").json(&body).send()
}

pub(super) fn status_names(core: &Core, recipient: &Value) {
    let about = core.sent_messages().sent.pop().unwrap().reference.to_string();
    deliver(core, &json!({ "recipient": { "about": about, "recipient": recipient } }));
}

fn stops(core: &Core, from: &Value) {
    deliver(core, &json!({ "stop": { "from": from } }));
}

fn assert_opted_out(world: &World, asked: &CreatedRequest, case: &Value) {
    let outcome = json!({ "kind": "denied", "reason": "opted_out" });
    assert_eq!(world.reads(asked)["outcome"], outcome, "{case}");
    world.post("/v1/requests", &world.payment(PHONE, 1)).problem(403, "address-opted-out");
}

/// Returns the postback of the first button of the newest prompt.
pub(super) fn postback(core: &Core) -> String {
    let button = core.sent_messages().sent.pop().unwrap().buttons.remove(0);
    match button.action {
        ButtonAction::Reply { postback } | ButtonAction::Open { postback, .. } => postback,
    }
}

pub(super) fn asks(world: &World, phone: &str) -> CreatedRequest {
    world.asks_for(&world.payment(phone, 100))
}

#[test]
fn stop_from_an_id_that_an_answer_named_counts() {
    let recipient = json!({ "phone": ALIAS, "handle": "US.7" });
    for from in [json!({ "phone": ALIAS }), json!({ "handle": "US.7" }), recipient.clone()] {
        let world = answering(&recipient);
        let asked = world.asks(100);
        stops(&world, &from);
        assert_opted_out(&world, &asked, &from);
        deliver(&world, &json!({ "start": { "from": from } }));
        world.asks(100);
    }
}

#[test]
fn stop_from_an_id_that_a_status_named_counts() {
    let recipient = json!({ "phone": ALIAS, "handle": "US.7" });
    for from in [json!({ "phone": ALIAS }), json!({ "handle": "US.7" })] {
        let world = world();
        let asked = world.asks(100);
        status_names(&world, &recipient);
        stops(&world, &from);
        assert_opted_out(&world, &asked, &from);
    }
}

/// The opt-out is kept for the id until a provider says whose id it is.
#[test]
fn stop_from_an_untied_id_counts_once_it_is_tied() {
    let id = json!({ "handle": "US.7" });
    let world = world();
    let asked = world.asks(100);
    stops(&world, &id);
    assert_eq!(world.state(&asked), "prompted");
    status_names(&world, &id);
    assert_opted_out(&world, &asked, &id);
    let world = answering(&id);
    stops(&world, &id);
    world.asks(100);
    world.post("/v1/requests", &world.payment(PHONE, 1)).problem(403, "address-opted-out");
    // A customer who began again before that is asked.
    let world = answering(&id);
    stops(&world, &id);
    world.clock_jumps(5);
    deliver(&world, &json!({ "start": { "from": id } }));
    world.asks(100);
    world.asks(100);
}

#[test]
fn stop_from_another_spelling_of_the_number_counts() {
    for (asked, from) in [
        ("+525512345678", "+5215512345678"),
        ("+5215512345678", "+525512345678"),
        ("+5511987654321", "+551187654321"),
        ("+551187654321", "+5511987654321"),
        ("+541123456789", "+5491123456789"),
    ] {
        let world = world();
        let request = asks(&world, asked);
        stops(&world, &json!({ "phone": from }));
        assert_eq!(world.reads(&request)["outcome"]["reason"], "opted_out", "{asked}");
        world.post("/v1/requests", &world.payment(asked, 1)).problem(403, "address-opted-out");
        world.post("/v1/requests", &world.payment(from, 1)).problem(403, "address-opted-out");
        let own = asks(&world, PHONE);
        assert_eq!(world.state(&own), "prompted", "another customer");
    }
}

/// The prompt was forwarded, or its button copied.
#[test]
fn tap_of_another_customer_counts_nothing_and_ties_nothing() {
    let world = world();
    let theirs = asks(&world, STRANGER);
    status_names(&world, &json!({ "phone": STRANGER, "handle": "US.9" }));
    let own = world.asks(100);
    let postback = postback(&world);
    for from in
        [json!({ "handle": "US.9" }), json!({ "phone": STRANGER }), json!({ "phone": ALIAS })]
    {
        deliver(&world, &json!({ "tapped": { "postback": postback, "from": from } }));
        assert_eq!(world.state(&own), "prompted", "{from}");
    }
    let hello =
        json!({ "wrote": { "from": { "handle": "US.9" }, "text": "hi", "intent": postback } });
    deliver(&world, &hello);
    assert!(world.logs().contains("postback of another customer ignored"));
    stops(&world, &json!({ "handle": "US.9" }));
    assert_eq!(world.state(&own), "prompted", "the id still belongs to the other customer");
    assert_eq!(world.reads(&theirs)["outcome"]["reason"], "opted_out");
    let tap = json!({ "tapped": { "postback": postback, "from": { "phone": PHONE } } });
    deliver(&world, &tap);
    assert_eq!(world.state(&own), "fulfilled");
}

#[test]
fn tap_of_the_customers_own_ids_counts() {
    let ids = json!({ "phone": ALIAS, "handle": "US.7" });
    for from in [
        json!({ "phone": PHONE }),
        json!({ "phone": ALIAS }),
        json!({ "handle": "US.7" }),
        json!({ "phone": PHONE, "handle": "US.8" }),
    ] {
        let world = answering(&ids);
        let asked = world.asks(100);
        deliver(&world, &json!({ "tapped": { "postback": postback(&world), "from": from } }));
        assert_eq!(world.state(&asked), "fulfilled", "{from}");
    }
}

#[test]
fn text_reply_from_a_tied_id_answers_its_request() {
    let world = answering(&json!({ "phone": ALIAS }));
    let mut body = world.payment(PHONE, 100);
    body["ask"] = json!({ "kind": "payment_method", "description": "Keep for next time" });
    let asked = world.asks_for(&body);
    world.clock_jumps(2);
    deliver(&world, &json!({ "wrote": { "from": { "phone": ALIAS }, "text": "yes" } }));
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn older_word_reported_again_undoes_no_newer_one() {
    let world = world();
    let word = |name: &str, seconds: u64, id: &str| {
        let at = world.now().before(std::time::Duration::from_secs(seconds));
        deliver(&world, &json!({ name: { "from": { "phone": PHONE, "at": at, "id": id } } }));
    };
    let is_opted_out = || {
        let answer = world.post("/v1/requests", &world.payment(PHONE, 1));
        answer.status == 403
    };
    word("stop", 3_600, "b");
    word("start", 7_200, "a");
    assert!(is_opted_out());
    word("start", 1_800, "c");
    word("stop", 3_000, "d");
    assert!(!is_opted_out());
    let asked = world.asks(100);
    word("stop", 5_000, "e");
    assert_eq!(world.state(&asked), "prompted", "the stop is older than the start");
    word("stop", 10, "f");
    assert!(is_opted_out());
    assert_eq!(world.reads(&asked)["outcome"]["reason"], "opted_out");
}

/// Not every channel says when a message was written.
#[test]
fn message_reported_again_is_recorded_once() {
    let world = world();
    let word = |name: &str, id: &str| {
        deliver(&world, &json!({ name: { "from": { "phone": PHONE, "id": id } } }));
        world.clock_jumps(86_400);
    };
    word("stop", "a");
    word("start", "b");
    word("stop", "a");
    let asked = world.asks(100);
    word("stop", "a");
    assert_eq!(world.state(&asked), "prompted");
    // The same id of another customer is another message.
    let theirs = asks(&world, STRANGER);
    deliver(&world, &json!({ "stop": { "from": { "phone": STRANGER, "id": "a" } } }));
    assert_eq!(world.reads(&theirs)["outcome"]["reason"], "opted_out");
    assert!(
        world.items().iter().all(|item| !item.key.pk.contains("SEEN") || item.expires_at.is_some())
    );
}

/// It is recorded again in full, as the first report may have failed half-way.
#[test]
fn message_whose_recording_failed_is_recorded_again() {
    let world = world();
    let asked = world.asks(100);
    let stop = json!([{ "stop": { "from": { "phone": PHONE, "id": "a" } } }]);
    let request = world.items().into_iter().find(|item| item.key.sk == "REQ").unwrap();
    let damaged = ports::Item { body: "{}".to_owned(), ..request.clone() };
    world.put_item(damaged);
    assert_eq!(reports(&world, &stop).status, 500);
    world.put_item(request);
    reports(&world, &stop).ok(200);
    world.run_until_idle();
    assert_opted_out(&world, &asked, &json!("repeated"));
}

#[test]
fn event_that_fails_takes_no_other_with_it() {
    let world = world();
    let broken = world.asks(100);
    let about = world.sent_messages().sent.pop().unwrap().reference.to_string();
    let theirs = asks(&world, STRANGER);
    let request = world
        .items()
        .into_iter()
        .find(|item| item.key.sk == "REQ" && item.key.pk == format!("REQ#{}", broken.id));
    let request = request.unwrap();
    world.put_item(ports::Item { body: "{}".to_owned(), ..request.clone() });
    let events = json!([
        { "delivered": { "about": about } },
        { "stop": { "from": { "phone": STRANGER } } },
    ]);
    assert_eq!(reports(&world, &events).status, 500, "it comes again");
    world.put_item(request);
    world.run_until_idle();
    assert_eq!(world.reads(&theirs)["outcome"]["reason"], "opted_out");
}
