//! Cards and texts through AWS End User Messaging: what it is sent, what its topics tell, and what customers do there.

use domain::message::{Handled, QueueName};
use serde_json::json;
use tests::providers::eum::{HOST, events};
use tests::world::brand::OTHER_KEY;
use tests::world::{Asked, Core, PHONE, Reply, World, topics};

fn over_aws() -> World {
    World::beginning().over_aws().begin()
}

/// The service tells how a card fares.
fn card(core: &Core, place: usize, kind: &str, status: &str) {
    let reference = core.reference(place).to_string();
    core.tells_by_topic("rcs", &events::of_card(kind, status, &reference, PHONE));
}

/// The service tells how a text fares.
fn text(core: &Core, place: usize, status: &str) {
    let reference = core.reference(place).to_string();
    core.tells_by_topic("sms", &events::of_text(status, &reference, PHONE));
}

fn refused(core: &Core, asked: &Asked) -> serde_json::Value {
    core.reads(asked)["outcome"].clone()
}

#[test]
fn a_card_is_sent_as_the_service_takes_it() {
    let world = over_aws();
    let asked = world.asks(4250);
    let sent = world.messages_over_aws();
    assert_eq!((sent.len(), sent[0].operation.as_str()), (1, "SendRcsMessage"));
    assert_eq!(sent[0].body["DestinationPhoneNumber"], PHONE);
    let card = &sent[0].body["RcsMessageContent"]["Content"]["RichCard"]["CardContent"];
    assert!(format!("{card}").contains("42.50"), "{card}");
    assert!(sent[0].body["FallbackConfiguration"].is_null());
    assert_eq!(world.timeline(&asked), ["accepted rcs"]);
}

#[test]
fn receipts_that_come_twice_out_of_order_or_late_are_each_told_once() {
    let world = over_aws();
    let asked = world.asks(4250);
    card(&world, 0, "RCS_READ", "READ");
    for (kind, status) in [
        ("RCS_DELIVERED", "DELIVERED"),
        ("RCS_SENT", "SENT"),
        ("RCS_DELIVERED", "PENDING"),
        ("RCS_READ", "READ"),
        ("RCS_FAILED", "FAILED"),
    ] {
        card(&world, 0, kind, status);
        card(&world, 0, kind, status);
    }
    assert_eq!(world.timeline(&asked), ["accepted rcs", "read rcs"]);
    world.time_passes(60);
    assert_eq!(world.messages_over_aws().len(), 1, "what was read needs no other route");
    world.acts(&asked, "cancel", &json!({})).ok(200);
    let version = world.reads(&asked)["version"].clone();
    card(&world, 0, "RCS_DELIVERED", "DELIVERED");
    assert_eq!(world.reads(&asked)["version"], version);
}

#[test]
fn a_receipt_that_is_faster_than_the_answer_it_follows_is_kept() {
    let world = over_aws();
    world.meanwhile(&format!("called {HOST}"), |core| {
        card(core, 0, "RCS_DELIVERED", "DELIVERED");
    });
    let asked = world.asks(4250);
    assert_eq!(world.timeline(&asked), ["delivered rcs"]);
    assert_eq!(world.state(&asked), "prompted");
}

#[test]
fn a_card_that_will_not_arrive_hands_over_at_once_and_one_that_is_silent_after_a_while() {
    for (kind, status, reason) in [
        ("RCS_DELIVERED", "UNDELIVERABLE", "not_on_channel"),
        ("RCS_FAILED", "FAILED", "undelivered"),
        ("RCS_TTL_EXPIRED", "TTL_EXPIRED", "expired"),
        ("TTL_EXPIRATION_REVOKED", "TTL_EXPIRATION_REVOKED", "expired"),
    ] {
        let world = over_aws();
        let asked = world.asks(4250);
        card(&world, 0, kind, status);
        let failed = format!("failed rcs {reason}");
        assert_eq!(world.timeline(&asked), ["accepted rcs", &failed, "accepted sms"]);
    }
    let world = over_aws();
    let asked = world.asks(4250);
    world.time_passes(11);
    assert_eq!(world.timeline(&asked), ["accepted rcs"]);
    world.time_passes(2);
    assert_eq!(world.timeline(&asked), ["accepted rcs", "accepted sms", "superseded rcs"]);
    let sent = world.messages_over_aws();
    assert_eq!(sent[1].operation, "SendTextMessage");
    world.time_passes(120);
    assert_eq!(world.messages_over_aws().len(), 2, "no call waits for the receipt of a text");
}

