//! Dialogflow CX: a webhook asks, waits and cancels, with the parameters of the session.

use http::Method;
use serde_json::{Value, json};
use tests::world::calls::Answer;
use tests::world::{PHONE, World};

const PATH: &str = "/agents/dialogflow";

fn body(tag: &str, parameters: &Value) -> Value {
    json!({
        "detectIntentResponseId": "5a9d2e6e", "languageCode": "en",
        "fulfillmentInfo": { "tag": tag },
        "intentInfo": { "displayName": "pay", "confidence": 1.0 },
        "pageInfo": { "currentPage": "projects/p/locations/l/agents/a/flows/f/pages/g" },
        "sessionInfo": { "session": "projects/p/locations/l/agents/a/sessions/s-1", "parameters": parameters },
        "payload": { "telephony": { "caller_id": PHONE } },
    })
}

fn call(world: &World, tag: &str, parameters: &Value) -> Answer {
    let call = world.call(Method::POST, PATH).idempotency(None);
    let answer = call.json(&body(tag, parameters)).send();
    world.run_until_idle();
    answer
}

/// Calls the webhook. Its answer must have the members of `WebhookResponse` in `@google-cloud/dialogflow-cx` 5.8.2 (npm, read
/// 2026-11-27), with texts alone among its messages.
fn step(world: &World, tag: &str, parameters: &Value) -> Value {
    let answer = call(world, tag, parameters).ok(200).json();
    let object = |required: &[&str], properties: Value| json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties });
    let texts =
        json!({ "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1 } });
    let message = object(&["text"], json!({ "text": object(&["text"], json!({ "text": texts })) }));
    let messages =
        json!({ "messages": { "type": "array", "items": message }, "mergeBehavior": {} });
    let session = json!({ "session": { "type": "string" }, "parameters": { "type": "object" } });
    let response = json!({
        "fulfillmentResponse": object(&["messages"], messages), "sessionInfo": object(&["parameters"], session),
        "pageInfo": {}, "payload": {}, "targetPage": {}, "targetFlow": {},
    });
    let schema =
        jsonschema::validator_for(&object(&["fulfillmentResponse", "sessionInfo"], response))
            .unwrap();
    assert!(schema.is_valid(&answer), "{answer}");
    answer
}

/// Adds what a webhook answered to the parameters, as Dialogflow does.
fn with(parameters: &Value, answer: &Value) -> Value {
    let mut parameters = parameters.clone();
    for (name, value) in answer["sessionInfo"]["parameters"].as_object().unwrap() {
        parameters[name] = value.clone();
    }
    parameters
}

fn payment() -> Value {
    json!({ "assent_amount": 4250.0, "assent_currency": "EUR", "assent_reference": "4711", "own": 1 })
}

#[test]
fn webhook_asks_and_tells_the_transaction_code() {
    let world = World::new();
    let asked = step(&world, "assent.ask", &payment());
    let said = &asked["fulfillmentResponse"]["messages"][0]["text"]["text"][0];
    assert_eq!(*said, "I am sending a message to your phone now.");
    let repeat = step(&world, "ask", &payment());
    let request = |answer: &Value| answer["sessionInfo"]["parameters"]["assent_request"].clone();
    assert_eq!(request(&asked), request(&repeat));
    assert_eq!(world.customer().messages().len(), 1);
    let parameters = with(&payment(), &asked);
    let waiting = step(&world, "wait", &parameters);
    let parameters = with(&parameters, &waiting);
    // What was said once is not said again.
    let silent = step(&world, "wait", &parameters);
    assert_eq!(silent["fulfillmentResponse"]["messages"], json!([]));
    world.customer().approves().ok(200);
    let paid = step(&world, "wait", &parameters);
    assert_eq!(paid["sessionInfo"]["parameters"]["assent_state"], "fulfilled");
    let code = &paid["sessionInfo"]["parameters"]["assent_transaction_code"];
    assert!(!code.as_str().unwrap().is_empty(), "{paid}");
}

#[test]
fn webhook_withdraws() {
    let world = World::new();
    let parameters = with(&payment(), &step(&world, "ask", &payment()));
    let ended = step(&world, "cancel", &parameters);
    assert_eq!(ended["sessionInfo"]["parameters"]["assent_state"], "cancelled");
    assert_eq!(ended["sessionInfo"]["parameters"]["assent_request"], "");
}

#[test]
fn webhook_refuses_strangers_and_other_bodies() {
    let world = World::new();
    let call_without = world.call(Method::POST, PATH).key(None).json(&body("ask", &payment()));
    call_without.send().problem(401, "unauthenticated");
    call(&world, "refund", &payment()).problem(400, "invalid-request");
    let other = world.call(Method::POST, PATH).json(&json!({ "fulfillmentInfo": {} })).send();
    other.problem(400, "invalid-request");
    let refused = step(&world, "ask", &json!({ "assent_amount": "42.50" }));
    assert_eq!(refused["sessionInfo"]["parameters"]["assent_error"], "invalid-request");
    assert!(world.customer().messages().is_empty());
}
