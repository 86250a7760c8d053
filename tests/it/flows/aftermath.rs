//! Events of a charge after its request has ended: timeline and webhook report them, the outcome is unchanged.

use ports::RefundResult;
use serde_json::{Value, json};
use tests::world::{CreatedRequest, World};

/// A world with a fulfilled request of 42.50 euro, and the processor's id of the charge.
fn paid() -> (World, CreatedRequest, String) {
    let world = World::builder().with_fake_processor(&["test_card"]).build();
    let asked = world.asks(4250);
    world.customer().approves().ok(200);
    let reference = world.reads(&asked)["outcome"]["reference"].as_str().unwrap().to_owned();
    (world, asked, reference)
}

fn happens(world: &World, charge: &str, what: &Value) {
    world.processor_sends(&json!({ "charge": { "charge": charge, "what": what } })).ok(202);
}

fn dispute(status: &str, stage: u8) -> Value {
    json!({ "dispute": { "status": status, "stage": stage, "currency": "EUR" } })
}

fn refund(id: &str, amount: u64, success: bool) -> Value {
    json!({ "refund": { "id": id, "amount": amount, "success": success } })
}

#[test]
fn dispute_is_told_at_each_stage_and_changes_no_outcome() {
    let (world, asked, charge) = paid();
    let before = world.reads(&asked);
    for (status, stage) in [("opened", 1), ("charged_back", 2), ("won", 3), ("lost", 5)] {
        happens(&world, &charge, &dispute(status, stage));
        let now = world.reads(&asked);
        let dispute = &now["disputes"][0];
        assert_eq!((&dispute["state"], &dispute["amount"]), (&json!(status), &json!(4250)));
        assert_eq!(world.timeline(&asked).last().unwrap(), &format!("disputed {status}"));
        let closed = matches!(status, "won" | "lost");
        let event = if closed { "request.dispute_closed" } else { "request.disputed" };
        assert_eq!(world.webhooks().last().unwrap(), event);
    }
    // Repeats, and stages that are told late, change nothing.
    let after = world.reads(&asked);
    for (status, stage) in [("lost", 5), ("opened", 1), ("won", 3)] {
        happens(&world, &charge, &dispute(status, stage));
    }
    assert_eq!(world.reads(&asked), after);
    assert_eq!((&after["outcome"], &after["state"]), (&before["outcome"], &before["state"]));
    assert_eq!(after["disputes"].as_array().unwrap().len(), 1);
}

#[test]
fn amount_in_another_currency_is_left_out() {
    let (world, asked, charge) = paid();
    let foreign = json!({ "dispute": { "status": "opened", "stage": 1, "currency": "USD" } });
    happens(&world, &charge, &foreign);
    assert_eq!(world.reads(&asked)["disputes"][0]["amount"], Value::Null);
}

#[test]
fn failed_capture_is_told_once() {
    let (world, asked, charge) = paid();
    let before = world.webhooks().len();
    for _ in 0..2 {
        happens(&world, &charge, &json!("capture_failed"));
    }
    let request = world.reads(&asked);
    assert_eq!((&request["state"], world.webhooks().len()), (&json!("fulfilled"), before + 1));
    assert!(request["capture_failed_at"].is_string());
    assert_eq!(world.timeline(&asked).last().unwrap(), "capture_failed");
    assert_eq!(world.webhooks().last().unwrap(), "request.capture_failed");
}

#[test]
fn refund_made_elsewhere_leaves_less_to_refund() {
    let (world, asked, charge) = paid();
    happens(&world, &charge, &refund("re_9", 4000, true));
    let reported = world.reads(&asked)["outside_refunds"].clone();
    assert_eq!((&reported[0]["amount"], &reported[0]["state"]), (&json!(4000), &json!("refunded")));
    assert_eq!(world.webhooks().last().unwrap(), "request.refunded_outside");
    world.acts(&asked, "refund", &json!({ "amount": 251 })).problem(422, "refund-too-large");
    // It fails later, and its amount is free. The success is older then.
    for success in [false, true] {
        happens(&world, &charge, &refund("re_9", 4000, success));
    }
    assert_eq!(world.reads(&asked)["outside_refunds"][0]["state"], "failed");
    world.acts(&asked, "refund", &json!({})).ok(202);
    assert_eq!(world.reads(&asked)["refunds"][0]["amount"], 4250);
}

