//! Idempotency keys: a repeated call is one request, and another call under the key is rejected.

use http::Method;
use serde_json::{Value, json};
use tests::world::brand::{LIVE_KEY, OTHER_KEY};
use tests::world::{Answer, Core, PHONE, World};

fn creates(core: &Core, key: &str, body: &Value) -> Answer {
    core.call(Method::POST, "/v1/requests").idempotency(key).json(body).send()
}

#[test]
fn repeated_call_gets_same_answer_and_resends_the_step() {
    let world = World::new();
    let body = world.payment(PHONE, 4250);
    let first = creates(&world, "k1", &body).ok(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    let owed = world.sent().len();
    let again = creates(&world, "k1", &body).ok(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!((again.json(), again.header("location")), (first.json(), first.header("location")));
    assert_eq!(world.sent().len(), owed + 1);
    world.run_until_idle();
    world.customer().approves().ok(200);
    let late = creates(&world, "k1", &body).ok(201);
    assert_eq!(late.json(), first.json());
    world.run_until_idle();
    assert_eq!(world.customer().messages().len(), 1);
}

#[test]
fn quoted_and_bare_keys_are_the_same() {
    let world = World::new();
    let body = world.payment(PHONE, 4250);
    let first = creates(&world, "k1", &body).ok(201).json();
    let again = creates(&world, "\"k1\"", &body).ok(201).json();
    assert_eq!(again["id"], first["id"]);
    world.run_until_idle();
}

#[test]
fn body_spaced_or_ordered_otherwise_is_the_same() {
    let world = World::new();
    let texts = [
        r#"{"customer":{"phone":"+15551230001"},"session":{"kind":"chat","id":"1"},"ask":{"kind":"payment","amount":1,"currency":"EUR","description":"x"}}"#,
        r#"{ "session": {"id": "1", "kind": "chat"}, "customer": {"phone": "+15551230001"}, "ask": {"description": "x", "currency": "EUR", "amount": 1, "kind": "payment"} }"#,
        r#"{"ask":{"amount":1,"currency":"EUR","description":"x","kind":"payment"},"customer":{"phone":"+15551230001"},"session":{"id":"1","kind":"chat"}}"#,
        r#"{"ask":{"amount":1.0,"currency":"EUR","description":"x","kind":"payment"},"customer":{"phone":"+15551230001"},"session":{"id":"1","kind":"chat"}}"#,
    ];
    let ids = texts.map(|text| {
        let call = world.call(Method::POST, "/v1/requests").idempotency("k1").body(text);
        call.send().ok(201).json()["id"].clone()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    world.run_until_idle();
}

#[test]
fn other_body_under_same_key_is_rejected() {
    let world = World::new();
    let first = creates(&world, "k1", &world.payment(PHONE, 4250)).ok(201).json();
    let other = creates(&world, "k1", &world.payment(PHONE, 4251));
    other.problem(422, "idempotency-key-reused");
    world.run_until_idle();
    assert_eq!(world.customer().newest().shown["request"], first["id"]);
}

#[test]
fn creating_call_needs_a_printable_key() {
    let world = World::new();
    let body = world.payment(PHONE, 4250);
    let call = world.call(Method::POST, "/v1/requests").idempotency(None).json(&body);
    call.send().problem(400, "idempotency-key-missing");
    for bad in ["", "\"\"", &"x".repeat(256), "tab\there"] {
        creates(&world, bad, &body).problem(400, "invalid-request");
    }
    creates(&world, &"x".repeat(255), &body).ok(201);
    world.run_until_idle();
}

#[test]
fn key_is_scoped_to_brand_and_mode() {
    let world = World::builder()
        .with("/live/processors", &json!([{ "name": "sandbox", "kind": "sandbox" }]))
        .build();
    let body = world.payment(PHONE, 4250);
    let first = creates(&world, "k1", &body).ok(201).json();
    let call = world.call(Method::POST, "/v1/requests").idempotency("k1").json(&body);
    let other = call.key(OTHER_KEY).send().ok(201);
    assert_ne!(other.json()["id"], first["id"]);
    let call = world.call(Method::POST, "/v1/requests").idempotency("k1").json(&body);
    // The sandbox never takes part in live mode, in any settings.
    call.key(LIVE_KEY).send().problem(422, "processor-not-configured");
    world.run_until_idle();
}

#[test]
fn key_expires_after_a_day() {
    let world = World::new();
    let body = world.payment(PHONE, 4250);
    let first = creates(&world, "k1", &body).ok(201).json();
    world.time_passes(86_399);
    let within = creates(&world, "k1", &body).ok(201).json();
    assert_eq!(within["id"], first["id"]);
    world.time_passes(1);
    let after = creates(&world, "k1", &body).ok(201).json();
    assert_ne!(after["id"], first["id"]);
    world.run_until_idle();
}

#[test]
fn rejected_call_is_not_remembered() {
    let world = World::new();
    let mut body = world.payment(PHONE, 4250);
    body["ask"]["amount"] = json!(0);
    creates(&world, "k1", &body).problem(400, "amount-out-of-range");
    body["ask"]["amount"] = json!(4250);
    creates(&world, "k1", &body).ok(201);
    world.run_until_idle();
}

#[test]
fn two_simultaneous_calls_create_one_request() {
    let world = World::new();
    let body = world.payment(PHONE, 4250);
    let twin = body.clone();
    world.meanwhile("storing LIMIT#", move |core| {
        creates(core, "k1", &twin).ok(201);
    });
    let second = creates(&world, "k1", &body).ok(201);
    assert_eq!(second.header("idempotency-replayed"), "true");
    world.run_until_idle();
    assert_eq!(world.customer().messages().len(), 1);
    assert_eq!(world.items().iter().filter(|item| item.key.sk == "REQ").count(), 1);
}

#[test]
fn many_simultaneous_calls_create_one_request() {
    let world = World::new();
    let body = world.payment(PHONE, 4250);
    let core: &Core = &world;
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| creates(core, "k1", &body))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let first = answers[0].clone().ok(201).json();
    assert!(answers.iter().all(|answer| answer.json() == first));
    world.run_until_idle();
    assert_eq!(world.customer().messages().len(), 1);
}

#[test]
fn simultaneous_bodies_under_one_key_are_told_apart() {
    let world = World::new();
    let twin = world.payment(PHONE, 100);
    world.meanwhile("storing LIMIT#", move |core| {
        creates(core, "k1", &twin).ok(201);
    });
    let second = creates(&world, "k1", &world.payment(PHONE, 4250));
    second.problem(422, "idempotency-key-reused");
    world.run_until_idle();
}
