//! Webhooks: signed, the same on every attempt, on their schedule, and given up on openly.

use domain::message::{Message, Step};
use http::HeaderMap;
use ports::Item;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tests::world::brand::{WEBHOOK_SECRET, WEBHOOKS_URL};
use tests::world::{PHONE, RecordedCall, Reply, World};

const HOST: &str = "shop.example";

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}

/// Returns whether the standard library accepts a signature made with this secret.
fn is_signed_with(called: &RecordedCall, secret: &str) -> bool {
    let sent_at: i64 = text(&called.headers, "webhook-timestamp").parse().unwrap();
    let webhook = Webhook::new(secret).unwrap();
    let signature =
        webhook.sign(text(&called.headers, "webhook-id"), sent_at, &called.body).unwrap();
    text(&called.headers, "webhook-signature").split(' ').any(|given| given == signature)
}

fn endpoint(world: &World) -> Option<Item> {
    world.items().into_iter().find(|item| item.key.pk.starts_with("ENDPOINT#"))
}

#[test]
#[expect(clippy::disallowed_methods, reason = "others' code looks at the machine's own clock")]
fn signature_is_verified_by_the_standard_library() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    let world = World::builder().at(domain::values::time::Timestamp::from_millis(now)).build();
    world.asks(4250);
    let called = world.calls_to(HOST);
    for called in &called {
        let webhook = Webhook::new(WEBHOOK_SECRET).unwrap();
        webhook.verify(&called.body, &called.headers).unwrap();
    }
    let mut forged = called[0].body.to_vec();
    forged[0] = b' ';
    let webhook = Webhook::new(WEBHOOK_SECRET).unwrap();
    assert!(webhook.verify(&forged, &called[0].headers).is_err());
}

#[test]
fn payload_omits_what_only_the_agent_may_see() {
    let world = World::new();
    let asked = world.asks(4250);
    let called = world.calls_to(HOST).remove(0);
    assert_eq!(called.uri, WEBHOOKS_URL);
    assert_eq!(text(&called.headers, "content-type"), "application/json");
    let event_body: Value = serde_json::from_slice(&called.body).unwrap();
    assert_eq!(event_body["type"], "request.prompted");
    assert_eq!(event_body["timestamp"], "2026-12-01T00:00:00.000Z");
    assert_eq!(event_body["data"]["id"], asked.id.as_str());
    assert_eq!(event_body["data"]["state"], "prompted");
    assert!(event_body["data"]["version"].as_u64().is_some());
    assert!(event_body["data"].get("session_code").is_none());
    assert!(event_body["data"]["customer"].get("name").is_none());
    assert!(called.body.len() < 20_000);
}

