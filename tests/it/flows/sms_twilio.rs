//! Texts through Twilio: the calls made, its receipts, and customers' replies.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde_json::json;
use sha1::Sha1;
use tests::world::brand::{OTHER_KEY, TWILIO_TOKEN};
use tests::world::{Answer, Core, CreatedRequest, PHONE, PUBLIC_BASE, Reply, World};
use texts::TextLanguage;

const TWILIO: &str = "api.twilio.com";

fn texting() -> World {
    World::builder().texting().build()
}

/// Returns the form fields of the text, as Twilio got them.
fn text(core: &Core, place: usize) -> Vec<(String, String)> {
    form_urlencoded::parse(&core.calls_to(TWILIO)[place].body).into_owned().collect()
}

fn field(core: &Core, place: usize, name: &str) -> String {
    text(core, place).into_iter().find(|(known, _)| known == name).unwrap().1
}

/// Signs a callback as Twilio does: HMAC-SHA1 over the address and the sorted form.
pub(super) fn signed(core: &Core, uri: &str, pairs: &[(&str, &str)], token: &str) -> Answer {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(format!("{PUBLIC_BASE}{uri}").as_bytes());
    sorted.iter().for_each(|(name, value)| mac.update(format!("{name}{value}").as_bytes()));
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let call = core.call(Method::POST, uri).key(None).idempotency(None);
    call.header("x-twilio-signature", &signature).form(pairs).send()
}

fn reports(core: &Core, place: usize, status: &str, error: Option<&str>) -> Answer {
    let uri = field(core, place, "StatusCallback").replacen(PUBLIC_BASE, "", 1);
    let mut pairs = vec![("MessageSid", "SM0"), ("MessageStatus", status), ("To", PHONE)];
    pairs.extend(error.map(|code| ("ErrorCode", code)));
    let answer = signed(core, &uri, &pairs, TWILIO_TOKEN);
    core.run_until_idle();
    answer
}

fn writes(core: &Core, words: &str) -> Answer {
    let sid = format!("SM{}", domain::digest::digest_hex(words.as_bytes()));
    let pairs = [("Body", words), ("From", PHONE), ("MessageSid", &sid), ("SmsStatus", "received")];
    let answer = signed(core, "/callbacks/demo/sms", &pairs, TWILIO_TOKEN);
    core.run_until_idle();
    answer
}

/// Returns the consent page's path from the text.
fn page(core: &Core, place: usize) -> String {
    let text = field(core, place, "Body");
    let (_, path) = text.split_once(PUBLIC_BASE).unwrap();
    path.split_whitespace().next().unwrap().to_owned()
}

fn code(asked: &CreatedRequest) -> String {
    asked.answer["session_code"].as_str().unwrap().to_owned()
}

#[test]
fn text_with_link_is_sent_opened_and_approved() {
    let world = texting();
    let asked = world.asks(4250);
    assert_eq!(field(&world, 0, "To"), PHONE);
    assert!(field(&world, 0, "Body").contains("42.50"));
    assert_eq!(world.timeline(&asked), ["accepted sms"]);
    reports(&world, 0, "delivered", None).ok(200);
    let page = page(&world, 0);
    let fields = [("action", "approve"), ("session_code", &code(&asked))];
    world.customer().answers_on(&page, &fields).ok(303);
    assert_eq!(world.state(&asked), "fulfilled");
    let reported = ["prompted", "delivered", "opened", "authorized", "fulfilled"];
    assert_eq!(world.webhooks(), reported.map(|what| format!("request.{what}")));
}

#[test]
fn receipts_repeated_unordered_or_late_are_reported_once() {
    let world = texting();
    let asked = world.asks(4250);
    reports(&world, 0, "read", None);
    for status in ["delivered", "sent", "queued", "read", "delivered"] {
        reports(&world, 0, status, None);
    }
    assert_eq!(world.timeline(&asked), ["accepted sms", "read sms"]);
    reports(&world, 0, "undelivered", Some("30003"));
    assert_eq!(world.timeline(&asked), ["accepted sms", "read sms"]);
    world.acts(&asked, "cancel", &json!({})).ok(200);
    let version = world.reads(&asked)["version"].clone();
    reports(&world, 0, "delivered", None);
    assert_eq!(world.reads(&asked)["version"], version);
}

