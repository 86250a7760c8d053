//! A consent covers exactly the ask that was shown, once. Altered records move no money.

use domain::message::QueueName;
use serde_json::{Value, json};
use tests::world::{PHONE, World};

/// Approves, and then changes the stored request at a JSON Pointer before the processor runs.
fn approve_and_tamper(pointer: &str, value: &Value) -> World {
    let world = World::new();
    world.asks(4250);
    let customer = world.customer();
    let message = customer.newest();
    let yes = json!({ "action": "approve", "session_code": customer.hears(&message) });
    customer.taps(&message, &yes).ok(200);
    let mut item = world.items().into_iter().find(|item| item.key.sk == "REQ").unwrap();
    let mut body: Value = serde_json::from_str(&item.body).unwrap();
    let place = body.pointer_mut(pointer).unwrap();
    assert_ne!(place, value);
    *place = value.clone();
    item.body = body.to_string();
    world.puts(item);
    world
}

#[test]
fn altered_ask_is_never_charged() {
    let cases = [
        ("/is/ask/amount", json!(4251)),
        ("/is/ask/currency", json!("USD")),
        ("/is/ask/description", json!("Invoice 4712")),
        ("/is/payee", json!("Demo Boots")),
        ("/is/brand", json!("other")),
        ("/is/expires_at", json!("2026-11-30T23:59:59.000Z")),
        ("/is/state/consent/ask_hash", json!("0".repeat(64))),
        ("/is/state/consent/at", json!("2026-12-01T00:05:00.000Z")),
    ];
    for (pointer, value) in cases {
        let world = approve_and_tamper(pointer, &value);
        world.settles();
        world.time_passes(3_600);
        let charged = world.items().into_iter().find(|item| item.key.pk.starts_with("SANDBOX#"));
        assert!(charged.is_none(), "{pointer}: {charged:?}");
        assert!(world.logs().contains("C1: consent does not match the ask"), "{pointer}");
        let item = world.items().into_iter().find(|item| item.key.sk == "REQ").unwrap();
        let body: Value = serde_json::from_str(&item.body).unwrap();
        let ended = json!({ "kind": "failed", "reason": "consent_mismatch" });
        assert_eq!(body["is"]["state"]["outcome"], ended, "{pointer}");
        world.leaves();
    }
}

#[test]
fn altered_authorization_does_not_open() {
    let world = approve_and_tamper("/is/state/sealed/nonce", &json!("AAAAAAAAAAAAAAAA"));
    world.settles();
    let request = world.items().into_iter().find(|item| item.key.sk == "REQ").unwrap();
    assert!(request.body.contains("authorization_lost"), "{}", request.body);
    assert!(world.items().iter().all(|item| !item.key.pk.starts_with("SANDBOX#")));
}

#[test]
fn approvals_of_two_live_prompts_count_once() {
    let world = World::new();
    let mut body = world.payment(PHONE, 4250);
    body["expires_in"] = json!(1_200);
    let asked = world.asks_for(&body);
    world.time_passes(601);
    let customer = world.customer();
    let messages = customer.messages();
    assert_eq!(messages.len(), 2);
    let yes = json!({ "action": "approve", "session_code": customer.hears(&messages[0]) });
    customer.taps(&messages[0], &yes).ok(200);
    customer.taps(&messages[1], &yes).problem(409, "conflict-state");
    world.settles();
    customer.taps(&messages[1], &yes).problem(409, "conflict-state");
    assert_eq!(world.state(&asked), "fulfilled");
    let charged = world.items().into_iter().filter(|item| item.key.pk.starts_with("SANDBOX#"));
    assert_eq!(charged.count(), 1);
}

#[test]
fn simultaneous_taps_count_once() {
    let world = World::new();
    let asked = world.asks(4250);
    let customer = world.customer();
    let message = customer.newest();
    let yes = json!({ "action": "approve", "session_code": customer.hears(&message) });
    let no = json!({ "action": "deny" });
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let taps: Vec<_> = [&yes, &no, &yes, &no, &yes, &no]
            .into_iter()
            .map(|body| scope.spawn(|| customer.taps(&message, body).status))
            .collect();
        taps.into_iter().map(|tap| tap.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| matches!(status, 200 | 409)), "{statuses:?}");
    world.settles();
    let request = world.stored(&asked);
    let state = world.state(&asked);
    assert!(matches!(state.as_str(), "fulfilled" | "denied"), "{state}");
    assert_eq!(request.attempts.len(), usize::from(state == "fulfilled"));
}

#[test]
fn simultaneous_workers_charge_once() {
    let world = World::new();
    let asked = world.asks(4250);
    let customer = world.customer();
    let message = customer.newest();
    let yes = json!({ "action": "approve", "session_code": customer.hears(&message) });
    customer.taps(&message, &yes).ok(200);
    customer.taps(&message, &yes).ok(200);
    for moment in ["stored REQ#", "stored SANDBOX#", "storing REQ#"] {
        world.meanwhile(moment, |core| core.takes(QueueName::Authorizations));
    }
    world.settles();
    world.time_passes(120);
    assert_eq!(world.state(&asked), "fulfilled");
    assert_eq!(world.stored(&asked).attempts.len(), 1);
    let charged = world.items().into_iter().filter(|item| item.key.pk.starts_with("SANDBOX#"));
    assert_eq!(charged.count(), 1);
}
