//! Refunds: full, partial, made once, and reported.

use std::time::Duration;

use domain::message::{Message, QueueName, Step};
use domain::processor_result::Reference;
use http::Method;
use ports::{Confirmed, RefundResult, Rejection, Retrieved};
use serde_json::{Value, json};
use tests::world::brand::OTHER_KEY;
use tests::world::fake_processor::ProcessorCall;
use tests::world::{CreatedRequest, World};

/// Makes a fulfilled request of 42.50 euro.
fn paid() -> (World, CreatedRequest) {
    let world = World::builder().with_fake_processor(&["test_card"]).build();
    let asked = pays(&world);
    (world, asked)
}

fn pays(world: &World) -> CreatedRequest {
    let asked = world.asks(4250);
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
    asked
}

fn refunds(world: &World, asked: &CreatedRequest) -> Vec<Value> {
    world.reads(asked)["refunds"].as_array().cloned().unwrap_or_default()
}

/// Returns the states and amounts of a request's refunds.
fn states(world: &World, asked: &CreatedRequest) -> Vec<String> {
    let refunds = refunds(world, asked).into_iter();
    let words = |refund: Value| {
        let code = refund["code"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
        format!("{} {}{code}", refund["state"].as_str().unwrap_or_default(), refund["amount"])
    };
    refunds.map(words).collect()
}

fn pending() -> RefundResult {
    RefundResult::Pending(Reference("re_1".to_owned()))
}

#[test]
fn full_refund_leaves_the_outcome_unchanged() {
    let (world, asked) = paid();
    let before = world.reads(&asked);
    assert!(before.get("refunds").is_none());
    let path = format!("{}/refund", asked.path);
    let answer = world.post(&path, &json!({ "reason": "Sent back" })).ok(202).json();
    assert_eq!(answer["refunds"][0]["state"], "pending");
    world.run_until_idle();
    let after = world.reads(&asked);
    assert_eq!((&after["outcome"], &after["state"]), (&before["outcome"], &before["state"]));
    let refund = &after["refunds"][0];
    assert_eq!(refund["reason"], "Sent back");
    assert_eq!((&refund["seq"], &refund["currency"]), (&json!(1), &json!("EUR")));
    assert_eq!(states(&world, &asked), ["refunded 4250"]);
    assert!(refund["reference"].as_str().unwrap().starts_with("re-req_"));
    assert!(refund["ended_at"].as_str().unwrap() >= refund["asked_at"].as_str().unwrap());
    assert_eq!(world.timeline(&asked)[3..], ["fulfilled", "refund_asked", "refunded"]);
    assert_eq!(world.webhooks().last().unwrap(), "request.refunded");
    world.post(&path, &json!({})).problem(422, "refund-too-large");
    assert_eq!(world.fake_processor().refunds(), 1);
}

#[test]
fn wait_for_refund_ends_with_its_result() {
    let (world, asked) = paid();
    let version = world.reads(&asked)["version"].as_u64().unwrap();
    let at_once = world.get(&format!("{}?wait=20&after={version}", asked.path)).ok(200).json();
    assert_eq!(at_once["version"], version);
    world.post(&format!("{}/refund", asked.path), &json!({})).ok(202);
    world.meanwhile("waited", tests::world::Core::run_until_idle);
    let after = version + 1;
    let reported = world.get(&format!("{}?wait=20&after={after}", asked.path)).ok(200).json();
    assert_eq!(reported["refunds"][0]["state"], "refunded");
}

#[test]
fn partial_refunds_add_up_to_the_amount_at_most() {
    let (world, asked) = paid();
    for amount in [4000, 200] {
        world.acts(&asked, "refund", &json!({ "amount": amount })).ok(202);
    }
    let reported = world.acts(&asked, "refund", &json!({ "amount": 51 }));
    let reported = reported.problem(422, "refund-too-large").json();
    assert!(reported["detail"].as_str().unwrap().starts_with("50 are left"), "{reported}");
    world.acts(&asked, "refund", &json!({})).ok(202);
    assert_eq!(states(&world, &asked), ["refunded 4000", "refunded 200", "refunded 50"]);
    world.acts(&asked, "refund", &json!({ "amount": 1 })).problem(422, "refund-too-large");
}

#[test]
fn twenty_first_refund_is_rejected() {
    let (world, asked) = paid();
    for _ in 0..20 {
        world.acts(&asked, "refund", &json!({ "amount": 1 })).ok(202);
    }
    world.acts(&asked, "refund", &json!({ "amount": 1 })).problem(409, "conflict-state");
}

#[test]
fn uncharged_request_is_not_refunded() {
    let world = World::builder().with_fake_processor(&["test_card", "hosted"]).build();
    let asked = world.asks(4250);
    world.acts(&asked, "refund", &json!({})).problem(409, "conflict-state");
    world.customer().denies().ok(200);
    world.acts(&asked, "refund", &json!({})).problem(409, "conflict-state");
    assert_eq!(world.fake_processor().count(ProcessorCall::Refund), 0);
    let (world, asked) = paid();
    let path = format!("{}/refund", asked.path);
    for bad in [json!({ "amount": 0 }), json!({ "amount": "1" }), json!({ "x": 1 }), json!([])] {
        world.post(&path, &bad).problem(400, "invalid-request");
    }
    let call = world.call(Method::POST, &path).idempotency(None).json(&json!({}));
    call.send().problem(400, "idempotency-key-missing");
    let call = world.call(Method::POST, &path).key(OTHER_KEY).json(&json!({}));
    call.send().problem(404, "not-found");
    world.post("/v1/requests/req_01M844DZG03XCBJ52V4K8GHNXC/refund", &json!({})).ok(404);
}

#[test]
fn repeated_key_refunds_once_and_resends_the_step() {
    let (world, asked) = paid();
    let path = format!("{}/refund", asked.path);
    let refund = |key: &str, body: &Value| {
        world.call(Method::POST, &path).idempotency(key).json(body).send()
    };
    let first = refund("k1", &json!({ "amount": 100 })).ok(202);
    world.loses_messages(QueueName::Authorizations);
    let again = refund("k1", &json!({ "amount": 100 })).ok(202);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.json(), first.json());
    world.run_until_idle();
    assert_eq!(states(&world, &asked), ["refunded 100"]);
    refund("k1", &json!({ "amount": 101 })).problem(422, "idempotency-key-reused");
    refund("k1", &json!({ "amount": 100 })).ok(202);
    world.run_until_idle();
    assert_eq!((world.fake_processor().refunds(), refunds(&world, &asked).len()), (1, 1));
}

