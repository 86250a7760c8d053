//! The scenes that the sandbox phone plays: texts, and later reports of a processor or a provider.

use serde_json::{Value, json};
use tests::world::{Answer, CreatedRequest, Message, PHONE, World};

fn begin() -> World {
    let policy = json!({
        "session_code": false, "open_max": 9, "text_replies": true, "cooldown_seconds": 1,
        "prompts_per_ten_minutes": 99, "denials_per_ten_minutes": 99,
    });
    World::builder().with("/policy", &policy).build()
}

/// A request of 42.50 euro that was paid by tap, and its message.
fn paid(world: &World) -> (CreatedRequest, Message) {
    let asked = world.asks(4250);
    let message = world.customer().newest();
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
    (asked, message)
}

fn plays(world: &World, message: &Message, body: &Value) -> Answer {
    let answer = world.customer().taps(message, body);
    world.run_until_idle();
    answer
}

fn reports(world: &World, message: &Message, report: &str) {
    plays(world, message, &json!({ "report": report })).ok(200);
}

#[test]
fn dispute_is_played_from_its_opening_to_its_end() {
    for (end, state) in [("dispute_won", "won"), ("dispute_lost", "lost")] {
        let world = begin();
        let (asked, message) = paid(&world);
        let outcome = world.reads(&asked)["outcome"].clone();
        for (report, state, event) in [
            ("dispute_opened", "opened", "request.disputed"),
            ("charged_back", "charged_back", "request.disputed"),
            (end, state, "request.dispute_closed"),
        ] {
            reports(&world, &message, report);
            let dispute = world.reads(&asked)["disputes"][0].clone();
            assert_eq!((&dispute["state"], &dispute["amount"]), (&json!(state), &json!(4250)));
            assert_eq!(world.webhooks().last().unwrap(), event);
        }
        let now = world.reads(&asked);
        assert_eq!((&now["state"], &now["outcome"]), (&json!("fulfilled"), &outcome));
        assert_eq!(now["disputes"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn failed_capture_and_outside_refund_are_played() {
    let world = begin();
    let (asked, message) = paid(&world);
    reports(&world, &message, "capture_failed");
    assert_eq!(world.webhooks().last().unwrap(), "request.capture_failed");
    reports(&world, &message, "refunded_outside");
    assert_eq!(world.webhooks().last().unwrap(), "request.refunded_outside");
    let answer_json = world.reads(&asked)["outside_refunds"][0].clone();
    assert_eq!((&answer_json["amount"], &answer_json["state"]), (&json!(100), &json!("refunded")));
    world.acts(&asked, "refund", &json!({ "amount": 4151 })).problem(422, "refund-too-large");
    world.acts(&asked, "refund", &json!({ "amount": 4150 })).ok(202);
}

#[test]
fn refund_that_fails_after_success_is_played_and_repeated() {
    let world = begin();
    let (asked, message) = paid(&world);
    plays(&world, &message, &json!({ "report": "refund_failed" })).problem(409, "conflict-state");
    world.acts(&asked, "refund", &json!({})).ok(202);
    assert_eq!(world.reads(&asked)["refunds"][0]["state"], "refunded");
    reports(&world, &message, "refund_failed");
    assert_eq!(world.reads(&asked)["refunds"][0]["state"], "failed");
    assert_eq!(world.webhooks().last().unwrap(), "request.refund_failed");
    world.acts(&asked, "refund", &json!({ "amount": 4250 })).ok(202);
}

#[test]
fn payment_after_the_end_is_played() {
    let world = begin();
    let asked = world.asks(4250);
    let message = world.customer().newest();
    plays(&world, &message, &json!({ "report": "paid_late" })).problem(409, "conflict-state");
    world.customer().answers_on(&message.page, &[("action", "approve_hosted")]).ok(303);
    world.run_until_idle();
    world.time_passes(3_600);
    let before = world.reads(&asked);
    assert!(before["outcome"]["kind"] != "fulfilled" && !before["outcome"].is_null(), "{before}");
    reports(&world, &message, "paid_late");
    let after = world.reads(&asked);
    assert_eq!(after["late_payments"][0]["state"], "kept");
    assert_eq!(after["outcome"], before["outcome"]);
    let events = world.webhooks();
    assert_eq!(events[events.len() - 2..], ["request.late_payment", "request.late_payment_kept"]);
    assert!(world.logs().contains("refund it by hand"));
}

#[test]
fn opt_out_of_a_provider_is_played_by_report_and_by_number() {
    let world = begin();
    let asked = world.asks(100);
    let message = world.customer().newest();
    reports(&world, &message, "opted_out");
    let denied = json!({ "kind": "denied", "reason": "opted_out" });
    assert_eq!(world.reads(&asked)["outcome"], denied);
    world.post("/v1/requests", &world.payment(PHONE, 1)).problem(403, "address-opted-out");
    let phone = "+15551239005";
    let asked = world.asks_at(phone, 100);
    assert_eq!(world.reads(&asked)["outcome"], denied, "no other route is tried");
    world.post("/v1/requests", &world.payment(phone, 1)).problem(403, "address-opted-out");
}

#[test]
fn text_of_the_phone_stops_starts_and_denies() {
    let world = begin();
    let asked = world.asks(100);
    let message = world.customer().newest();
    plays(&world, &message, &json!({ "text": "no thanks" })).ok(200);
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "customer" }));
    world.time_passes(2);
    let asked = world.asks(100);
    plays(&world, &message, &json!({ "text": "STOP" })).ok(200);
    assert_eq!(world.reads(&asked)["outcome"]["reason"], "opted_out");
    world.post("/v1/requests", &world.payment(PHONE, 1)).problem(403, "address-opted-out");
    plays(&world, &message, &json!({ "text": "START" })).ok(200);
    world.asks(100);
}

#[test]
fn body_with_two_meanings_or_an_unknown_report_is_refused() {
    let world = begin();
    let (asked, message) = paid(&world);
    let before = world.reads(&asked);
    for body in [
        json!({}),
        json!({ "report": "struck_by_lightning" }),
        json!({ "report": "capture_failed", "text": "STOP" }),
        json!({ "report": "capture_failed", "action": "approve" }),
        json!({ "text": "STOP", "postback": "00" }),
        json!({ "text": "STOP", "card": "pm_card_visa" }),
    ] {
        plays(&world, &message, &body).problem(400, "invalid-request");
    }
    assert_eq!(world.reads(&asked), before);
}

/// Only the sandbox's own charges can be played with.
#[test]
fn request_at_another_processor_is_not_played() {
    let world = World::builder().with_fake_processor(&["test_card"]).build();
    let asked = world.asks(4250);
    let message = world.customer().newest();
    world.customer().approves().ok(200);
    let before = world.reads(&asked);
    for report in ["capture_failed", "refund_failed", "paid_late"] {
        let answer = plays(&world, &message, &json!({ "report": report }));
        answer.problem(409, "conflict-state");
    }
    assert_eq!(world.reads(&asked), before);
}
