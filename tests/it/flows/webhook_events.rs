//! The brand's webhook events: listed with their attempts, delivered again, and tested.

use http::Method;
use serde_json::{Value, json};
use tests::world::brand::{LIVE_KEY, OTHER_KEY, RESTRICTED_KEY, TEST_KEY, WEBHOOK_SECRET};
use tests::world::{PHONE, Reply, World};

const HOST: &str = "shop.example";
/// A phone that nothing reaches. Its request has one event.
const UNREACHABLE: &str = "+15551239003";

fn events(world: &World) -> Vec<Value> {
    world.get("/v1/events?limit=100").ok(200).json()["events"].as_array().unwrap().clone()
}

fn path(event: &Value) -> String {
    format!("/v1/events/{}", event["id"].as_str().unwrap())
}

fn redeliver(world: &World, event: &Value) -> Value {
    world.post(&format!("{}/redeliver", path(event)), &json!({})).ok(202).json()
}

fn since(world: &World, body: &Value) -> Value {
    let answer_json = world.post("/v1/events/redeliver", body).ok(202).json();
    world.run_until_idle();
    answer_json
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

fn reasons(event: &Value) -> Vec<Value> {
    event["attempts"].as_array().unwrap().iter().map(|one| one["reason"].clone()).collect()
}

#[test]
fn events_are_listed_newest_first_with_what_was_delivered() {
    let world = World::new();
    let asked = world.asks(4250);
    world.time_passes(1);
    world.customer().approves().ok(200);
    world.time_passes(1);
    let events = events(&world);
    let mut ids: Vec<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), world.webhooks().len());
    assert!(types(&events).contains(&"request.fulfilled"), "{events:?}");
    let calls = world.calls_to(HOST);
    for event in &events {
        let called =
            calls.iter().find(|one| one.headers["webhook-id"] == *event["id"].as_str().unwrap());
        let called = called.unwrap();
        let answer_json: Value = serde_json::from_slice(&called.body).unwrap();
        assert_eq!(event["payload"], answer_json);
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            let sent = called.headers[name].to_str().unwrap();
            assert_eq!(event["attempts"][0]["headers"][name], sent);
        }
        assert_eq!((&event["state"], &event["request"]), (&json!("delivered"), &json!(asked.id)));
        assert_eq!(reasons(event), [Value::Null]);
        // A read of one event has the bytes too.
        let mut read = world.get(&path(event)).ok(200).json();
        let body = read.as_object_mut().unwrap().remove("body").unwrap();
        assert_eq!(body.as_str().unwrap().as_bytes(), &called.body[..]);
        assert_eq!(read, *event);
    }
    ids.reverse();
    assert!(ids.is_sorted(), "{ids:?}");
}

