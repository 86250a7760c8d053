//! Stories that together write every kind of text.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde_json::{Value, json};
use sha1::Sha1;
use tests::world::brand::TWILIO_TOKEN;
use tests::world::{Core, CreatedRequest, PHONE, PUBLIC_BASE, Reply, World};

use domain::journal::JournalEntry;
use domain::message::{Message, Task};
use domain::processor_result::Reference;
use domain::request::Request;
use ports::{Created, Item, Key, RefundResult, Rejection};
use records::storage::{decode, encode};
use tests::world::fake_processor::CODE;

use super::{golden, kinds};

/// Returns one text of every kind that the stories write, the first of its kind.
pub(super) fn produced() -> BTreeMap<String, Value> {
    let mut produced = BTreeMap::new();
    let worlds = [
        on_the_sandbox(),
        over_known_contact(),
        by_text(),
        with_words_of_a_customer(),
        with_endpoint_gone(),
        forgotten(),
        at_fake_processor(),
        with_a_spent_button(),
    ];
    for world in worlds {
        for item in world.all_written_items() {
            produced.entry(kinds::of_item(&item)).or_insert_with(|| golden(&item));
            for entry in entries(&item) {
                produced.entry(kinds::of_item(&entry)).or_insert_with(|| golden(&entry));
            }
        }
        for (message, _) in world.sent() {
            let name = kinds::of_message(&message);
            produced.entry(name).or_insert_with(|| json!({ "body": message }));
        }
        world.leaves();
    }
    produced
}

/// Returns the journal entries of a request's item, each as the item that it becomes.
fn entries(item: &Item) -> Vec<Item> {
    if item.key.sk != "REQ" || !item.key.pk.starts_with("REQ#") {
        return Vec::new();
    }
    let request: Request = decode(&item.body).unwrap();
    let entry = |entry: &JournalEntry| Item {
        key: Key { sk: format!("EVT#{:05}", entry.seq), ..item.key.clone() },
        version: 1,
        body: encode(entry).unwrap(),
        expires_at: item.expires_at,
        index: None,
    };
    request.journal.entries().unwrap().iter().map(entry).collect()
}

fn on_the_sandbox() -> World {
    let policy = json!({ "open_max": 20, "prompts_per_ten_minutes": 100, "attempts_max": 2,
        "prompts_per_hour": 1000 });
    let world = World::builder().with("/policy", &policy).build();
    let mut body = world.payment(PHONE, 4250);
    body["metadata"] = json!({ "ticket": "88" });
    let key = world.call(Method::POST, "/v1/requests").idempotency("golden").json(&body);
    key.send().ok(201);
    world.run_until_idle();
    world.customer().opens(&world.customer().newest().page);
    world.customer().approves().ok(200);
    world.time_passes(1);
    for amount in [4202, 4203, 4205] {
        // Messages of one millisecond have no order.
        world.time_passes(1);
        world.asks(amount);
        world.customer().approves().ok(200);
        world.time_passes(5);
    }
    world.asks(100);
    world.customer().reports_not_me().ok(200);
    let phone = "+15551230002";
    let asked = world.asks_at(phone, 100);
    world.acts(&asked, "extend", &json!({ "expires_in": 400 })).ok(200);
    world.acts(&asked, "resend", &json!({ "channel": "sms" })).ok(200);
    world.acts(&asked, "cancel", &json!({})).ok(200);
    world.asks_at("+15551239003", 100);
    world.asks_at(phone, 100);
    world.post("/v1/webhooks/test", &json!({})).ok(202);
    world.time_passes(1_000);
    world.get("/v1/statistics?from=2026-12-01").ok(200);
    world
}

/// A customer who denies, reports it, and taps a button that no longer counts.
fn with_a_spent_button() -> World {
    let world = World::builder().build();
    world.asks(100);
    let customer = world.customer();
    let message = customer.newest();
    customer.denies().ok(200);
    customer.reports_not_me().ok(200);
    let pick = &message.shown["actions"][0]["postback"];
    customer.taps(&message, &json!({ "postback": pick })).ok(200);
    world.run_until_idle();
    world
}

/// A channel that reports its customers' addresses and devices.
fn over_known_contact() -> World {
    let settings = json!({ "reachable": false, "wallets": ["apple_pay"] });
    let channel = json!([{ "name": "whatsapp", "kind": "fake-channel", "settings": settings }]);
    let world = World::builder().with("/test/channels", &channel).build();
    let from = json!({ "phone": PHONE, "handle": "US.1349", "features": ["QUICK", "FORM"] });
    world
        .channel_sends("whatsapp", &json!([{ "wrote": { "from": from, "text": "hello" } }]))
        .ok(200);
    let mut wanted = world.payment("+15551239001", 100);
    wanted.as_object_mut().unwrap().remove("session");
    world.post("/v1/capabilities", &wanted).ok(200);
    world.asks(100);
    let reference = world.sent_messages().sent[0].reference;
    let seen = ["apple_pay".to_owned(), "google_pay".to_owned()];
    world.run(world.machine.consent_callback.page().record_wallets(reference, &seen)).unwrap();
    world
}

