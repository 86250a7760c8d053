//! A customer is asked for the same once at a time, unless the requester wants it otherwise.

use domain::digest::digest_hex;
use http::Method;
use serde_json::{Value, json};
use tests::world::brand::{RESTRICTED_KEY, TEST_KEY};
use tests::world::{PHONE, World};

const REQUESTS: &str = "/v1/requests";

/// A payment that is refused while the same is open.
fn once(world: &World) -> Value {
    let mut body = world.payment(PHONE, 4250);
    body["allow_duplicate"] = json!(false);
    body
}

fn changed(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

fn often() -> Value {
    json!({ "open_max": 20, "prompts_per_ten_minutes": 100, "prompts_per_day": 1000 })
}

#[test]
fn second_open_request_for_the_same_is_refused() {
    let world = World::builder().with("/policy", &often()).build();
    let body = once(&world);
    let open = world.asks_for(&body);
    for same in [
        body.clone(),
        changed(&body, "/session/id", json!("another")),
        changed(&body, "/customer/name", json!("Ada")),
    ] {
        let refused = world.post(REQUESTS, &same).problem(409, "duplicate-open-request").json();
        assert_eq!(refused["request"], json!(open.id));
    }
    for other in [
        changed(&body, "/ask/amount", json!(4251)),
        changed(&body, "/ask/currency", json!("USD")),
        changed(&body, "/ask/description", json!("Invoice 4712")),
        changed(&body, "/customer/phone", json!("+15551230002")),
    ] {
        world.post(REQUESTS, &other).ok(201);
    }
    let mut wanted = body;
    wanted["allow_duplicate"] = json!(true);
    world.post(REQUESTS, &wanted).ok(201);
    wanted.as_object_mut().unwrap().remove("allow_duplicate");
    let without = world.call(Method::POST, REQUESTS).body(wanted.to_string());
    without.send().problem(409, "duplicate-open-request");
    for flag in [json!("true"), json!(1), json!([])] {
        wanted["allow_duplicate"] = flag;
        let problem = world.post(REQUESTS, &wanted).problem(400, "invalid-request").json();
        assert_eq!(problem["errors"][0]["pointer"], "/allow_duplicate");
    }
    world.run_until_idle();
}

#[test]
fn second_saved_card_or_identity_with_the_words_is_refused() {
    let world = World::builder().with_sandbox_identity().build();
    let body = once(&world);
    for ask in [
        json!({ "kind": "payment_method", "description": "Visits" }),
        json!({ "kind": "identity", "claims": ["name"], "description": "Visits" }),
    ] {
        let body = changed(&body, "/ask", ask);
        world.asks_for(&body);
        world.post(REQUESTS, &body).problem(409, "duplicate-open-request");
    }
}

#[test]
fn request_that_ended_is_no_duplicate() {
    let world = World::builder().with("/policy", &often()).build();
    let body = once(&world);
    let first = world.asks_for(&body);
    world.acts(&first, "cancel", &json!({})).ok(200);
    let second = world.asks_for(&body);
    world.customer().approves().ok(200);
    world.run_until_idle();
    assert_eq!(world.state(&second), "fulfilled");
    let mut short = body.clone();
    short["expires_in"] = json!(10);
    world.accepted(&short);
    world.post(REQUESTS, &body).problem(409, "duplicate-open-request");
    world.time_passes(10);
    world.asks_for(&body);
}

/// A request whose deadline moved is open for longer than its first deadline says.
#[test]
fn extended_request_stays_a_duplicate_after_hours() {
    let world = World::new();
    let body = once(&world);
    let open = world.asks_for(&body);
    world.acts(&open, "extend", &json!({ "expires_in": 20_000 })).ok(200);
    world.time_passes(10_000);
    let refused = world.post(REQUESTS, &body).problem(409, "duplicate-open-request").json();
    assert_eq!(refused["request"], json!(open.id));
}

#[test]
fn two_calls_for_the_same_at_once_make_one_request() {
    let world = World::new();
    let body = once(&world);
    let same = body.clone();
    world.meanwhile("storing LIMIT#", move |core| {
        core.post(REQUESTS, &same).ok(201);
    });
    world.post(REQUESTS, &body).problem(409, "duplicate-open-request");
    let listed = world.get("/v1/requests?session=CA123").ok(200).json();
    assert_eq!(listed["requests"].as_array().unwrap().len(), 1);
    world.run_until_idle();
}

#[test]
fn repeat_with_its_key_is_no_duplicate() {
    let world = World::new();
    let body = once(&world);
    let call = || world.call(Method::POST, REQUESTS).idempotency("once").json(&body).send();
    let first = call().ok(201).json();
    assert_eq!(call().ok(201).json()["id"], first["id"]);
    world.run_until_idle();
}

#[test]
fn key_of_own_sessions_learns_no_id_of_another_key() {
    let digest = |text: &str| digest_hex(text.as_bytes());
    let usual = json!({ "mode": "test", "sha256": digest(TEST_KEY) });
    let own = json!({
        "id": "key_own", "mode": "test", "sha256": digest(RESTRICTED_KEY), "may": ["request"],
        "sessions": "own",
    });
    let world = World::builder().with("/keys", &json!([usual, own])).build();
    let body = once(&world);
    world.asks_for(&body);
    let call = world.call(Method::POST, REQUESTS).key(RESTRICTED_KEY).json(&body);
    let refused = call.send().problem(409, "duplicate-open-request").json();
    assert_eq!(refused["request"], Value::Null);
}