/// The processor names one of our refunds by its own id alone.
#[test]
fn own_refund_reported_by_its_id_is_no_other_refund() {
    let (world, asked, charge) = paid();
    world.acts(&asked, "refund", &json!({ "amount": 1000 })).ok(202);
    let id = world.reads(&asked)["refunds"][0]["reference"].as_str().unwrap().to_owned();
    happens(&world, &charge, &refund(&id, 1000, true));
    happens(&world, &charge, &refund(&id, 1000, false));
    let request = world.reads(&asked);
    assert!(request.get("outside_refunds").is_none());
    assert_eq!(request["refunds"][0]["state"], "failed");
}

#[test]
fn report_of_an_unknown_charge_or_attempt_changes_nothing() {
    let (world, asked, _) = paid();
    let before = world.reads(&asked);
    happens(&world, "ch_of_another", &dispute("lost", 5));
    let of_attempt = |attempt_no: u32| json!({ "charge_of": { "request": asked.id, "attempt_no": attempt_no, "what": dispute("opened", 1) } });
    world.processor_sends(&of_attempt(2)).ok(202);
    assert_eq!(world.reads(&asked), before);
    world.processor_sends(&of_attempt(1)).ok(202);
    assert_eq!(world.reads(&asked)["disputes"][0]["state"], "opened");
}

/// A world whose customer left the hosted page, so that the request expired without a charge.
fn unpaid() -> (World, CreatedRequest) {
    let world = World::builder().with_fake_processor(&["hosted"]).build();
    let asked = world.asks(4250);
    world.customer().approves_hosted();
    world.time_passes(3_600);
    assert_eq!(world.state(&asked), "failed");
    (world, asked)
}

fn late(asked: &CreatedRequest, payment: &str) -> Value {
    json!({ "late": { "request": asked.id, "attempt_no": 1, "payment": payment } })
}

fn reversals(world: &World) -> Vec<String> {
    world.fake_processor().calls().into_iter().filter(|call| call.starts_with("Reverse")).collect()
}

#[test]
fn payment_after_the_end_is_reversed_at_once() {
    for success in [true, false] {
        let (world, asked) = unpaid();
        let before = world.reads(&asked);
        for _ in 0..2 {
            world.processor_sends(&late(&asked, "psp9 4250 EUR 1")).ok(202);
        }
        assert_eq!(reversals(&world), ["Reverse 1 psp9"]);
        assert_eq!(world.reads(&asked)["late_payments"][0]["state"], "reversing");
        assert_eq!(world.webhooks().last().unwrap(), "request.late_payment");
        let reported = json!({ "request": asked.id, "attempt_no": 1, "success": success });
        world.processor_sends(&json!({ "reversal_reported": reported })).ok(202);
        let state = if success { "reversed" } else { "kept" };
        let after = world.reads(&asked);
        assert_eq!(after["late_payments"][0]["state"], state);
        assert_eq!(world.timeline(&asked).last().unwrap(), &format!("late_payment_{state}"));
        assert_eq!(world.webhooks().last().unwrap(), &format!("request.late_payment_{state}"));
        assert_eq!((&after["outcome"], &after["state"]), (&before["outcome"], &before["state"]));
    }
}