#[test]
fn refund_with_lost_message_is_found_by_check() {
    let (world, asked) = paid();
    world.post(&format!("{}/refund", asked.path), &json!({})).ok(202);
    world.loses_messages(QueueName::Authorizations);
    assert_eq!(states(&world, &asked), ["pending 4250"]);
    world.time_passes(75);
    assert_eq!(states(&world, &asked), ["refunded 4250"]);
}

#[test]
fn refund_in_doubt_is_retried_and_made_once() {
    let (world, asked) = paid();
    world.fake_processor().will_return_for_refunds([
        RefundResult::Unknown,
        RefundResult::Again,
        RefundResult::Unknown,
    ]);
    world.acts(&asked, "refund", &json!({})).ok(202);
    assert_eq!(states(&world, &asked), ["pending 4250"]);
    world.time_passes(600);
    assert_eq!(states(&world, &asked), ["refunded 4250"]);
    let calls = world.fake_processor().calls();
    let calls: Vec<&String> = calls.iter().filter(|call| call.starts_with("Refund")).collect();
    assert_eq!(
        calls,
        ["Refund 1 4250 false", "Refund 1 4250 true", "Refund 1 4250 true", "Refund 1 4250 true"]
    );
    assert_eq!(world.fake_processor().refunds(), 1);
}

#[test]
fn slow_refund_is_reported_by_webhook_or_look_up() {
    let (world, asked) = paid();
    world.fake_processor().will_return_for_refunds(std::iter::repeat_n(pending(), 1_000));
    world.acts(&asked, "refund", &json!({ "amount": 100 })).ok(202);
    let before = world.sent().len();
    world.time_passes(4 * 86_400);
    assert_eq!(states(&world, &asked), ["pending 100"]);
    assert_eq!(refunds(&world, &asked)[0]["reference"], "re_1");
    let calls = world.fake_processor().count(ProcessorCall::Refund);
    assert!((15..=30).contains(&calls), "{calls} calls in four days");
    let sent = world.sent().len() - before;
    // Three chains of checks. Each runs every quarter of an hour, reads, and writes nothing.
    assert!(sent < 1_400, "{sent} messages in four days");
    world.processor_sends(&json!({ "look": asked.id })).ok(202);
    assert_eq!(world.fake_processor().count(ProcessorCall::Refund), calls + 1);
    let reported = json!({ "request": asked.id, "seq": 1, "success": true });
    world.processor_sends(&json!({ "refund_reported": reported })).ok(202);
    assert_eq!(states(&world, &asked), ["refunded 100"]);
}

fn reported(asked: &CreatedRequest, seq: u32, success: bool, code: Option<&str>) -> Value {
    json!({ "refund_reported": { "request": asked.id, "seq": seq, "success": success, "code": code } })
}