#[test]
fn a_text_that_the_carrier_took_is_not_delivered_until_the_phone_has_it() {
    let world = World::beginning().with("/test/channels", &json!([topics::sms()])).begin();
    let asked = world.asks(4250);
    for status in ["QUEUED", "PENDING", "SUCCESSFUL"] {
        text(&world, 0, status);
    }
    assert_eq!(world.timeline(&asked), ["accepted sms"]);
    text(&world, 0, "DELIVERED");
    assert_eq!(world.timeline(&asked), ["accepted sms", "delivered sms"]);
    let unreachable = world.asks_at("+15551230009", 100);
    text(&world, 1, "UNREACHABLE");
    let outcome = json!({ "kind": "undeliverable", "reason": "unreachable" });
    assert_eq!(refused(&world, &unreachable), outcome);
}

#[test]
fn where_the_service_sends_a_text_by_itself_nobody_gets_two() {
    let mut rcs = topics::rcs();
    rcs["settings"]["sms_fallback"] = json!({ "origination_identity": "+15550001111" });
    let world = World::beginning().with("/test/channels", &json!([rcs, topics::sms()])).begin();
    let asked = world.asks(4250);
    let body = &world.messages_over_aws()[0].body;
    assert_eq!(body["FallbackConfiguration"]["OriginationIdentity"], "+15550001111");
    card(&world, 0, "RCS_TTL_EXPIRED", "TTL_EXPIRED");
    card(&world, 0, "RCS_FALLEN_BACK_TO_SMS", "PENDING");
    world.time_passes(60);
    assert_eq!(world.timeline(&asked), ["accepted rcs"]);
    let reference = world.reference(0).to_string();
    world.tells_by_topic("rcs", &events::of_text("DELIVERED", &reference, PHONE));
    assert_eq!(world.timeline(&asked), ["accepted rcs", "delivered rcs"]);
    let other = world.asks_at("+15551230009", 100);
    let reference = world.reference(1).to_string();
    world.tells_by_topic("rcs", &events::of_text("INVALID", &reference, "+15551230009"));
    let timeline = ["accepted rcs", "failed rcs not_a_mobile", "accepted sms"];
    assert_eq!(world.timeline(&other), timeline);
}

#[test]
fn an_answer_that_was_lost_is_never_asked_for_twice_and_a_busy_service_is() {
    let world = World::beginning().with("/test/channels", &json!([topics::rcs()])).begin();
    world.replies(HOST, [Reply::Lost]);
    let asked = world.asks(4250);
    assert_eq!(world.timeline(&asked), ["unknown rcs"]);
    world.comes_again(world.sent().into_iter().map(|(owed, _)| owed));
    world.time_passes(100);
    assert_eq!(world.messages_over_aws().len(), 1);
    card(&world, 0, "RCS_DELIVERED", "DELIVERED");
    assert_eq!(world.state(&asked), "prompted");
    let busy = json!({ "__type": "ThrottlingException" }).to_string();
    world.replies(HOST, [Reply::Status(429, busy)]);
    let other = world.asks_at("+15551230009", 100);
    world.time_passes(5);
    assert_eq!((world.state(&other).as_str(), world.messages_over_aws().len()), ("prompted", 3));
}

#[test]
fn stop_ends_what_is_open_and_nothing_is_sent_until_start() {
    let world = over_aws();
    let asked = world.asks(4250);
    world.tells_by_topic("rcs", &events::text(PHONE, "Stop."));
    assert_eq!(refused(&world, &asked), json!({ "kind": "denied", "reason": "opted_out" }));
    world.tells_by_topic("rcs", &events::text(PHONE, "Stop."));
    let refused = world.post("/v1/requests", &world.payment(PHONE, 100));
    refused.problem(403, "address-opted-out");
    world.tells_by_topic("sms", &events::text(PHONE, "START"));
    world.asks(100);
    assert_eq!(world.messages_over_aws().len(), 2);
}

