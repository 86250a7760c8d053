//! API keys: their ids in journals, when they end, and the rights and ceilings of restricted ones.

use domain::api_key::KeyKind;
use domain::digest::digest_hex;
use domain::journal::{EntryKind, JournalEntry};
use http::Method;
use serde_json::{Value, json};
use tests::world::brand::{RESTRICTED_KEY, TEST_KEY};
use tests::world::calls::Answer;
use tests::world::{CreatedRequest, PHONE, World};

/// Returns a world whose test key has these settings too.
fn world_with(settings: &Value) -> World {
    let mut key = json!({ "mode": "test", "sha256": digest_hex(TEST_KEY.as_bytes()) });
    for (name, value) in settings.as_object().unwrap() {
        key[name] = value.clone();
    }
    World::builder().with("/keys", &json!([key])).build()
}

fn first_entry(world: &World, asked: &CreatedRequest) -> JournalEntry {
    let export = world.get(&format!("{}/record", asked.path)).ok(200).json();
    serde_json::from_str(export["events"][0]["text"].as_str().unwrap()).unwrap()
}

#[test]
fn request_names_the_key_that_asked() {
    let settings = json!({ "id": "key_madrid", "label": "desk Madrid", "kind": "human" });
    let world = world_with(&settings);
    let asked = world.asks(100);
    let key = world.stored(&asked).key.unwrap();
    assert_eq!((key.id.as_str(), key.kind), ("key_madrid", KeyKind::Human));
    let entry = first_entry(&world, &asked);
    assert_eq!(entry.what, EntryKind::Accepted);
    assert_eq!(entry.caller.clone().unwrap().key, Some(key.id));
    assert_eq!(entry.text().matches("key_madrid").count(), 1);
}

#[test]
fn key_without_an_id_is_named_by_its_digest() {
    let world = World::new();
    let asked = world.asks(100);
    let key = world.stored(&asked).key.unwrap();
    let digest = digest_hex(TEST_KEY.as_bytes());
    assert_eq!(key.id.as_str(), format!("key_{}", &digest[..16]));
    assert_eq!(key.kind, KeyKind::Server);
}

#[test]
fn key_after_its_end_is_refused() {
    let world = world_with(&json!({ "expires_at": "2026-12-01T00:10:00.000Z" }));
    let asked = world.asks(100);
    world.time_passes(590);
    world.get(&asked.path).ok(200);
    world.time_passes(10);
    world.get(&asked.path).problem(401, "unauthenticated");
    world.post("/v1/requests", &world.payment(PHONE, 1)).problem(401, "unauthenticated");
}

/// Returns a world with the usual test key, and a restricted key with these settings.
fn world_with_restricted(settings: &Value) -> World {
    let digest = |text: &str| digest_hex(text.as_bytes());
    let usual = json!({ "mode": "test", "sha256": digest(TEST_KEY) });
    let mut key =
        json!({ "id": "key_limited", "mode": "test", "sha256": digest(RESTRICTED_KEY), "may": [] });
    for (name, value) in settings.as_object().unwrap() {
        key[name] = value.clone();
    }
    let often = json!({ "open_max": 20, "prompts_per_ten_minutes": 100, "prompts_per_day": 1000 });
    World::builder().with("/keys", &json!([usual, key])).with("/policy", &often).build()
}

fn posts(world: &World, path: &str, body: &Value) -> Answer {
    let answer = world.call(Method::POST, path).key(RESTRICTED_KEY).json(body).send();
    world.run_until_idle();
    answer
}

fn asks(world: &World, amount: u64, currency: &str) -> Answer {
    let mut body = world.payment(PHONE, amount);
    body["ask"]["currency"] = json!(currency);
    posts(world, "/v1/requests", &body)
}

