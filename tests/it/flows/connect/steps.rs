//! The answers of the steps of a flow, one invocation at a time.

use std::collections::BTreeMap;

use domain::api_key::KeyKind;
use serde_json::{Value, json};
use tests::world::{PHONE, World};

use super::caller::{INSTANCE, agents, invoke, world_with};
use super::requests;

/// Returns an event of one step.
fn event(contact: &str, parameters: &Value) -> Value {
    json!({
        "Name": "ContactFlowEvent",
        "Details": {
            "ContactData": {
                "Attributes": {}, "Channel": "VOICE", "ContactId": contact, "InitialContactId": contact,
                "CustomerEndpoint": { "Address": PHONE, "Type": "TELEPHONE_NUMBER" },
                "InitiationMethod": "INBOUND", "InstanceARN": INSTANCE, "PreviousContactId": contact,
                "Queue": null, "SystemEndpoint": { "Address": "+15550001111", "Type": "TELEPHONE_NUMBER" },
            },
            "Parameters": parameters,
        },
    })
}

fn ask(attempt: &str) -> Value {
    json!({ "op": "ask", "step": "ask", "attempt": attempt, "amount": "4250", "currency": "EUR", "reference": "4711" })
}

/// Does one step, whose answer must be a map of texts.
pub(super) fn does(world: &World, contact: &str, parameters: &Value) -> BTreeMap<String, String> {
    let answer = invoke(world, &agents(world), &event(contact, parameters)).unwrap();
    serde_json::from_value(answer).unwrap()
}

#[test]
fn withdrawn_ask_that_comes_late_is_refused() {
    let world = world_with(&json!({}));
    let withdrawn = does(&world, "c-1", &json!({ "op": "cancel", "step": "ask", "attempt": "1" }));
    assert_eq!((withdrawn["state"].as_str(), withdrawn["next_attempt"].as_str()), ("none", "2"));
    let late = does(&world, "c-1", &ask("1"));
    assert_eq!((late["ok"].as_str(), late["state"].as_str()), ("false", "refused"));
    assert!(requests(&world, "c-1").is_empty() && world.customer().messages().is_empty());
    let again = does(&world, "c-1", &json!({ "op": "cancel", "step": "ask", "attempt": "1" }));
    assert_eq!(again["state"], "none");
    assert_eq!(does(&world, "c-1", &ask("2"))["ok"], "true");
}

#[test]
fn step_that_is_repeated_asks_once() {
    let world = world_with(&json!({}));
    let first = does(&world, "c-1", &ask("1"));
    let repeat = does(&world, "c-1", &ask("1"));
    assert_eq!((&first["id"], &first["next_attempt"]), (&repeat["id"], &"2".to_owned()));
    assert_eq!(requests(&world, "c-1").len(), 1);
    let lost = json!({ "op": "cancel", "step": "ask", "attempt": "1" });
    let withdrawn = does(&world, "c-1", &lost);
    assert_eq!((withdrawn["state"].as_str(), &withdrawn["id"]), ("cancelled", &first["id"]));
    assert_eq!(does(&world, "c-1", &lost)["state"], "cancelled");
    let next = does(&world, "c-1", &ask("2"));
    assert_ne!(next["id"], first["id"]);
    let other =
        json!({ "op": "ask", "attempt": "2", "amount": "1", "currency": "EUR", "reference": "x" });
    let refused = does(&world, "c-1", &other);
    assert_eq!(
        (refused["ok"].as_str(), refused["error"].as_str()),
        ("false", "idempotency-key-reused")
    );
}

#[test]
fn resend_that_is_repeated_sends_once() {
    let world = world_with(&json!({}));
    let asked = does(&world, "c-1", &ask("1"));
    let resend =
        |version: &String| json!({ "op": "resend", "request": asked["id"], "version": version });
    let sent = does(&world, "c-1", &resend(&asked["version"]));
    assert_eq!(sent["ok"], "true", "{sent:?}");
    let repeat = does(&world, "c-1", &resend(&asked["version"]));
    assert_eq!((&repeat["ok"], &repeat["id"]), (&"true".to_owned(), &asked["id"]));
    assert_eq!(world.customer().messages().len(), 2);
    does(&world, "c-1", &resend(&repeat["version"]));
    assert_eq!(world.customer().messages().len(), 3);
}

/// A caller who hung up and dials again goes on with the message that is on the phone.
#[test]
fn same_ask_in_another_call_goes_on_with_the_open_request() {
    let world = world_with(&json!({}));
    let first = does(&world, "c-1", &ask("1"));
    let second = does(&world, "c-2", &ask("1"));
    assert_eq!(first["id"], second["id"]);
    assert_eq!(world.customer().messages().len(), 1);
}