#[test]
fn reversal_that_got_no_answer_is_requested_again() {
    let (world, asked) = unpaid();
    world.fake_processor().will_return_for_refunds([RefundResult::Unknown, RefundResult::Again]);
    world.processor_sends(&late(&asked, "psp9 4250 EUR 1")).ok(202);
    world.time_passes(600);
    assert_eq!(reversals(&world).len(), 3);
    assert_eq!(world.reads(&asked)["late_payments"][0]["state"], "reversing");
    let (world, asked) = unpaid();
    world
        .fake_processor()
        .will_return_for_refunds([RefundResult::Failed { code: "not_supported" }]);
    world.processor_sends(&late(&asked, "psp9 4250 EUR 1")).ok(202);
    assert_eq!(world.reads(&asked)["late_payments"][0]["state"], "kept");
    assert!(world.logs().contains("refund it by hand"));
}

#[test]
fn report_of_the_charge_itself_is_no_late_payment() {
    let (world, asked, charge) = paid();
    world.processor_sends(&late(&asked, &format!("{charge} 4250 EUR 1"))).ok(202);
    assert!(world.reads(&asked).get("late_payments").is_none());
    assert_eq!(reversals(&world), Vec::<String>::new());
    assert_eq!(world.state(&asked), "fulfilled");
}

fn reversal_reported(world: &World, asked: &CreatedRequest, reported: &Value) {
    let mut whole = json!({ "request": asked.id, "attempt_no": 1 });
    whole.as_object_mut().unwrap().extend(reported.as_object().unwrap().clone());
    world.processor_sends(&json!({ "reversal_reported": whole })).ok(202);
}

fn states(world: &World, asked: &CreatedRequest) -> Vec<String> {
    let request = world.reads(asked);
    let late = request["late_payments"].as_array().cloned().unwrap_or_default();
    let word = |late: &Value| {
        let text = |name: &str| late[name].as_str().unwrap().to_owned();
        format!("{} {}", text("reference"), text("state"))
    };
    late.iter().map(word).collect()
}

/// A payment link can be paid twice. The charge stays, and the second payment goes back.
#[test]
fn second_payment_of_a_charged_attempt_is_reversed() {
    let (world, asked, charge) = paid();
    let before = world.reads(&asked);
    world.processor_sends(&late(&asked, "psp9 4250 EUR 1")).ok(202);
    assert_eq!(reversals(&world), ["Reverse 1 psp9"]);
    // A report of the second payment says nothing of the charge.
    reversal_reported(&world, &asked, &json!({ "success": true, "payment": "psp9" }));
    assert_eq!(states(&world, &asked), ["psp9 reversed"]);
    let after = world.reads(&asked);
    assert_eq!((&after["outcome"], after.get("outside_refunds")), (&before["outcome"], None));
    // The charge itself is cancelled in the dashboard.
    reversal_reported(&world, &asked, &json!({ "success": true, "payment": charge }));
    assert_eq!(world.reads(&asked)["outside_refunds"][0]["amount"], 4250);
    assert_eq!(states(&world, &asked), ["psp9 reversed"]);
}

#[test]
fn two_late_payments_of_an_attempt_have_reversals_of_their_own() {
    let (world, asked) = unpaid();
    for payment in ["psp8", "psp9"] {
        world.processor_sends(&late(&asked, &format!("{payment} 4250 EUR 1"))).ok(202);
    }
    assert_eq!(reversals(&world), ["Reverse 1 psp8", "Reverse 1 psp9"]);
    reversal_reported(&world, &asked, &json!({ "success": false, "payment": "psp8" }));
    reversal_reported(&world, &asked, &json!({ "success": true, "payment": "psp9" }));
    assert_eq!(states(&world, &asked), ["psp8 kept", "psp9 reversed"]);
    // A report of an unknown payment changes nothing.
    reversal_reported(&world, &asked, &json!({ "success": false, "payment": "psp7" }));
    assert_eq!(states(&world, &asked), ["psp8 kept", "psp9 reversed"]);
    // A person reversed the first one since.
    reversal_reported(&world, &asked, &json!({ "success": true, "payment": "psp8" }));
    assert_eq!(states(&world, &asked), ["psp8 reversed", "psp9 reversed"]);
    assert_eq!(world.webhooks().last().unwrap(), "request.late_payment_reversed");
}