#[test]
fn cursor_pages_through_events_of_its_brand_and_mode() {
    let world = World::new();
    world.asks(4250);
    world.customer().approves().ok(200);
    world.time_passes(1);
    let whole = events(&world);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/v1/events?limit=1&cursor={cursor}")).ok(200).json();
        paged.extend(page["events"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
        for key in [OTHER_KEY, LIVE_KEY] {
            let path = format!("/v1/events?cursor={cursor}");
            world.call(Method::GET, &path).key(key).send().ok(400);
        }
        world.get(&format!("/v1/requests?session=CA123&cursor={cursor}")).ok(400);
    }
    assert_eq!(paged, whole);
    for limit in ["0", "101", "x"] {
        world.get(&format!("/v1/events?limit={limit}")).ok(400);
    }
}

#[test]
fn events_of_another_brand_or_mode_are_not_found() {
    let world = World::new();
    world.asks(4250);
    let event = events(&world).remove(0);
    let calls = world.calls_to(HOST).len();
    for key in [OTHER_KEY, LIVE_KEY] {
        let listed = world.call(Method::GET, "/v1/events").key(key).send().ok(200).json();
        assert_eq!(listed, json!({ "events": [], "next_cursor": null }));
        world.call(Method::GET, &path(&event)).key(key).send().ok(404);
        let again = world.call(Method::POST, &format!("{}/redeliver", path(&event))).key(key);
        again.json(&json!({})).send().ok(404);
    }
    world.get("/v1/events/evt_01M844DZG03XCBJ52V4K8GHNXC").ok(404);
    world.get("/v1/events/req_01M844DZG03XCBJ52V4K8GHNXC").ok(404);
    world.run_until_idle();
    assert_eq!(world.calls_to(HOST).len(), calls);
}

#[test]
fn key_of_own_sessions_sees_its_own_events() {
    let digest = |text: &str| domain::digest::digest_hex(text.as_bytes());
    let keys = json!([
        { "mode": "test", "sha256": digest(TEST_KEY) },
        { "mode": "test", "sha256": digest(RESTRICTED_KEY), "may": ["read", "request"], "sessions": "own" },
    ]);
    let world = World::builder().with("/keys", &keys).build();
    world.asks_at(UNREACHABLE, 4250);
    world.time_passes(60);
    let others = events(&world);
    assert!(!others.is_empty());
    let own = |method: Method, path: &str| world.call(method, path).key(RESTRICTED_KEY);
    let test = own(Method::POST, "/v1/webhooks/test").json(&json!({})).send().ok(202).json();
    world.run_until_idle();
    let listed = own(Method::GET, "/v1/events").send().ok(200).json();
    assert_eq!(listed["events"].as_array().unwrap().len(), 1);
    assert_eq!(listed["events"][0]["id"], test["id"]);
    own(Method::GET, &path(&others[0])).send().ok(404);
    let begun = json!({ "since": "2026-11-01T00:00:00Z" });
    let answer_json = own(Method::POST, "/v1/events/redeliver").json(&begun).send().ok(202).json();
    world.run_until_idle();
    assert_eq!(answer_json, json!({ "queued": 1, "next_cursor": null }));
}

/// An endpoint's error page may quote its settings.
#[test]
fn attempts_tell_status_answer_and_reason_but_no_secret() {
    let world = World::new();
    let leak = format!("boom \u{1b}[31m WEBHOOK_SECRET={WEBHOOK_SECRET} {}", "x".repeat(5_000));
    let answers = [Reply::Status(500, leak), Reply::NotSent, Reply::Status(302, String::new())];
    world.replies(HOST, answers);
    world.asks_at(UNREACHABLE, 4250);
    world.time_passes(120);
    let event = events(&world).remove(0);
    let [status, unreached, redirected] = ["status", "no_connection", "status"].map(Value::from);
    assert_eq!(reasons(&event), [status, unreached, redirected, Value::Null]);
    let first = &event["attempts"][0];
    assert_eq!(first["status"], 500);
    let answer = first["answer"].as_str().unwrap();
    assert!(answer.starts_with("boom  [31m WEBHOOK_SECRET=[secret] xxx"), "{answer}");
    assert_eq!(answer.chars().count(), 512);
    assert_eq!(event["attempts"][1]["status"], Value::Null);
    assert_eq!((&event["state"], &event["next_attempt_at"]), (&json!("delivered"), &Value::Null));
}

#[test]
fn redelivery_keeps_id_and_bytes_and_adds_an_attempt() {
    let world = World::new();
    world.asks_at(UNREACHABLE, 4250);
    world.time_passes(60);
    let event = events(&world).remove(0);
    let due = redeliver(&world, &event);
    assert_eq!((&due["state"], &due["delivered_at"]), (&json!("pending"), &Value::Null));
    world.run_until_idle();
    let after = world.get(&path(&event)).ok(200).json();
    assert_eq!((&after["state"], reasons(&after).len()), (&json!("delivered"), 2));
    let calls = world.calls_to(HOST);
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].headers["webhook-id"], calls[1].headers["webhook-id"]);
    assert_eq!(calls[0].body, calls[1].body);
    // Its spare message finds nothing to do.
    world.time_passes(3_600);
    assert_eq!(world.calls_to(HOST).len(), 2);
}

#[test]
fn event_that_was_given_up_has_a_schedule_again() {
    let world = World::new();
    let down = || Reply::Status(503, String::new());
    world.replies(HOST, std::iter::repeat_with(down).take(14));
    world.asks_at(UNREACHABLE, 4250);
    world.time_passes(100 * 3_600);
    let event = events(&world).remove(0);
    assert_eq!((&event["state"], reasons(&event).len()), (&json!("failed"), 13));
    // The endpoint is disabled by then, and is probed after an hour.
    world.time_passes(3_601);
    redeliver(&world, &event);
    world.time_passes(2 * 3_600);
    let after = world.get(&path(&event)).ok(200).json();
    assert!(reasons(&after).len() > 13, "{after}");
    assert_eq!(after["id"], event["id"]);
}

#[test]
fn endpoint_that_is_switched_off_gets_no_redelivery() {
    let world = World::new();
    world.replies(HOST, [Reply::Status(410, String::new())]);
    world.asks_at(UNREACHABLE, 4250);
    world.time_passes(60);
    let event = events(&world).remove(0);
    assert_eq!((&event["state"], reasons(&event)), (&json!("failed"), vec![json!("gone")]));
    redeliver(&world, &event);
    world.run_until_idle();
    let after = world.get(&path(&event)).ok(200).json();
    assert_eq!(after["state"], "failed");
    assert_eq!(reasons(&after), [json!("gone"), json!("endpoint_disabled")]);
    assert_eq!(world.calls_to(HOST).len(), 1);
}