#[test]
fn key_without_a_right_is_refused() {
    let rights = ["request", "read", "refund", "capability"];
    for right in rights {
        let world = world_with_restricted(&json!({ "may": [right] }));
        let asked = world.asks(100);
        let ask = world.payment(PHONE, 1);
        let capability = json!({ "customer": ask["customer"], "ask": ask["ask"] });
        let at = |action: &str| format!("{}/{action}", asked.path);
        let get = |path: &str| world.call(Method::GET, path).key(RESTRICTED_KEY).send();
        let answers = [
            ("request", posts(&world, "/v1/requests", &ask)),
            ("request", posts(&world, &at("extend"), &json!({ "expires_in": 300 }))),
            ("request", posts(&world, &at("resend"), &json!({}))),
            ("request", posts(&world, &at("cancel"), &json!({}))),
            ("read", get(&asked.path)),
            ("read", get(&at("record"))),
            ("read", get("/v1/requests?session=CA123")),
            ("refund", posts(&world, &at("refund"), &json!({}))),
            ("capability", posts(&world, "/v1/capabilities", &capability)),
        ];
        for (needed, answer) in answers {
            if needed == right {
                assert_ne!(answer.status, 403, "{right}: {}", answer.text());
            } else {
                let refused = answer.problem(403, "not-allowed-for-key").json();
                assert_eq!(refused["limit"], "may");
                assert!(refused["detail"].as_str().unwrap().contains(needed), "{refused}");
            }
        }
    }
}

#[test]
fn key_above_its_ceilings_is_refused() {
    let world = world_with_restricted(&json!({
        "may": ["request"], "asks": ["payment"], "amount_max": { "EUR": 500 },
        "amount_per_day": { "EUR": 1200 }, "asks_per_hour": 3, "channels": ["sms"],
    }));
    let limit = |answer: Answer, code: &str, limit: &str| {
        assert_eq!(answer.problem(403, code).json()["limit"], limit);
    };
    limit(asks(&world, 501, "EUR"), "ceiling-reached", "amount_max");
    limit(asks(&world, 100, "USD"), "ceiling-reached", "amount_max");
    let mut card = world.payment(PHONE, 1);
    card["ask"] = json!({ "kind": "payment_method", "description": "Card on file" });
    limit(posts(&world, "/v1/requests", &card), "not-allowed-for-key", "asks");
    let mut over_rcs = world.payment(PHONE, 1);
    over_rcs["channels"] = json!(["rcs"]);
    limit(posts(&world, "/v1/requests", &over_rcs), "not-allowed-for-key", "channels");
    let asked = asks(&world, 500, "EUR").ok(201).json();
    assert_eq!(asked["channels"], json!(["sms"]));
    let resend = format!("/v1/requests/{}/resend", asked["id"].as_str().unwrap());
    let other = json!({ "channel": "rcs" });
    limit(posts(&world, &resend, &other), "not-allowed-for-key", "channels");
    asks(&world, 500, "EUR").ok(201);
    let refused = asks(&world, 201, "EUR");
    assert_eq!(refused.header("retry-after"), "87301");
    limit(refused, "ceiling-reached", "amount_per_day");
    asks(&world, 200, "EUR").ok(201);
    limit(asks(&world, 1, "EUR"), "ceiling-reached", "asks_per_hour");
    // The first key has no ceilings, and its asks count for no other key.
    world.time_passes(3_660);
    world.asks(5_000);
    limit(asks(&world, 1, "EUR"), "ceiling-reached", "amount_per_day");
    world.time_passes(86_400);
    asks(&world, 500, "EUR").ok(201);
}

#[test]
fn two_asks_at_once_pass_no_ceiling_together() {
    let limits =
        json!({ "may": ["request"], "asks_per_hour": 1, "amount_per_day": { "EUR": 100 } });
    let world = world_with_restricted(&limits);
    world.meanwhile("storing KEY#", |core| {
        let mut body = core.payment("+15551230002", 100);
        body["ask"]["currency"] = json!("EUR");
        core.call(Method::POST, "/v1/requests").key(RESTRICTED_KEY).json(&body).send().ok(201);
    });
    asks(&world, 100, "EUR").problem(403, "ceiling-reached");
}