/// At Adyen that order is the usual one. At Stripe, too, a success can be followed by a failure.
#[test]
fn refund_that_fails_after_success_frees_its_amount() {
    let (world, asked) = paid();
    let before = world.reads(&asked);
    world.acts(&asked, "refund", &json!({})).ok(202);
    assert_eq!(states(&world, &asked), ["refunded 4250"]);
    world.processor_sends(&reported(&asked, 1, false, Some("refund_failed"))).ok(202);
    assert_eq!(states(&world, &asked), ["failed 4250 refund_failed"]);
    assert_eq!(world.webhooks().last().unwrap(), "request.refund_failed");
    assert_eq!(
        world.timeline(&asked)[3..],
        ["fulfilled", "refund_asked", "refunded", "refund_failed refund_failed"]
    );
    // The same reports again, in any order, are older.
    let told_so_far = world.webhooks().len();
    for success in [true, false, true] {
        let code = (!success).then_some("refund_failed");
        world.processor_sends(&reported(&asked, 1, success, code)).ok(202);
    }
    assert_eq!(states(&world, &asked), ["failed 4250 refund_failed"]);
    assert_eq!(world.webhooks().len(), told_so_far);
    world.acts(&asked, "refund", &json!({})).ok(202);
    assert_eq!(states(&world, &asked), ["failed 4250 refund_failed", "refunded 4250"]);
    let after = world.reads(&asked);
    assert_eq!((&after["outcome"], &after["state"]), (&before["outcome"], &before["state"]));
}

#[test]
fn reversal_that_overtakes_the_success_stands() {
    let (world, asked) = paid();
    world.fake_processor().will_return_for_refunds([pending(), pending()]);
    world.acts(&asked, "refund", &json!({})).ok(202);
    let [failed, done] =
        [reported(&asked, 1, false, Some("refund_failed")), reported(&asked, 1, true, None)];
    world.processor_sends(&failed).ok(202);
    world.processor_sends(&done).ok(202);
    assert_eq!(states(&world, &asked), ["failed 4250 refund_failed"]);
    world.processor_sends(&failed).ok(202);
    assert_eq!(refunds(&world, &asked).len(), 1);
}

#[test]
fn success_after_a_failure_takes_the_amount_again() {
    let (world, asked) = paid();
    world
        .fake_processor()
        .will_return_for_refunds([RefundResult::Failed { code: "not_refundable" }]);
    world.acts(&asked, "refund", &json!({ "amount": 4000 })).ok(202);
    assert_eq!(states(&world, &asked), ["failed 4000 not_refundable"]);
    world.processor_sends(&reported(&asked, 1, true, None)).ok(202);
    assert_eq!(states(&world, &asked), ["refunded 4000"]);
    assert_eq!(world.webhooks().last().unwrap(), "request.refunded");
    world.acts(&asked, "refund", &json!({ "amount": 251 })).problem(422, "refund-too-large");
    world.acts(&asked, "refund", &json!({})).ok(202);
    assert_eq!(states(&world, &asked), ["refunded 4000", "refunded 250"]);
}

/// The requester asks again because the refund failed, and then hears that it had not.
#[test]
fn late_success_stops_the_refund_that_repeats_it() {
    for amount in [4250, 1000] {
        let (world, asked) = paid();
        world
            .fake_processor()
            .will_return_for_refunds([RefundResult::Failed { code: "not_refundable" }]);
        world.acts(&asked, "refund", &json!({ "amount": amount })).ok(202);
        let path = format!("{}/refund", asked.path);
        world.post(&path, &json!({ "amount": amount })).ok(202);
        let call = world.call(Method::POST, "/callbacks/demo/fake").key(None).idempotency(None);
        let call = call.header(tests::world::fake_processor::PROOF, "proven");
        call.json(&reported(&asked, 1, true, None)).send().ok(202);
        world.run_until_idle();
        let expected = [format!("refunded {amount}"), format!("failed {amount} refunded_before")];
        assert_eq!(states(&world, &asked), expected);
        assert_eq!(world.fake_processor().count(ProcessorCall::Refund), 1);
        assert!(!world.logs().contains("refunded before"));
    }
}

/// The second refund is at the processor already. The first counts only if the second fails.
#[test]
fn late_success_waits_for_a_refund_under_way() {
    for second in [true, false] {
        let (world, asked) = paid();
        world
            .fake_processor()
            .will_return_for_refunds([RefundResult::Failed { code: "not_refundable" }, pending()]);
        world.acts(&asked, "refund", &json!({})).ok(202);
        world.acts(&asked, "refund", &json!({})).ok(202);
        world.processor_sends(&reported(&asked, 1, true, None)).ok(202);
        assert_eq!(states(&world, &asked), ["failed 4250 not_refundable", "pending 4250"]);
        world.processor_sends(&reported(&asked, 2, second, None)).ok(202);
        let expected = if second {
            ["failed 4250 not_refundable", "refunded 4250"]
        } else {
            ["refunded 4250", "failed 4250 declined"]
        };
        assert_eq!(states(&world, &asked), expected);
    }
}

