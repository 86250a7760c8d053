//! A processor rejects our account: the circuit opens, one call probes it, and requesters are told.

use ports::{Confirmed, Created, RefundResult, Rejection, Retrieved, VoidResult};
use serde_json::{Value, json};
use tests::world::{CreatedRequest, World};

const REJECTED: Rejection = Rejection::Credentials;

fn world() -> World {
    let policy = json!({ "session_code": false, "open_max": 50, "prompts_per_ten_minutes": 100 });
    World::builder().with_fake_processor(&["test_card"]).with("/policy", &policy).build()
}

/// Asks that many customers while the circuit is closed.
fn asked(world: &World, count: u32) -> Vec<(String, CreatedRequest)> {
    let phone = |number| format!("+1555123{number:04}");
    (1..=count).map(|number| (phone(number), world.asks_at(&phone(number), 4250))).collect()
}

fn approve_all(world: &World, asked: &[(String, CreatedRequest)]) {
    for (phone, _) in asked {
        let customer = world.customer_at(phone);
        customer.taps(&customer.newest(), &json!({ "action": "approve" })).ok(200);
    }
    world.run_until_idle();
}

fn ends(world: &World, asked: &[(String, CreatedRequest)]) -> Vec<String> {
    let outcomes = asked.iter().map(|(_, asked)| world.reads(asked)["outcome"].clone());
    let word = |outcome: Value| match outcome["reason"].as_str() {
        Some(reason) => reason.to_owned(),
        None => outcome["kind"].as_str().unwrap_or_default().to_owned(),
    };
    outcomes.map(word).collect()
}

fn opened(world: &World) -> usize {
    world.logs().matches("circuit opened").count()
}

/// All other requests wait until that one call tells whether the processor takes the account again.
#[test]
fn rejected_account_is_probed_by_one_call() {
    let world = world();
    let asked = asked(&world, 10);
    world.fake_processor().will_return([Created::Blocked { by: REJECTED }]);
    approve_all(&world, &asked);
    assert_eq!(world.fake_processor().calls(), ["Create 1"]);
    assert_eq!(opened(&world), 1);
    world.time_passes(14);
    assert_eq!(world.fake_processor().calls().len(), 1);
    // One request probes, and no other calls in the meantime.
    world.fake_processor().will_return([Created::Again]);
    world.time_passes(1);
    assert_eq!(world.fake_processor().calls().len(), 2);
    world.time_passes(40);
    assert_eq!(ends(&world, &asked), vec!["fulfilled"; 10]);
    assert_eq!((world.fake_processor().charges(), opened(&world)), (10, 1));
    assert!(world.logs().contains("circuit closed"));
    assert!(!world.items().iter().any(|item| item.key.pk.starts_with("BREAKER#")));
}

#[test]
fn repeated_rejections_are_probed_ever_less_often() {
    let world = world();
    let asked = asked(&world, 3);
    world.fake_processor().will_return(vec![Created::Blocked { by: REJECTED }; 4]);
    approve_all(&world, &asked);
    let mut calls = Vec::new();
    for _ in 0..75 {
        calls.push(world.fake_processor().calls().len());
        world.time_passes(5);
    }
    // The calls come at once, after 15 seconds, after 60 more, and after five minutes more.
    let at = |count| calls.iter().position(|calls| *calls >= count).map(|place| place * 5);
    assert_eq!((at(1), at(2), at(3)), (Some(0), Some(15), Some(75)), "{calls:?}");
    assert_eq!(*calls.last().unwrap(), 3, "{calls:?}");
    world.time_passes(20);
    assert_eq!(world.fake_processor().calls().len(), 4);
    world.time_passes(320);
    // No request waits longer than ten minutes, and no attempt was begun.
    assert_eq!(ends(&world, &asked), vec!["processor_unavailable"; 3]);
    assert_eq!(opened(&world), 1);
}

#[test]
fn attempt_in_doubt_is_kept_while_circuit_is_open() {
    let world = world();
    let asked = asked(&world, 1);
    world.fake_processor().will_return([Confirmed::Unknown]);
    approve_all(&world, &asked);
    world.fake_processor().will_return(vec![Retrieved::Blocked { by: REJECTED }; 30]);
    world.fake_processor().will_return(vec![VoidResult::Blocked { by: REJECTED }; 12]);
    world.time_passes(3_600);
    assert_eq!(world.state(&asked[0].1), "processing");
    assert_eq!(world.reads(&asked[0].1)["in_doubt"], true);
    let calls = world.fake_processor().calls().len();
    assert!(calls < 20, "{calls} calls in an hour");
    world.time_passes(7_200);
    assert!(world.reads(&asked[0].1)["outcome"]["kind"].is_string());
}