#[test]
fn what_is_no_answer_changes_nothing_and_is_kept_nowhere() {
    let world = over_aws();
    let asked = world.asks(4250);
    let version = world.reads(&asked)["version"].clone();
    let typed = json!({ "type": "SUGGESTION", "postbackData": "approve" }).to_string();
    for message in [
        events::typing(PHONE),
        events::conversation_started(PHONE),
        events::text(PHONE, "my card is 4111 1111 1111 1111"),
        events::text(PHONE, &typed),
        events::tap(PHONE, "Pay", &"0".repeat(96)),
    ] {
        world.tells_by_topic("rcs", &message);
    }
    assert_eq!(world.reads(&asked)["version"], version);
    let kept = |word: &str| {
        world.logs().contains(word) || world.items().iter().any(|item| item.body.contains(word))
    };
    assert!(!kept("4111 1111"));
}

#[test]
fn a_topic_that_is_nobodys_is_heard_and_says_nothing() {
    let world = over_aws();
    let asked = world.asks(4250);
    let version = world.reads(&asked)["version"].clone();
    let reference = world.reference(0).to_string();
    let failed = events::of_card("RCS_FAILED", "FAILED", &reference, PHONE);
    for topic in [
        "assent_nobody_rcs",
        "assent_demo_whatsapp",
        "assent_demo",
        "assent_demo_rcs_2",
        "assent__rcs",
        "assent_Demo_rcs",
        "assentdemo_rcs",
        "another_demo_rcs",
        "",
    ] {
        assert_eq!(world.publishes(topic, &failed), Handled::Done, "{topic}");
    }
    for message in ["", "{", "[]", "hello", "{\"eventType\":1}"] {
        let heard = world.publishes("assent_demo_rcs", message);
        assert_eq!(heard, Handled::Done, "{message}");
    }
    assert_eq!(world.reads(&asked)["version"], version);
    assert!(world.logs().contains("a topic that is no channel's told something"));
    assert!(world.logs().contains("a topic told what its channel cannot read"));
}

#[test]
fn what_cannot_be_recorded_now_fails_the_run_and_is_recorded_by_the_next() {
    let mut rcs = topics::rcs();
    rcs["settings"]["region"] = json!("");
    let world = over_aws();
    let asked = world.asks(4250);
    let reference = world.reference(0).to_string();
    let delivered = events::of_card("RCS_DELIVERED", "DELIVERED", &reference, PHONE);
    world.rotates("/test/channels", &json!([rcs]));
    assert_eq!(world.publishes("assent_demo_rcs", &delivered), Handled::Again);
    assert_eq!(world.timeline(&asked), ["accepted rcs"]);
    world.rotates("/test/channels", &json!([topics::rcs(), topics::sms()]));
    assert_eq!(world.publishes("assent_demo_rcs", &delivered), Handled::Done);
    assert_eq!(world.timeline(&asked), ["accepted rcs", "delivered rcs"]);
}

#[test]
fn an_event_about_somebody_elses_request_is_heard_and_changes_nothing() {
    let world = over_aws();
    let mut body = world.payment(PHONE, 4250);
    body["session"]["id"] = json!("theirs");
    let call = world.call(http::Method::POST, "/v1/requests").key(OTHER_KEY).json(&body).send();
    let call = call.ok(201);
    world.takes(QueueName::Prompts);
    world.settles();
    let id = call.json()["id"].as_str().unwrap().to_owned();
    let theirs = world.customer().newest();
    let reference = format!("{id}.{}", theirs.text("id"));
    world.tells_by_topic("rcs", &events::of_card("RCS_FAILED", "FAILED", &reference, PHONE));
    let read = world.call(http::Method::GET, call.header("location")).key(OTHER_KEY).send();
    assert_eq!(read.ok(200).json()["state"], "prompted");
}

/// What the button that says so brings back.
fn postback(core: &Core, place: usize, label: &str) -> String {
    let buttons = core.buttons(place);
    let button = buttons.iter().find(|(says, _)| says == label);
    button.unwrap_or_else(|| panic!("{label} is not in {buttons:?}")).1.clone()
}

/// The customer taps on the card sent at that place.
fn taps(core: &Core, place: usize, label: &str) {
    core.tells_by_topic("rcs", &events::tap(PHONE, label, &postback(core, place, label)));
}

fn without_code() -> World {
    World::beginning().over_aws().with("/policy", &json!({ "session_code": false })).begin()
}