/// The failure is reported while a worker is told of the success.
#[test]
fn failure_during_the_run_that_succeeds_is_kept() {
    let (world, asked) = paid();
    let body = reported(&asked, 1, false, Some("refund_failed"));
    world.meanwhile("fake Refund", move |core| {
        let call = core.call(Method::POST, "/callbacks/demo/fake").key(None);
        call.header(tests::world::fake_processor::PROOF, "proven").json(&body).send().ok(202);
    });
    world.acts(&asked, "refund", &json!({})).ok(202);
    world.time_passes(2);
    assert_eq!(states(&world, &asked), ["failed 4250 refund_failed"]);
    assert_eq!(world.fake_processor().count(ProcessorCall::Refund), 1);
}

#[test]
fn failed_refund_is_reported_and_may_be_repeated() {
    let (world, asked) = paid();
    world.fake_processor().will_return_for_refunds([pending()]);
    world.acts(&asked, "refund", &json!({})).ok(202);
    world.acts(&asked, "refund", &json!({})).problem(422, "refund-too-large");
    let reported = json!({ "request": asked.id, "seq": 1, "success": false });
    world.processor_sends(&json!({ "refund_reported": reported })).ok(202);
    assert_eq!(states(&world, &asked), ["failed 4250 declined"]);
    assert_eq!(world.webhooks().last().unwrap(), "request.refund_failed");
    assert_eq!(world.timeline(&asked).last().unwrap(), "refund_failed declined");
    world.acts(&asked, "refund", &json!({})).ok(202);
    assert_eq!(states(&world, &asked), ["failed 4250 declined", "refunded 4250"]);
}

#[test]
fn two_workers_make_one_refund_call() {
    let (world, asked) = paid();
    let id = asked.id.parse().unwrap();
    let message = Message::new(Step::Refund { seq: 1 }, id);
    let again = message.clone();
    world.meanwhile("fake Refund", move |core| {
        core.run(core.ports.queue.send(&again, Duration::ZERO)).unwrap();
        core.run_until_idle();
    });
    world.acts(&asked, "refund", &json!({})).ok(202);
    assert_eq!(states(&world, &asked), ["refunded 4250"]);
    world.redeliver([message]);
    assert_eq!(world.fake_processor().count(ProcessorCall::Refund), 1);
    world.time_passes(100);
    assert_eq!(world.fake_processor().count(ProcessorCall::Refund), 1);
}

#[test]
fn refund_waits_while_circuit_is_open() {
    let (world, asked) = paid();
    let blocked = RefundResult::Blocked { by: Rejection::Credentials };
    world.fake_processor().will_return_for_refunds([blocked.clone(), blocked]);
    world.acts(&asked, "refund", &json!({})).ok(202);
    world.time_passes(14);
    assert_eq!(world.fake_processor().count(ProcessorCall::Refund), 1);
    world.time_passes(100);
    assert_eq!(states(&world, &asked), ["refunded 4250"]);
    assert_eq!(world.fake_processor().count(ProcessorCall::Refund), 3);
}

#[test]
fn webhook_during_refund_is_acted_on_at_once() {
    let (world, asked) = paid();
    world.fake_processor().will_return_for_refunds([pending()]);
    let reported = json!({ "refund_reported": { "request": asked.id, "seq": 1, "success": true } });
    world.meanwhile("fake Refund", move |core| {
        let call = core.call(Method::POST, "/callbacks/demo/fake").key(None);
        call.header(tests::world::fake_processor::PROOF, "proven").json(&reported).send().ok(202);
    });
    world.acts(&asked, "refund", &json!({})).ok(202);
    world.time_passes(2);
    assert_eq!(states(&world, &asked), ["refunded 4250"]);
}

#[test]
fn refund_in_doubt_is_shown_until_settled() {
    let world = World::builder().with_fake_processor(&["test_card"]).build();
    let asked = world.asks(4250);
    assert!(asked.answer.get("in_doubt").is_none());
    world.fake_processor().will_return([Confirmed::Unknown]);
    world.fake_processor().will_return([Retrieved::Unknown, Retrieved::NotConfirmed]);
    world.customer().approves().ok(200);
    let request = world.reads(&asked);
    assert_eq!((&request["state"], &request["in_doubt"]), (&json!("processing"), &json!(true)));
    world.time_passes(10);
    let request = world.reads(&asked);
    assert!(request["state"] == "fulfilled" && request.get("in_doubt").is_none(), "{request}");
}