fn at_fake_processor() -> World {
    let policy = json!({ "open_max": 20, "prompts_per_ten_minutes": 100, "session_code": false });
    let world = World::builder().with_fake_processor(&[]).with("/policy", &policy).build();
    let goes_on = || {
        let page = world.customer().newest().page;
        world.customer().answers_on(&page, &[("action", "approve_hosted")]).ok(303);
        page
    };
    let asked = world.asks(4250);
    let page = goes_on();
    world.customer().answers_on(&page, &[("action", "back")]).ok(303);
    goes_on();
    let reported = json!({ "request": asked.id, "attempt_no": 2, "success": true });
    world.processor_sends(&json!({ "reported": reported })).ok(202);
    let taken = RefundResult::Pending(Reference("re_1".to_owned()));
    world
        .fake_processor()
        .will_return_for_refunds([taken, RefundResult::Failed { code: "declined" }]);
    let some = json!({ "amount": 250, "reason": "One was broken" });
    world.acts(&asked, "refund", &some).ok(202);
    let reported = json!({ "request": asked.id, "seq": 1, "success": true });
    world.processor_sends(&json!({ "refund_reported": reported })).ok(202);
    world.acts(&asked, "refund", &json!({})).ok(202);
    for ask in [
        json!({ "kind": "payment_method", "description": "Keep it" }),
        json!({ "kind": "identity", "claims": ["given_name"], "description": "Who" }),
    ] {
        world.time_passes(1);
        let mut body = world.payment(PHONE, 1);
        body["ask"] = ask;
        let asked = world.asks_for(&body);
        let page = goes_on();
        if body["ask"]["kind"] == "identity" {
            world.comes_back(&asked, 1, Some(CODE)).ok(303);
        } else {
            world.fake_processor().customer_is_done(&asked, 1);
            world.customer().opens(&format!("{page}?done=1")).ok(200);
            world.run_until_idle();
        }
    }
    after_the_end(&world, &asked);
    world.fake_processor().will_return([Created::Blocked { by: Rejection::Credentials }]);
    world.asks(100);
    goes_on();
    world.time_passes(20);
    world
}

/// Plays the later events of a paid request: its first attempt had ended without a charge, and the second charged.
fn after_the_end(world: &World, asked: &CreatedRequest) {
    let dispute = |status: &str, stage: u8| json!({ "dispute": { "status": status, "stage": stage, "currency": "EUR" } });
    let refund = json!({ "refund": { "id": "re_9", "amount": 1, "success": true } });
    for what in [json!("capture_failed"), dispute("opened", 1), dispute("won", 3), refund] {
        let charge = json!({ "request": asked.id, "attempt_no": 2, "what": what });
        world.processor_sends(&json!({ "charge_of": charge })).ok(202);
    }
    for (payment, success) in [("psp8", true), ("psp9", false)] {
        let late = json!({ "request": asked.id, "attempt_no": 1, "payment": payment });
        world.processor_sends(&json!({ "late": late })).ok(202);
        let reported = json!({ "request": asked.id, "attempt_no": 1, "success": success });
        world.processor_sends(&json!({ "reversal_reported": reported })).ok(202);
    }
}

fn by_text() -> World {
    let world = World::builder().texting().build();
    let busy = Reply::Status(429, json!({ "code": 20429 }).to_string());
    world.replies("api.twilio.com", [busy, Reply::Lost]);
    world.asks(100);
    world.time_passes(5);
    let sent = world.calls_to("api.twilio.com").pop().unwrap();
    let reported = form_urlencoded::parse(&sent.body).find(|(name, _)| name == "StatusCallback");
    let uri = reported.unwrap().1.replacen(PUBLIC_BASE, "", 1);
    twilio(&world, &uri, &[("MessageSid", "SM1"), ("MessageStatus", "read")]);
    twilio(&world, "/callbacks/demo/sms", &[("Body", "STOP"), ("From", PHONE)]);
    world.run_until_idle();
    world
}

/// A customer who begins again, stops, and begins again. Each message has an id and a time.
fn with_words_of_a_customer() -> World {
    let world = World::builder().with_fake_channels(&["whatsapp"]).build();
    for (id, word) in [("a", "start"), ("b", "stop"), ("c", "start")] {
        world.time_passes(1);
        let from = json!({ "phone": PHONE, "at": world.now(), "id": id });
        world.channel_sends("whatsapp", &json!([{ word: { "from": from } }])).ok(200);
    }
    world.run_until_idle();
    world
}

fn twilio(core: &Core, uri: &str, pairs: &[(&str, &str)]) {
    let mut mac = Hmac::<Sha1>::new_from_slice(TWILIO_TOKEN.as_bytes()).unwrap();
    mac.update(format!("{PUBLIC_BASE}{uri}").as_bytes());
    pairs.iter().for_each(|(name, value)| mac.update(format!("{name}{value}").as_bytes()));
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let call = core.call(Method::POST, uri).key(None).header("x-twilio-signature", &signature);
    call.form(pairs).send().ok(200);
}

fn with_endpoint_gone() -> World {
    let world = World::new();
    world.replies("shop.example", [Reply::Status(410, String::new())]);
    world.asks_at("+15551239003", 4250);
    world
}

/// A customer whose card is checked and taken off file, and who is then erased.
fn forgotten() -> World {
    let world = at_fake_processor();
    let check = Message::V2 { task: Task::CheckCards };
    world.run(world.ports.queue.send(&check, Duration::ZERO)).unwrap();
    world.run_until_idle();
    let path = format!("/v1/customers/{PHONE}");
    let card = world.get(&path).ok(200).json()["cards"][0]["id"].clone();
    let card = format!("/v1/payment_methods/{}", card.as_str().unwrap());
    world.time_passes(400);
    world.call(Method::DELETE, &card).send().ok(202);
    world.run_until_idle();
    world.call(Method::DELETE, &path).send().ok(202);
    world.run_until_idle();
    world
}
