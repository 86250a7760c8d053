//! Events on an EventBridge bus: alone, beside a URL, and while one of the two does not take them.

use serde_json::{Value, json};
use tests::providers::event_bus::{BUS, HOST};
use tests::world::brand::{WEBHOOK_SECRET, WEBHOOKS_URL};
use tests::world::{Reply, World};

const URL_HOST: &str = "shop.example";
/// A phone that nothing reaches. Its request has one event.
const UNREACHABLE: &str = "+15551239003";

fn with(webhooks: &Value) -> World {
    World::builder().with("/test/webhooks", webhooks).build()
}

fn on_bus_alone() -> World {
    with(&json!({ "eventbridge": BUS }))
}

fn on_both() -> World {
    with(&json!({ "eventbridge": BUS, "url": WEBHOOKS_URL, "secrets": [WEBHOOK_SECRET] }))
}

/// Returns the entries that were put on the bus, in their order.
fn entries(world: &World) -> Vec<Value> {
    let calls = world.calls_to(HOST).into_iter();
    calls
        .map(|call| serde_json::from_slice::<Value>(&call.body).unwrap()["Entries"][0].clone())
        .collect()
}

fn event(world: &World) -> Value {
    world.get("/v1/events").ok(200).json()["events"][0].clone()
}

/// Returns each attempt's destination and reason.
fn attempts(event: &Value) -> Vec<(String, Value)> {
    let attempts = event["attempts"].as_array().unwrap().iter();
    let told =
        |one: &Value| (one["destination"].as_str().unwrap().to_owned(), one["reason"].clone());
    attempts.map(told).collect()
}

fn rejected(code: &str) -> Reply {
    let entry = json!({ "ErrorCode": code, "ErrorMessage": "try again" });
    Reply::Status(200, json!({ "FailedEntryCount": 1, "Entries": [entry] }).to_string())
}

fn at(destination: &str, reason: Option<&str>) -> (String, Value) {
    (destination.to_owned(), json!(reason))
}

#[test]
fn bus_gets_every_event_with_its_id_and_payload() {
    let world = on_bus_alone();
    let asked = world.asks(4250);
    world.customer().approves().ok(200);
    world.run_until_idle();
    let events = world.get("/v1/events?limit=100").ok(200).json()["events"].clone();
    let events = events.as_array().unwrap();
    let entries = entries(&world);
    assert_eq!(entries.len(), events.len());
    for event in events {
        assert_eq!(
            (&event["state"], attempts(event)),
            (&json!("delivered"), vec![at("eventbridge", None)])
        );
        let entry =
            entries.iter().find(|entry| entry["Resources"] == json!([event["id"]])).unwrap();
        assert_eq!(entry["DetailType"], event["type"]);
        assert_eq!(
            (&entry["Source"], &entry["EventBusName"]),
            (&json!("assent.demo"), &json!(BUS))
        );
        let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
        assert_eq!((&detail, &detail["data"]["id"]), (&event["payload"], &json!(asked.id)));
    }
    assert!(world.calls_to(URL_HOST).is_empty());
}

#[test]
fn event_the_bus_did_not_take_comes_again_by_the_schedule() {
    let world = on_bus_alone();
    let refused = |kind: &str| Reply::Status(400, json!({ "__type": kind }).to_string());
    world.replies(
        HOST,
        [
            rejected("ThrottlingException"),
            refused("AccessDeniedException"),
            Reply::Status(200, "{}".to_owned()),
            Reply::NotSent,
            Reply::Lost,
        ],
    );
    world.asks_at(UNREACHABLE, 4250);
    world.time_passes(3_600);
    let event = event(&world);
    let reasons =
        ["bus_rejected", "status", "bus_rejected", "no_connection", "no_answer"].map(Some);
    let expected: Vec<_> =
        reasons.into_iter().chain([None]).map(|reason| at("eventbridge", reason)).collect();
    assert_eq!((attempts(&event), &event["state"]), (expected, &json!("delivered")));
    assert!(event["attempts"][0]["answer"].as_str().unwrap().contains("ThrottlingException"));
    let entries = entries(&world);
    assert!(entries.iter().all(|entry| *entry == entries[0]), "the same event on every attempt");
}