#[test]
fn reversal_without_a_result_ends_after_a_week() {
    let (world, asked) = unpaid();
    world.processor_sends(&late(&asked, "psp9 4250 EUR 1")).ok(202);
    world.time_passes(7 * 86_400 - 900);
    assert_eq!(states(&world, &asked), ["psp9 reversing"]);
    world.time_passes(1_800);
    assert_eq!(states(&world, &asked), ["psp9 kept"]);
    assert_eq!(world.webhooks().last().unwrap(), "request.late_payment_kept");
    assert!(world.logs().contains("no result of a reversal was reported"));
    // One call was made, and none follows.
    world.time_passes(86_400);
    assert_eq!(reversals(&world).len(), 1);
    // The result is told at last.
    reversal_reported(&world, &asked, &json!({ "success": true, "payment": "psp9" }));
    assert_eq!(states(&world, &asked), ["psp9 reversed"]);
}

/// The money of a reversal comes back to the processor days later. That is told before or after the reversal's success.
#[test]
fn reversal_that_is_taken_back_is_kept_in_any_order() {
    let done = json!({ "success": true, "payment": "psp9" });
    let back = json!({ "success": false, "payment": "psp9", "code": "refund_failed" });
    for order in [[&done, &back], [&back, &done]] {
        let (world, asked) = unpaid();
        world.processor_sends(&late(&asked, "psp9 4250 EUR 1")).ok(202);
        for reported in order {
            reversal_reported(&world, &asked, reported);
            reversal_reported(&world, &asked, reported);
        }
        assert_eq!(states(&world, &asked), ["psp9 kept"]);
        let kept = world.webhooks().iter().filter(|name| name.ends_with("_kept")).count();
        assert_eq!(kept, 1);
        assert!(world.logs().contains("refund it by hand"));
    }
}

/// The reversal failed first, and the processor then takes an earlier one back. The success of that one is reported last.
#[test]
fn success_of_a_reversal_taken_back_never_counts() {
    let reported = |success: bool, code: Option<&str>| {
        let mut reported = json!({ "success": success, "payment": "psp9" });
        if let Some(code) = code {
            reported["code"] = json!(code);
        }
        reported
    };
    let (failed, back, done) =
        (reported(false, None), reported(false, Some("refund_failed")), reported(true, None));
    let (world, asked) = unpaid();
    world.processor_sends(&late(&asked, "psp9 4250 EUR 1")).ok(202);
    for report in [&failed, &back, &back, &done, &done] {
        reversal_reported(&world, &asked, report);
        assert_eq!(states(&world, &asked), ["psp9 kept"], "{report}");
    }
    let kept = world.webhooks().iter().filter(|name| name.ends_with("_kept")).count();
    assert_eq!(kept, 1);
    assert!(!world.webhooks().contains(&"request.late_payment_reversed".to_owned()));
}

/// The attempt ended because its payment was cancelled. The processor then takes the cancellation back.
#[test]
fn cancellation_that_is_taken_back_becomes_a_kept_payment() {
    let (world, asked) = unpaid();
    let back = json!({ "success": false, "payment": "psp5", "code": "refund_failed" });
    for _ in 0..2 {
        reversal_reported(&world, &asked, &back);
    }
    assert_eq!(states(&world, &asked), ["psp5 kept"]);
    assert_eq!(world.webhooks().last().unwrap(), "request.late_payment_kept");
    assert_eq!(reversals(&world), Vec::<String>::new());
    assert_eq!(world.state(&asked), "failed");
}

/// A cancellation of an open attempt that the processor refuses says nothing of the payment.
#[test]
fn refused_cancellation_leaves_an_open_attempt_as_it_is() {
    let world = World::builder().with_fake_processor(&["hosted"]).build();
    let asked = world.asks(4250);
    world.customer().approves_hosted();
    reversal_reported(&world, &asked, &json!({ "success": false }));
    assert_eq!(world.state(&asked), "processing");
    world.fake_processor().customer_is_done(&asked, 1);
    world.time_passes(30);
    assert_eq!(world.state(&asked), "fulfilled");
}