#[test]
fn instance_not_listed_is_refused() {
    let world = world_with(&json!({}));
    let mut foreign = event("c-1", &ask("1"));
    foreign["Details"]["ContactData"]["InstanceARN"] = json!(format!("{INSTANCE}0"));
    let refused = invoke(&world, &agents(&world), &foreign).unwrap();
    assert_eq!((&refused["ok"], &refused["error"]), (&json!("false"), &json!("unauthenticated")));
    assert!(refused["say"].as_str().unwrap().starts_with("That did not work"), "{refused}");
    // The function knows the instance, and the brand's secret lists another one.
    let unlisted = world_with(&json!({ "callers": [format!("{INSTANCE}1")] }));
    let refused = does(&unlisted, "c-1", &ask("1"));
    assert_eq!((refused["ok"].as_str(), refused["error"].as_str()), ("false", "unauthenticated"));
    assert!(requests(&unlisted, "c-1").is_empty());
}

#[test]
fn instance_asks_within_the_rights_and_ceilings_of_its_key() {
    for (settings, error) in [
        (json!({ "amount_max": { "EUR": 4249 } }), "ceiling-reached"),
        (json!({ "asks": ["identity"] }), "not-allowed-for-key"),
        (json!({ "may": ["read"] }), "not-allowed-for-key"),
        (json!({ "may": ["request"] }), "not-allowed-for-key"),
        (json!({ "expires_at": "2026-11-01T00:00:00.000Z" }), "unauthenticated"),
    ] {
        let world = world_with(&settings);
        let refused = does(&world, "c-1", &ask("1"));
        assert_eq!(
            (refused["ok"].as_str(), refused["error"].as_str()),
            ("false", error),
            "{settings}"
        );
        assert_eq!((refused["over"].as_str(), refused["state"].as_str()), ("true", "refused"));
        assert!(requests(&world, "c-1").is_empty());
    }
    let world = world_with(&json!({ "asks_per_hour": 1 }));
    assert_eq!(does(&world, "c-1", &ask("1"))["ok"], "true");
    assert_eq!(does(&world, "c-1", &ask("1"))["ok"], "true");
    assert_eq!(
        does(
            &world,
            "c-2",
            &json!({ "op": "ask", "amount": "1", "currency": "EUR", "reference": "b" })
        )["error"],
        "ceiling-reached"
    );
    let asked = world.asks(4250);
    let foreign = does(&world, "c-1", &json!({ "op": "wait", "request": asked.id }));
    assert_eq!(
        (foreign["over"].as_str(), foreign["state"].as_str(), foreign["error"].as_str()),
        ("false", "unknown", "not-found")
    );
}

#[test]
fn flow_of_an_ai_agent_does_not_ask_again_after_a_denial() {
    let world = world_with(&json!({ "kind": "ai_agent" }));
    let denied = does(&world, "c-1", &ask("1"));
    world.customer().denies().ok(200);
    world.run_until_idle();
    let refused = does(&world, "c-1", &ask("2"));
    assert_eq!((refused["ok"].as_str(), refused["error"].as_str()), ("false", "denied-in-session"));
    let mut retried = ask("2");
    retried["retry_of"] = json!(denied["id"]);
    let retried = does(&world, "c-1", &retried);
    assert_eq!(retried["ok"], "true", "{retried:?}");
}

#[test]
fn request_of_a_flow_names_its_key() {
    let world = world_with(&json!({}));
    let asked = does(&world, "c-1", &ask("1"));
    let created = tests::world::CreatedRequest {
        path: format!("/v1/requests/{}", asked["id"]),
        id: asked["id"].clone(),
        answer: Value::Null,
    };
    let key = world.stored(&created).key.unwrap();
    assert_eq!((key.id.as_str(), key.kind), ("key_ivr", KeyKind::Ivr));
}

#[test]
fn parameter_that_is_wrong_is_named() {
    let world = world_with(&json!({}));
    for (name, value, part) in [
        ("amount", "42.50", "`amount`"),
        ("amount", "", "/ask/amount"),
        ("currency", "euro", "/ask/currency"),
        ("phone", "0123", "/customer/phone"),
        ("kind", "loan", "/ask/kind"),
    ] {
        let mut wrong = ask("1");
        wrong[name] = json!(value);
        let refused = does(&world, "c-1", &wrong);
        assert_eq!(refused["error"], "invalid-request", "{refused:?}");
        assert!(refused["detail"].contains(part.trim_matches('`')), "{name}: {refused:?}");
    }
    let refused = does(&world, "c-1", &json!({ "op": "refund" }));
    assert_eq!(
        (refused["error"].as_str(), refused["state"].as_str()),
        ("invalid-request", "unknown")
    );
    let hidden = json!({ "Address": "anonymous", "Type": "SIP" });
    let mut anonymous = event("c-1", &ask("1"));
    anonymous["Details"]["ContactData"]["CustomerEndpoint"] = hidden;
    let refused = invoke(&world, &agents(&world), &anonymous).unwrap();
    assert!(refused["detail"].as_str().unwrap().contains("phone"), "{refused}");
}

#[test]
fn event_of_another_shape_fails_the_invocation() {
    let world = world_with(&json!({}));
    for event in [json!({}), json!({ "Details": { "ContactData": {} } }), json!("x"), Value::Null] {
        assert!(invoke(&world, &agents(&world), &event).is_err(), "{event}");
    }
}