#[test]
fn redelivery_since_a_time_takes_that_events_and_later_ones() {
    let world = World::new();
    let test = || {
        world.time_passes(10);
        let event = world.post("/v1/webhooks/test", &json!({})).ok(202).json();
        world.run_until_idle();
        event
    };
    let (first, second) = (test(), test());
    assert_eq!(world.calls_to(HOST).len(), 2);
    let answer_json = since(&world, &json!({ "since": second["created_at"] }));
    assert_eq!(answer_json, json!({ "queued": 1, "next_cursor": null }));
    let calls = world.calls_to(HOST);
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[2].headers["webhook-id"], *second["id"].as_str().unwrap());
    let answer_json = since(&world, &json!({ "since": first["created_at"] }));
    assert_eq!(answer_json["queued"], 2);
    let answer_json = since(&world, &json!({ "since": "2030-01-01T00:00:00Z" }));
    assert_eq!(answer_json["queued"], 0);
    for bad in [json!({}), json!({ "since": "yesterday" }), json!({ "since": 7 })] {
        world.post("/v1/events/redeliver", &bad).ok(400);
    }
}

#[test]
fn redelivery_of_many_events_is_bounded_and_goes_on() {
    let world = World::new();
    for _ in 0..103 {
        world.post("/v1/webhooks/test", &json!({})).ok(202);
    }
    world.run_until_idle();
    let body = json!({ "since": "2026-11-01T00:00:00Z" });
    let answer_json = since(&world, &body);
    assert_eq!(answer_json["queued"], 100);
    let cursor = answer_json["next_cursor"].as_str().unwrap();
    let list = world.get(&format!("/v1/events?cursor={cursor}"));
    assert_eq!(list.status, 400, "the cursor is of another list");
    let rest = json!({ "since": body["since"], "cursor": cursor });
    let answer_json = since(&world, &rest);
    assert_eq!(answer_json, json!({ "queued": 3, "next_cursor": null }));
    assert_eq!(world.calls_to(HOST).len(), 206);
    let foreign = json!({ "since": body["since"], "cursor": "bm8.bm8" });
    world.post("/v1/events/redeliver", &foreign).ok(400);
}

#[test]
fn test_event_is_signed_and_of_no_request() {
    let world = World::new();
    let event = world.post("/v1/webhooks/test", &json!({})).ok(202).json();
    assert_eq!((&event["type"], &event["request"]), (&json!("webhook.test"), &Value::Null));
    world.run_until_idle();
    assert_eq!(world.webhooks(), ["webhook.test"]);
    let after = world.get(&path(&event)).ok(200).json();
    assert_eq!((&after["state"], reasons(&after)), (&json!("delivered"), vec![Value::Null]));
}

#[test]
fn brand_without_endpoint_can_test_and_redeliver_nothing() {
    let world = World::new();
    world.replies(HOST, [Reply::Status(500, String::new())]);
    world.asks_at(UNREACHABLE, 4250);
    world.rotates("/test/webhooks", &Value::Null);
    world.time_passes(60);
    let event = events(&world).remove(0);
    assert_eq!(reasons(&event), [json!("status"), json!("not_configured")]);
    for (path, body) in [
        ("/v1/webhooks/test".to_owned(), json!({})),
        (format!("{}/redeliver", path(&event)), json!({})),
        ("/v1/events/redeliver".to_owned(), json!({ "since": "2026-11-01T00:00:00Z" })),
    ] {
        world.post(&path, &body).problem(422, "webhooks-not-configured");
    }
}

/// With its id and other bytes it would not be the same event.
#[test]
fn event_of_an_erased_customer_is_not_delivered_again() {
    let world = World::new();
    world.asks(4250);
    world.customer().approves().ok(200);
    world.time_passes(60);
    world.call(Method::DELETE, &format!("/v1/customers/{PHONE}")).send().ok(202);
    world.run_until_idle();
    let calls = world.calls_to(HOST).len();
    let listed = events(&world);
    assert!(!listed.is_empty());
    for event in &listed {
        assert_ne!(event["erased_at"], Value::Null);
        assert!(event["payload"]["data"].get("customer").is_none());
        let refused = world.post(&format!("{}/redeliver", path(event)), &json!({}));
        assert_eq!(refused.ok(409).json()["code"], "conflict-state");
    }
    let answer_json = since(&world, &json!({ "since": "2026-11-01T00:00:00Z" }));
    assert_eq!(answer_json, json!({ "queued": 0, "next_cursor": null }));
    assert_eq!(world.calls_to(HOST).len(), calls);
}