#[test]
fn receipt_before_its_answer_is_kept() {
    let world = texting();
    world.meanwhile("called api.twilio.com", |core| {
        reports(core, 0, "delivered", None);
    });
    let asked = world.asks(4250);
    assert_eq!(world.timeline(&asked), ["delivered sms"]);
    assert_eq!(world.state(&asked), "prompted");
}

#[test]
fn undeliverable_text_falls_back_at_once() {
    let world = World::builder()
        .with(
            "/test/channels",
            &json!([
                { "name": "sms", "kind": "sms", "settings": tests::world::brand::twilio() },
                { "name": "rcs", "kind": "sandbox" },
            ]),
        )
        .build();
    let asked = world.asks(4250);
    reports(&world, 0, "undelivered", Some("30003"));
    let timeline = ["accepted sms", "failed sms unreachable", "accepted rcs", "delivered rcs"];
    assert_eq!(world.timeline(&asked), timeline);
}

#[test]
fn lost_answer_is_never_sent_twice() {
    let world = texting();
    world.replies(TWILIO, [Reply::Lost]);
    let asked = world.asks(4250);
    assert_eq!(world.timeline(&asked), ["unknown sms"]);
    world.redeliver(world.sent().into_iter().map(|(owed, _)| owed));
    world.time_passes(200);
    assert_eq!(world.calls_to(TWILIO).len(), 1);
    reports(&world, 0, "delivered", None);
    assert_eq!(world.state(&asked), "prompted");
}

#[test]
fn busy_carrier_is_retried_and_a_rejection_is_not() {
    let world = texting();
    let busy = || Reply::Status(429, json!({ "code": 20429 }).to_string());
    world.replies(TWILIO, [busy()]);
    let asked = world.asks(4250);
    world.time_passes(5);
    assert_eq!(world.state(&asked), "prompted");
    assert_eq!(world.calls_to(TWILIO).len(), 2);
    world.replies(TWILIO, [Reply::Status(400, json!({ "code": 21211 }).to_string())]);
    let refused = world.asks_at("+15551230009", 4250);
    let outcome = json!({ "kind": "undeliverable", "reason": "not_a_mobile" });
    assert_eq!(world.reads(&refused)["outcome"], outcome);
}

#[test]
fn passing_failure_told_by_a_status_is_retried_in_time() {
    let world = texting();
    let asked = world.asks(4250);
    reports(&world, 0, "undelivered", Some("30001"));
    reports(&world, 0, "undelivered", Some("30001"));
    assert_eq!((world.state(&asked).as_str(), world.calls_to(TWILIO).len()), ("prompted", 1));
    world.time_passes(3);
    assert_eq!(world.calls_to(TWILIO).len(), 2);
    reports(&world, 1, "failed", Some("30022"));
    world.time_passes(3);
    assert_eq!(world.calls_to(TWILIO).len(), 3);
    let busy = ["accepted sms", "failed sms channel_busy"];
    assert_eq!(world.timeline(&asked), [&busy[..], &busy, &busy[..1]].concat());
    reports(&world, 2, "failed", Some("30017"));
    let outcome = json!({ "kind": "undeliverable", "reason": "channel_busy" });
    assert_eq!(world.reads(&asked)["outcome"], outcome, "three times are enough");
}

#[test]
fn passing_failure_starts_the_next_route_at_once() {
    let channels = json!([
        { "name": "sms", "kind": "sms", "settings": tests::world::brand::twilio() },
        { "name": "rcs", "kind": "sandbox" },
    ]);
    let world = World::builder().with("/test/channels", &channels).build();
    let asked = world.asks(4250);
    reports(&world, 0, "undelivered", Some("30001"));
    let timeline = ["accepted sms", "failed sms channel_busy", "accepted rcs", "delivered rcs"];
    assert_eq!(world.timeline(&asked), timeline);
}