#[test]
fn a_tap_on_the_code_that_the_agent_reads_out_is_a_yes_and_is_charged_once() {
    let world = over_aws();
    let asked = world.asks(4250);
    let code = asked.answer["session_code"].as_str().unwrap();
    assert_eq!(world.buttons(0).len(), 4, "three codes, and not me");
    card(&world, 0, "RCS_DELIVERED", "DELIVERED");
    taps(&world, 0, code);
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.timeline(&asked)[..3], ["accepted rcs", "delivered rcs", "authorized rcs"]);
    let version = world.reads(&asked)["version"].clone();
    taps(&world, 0, code);
    card(&world, 0, "RCS_READ", "READ");
    assert_eq!(world.reads(&asked)["version"], version);
    assert_eq!(world.stored(&asked).attempts.len(), 1);
    let refused = world.asks(100);
    let code = refused.answer["session_code"].as_str().unwrap();
    let (wrong, _) = world.buttons(1).into_iter().find(|(says, _)| says != code).unwrap();
    taps(&world, 1, &wrong);
    let outcome = json!({ "kind": "denied", "reason": "wrong_session_code" });
    assert_eq!(world.reads(&refused)["outcome"], outcome);
}

#[test]
fn a_tap_on_yes_counts_and_one_that_only_opens_the_page_does_not() {
    let world = without_code();
    let asked = world.asks(4250);
    let sent = world.messages_over_aws();
    let card = &sent[0].body["RcsMessageContent"]["Content"]["RichCard"]["CardContent"];
    let opens = card["Suggestions"].as_array().unwrap().iter().find_map(|one| one.get("OpenUrl"));
    let opens = opens.unwrap()["Text"].as_str().unwrap();
    let version = world.reads(&asked)["version"].clone();
    taps(&world, 0, opens);
    assert_eq!(world.reads(&asked)["version"], version);
    taps(&world, 0, "Approve");
    assert_eq!(world.state(&asked), "fulfilled");
    let other = world.asks(100);
    taps(&world, 1, "Decline");
    let outcome = json!({ "kind": "denied", "reason": "customer" });
    assert_eq!(world.reads(&other)["outcome"], outcome);
}

#[test]
fn a_tap_that_comes_late_or_on_a_card_that_another_prompt_replaced_changes_nothing() {
    let world = without_code();
    let replaced = world.asks(4250);
    world.time_passes(13);
    assert_eq!(world.messages_over_aws().len(), 2, "the text took the card's place");
    let version = world.reads(&replaced)["version"].clone();
    taps(&world, 0, "Approve");
    assert_eq!(world.reads(&replaced)["version"], version);
    world.acts(&replaced, "cancel", &json!({})).ok(200);
    let expired = world.asks(100);
    card(&world, 2, "RCS_READ", "READ");
    world.time_passes(301);
    let version = world.reads(&expired)["version"].clone();
    for label in ["Approve", "Decline", "This is not me"] {
        taps(&world, 2, label);
    }
    assert_eq!(world.reads(&expired)["version"], version);
    assert_eq!(world.state(&expired), "expired");
}

#[test]
fn a_tap_on_a_card_that_was_said_to_have_failed_counts_all_the_same() {
    let world = without_code();
    let asked = world.asks(4250);
    card(&world, 0, "RCS_FAILED", "FAILED");
    let timeline = ["accepted rcs", "failed rcs undelivered", "accepted sms"];
    assert_eq!(world.timeline(&asked), timeline);
    taps(&world, 0, "Approve");
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn where_both_modes_hear_topics_the_topic_s_name_says_whose_it_is() {
    let mut live = topics::rcs();
    live["settings"]["sms_fallback"] = json!({ "origination_identity": "+15550001111" });
    let world = World::beginning().over_aws().with("/live/channels", &json!([live])).begin();
    let asked = world.asks(4250);
    let reference = world.reference(0).to_string();
    let failed = events::of_card("RCS_FAILED", "FAILED", &reference, PHONE);
    for topic in ["assent_demo_rcs", "assent_demo_rcs_live"] {
        assert_eq!(world.publishes(topic, &failed), Handled::Done);
        assert_eq!(world.timeline(&asked), ["accepted rcs"], "a text goes out in live mode");
    }
    assert_eq!(world.publishes("assent_demo_rcs_test", &failed), Handled::Done);
    let timeline = ["accepted rcs", "failed rcs undelivered", "accepted sms"];
    assert_eq!(world.timeline(&asked), timeline);
}