#[test]
fn key_of_own_sessions_sees_its_own_requests_only() {
    let world =
        world_with_restricted(&json!({ "may": ["request", "read", "refund"], "sessions": "own" }));
    let others = world.asks(100);
    let own = asks(&world, 100, "EUR").ok(201).json();
    let get = |path: &str| world.call(Method::GET, path).key(RESTRICTED_KEY).send();
    get(&others.path).problem(404, "not-found");
    get(&format!("{}/record", others.path)).problem(404, "not-found");
    for action in ["cancel", "resend", "refund"] {
        let path = format!("{}/{action}", others.path);
        posts(&world, &path, &json!({})).problem(404, "not-found");
    }
    get(&format!("/v1/requests/{}", own["id"].as_str().unwrap())).ok(200);
    let listed = get("/v1/requests?session=CA123").ok(200).json();
    assert_eq!(listed["requests"].as_array().unwrap().len(), 1);
    assert_eq!(listed["requests"][0]["id"], own["id"]);
}

#[test]
fn restricted_key_gets_no_answer_to_anothers_call() {
    let world = world_with_restricted(&json!({ "may": ["request"], "sessions": "own" }));
    let body = world.payment(PHONE, 100);
    let call = |key: &str| {
        let call = world.call(Method::POST, "/v1/requests").key(key).idempotency("order-1");
        let answer = call.json(&body).send().ok(201).json();
        world.run_until_idle();
        answer
    };
    let (first, own) = (call(TEST_KEY), call(RESTRICTED_KEY));
    assert_ne!(first["id"], own["id"]);
    assert_eq!(call(RESTRICTED_KEY)["id"], own["id"]);
    assert_eq!(call(TEST_KEY)["id"], first["id"]);
}

#[test]
fn key_text_must_say_whether_it_is_restricted() {
    let world = world_with_restricted(&json!({ "may": ["read"] }));
    let posing = RESTRICTED_KEY.replacen("rk_", "sk_", 1);
    for key in [posing.as_str(), &TEST_KEY.replacen("sk_", "rk_", 1)] {
        let call = world.call(Method::GET, "/v1/requests?session=CA123").key(key);
        call.send().problem(401, "unauthenticated");
    }
}

#[test]
fn customer_of_an_ai_agent_reads_that_a_machine_asks() {
    let world = world_with_restricted(&json!({ "may": ["request"], "kind": "ai_agent" }));
    let asked = asks(&world, 4250, "EUR").ok(201).json();
    assert_eq!(asked["key"], json!({ "id": "key_limited", "kind": "ai_agent" }));
    let message = world.customer().newest();
    let start = "An automated assistant of Demo Books asks you to pay";
    assert!(message.text("text").starts_with(start), "{}", message.text("text"));
    let page = world.customer().opens(&message.page).text();
    assert!(page.contains("An automated assistant of this business asks you."), "{page}");
    let usual = world.asks(4250);
    let message = world.customer().newest();
    assert!(message.text("text").starts_with("Demo Books asks you"), "{}", usual.id);
}

/// The rule is that of the call which every surface makes.
#[test]
fn ai_agent_that_was_denied_names_the_denied_request() {
    let settings = json!({ "may": ["request", "read"], "kind": "ai_agent" });
    let world = world_with_restricted(&settings);
    let retries = |retry_of: &Value| {
        let mut body = world.payment(PHONE, 100);
        body["metadata"] = json!({ "retry_of": retry_of });
        world.call(Method::POST, "/v1/requests").key(RESTRICTED_KEY).json(&body).send()
    };
    let other = json!("req_01M844DZG03XCBJ52V4K8GHNXC");
    let early = retries(&other).problem(400, "invalid-request").json();
    assert_eq!(early["errors"][0]["pointer"], "/metadata/retry_of");
    let asked = asks(&world, 4250, "EUR").ok(201).json();
    world.run_until_idle();
    world.customer().denies().ok(200);
    world.run_until_idle();
    let refused = asks(&world, 100, "EUR").problem(409, "denied-in-session").json();
    assert_eq!(refused["request"], asked["id"]);
    retries(&other).problem(409, "denied-in-session");
    let retried = retries(&asked["id"]).ok(201).json();
    assert_eq!(retried["metadata"]["retry_of"], asked["id"]);
    world.run_until_idle();
    // A person at a desk knows what the customer wants.
    world.asks(200);
}