#[test]
fn open_circuit_rejects_asks_unless_another_processor_can() {
    let world = world();
    let before = asked(&world, 1);
    world.fake_processor().will_return(vec![Created::Blocked { by: REJECTED }; 2]);
    approve_all(&world, &before);
    let refused = world.post("/v1/requests", &world.payment("+15551239999", 100));
    let refused = refused.problem(503, "processor-unavailable");
    assert_eq!(refused.header("retry-after"), "16");
    assert!(!refused.json()["errors"].is_array());
    world.time_passes(80);
    let asked = world.asks_at("+15551239999", 100);
    world.acts(&asked, "cancel", &json!({})).ok(200);

    let fake_processors = json!([
        { "name": "fake", "kind": "fake", "settings": { "payment_options": ["test_card"] } },
        { "name": "sandbox", "kind": "sandbox" },
    ]);
    let policy = json!({ "session_code": false });
    let world =
        World::builder().with("/test/processors", &fake_processors).with("/policy", &policy);
    let world = world.build();
    let before = self::asked(&world, 1);
    world.fake_processor().will_return([Created::Blocked { by: REJECTED }]);
    approve_all(&world, &before);
    let asked = world.asks_at("+15551239999", 100);
    assert_eq!(world.stored(&asked).processor.as_str(), "sandbox");
    world.time_passes(60);
}

#[test]
fn rotated_credentials_are_tried_at_once() {
    let world = world();
    let asked = asked(&world, 1);
    world.fake_processor().will_return([Created::Blocked { by: REJECTED }]);
    let settings = json!({ "payment_options": ["test_card", "hosted"] });
    world.meanwhile("fake Create", move |core| {
        let fake_processor = json!([{ "name": "fake", "kind": "fake", "settings": settings }]);
        core.rotates("/test/processors", &fake_processor);
    });
    approve_all(&world, &asked);
    world.time_passes(2);
    assert_eq!(ends(&world, &asked), ["fulfilled"]);
    assert_eq!(opened(&world), 0);
}

/// A restricted key may charge and not refund. One refund that it may not make stops refunds alone.
#[test]
fn forbidden_refund_stops_refunds_and_no_payments() {
    let world = world();
    let paid = asked(&world, 1);
    approve_all(&world, &paid);
    let forbidden = RefundResult::Blocked { by: Rejection::Permission };
    world.fake_processor().will_return_for_refunds([forbidden.clone(), forbidden]);
    world.acts(&paid[0].1, "refund", &json!({})).ok(202);
    let refunds =
        || world.fake_processor().calls().iter().filter(|call| call.starts_with("Refund")).count();
    for customer in 0..6 {
        let asked = world.asks_at(&format!("+1555124{customer:04}"), 4250);
        world.customer_at(&format!("+1555124{customer:04}")).approves().ok(200);
        assert_eq!(world.state(&asked), "fulfilled");
        world.time_passes(2);
    }
    assert_eq!((refunds(), opened(&world)), (1, 1));
    assert!(world.items().iter().any(|item| item.key.sk == "BREAKER#refund"));
    world.time_passes(100);
    assert_eq!(world.reads(&paid[0].1)["refunds"][0]["state"], "refunded");
    assert!(!world.items().iter().any(|item| item.key.pk.starts_with("BREAKER#")));
}

#[test]
fn forbidden_payment_stops_payments_and_no_saved_cards() {
    let policy = json!({ "session_code": false, "open_max": 50, "prompts_per_ten_minutes": 100 });
    let options = ["test_card", "hosted"];
    let world = World::builder().with_fake_processor(&options).with("/policy", &policy).build();
    let before = asked(&world, 1);
    world.fake_processor().will_return([Created::Blocked { by: Rejection::Permission }]);
    approve_all(&world, &before);
    world
        .post("/v1/requests", &world.payment("+15551239999", 100))
        .problem(503, "processor-unavailable");
    let mut keep = world.payment("+15551239998", 1);
    keep["ask"] = json!({ "kind": "payment_method", "description": "Keep it" });
    let kept = world.asks_for(&keep);
    world.acts(&kept, "cancel", &json!({})).ok(200);
    world.time_passes(40);
    assert_eq!(ends(&world, &before), ["fulfilled"]);
}

/// A key that may charge and not look up says nothing of the next charge.
#[test]
fn forbidden_look_up_or_void_opens_no_circuit() {
    let world = world();
    let doubtful = asked(&world, 1);
    world.fake_processor().will_return([Confirmed::Unknown]);
    world.fake_processor().will_return([Retrieved::Blocked { by: Rejection::Permission }]);
    approve_all(&world, &doubtful);
    world.time_passes(5);
    assert_eq!(opened(&world), 0);
    let asked = world.asks_at("+15551239999", 100);
    world.customer_at("+15551239999").approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
    world.time_passes(60);
    assert_eq!(ends(&world, &doubtful), ["fulfilled"]);
}
