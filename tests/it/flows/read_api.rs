//! Reads of the API: one request or a session's list, with and without waiting.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tests::world::brand::{LIVE_KEY, OTHER_KEY};
use tests::world::{PHONE, World};

#[test]
fn request_is_shown_as_documented() {
    let world = World::new();
    let mut body = world.payment(PHONE, 4250);
    body["metadata"] = json!({ "ticket": "88" });
    let asked = world.asks_for(&body);
    let shown = world.reads(&asked);
    let expected = json!({
        "id": asked.id, "version": shown["version"], "state": "prompted", "mode": "test",
        "ask": { "kind": "payment", "amount": 4250, "currency": "EUR", "description": "Invoice 4711" },
        "key": shown["key"],
        "customer": { "phone": "+1•••••0001", "name": "Ada Byron", "language": "en-GB" },
        "session": { "kind": "voice", "id": "CA123", "agent": "a17" },
        "session_code": asked.answer["session_code"], "language": "en",
        "channels": ["rcs", "sms"],
        "fallback_seconds": 12, "metadata": { "ticket": "88" },
        "created_at": "2026-12-01T00:00:00.000Z", "expires_at": "2026-12-01T00:05:00.000Z",
        "timeline": [
            { "at": "2026-12-01T00:00:00.000Z", "what": "accepted", "channel": "rcs" },
            { "at": "2026-12-01T00:00:00.000Z", "what": "delivered", "channel": "rcs" },
        ],
        "outcome": null,
    });
    assert_eq!(shown, expected);
    assert_eq!(shown["key"]["kind"], "server");
    assert!(shown["key"]["id"].as_str().unwrap().starts_with("key_"));
}

#[test]
fn end_is_the_timelines_last_line_and_has_a_time() {
    let world = World::new();
    let asked = world.asks(4250);
    assert_eq!(world.reads(&asked)["ended_at"], Value::Null);
    world.time_passes(3);
    world.customer().approves().ok(200);
    world.run_until_idle();
    let shown = world.reads(&asked);
    let end = json!({ "at": "2026-12-01T00:00:03.001Z", "what": "fulfilled" });
    assert_eq!(shown["ended_at"], end["at"]);
    assert_eq!(shown["timeline"].as_array().unwrap().last().unwrap(), &end);
    world.acts(&asked, "refund", &json!({})).ok(202);
    let expected = ["authorized rcs", "fulfilled", "refund_asked", "refunded"];
    assert_eq!(world.timeline(&asked)[2..], expected);
    let denied = world.asks(4250);
    world.customer().denies().ok(200);
    assert_eq!(world.timeline(&denied).last().unwrap(), "denied customer");
}

#[test]
fn wait_ends_with_the_first_change() {
    let world = World::new();
    let asked = world.asks(4250);
    let version = world.reads(&asked)["version"].as_u64().unwrap();
    let path = format!("{}?wait=20&after={version}", asked.path);
    world.meanwhile("waited", |core| {
        core.customer().denies();
    });
    let begun = world.now();
    let events = world.get(&path).ok(200).json();
    assert_eq!(events["state"], "denied");
    assert!(begun.until(world.now()) < Duration::from_secs(1));
}

#[test]
fn wait_without_change_ends_and_old_change_is_immediate() {
    let world = World::new();
    let asked = world.asks(4250);
    let version = world.reads(&asked)["version"].as_u64().unwrap();
    let begun = world.now();
    world.get(&format!("{}?wait=20&after={version}", asked.path)).ok(200);
    assert_eq!(begun.until(world.now()), Duration::from_secs(20));
    world.run_until_idle();
    let begun = world.now();
    world.get(&format!("{}?wait=20&after={}", asked.path, version - 1)).ok(200);
    assert_eq!(begun, world.now());
    world.acts(&asked, "cancel", &json!({})).ok(200);
    let begun = world.now();
    world.get(&format!("{}?wait=20", asked.path)).ok(200);
    assert_eq!(begun, world.now());
}

#[test]
fn wait_accepts_zero_to_twenty_seconds() {
    let world = World::new();
    let asked = world.asks(4250);
    for query in ["wait=21", "wait=-1", "wait=x", "after=x", "wait=1&wait=2", "other=1"] {
        let refused = world.get(&format!("{}?{query}", asked.path));
        refused.problem(400, "invalid-request");
    }
}

#[test]
fn session_is_listed_newest_first_page_by_page() {
    let world = World::builder().with("/policy", &json!({ "open_max": 10 })).build();
    let mut asked: Vec<String> = Vec::new();
    for amount in 1..=5 {
        asked.insert(0, world.asks(amount).id);
        world.time_passes(1);
    }
    let mut elsewhere = world.payment("+15551230002", 9);
    elsewhere["session"]["id"] = json!("CA124");
    world.asks_for(&elsewhere);
    let mut listed: Vec<String> = Vec::new();
    let mut path = "/v1/requests?session=CA123&limit=2".to_owned();
    for _ in 0..3 {
        let page = world.get(&path).ok(200).json();
        let ids = page["requests"].as_array().unwrap().iter();
        listed.extend(ids.map(|request| request["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/requests?session=CA123&limit=2&cursor={cursor}");
    }
    assert_eq!(listed, asked);
    let whole = world.get("/v1/requests?session=CA123").ok(200).json();
    assert_eq!(
        (whole["requests"].as_array().unwrap().len(), &whole["next_cursor"]),
        (5, &Value::Null)
    );
    assert_eq!(whole["requests"][0], world.get(&format!("/v1/requests/{}", asked[0])).json());
    let none = world.get("/v1/requests?session=unknown").ok(200).json();
    assert_eq!(none, json!({ "requests": [], "next_cursor": null }));
}

#[test]
fn list_needs_sound_filters_and_a_cursor_of_its_own() {
    let world = World::new();
    for query in [
        "session=",
        "session=a%20b",
        "session=a&limit=101",
        "session=a&cursor=%21",
        "session=a&x=1",
    ] {
        let refused = world.get(&format!("/v1/requests?{query}"));
        refused.problem(400, "invalid-request");
    }
}

#[test]
fn key_of_another_brand_or_mode_sees_nothing() {
    let world = World::new();
    let asked = world.asks(4250);
    for key in [OTHER_KEY, LIVE_KEY] {
        world.call(Method::GET, &asked.path).key(key).send().problem(404, "not-found");
        for (what, body) in
            [("cancel", json!({})), ("resend", json!({})), ("extend", json!({ "expires_in": 600 }))]
        {
            let path = format!("{}/{what}", asked.path);
            world.call(Method::POST, &path).key(key).json(&body).send().problem(404, "not-found");
        }
        let list = world.call(Method::GET, "/v1/requests?session=CA123").key(key).send().ok(200);
        assert_eq!(list.json()["requests"], json!([]));
    }
    assert_eq!(world.state(&asked), "prompted");
}