#[test]
fn event_is_given_up_after_its_last_attempt_at_the_bus() {
    let world = on_bus_alone();
    world.replies(HOST, (0..13).map(|_| rejected("InternalFailure")));
    world.asks_at(UNREACHABLE, 4250);
    world.time_passes(4 * 86_400);
    let event = event(&world);
    assert_eq!((&event["state"], entries(&world).len()), (&json!("failed"), 13));
}

#[test]
fn url_that_took_an_event_gets_it_once_while_the_bus_fails() {
    let world = on_both();
    world.replies(HOST, [rejected("ThrottlingException"), Reply::NotSent]);
    world.asks_at(UNREACHABLE, 4250);
    world.time_passes(3_600);
    let told = event(&world);
    let expected = [
        at("eventbridge", Some("bus_rejected")),
        at("url", None),
        at("eventbridge", Some("no_connection")),
        at("eventbridge", None),
    ];
    assert_eq!((attempts(&told), &told["state"]), (expected.to_vec(), &json!("delivered")));
    assert_eq!(world.calls_to(URL_HOST).len(), 1);
    let path = format!("/v1/events/{}/redeliver", told["id"].as_str().unwrap());
    world.post(&path, &json!({})).ok(202);
    world.run_until_idle();
    assert_eq!((world.calls_to(URL_HOST).len(), entries(&world).len()), (2, 4), "again to both");
}

#[test]
fn bus_that_took_an_event_gets_it_once_while_the_url_fails() {
    let world = on_both();
    world.replies(URL_HOST, [Reply::Status(500, String::new()), Reply::Lost]);
    world.asks_at(UNREACHABLE, 4250);
    world.time_passes(3_600);
    assert_eq!((world.calls_to(URL_HOST).len(), entries(&world).len()), (3, 1));
    assert_eq!(event(&world)["state"], "delivered");
}

/// The URL is disabled by its `410`, and the bus does not suffer from it.
#[test]
fn bus_still_gets_events_while_the_url_is_disabled() {
    let world = on_both();
    world.replies(HOST, [rejected("ThrottlingException")]);
    world.replies(URL_HOST, [Reply::Status(410, String::new())]);
    world.asks_at(UNREACHABLE, 4250);
    world.time_passes(60);
    let told = event(&world);
    let expected = [
        at("eventbridge", Some("bus_rejected")),
        at("url", Some("gone")),
        at("eventbridge", None),
        at("url", Some("endpoint_disabled")),
    ];
    assert_eq!((attempts(&told), &told["state"]), (expected.to_vec(), &json!("failed")));
    world.asks_at(UNREACHABLE, 4251);
    world.time_passes(60);
    assert_eq!((world.calls_to(URL_HOST).len(), entries(&world).len()), (1, 3));
}

#[test]
fn test_of_webhooks_reaches_the_bus() {
    let world = on_bus_alone();
    world.post("/v1/webhooks/test", &json!({})).ok(202);
    world.run_until_idle();
    assert_eq!(entries(&world)[0]["DetailType"], "webhook.test");
}

#[test]
fn unusable_bus_is_called_nowhere_and_the_attempt_says_so() {
    for webhooks in [
        json!({ "eventbridge": "orders" }),
        json!({ "eventbridge": BUS, "eventbridge_base_url": "ftp://127.0.0.1" }),
    ] {
        let world = with(&webhooks);
        world.asks_at(UNREACHABLE, 4250);
        assert!(entries(&world).is_empty());
        assert_eq!(attempts(&event(&world))[0], at("eventbridge", Some("address_not_allowed")));
    }
}
