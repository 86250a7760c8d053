//! AWS End User Messaging: cards and texts sent, events of its topics, and customers' replies.

use domain::message::{MessageResult, QueueName};
use serde_json::json;
use tests::providers::aws_messaging::{HOST, events};
use tests::world::brand::OTHER_KEY;
use tests::world::{Core, CreatedRequest, PHONE, Reply, World, topics};

fn over_aws() -> World {
    World::builder().over_aws().build()
}

/// Reports the status of a card, as AWS does.
fn card(core: &Core, place: usize, kind: &str, status: &str) {
    let reference = core.reference(place).to_string();
    core.topic_sends("rcs", &events::of_card(kind, status, &reference, PHONE));
}

/// Reports the status of a text, as AWS does.
fn text(core: &Core, place: usize, status: &str) {
    let reference = core.reference(place).to_string();
    core.topic_sends("sms", &events::of_text(status, &reference, PHONE));
}

fn refused(core: &Core, asked: &CreatedRequest) -> serde_json::Value {
    core.reads(asked)["outcome"].clone()
}

#[test]
fn card_matches_the_wire_format_of_aws() {
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
fn receipts_repeated_unordered_or_late_are_reported_once() {
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
fn receipt_before_its_answer_is_kept() {
    let world = over_aws();
    world.meanwhile(&format!("called {HOST}"), |core| {
        card(core, 0, "RCS_DELIVERED", "DELIVERED");
    });
    let asked = world.asks(4250);
    assert_eq!(world.timeline(&asked), ["delivered rcs"]);
    assert_eq!(world.state(&asked), "prompted");
}

#[test]
fn undeliverable_card_falls_back_and_silent_one_later() {
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
fn carrier_receipt_of_text_is_not_delivery() {
    let world = World::builder().with("/test/channels", &json!([topics::sms()])).build();
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
fn fallback_text_by_aws_is_sent_once() {
    let mut rcs = topics::rcs();
    rcs["settings"]["sms_fallback"] = json!({ "origination_identity": "+15550001111" });
    let world = World::builder().with("/test/channels", &json!([rcs, topics::sms()])).build();
    let asked = world.asks(4250);
    let body = &world.messages_over_aws()[0].body;
    assert_eq!(body["FallbackConfiguration"]["OriginationIdentity"], "+15550001111");
    card(&world, 0, "RCS_TTL_EXPIRED", "TTL_EXPIRED");
    card(&world, 0, "RCS_FALLEN_BACK_TO_SMS", "PENDING");
    world.time_passes(60);
    assert_eq!(world.timeline(&asked), ["accepted rcs"]);
    let reference = world.reference(0).to_string();
    world.topic_sends("rcs", &events::of_text("DELIVERED", &reference, PHONE));
    assert_eq!(world.timeline(&asked), ["accepted rcs", "delivered rcs"]);
    let other = world.asks_at("+15551230009", 100);
    let reference = world.reference(1).to_string();
    world.topic_sends("rcs", &events::of_text("INVALID", &reference, "+15551230009"));
    let timeline = ["accepted rcs", "failed rcs not_a_mobile", "accepted sms"];
    assert_eq!(world.timeline(&other), timeline);
}

#[test]
fn lost_answer_is_not_retried_and_busy_service_is() {
    let world = World::builder().with("/test/channels", &json!([topics::rcs()])).build();
    world.replies(HOST, [Reply::Lost]);
    let asked = world.asks(4250);
    assert_eq!(world.timeline(&asked), ["unknown rcs"]);
    world.redeliver(world.sent().into_iter().map(|(owed, _)| owed));
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
fn opt_out_ends_open_requests_until_opt_in() {
    let world = over_aws();
    let asked = world.asks(4250);
    world.topic_sends("rcs", &events::text(PHONE, "Stop."));
    assert_eq!(refused(&world, &asked), json!({ "kind": "denied", "reason": "opted_out" }));
    world.topic_sends("rcs", &events::text(PHONE, "Stop."));
    let refused = world.post("/v1/requests", &world.payment(PHONE, 100));
    refused.problem(403, "address-opted-out");
    world.topic_sends("sms", &events::text(PHONE, "START"));
    world.asks(100);
    assert_eq!(world.messages_over_aws().len(), 2);
}

#[test]
fn unrelated_event_changes_nothing_and_is_not_kept() {
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
        world.topic_sends("rcs", &message);
    }
    assert_eq!(world.reads(&asked)["version"], version);
    let kept = |word: &str| {
        world.logs().contains(word) || world.items().iter().any(|item| item.body.contains(word))
    };
    assert!(!kept("4111 1111"));
}

#[test]
fn event_of_unknown_topic_is_accepted_and_ignored() {
    let world = over_aws();
    let asked = world.asks(4250);
    let version = world.reads(&asked)["version"].clone();
    let reference = world.reference(0).to_string();
    let failed = events::of_card("RCS_FAILED", "FAILED", &reference, PHONE);
    for topic in [
        "assent_unknown_rcs",
        "assent_demo_whatsapp",
        "assent_demo",
        "assent_demo_rcs_2",
        "assent__rcs",
        "assent_Demo_rcs",
        "assentdemo_rcs",
        "another_demo_rcs",
        "",
    ] {
        assert_eq!(world.publishes(topic, &failed), MessageResult::Done, "{topic}");
    }
    for message in ["", "{", "[]", "hello", "{\"eventType\":1}"] {
        let heard = world.publishes("assent_demo_rcs", message);
        assert_eq!(heard, MessageResult::Done, "{message}");
    }
    assert_eq!(world.reads(&asked)["version"], version);
    assert!(world.logs().contains("topic message dropped: no channel owns the topic"));
    assert!(world.logs().contains("topic message dropped: no channel can read it"));
}

#[test]
fn event_unrecorded_now_is_recorded_by_the_next_run() {
    let mut rcs = topics::rcs();
    rcs["settings"]["region"] = json!("");
    let world = over_aws();
    let asked = world.asks(4250);
    let reference = world.reference(0).to_string();
    let delivered = events::of_card("RCS_DELIVERED", "DELIVERED", &reference, PHONE);
    world.rotates("/test/channels", &json!([rcs]));
    assert_eq!(world.publishes("assent_demo_rcs", &delivered), MessageResult::Again);
    assert_eq!(world.timeline(&asked), ["accepted rcs"]);
    world.rotates("/test/channels", &json!([topics::rcs(), topics::sms()]));
    assert_eq!(world.publishes("assent_demo_rcs", &delivered), MessageResult::Done);
    assert_eq!(world.timeline(&asked), ["accepted rcs", "delivered rcs"]);
}

#[test]
fn event_of_another_request_changes_nothing() {
    let world = over_aws();
    let mut body = world.payment(PHONE, 4250);
    body["session"]["id"] = json!("theirs");
    let call = world.call(http::Method::POST, "/v1/requests").key(OTHER_KEY).json(&body).send();
    let call = call.ok(201);
    world.handle_queue(QueueName::Prompts);
    world.run_until_idle();
    let id = call.json()["id"].as_str().unwrap().to_owned();
    let theirs = world.customer().newest();
    let reference = format!("{id}.{}", theirs.text("id"));
    world.topic_sends("rcs", &events::of_card("RCS_FAILED", "FAILED", &reference, PHONE));
    let read = world.call(http::Method::GET, call.header("location")).key(OTHER_KEY).send();
    assert_eq!(read.ok(200).json()["state"], "prompted");
}

/// Returns the postback of the button with that label.
fn postback(core: &Core, place: usize, label: &str) -> String {
    let buttons = core.buttons(place);
    let button = buttons.iter().find(|(says, _)| says == label);
    button.unwrap_or_else(|| panic!("{label} is not in {buttons:?}")).1.clone()
}

/// Taps a button of the card at that place, as the customer.
fn taps(core: &Core, place: usize, label: &str) {
    core.topic_sends("rcs", &events::tap(PHONE, label, &postback(core, place, label)));
}

fn without_code() -> World {
    World::builder().over_aws().with("/policy", &json!({ "session_code": false })).build()
}

#[test]
fn tap_on_the_right_code_is_charged_once() {
    let world = over_aws();
    let asked = world.asks(4250);
    let code = asked.answer["session_code"].as_str().unwrap();
    assert_eq!(world.buttons(0).len(), 4, "three codes, and a no");
    card(&world, 0, "RCS_DELIVERED", "DELIVERED");
    taps(&world, 0, code);
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.timeline(&asked)[..3], ["accepted rcs", "delivered rcs", "authorized rcs"]);
    let timeline = world.timeline(&asked);
    taps(&world, 0, code);
    card(&world, 0, "RCS_READ", "READ");
    assert_eq!(world.timeline(&asked), timeline);
    assert_eq!(world.stored(&asked).attempts.len(), 1);
    let refused = world.asks(100);
    let code = refused.answer["session_code"].as_str().unwrap();
    // Between the two cards, the thread said that it is paid.
    let (wrong, _) = world.buttons(2).into_iter().find(|(says, _)| says != code).unwrap();
    taps(&world, 2, &wrong);
    let outcome = json!({ "kind": "denied", "reason": "wrong_session_code" });
    assert_eq!(world.reads(&refused)["outcome"], outcome);
}

#[test]
fn tap_on_approve_counts_and_tap_on_link_does_not() {
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
    taps(&world, 2, "Decline");
    let outcome = json!({ "kind": "denied", "reason": "customer" });
    assert_eq!(world.reads(&other)["outcome"], outcome);
}

#[test]
fn tap_late_or_on_superseded_card_changes_nothing() {
    let world = without_code();
    let replaced = world.asks(4250);
    world.time_passes(13);
    assert_eq!(world.messages_over_aws().len(), 2, "the text took the card's place");
    let timeline = world.timeline(&replaced);
    taps(&world, 0, "Approve");
    assert_eq!(
        (world.state(&replaced).as_str(), world.timeline(&replaced)),
        ("prompted", timeline)
    );
    world.acts(&replaced, "cancel", &json!({})).ok(200);
    let expired = world.asks(100);
    // The thread said that the first card's button was spent.
    card(&world, 3, "RCS_READ", "READ");
    world.time_passes(301);
    let timeline = world.timeline(&expired);
    for label in ["Approve", "Decline", "This is not me"] {
        taps(&world, 3, label);
    }
    assert_eq!(world.timeline(&expired), timeline);
    assert_eq!(world.state(&expired), "expired");
}

#[test]
fn tap_on_card_reported_failed_still_counts() {
    let world = without_code();
    let asked = world.asks(4250);
    card(&world, 0, "RCS_FAILED", "FAILED");
    let timeline = ["accepted rcs", "failed rcs undelivered", "accepted sms"];
    assert_eq!(world.timeline(&asked), timeline);
    taps(&world, 0, "Approve");
    assert_eq!(world.state(&asked), "fulfilled");
}

#[test]
fn topic_name_tells_brand_and_mode() {
    let mut live = topics::rcs();
    live["settings"]["sms_fallback"] = json!({ "origination_identity": "+15550001111" });
    let world = World::builder().over_aws().with("/live/channels", &json!([live])).build();
    let asked = world.asks(4250);
    let reference = world.reference(0).to_string();
    let failed = events::of_card("RCS_FAILED", "FAILED", &reference, PHONE);
    assert_eq!(world.publishes("assent_demo_rcs_live", &failed), MessageResult::Done);
    assert_eq!(world.timeline(&asked), ["accepted rcs"], "another mode's topic says nothing");
    assert_eq!(world.publishes("assent_demo_rcs_test", &failed), MessageResult::Done);
    let timeline = ["accepted rcs", "failed rcs undelivered", "accepted sms"];
    assert_eq!(world.timeline(&asked), timeline);
    let asked = world.asks_at("+15551230009", 100);
    let reference = world.reference(2).to_string();
    let failed = events::of_card("RCS_FAILED", "FAILED", &reference, "+15551230009");
    assert_eq!(world.publishes("assent_demo_rcs", &failed), MessageResult::Done);
    assert_eq!(world.timeline(&asked), timeline, "a topic of both modes leaves it to the prompt");
}

/// One configuration set and one topic may serve both channels of an account.
#[test]
fn event_of_another_channel_on_the_same_topic_counts() {
    let world = over_aws();
    let asked = world.asks(4250);
    card(&world, 0, "RCS_FAILED", "FAILED");
    let reference = world.reference(1).to_string();
    world.topic_sends("rcs", &events::of_text("DELIVERED", &reference, PHONE));
    let timeline = ["accepted rcs", "failed rcs undelivered", "accepted sms", "delivered sms"];
    assert_eq!(world.timeline(&asked), timeline);
}