#[test]
fn opt_out_ends_open_requests_until_opt_in() {
    let world = texting();
    let asked = world.asks(4250);
    let answer = writes(&world, "Stop.");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "opted_out" }));
    let refused = world.post("/v1/requests", &world.payment(PHONE, 100));
    refused.problem(403, "address-opted-out");
    let mut body = world.payment(PHONE, 100);
    body.as_object_mut().unwrap().remove("session");
    let routes = world.post("/v1/capabilities", &body).ok(200).json();
    assert_eq!(routes["routes"][0]["reason"], "opted_out");
    assert_eq!(routes["routes"][0]["reachable"], false);
    assert_eq!(world.calls_to(TWILIO).len(), 1);
    let mut others = body.clone();
    others["session"] = json!({ "kind": "chat", "id": "x" });
    let other = world.call(Method::POST, "/v1/requests").key(OTHER_KEY).json(&others).send();
    other.ok(201);
    world.run_until_idle();
    writes(&world, "START");
    world.asks(100);
    assert_eq!(world.calls_to(TWILIO).len(), 2);
}

#[test]
fn opt_out_before_the_prompt_suppresses_the_prompt() {
    let world = texting();
    let asked = world.accepted(&world.payment(PHONE, 4250));
    writes(&world, "ARRET");
    world.run_until_idle();
    assert_eq!(world.state(&asked), "denied");
    assert!(world.calls_to(TWILIO).is_empty());
}

#[test]
fn unrelated_text_changes_nothing_and_is_not_kept() {
    let world = texting();
    let asked = world.asks(4250);
    let version = world.reads(&asked)["version"].clone();
    for words in ["my card is 4111 1111 1111 1111", "yes", "who is this"] {
        writes(&world, words);
    }
    assert_eq!(world.reads(&asked)["version"], version);
    let kept = |word: &str| {
        world.logs().contains(word) || world.items().iter().any(|item| item.body.contains(word))
    };
    assert!(!kept("4111 1111") && !kept("who is this"));
}

#[test]
fn button_label_as_a_text_is_never_an_opt_out() {
    let world = texting();
    let labels = |spoken: TextLanguage| [spoken.page().approve, spoken.page().deny];
    for word in TextLanguage::ALL.into_iter().flat_map(labels) {
        writes(&world, word);
        let stopped = world.items().into_iter().any(|item| item.key.sk.starts_with("STOP"));
        assert!(!stopped, "{word} opts out");
    }
}

#[test]
fn forged_callback_is_rejected_and_replay_is_harmless() {
    let world = texting();
    let asked = world.asks(4250);
    let uri = field(&world, 0, "StatusCallback").replacen(PUBLIC_BASE, "", 1);
    let pairs = [("MessageSid", "SM0"), ("MessageStatus", "delivered"), ("To", PHONE)];
    let forged = signed(&world, &uri, &pairs, "another token");
    forged.problem(403, "callback-forged");
    let unsigned = world.call(Method::POST, &uri).key(None).form(&pairs).send();
    unsigned.problem(403, "callback-forged");
    assert_eq!(world.timeline(&asked), ["accepted sms"]);
    reports(&world, 0, "delivered", None).ok(200);
    let version = world.reads(&asked)["version"].clone();
    reports(&world, 0, "delivered", None).ok(200);
    assert_eq!(world.reads(&asked)["version"], version);
    let absent = signed(&world, "/callbacks/demo/rcs", &pairs, TWILIO_TOKEN);
    absent.problem(404, "not-found");
    let absent = signed(&world, "/callbacks/unknown/sms", &pairs, TWILIO_TOKEN);
    absent.problem(404, "not-found");
}

#[test]
fn receipt_of_another_request_changes_nothing() {
    let world = texting();
    let mut body = world.payment(PHONE, 4250);
    body["session"]["id"] = json!("theirs");
    let call = world.call(Method::POST, "/v1/requests").key(OTHER_KEY).json(&body).send().ok(201);
    world.run_until_idle();
    let id = call.json()["id"].as_str().unwrap().to_owned();
    let theirs = world.customer().newest();
    let uri = format!("/callbacks/demo/sms?ref={id}.{}", theirs.text("id"));
    let pairs = [("MessageSid", "SM0"), ("MessageStatus", "failed")];
    signed(&world, &uri, &pairs, TWILIO_TOKEN).ok(200);
    world.run_until_idle();
    let read = world.call(Method::GET, call.header("location")).key(OTHER_KEY).send();
    assert_eq!(read.ok(200).json()["state"], "prompted");
}