#[test]
fn every_secret_signs_for_rotation_without_downtime() {
    let other = "whsec_bmV3LXNlY3JldC1vZi10aGUtZGVtby1icmFuZA==";
    let webhooks = json!({ "url": WEBHOOKS_URL, "secrets": [other, WEBHOOK_SECRET] });
    let world = World::builder().with("/test/webhooks", &webhooks).build();
    world.asks(4250);
    let called = world.calls_to(HOST).remove(0);
    assert!(is_signed_with(&called, WEBHOOK_SECRET) && is_signed_with(&called, other));
    assert!(!is_signed_with(&called, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
}

/// Its requests end like any others.
#[test]
fn brand_without_endpoint_gets_no_webhooks() {
    let world = World::builder().with("/test/webhooks", &Value::Null).build();
    let asked = world.asks(4250);
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
    assert!(world.calls_to(HOST).is_empty());
}

#[test]
fn retry_has_same_id_and_bytes_and_a_new_signature() {
    let world = World::new();
    world.replies(
        HOST,
        [Reply::Status(500, String::new()), Reply::Status(302, String::new()), Reply::NotSent],
    );
    let mut body = world.payment("+15551239003", 4250);
    body["channels"] = json!(["rcs"]);
    world.asks_for(&body);
    world.time_passes(60);
    let calls = world.calls_to(HOST);
    assert_eq!(calls.len(), 4);
    let times: Vec<&str> =
        calls.iter().map(|called| text(&called.headers, "webhook-timestamp")).collect();
    for called in &calls {
        assert_eq!(text(&called.headers, "webhook-id"), text(&calls[0].headers, "webhook-id"));
        assert_eq!(called.body, calls[0].body);
        assert!(is_signed_with(called, WEBHOOK_SECRET));
    }
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    assert_eq!(world.webhooks(), ["request.undeliverable"]);
}

#[test]
fn thirteen_failed_attempts_give_up_and_log_it() {
    let world = World::new();
    let down = || Reply::Status(503, String::new());
    world.replies(HOST, std::iter::repeat_with(down).take(200));
    world.asks_at("+15551239003", 4250);
    let begun = world.now();
    world.time_passes(100 * 3600);
    let calls = world.calls_to(HOST);
    assert_eq!(calls.len(), 13);
    let waits: Vec<u64> =
        calls.windows(2).map(|pair| pair[0].at.until(pair[1].at).as_secs()).collect();
    let schedule = [1, 5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    for (wait, planned) in waits.iter().zip(schedule) {
        let least = planned * 4 / 5;
        let most = planned * 6 / 5 + 2;
        assert!((least..=most).contains(wait), "{waits:?}");
    }
    let hours = begun.until(calls[12].at).as_secs() / 3600;
    assert!((60..=92).contains(&hours), "{hours}");
    assert!(world.logs().contains("webhook abandoned after its last delivery"));
    let webhook =
        world.items().into_iter().find(|item| item.key.sk.starts_with("WEBHOOK#")).unwrap();
    assert!(webhook.body.contains("\"given_up\":true"));
}

#[test]
fn endpoint_gone_is_switched_off_and_probed() {
    let world = World::new();
    world.replies(HOST, [Reply::Status(410, String::new())]);
    world.asks_at("+15551239003", 4250);
    assert!(world.logs().contains("webhook endpoint disabled"));
    assert!(endpoint(&world).is_some());
    world.asks_at("+15551229003", 4250);
    assert_eq!(world.calls_to(HOST).len(), 1);
    world.time_passes(3_601);
    world.asks_at("+15551219003", 4250);
    assert_eq!(world.webhooks(), ["request.undeliverable"]);
    assert!(endpoint(&world).is_none());
    world.asks_at("+15551209003", 4250);
    assert_eq!(world.webhooks().len(), 2);
}

#[test]
fn endpoint_at_a_new_address_is_enabled() {
    let world = World::new();
    world.replies(HOST, [Reply::Status(410, String::new())]);
    world.asks_at("+15551239003", 4250);
    world.rotates("/test/webhooks/url", &json!("https://new.shop.example/webhooks"));
    world.asks_at("+15551229003", 4250);
    assert_eq!(world.calls_to("new.shop.example").len(), 1);
}

#[test]
fn retry_after_of_endpoint_is_honoured() {
    let world = World::new();
    world.replies(HOST, [Reply::After(429, 120)]);
    world.asks_at("+15551239003", 4250);
    world.time_passes(119);
    assert_eq!(world.calls_to(HOST).len(), 1);
    world.time_passes(2);
    assert_eq!(world.webhooks(), ["request.undeliverable"]);
}

#[test]
fn slow_endpoint_delays_no_other() {
    let world = World::new();
    let down = || Reply::Status(500, String::new());
    world.replies(HOST, std::iter::repeat_with(down).take(4));
    let asked = world.asks(4250);
    world.customer().approves().ok(200);
    assert_eq!(world.state(&asked), "fulfilled");
    world.time_passes(60);
    let mut event_body = world.webhooks();
    event_body.sort();
    let expected = ["authorized", "delivered", "fulfilled", "prompted"];
    assert_eq!(event_body, expected.map(|what| format!("request.{what}")));
}

#[test]
fn webhook_with_lost_message_is_found_by_check() {
    let world = World::new();
    let asked = world.accepted(&world.payment(PHONE, 4250));
    world.handle_queue(domain::message::QueueName::Prompts);
    world.loses_messages(domain::message::QueueName::Webhooks);
    assert!(world.webhooks().is_empty());
    world.time_passes(400);
    assert_eq!(world.state(&asked), "expired");
    let event_body = world.webhooks();
    assert!(event_body.contains(&"request.prompted".to_owned()), "{event_body:?}");
    assert_eq!(event_body.len(), 3);
}

#[test]
fn repeated_message_makes_no_second_webhook() {
    let world = World::new();
    world.replies(HOST, [Reply::Status(500, String::new())]);
    world.asks_at("+15551239003", 4250);
    assert_eq!(world.calls_to(HOST).len(), 1);
    world.redeliver(world.sent().into_iter().map(|(owed, _)| owed));
    assert_eq!(world.calls_to(HOST).len(), 1);
    world.time_passes(3);
    world.redeliver(world.sent().into_iter().map(|(owed, _)| owed));
    assert_eq!(world.calls_to(HOST).len(), 2);
}

/// Its twin may be lost, and then it is the only message of the webhook.
#[test]
fn webhook_message_that_comes_early_is_queued_again() {
    let world = World::new();
    world.replies(HOST, [Reply::Status(500, String::new())]);
    world.asks_at("+15551239003", 4250);
    let webhook_messages = || {
        let messages = world.sent().into_iter().map(|(message, _)| message);
        let is_webhook =
            |message: &Message| matches!(message, Message::V1 { step: Step::Webhook { .. }, .. });
        messages.filter(is_webhook).collect::<Vec<_>>()
    };
    let retry = webhook_messages();
    world.redeliver(retry.last().cloned());
    assert_eq!(world.calls_to(HOST).len(), 1, "it is not due");
    assert_eq!(webhook_messages().len(), retry.len() + 1);
    world.time_passes(3);
    assert_eq!(world.calls_to(HOST).len(), 2);
}

#[test]
fn local_endpoint_takes_signed_recent_webhooks_only() {
    let world = World::new();
    world.asks_at("+15551239003", 4250);
    let called = world.calls_to(HOST).remove(0);
    let brand = world.run(world.ports.secrets.brand(&"demo".parse().unwrap())).unwrap();
    let received = local::ReceivedWebhooks::default();
    let sent_at: i64 = text(&called.headers, "webhook-timestamp").parse().unwrap();
    let take = |headers: &HeaderMap, body: &[u8], seconds: i64| {
        let now = domain::values::time::Timestamp::from_millis((sent_at + seconds) * 1000);
        received.take(&brand, headers, body, now)
    };
    for (seconds, taken) in [(-301, false), (-299, true), (0, true), (299, true), (301, false)] {
        assert_eq!(take(&called.headers, &called.body, seconds), taken, "{seconds}");
    }
    assert!(!take(&called.headers, b"{}", 0));
    let with = |signature: &str| {
        let mut headers = called.headers.clone();
        headers.insert("webhook-signature", signature.parse().unwrap());
        take(&headers, &called.body, 0)
    };
    let ours = text(&called.headers, "webhook-signature");
    assert!(with(&format!("v2,AAAA v1a,BBBB {ours}")));
    assert!(!with(&ours.replacen("v1,", "v2,", 1)));
    assert!(!with("") && !with("v1,") && !with(","));
    let list = received.list();
    assert_eq!((list.len(), &list[0]["verified"]), (1, &json!(true)));
}
