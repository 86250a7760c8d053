//! Genesys Cloud: the shipped data actions, played as Genesys runs them, ask for a payment and wait for its outcome.
//!
//! No emulator of Genesys exists. The members are those of `ActionConfig`, `RequestConfig`, `ResponseConfig` and `ActionContractInput`
//! in <https://github.com/MyPureCloud/platform-client-sdk-python>, `PureCloudPlatformClientV2` 258, read 2026-11-27.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};
use tests::world::brand::TEST_KEY;
use tests::world::{Answer, PHONE, World};

const ASK: &str = include_str!("../../../functions/agents/genesys/ask.json");
const WAIT: &str = include_str!("../../../functions/agents/genesys/wait.json");
const CANCEL: &str = include_str!("../../../functions/agents/genesys/cancel.json");
const ADDRESS: &str = "https://assent.example.com";
/// The longest call of a data action, in seconds, and the most that a flow's input holds.
const SECONDS_MAX: u64 = 60;

/// Replaces each reference of a template. None may be left, since Velocity would leave it as it is.
fn rendered(template: &str, values: &BTreeMap<String, String>) -> String {
    let mut text = template.to_owned();
    for (name, value) in values {
        let escaped = json!(value).to_string();
        let escaped = escaped.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap();
        text = text.replace(&format!("$esc.jsonString(${{{name}}})"), escaped);
        text = text.replace(&format!("${{{name}}}"), value);
    }
    assert!(!text.contains("${"), "{text}");
    text
}

fn spelled(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn is_valid(schema: &Value, instance: &Value) -> bool {
    jsonschema::validator_for(schema).unwrap().is_valid(instance)
}

/// Makes the call of an action.
fn calls(world: &World, action: &Value, input: &Value) -> Answer {
    let request = &action["config"]["request"];
    assert!(is_valid(&action["contract"]["input"]["inputSchema"], input), "{input}");
    let fields = input.as_object().unwrap();
    let mut values: BTreeMap<String, String> =
        fields.iter().map(|(name, value)| (format!("input.{name}"), spelled(value))).collect();
    values.insert("input.rawRequest".to_owned(), input.to_string());
    values.insert("credentials.key".to_owned(), TEST_KEY.to_owned());
    let filled = |template: &Value| rendered(template.as_str().unwrap(), &values);
    let method: Method = request["requestType"].as_str().unwrap().parse().unwrap();
    let url = filled(&request["requestUrlTemplate"]);
    let path = url.strip_prefix(ADDRESS).unwrap();
    let mut call = world.call(method.clone(), path).key(None).idempotency(None);
    for (name, value) in request["headers"].as_object().unwrap() {
        call = call.header(&name.to_lowercase(), &filled(value));
    }
    if method != Method::GET {
        call = call.body(filled(&request["requestTemplate"]).into_bytes());
    }
    let begun = world.now();
    let answer = call.send();
    assert!(begun.until(world.now()).as_secs() < SECONDS_MAX);
    world.run_until_idle();
    answer
}

/// Runs an action that succeeds. Returns its output.
fn runs(world: &World, action: &str, input: &Value) -> Value {
    let action: Value = serde_json::from_str(action).unwrap();
    let answer = calls(world, &action, input);
    assert!((200..300).contains(&answer.status), "{}", answer.text());
    let answer = answer.json();
    let response = &action["config"]["response"];
    let paths = response["translationMap"].as_object().unwrap();
    let taken =
        |path: &Value| answer[path.as_str().unwrap().strip_prefix("$.").unwrap()].to_string();
    let found = paths.iter().map(|(name, path)| (name.clone(), taken(path))).collect();
    let output = rendered(response["successTemplate"].as_str().unwrap(), &found);
    let output: Value = serde_json::from_str(&output).unwrap();
    assert!(is_valid(&action["contract"]["output"]["successSchema"], &output), "{output}");
    output
}

/// Runs an action whose call is refused, which is its failure path. Returns the status.
fn fails(world: &World, action: &str, input: &Value) -> u16 {
    let action: Value = serde_json::from_str(action).unwrap();
    calls(world, &action, input).status
}

fn payment(attempt: u64) -> Value {
    json!({ "conversation_id": "7b2f0c3e-4d5a-4a43-9d1e-1f2a3b4c5d6e", "attempt": attempt, "phone": PHONE,
        "language": "en-GB", "amount": 4250, "currency": "EUR", "description": "Invoice \"4711\" \\ May" })
}

#[test]
fn actions_ask_and_tell_the_transaction_code() {
    let world = World::new();
    let asked = runs(&world, ASK, &payment(1));
    assert_eq!(runs(&world, ASK, &payment(1))["id"], asked["id"]);
    assert_eq!(world.customer().messages().len(), 1);
    let wait =
        |version: &Value| runs(&world, WAIT, &json!({ "id": asked["id"], "version": version }));
    let waiting = wait(&json!("0"));
    assert_eq!((&waiting["state"], &waiting["over"]), (&json!("prompted"), &json!(false)));
    let code = waiting["code"].as_str().unwrap();
    assert_eq!(world.customer().session_code_of(&world.customer().newest()), code);
    world.customer().approves().ok(200);
    let paid = wait(&waiting["version"]);
    assert_eq!((&paid["state"], &paid["over"]), (&json!("fulfilled"), &json!(true)));
    assert!(!paid["transaction_code"].as_str().unwrap().is_empty(), "{paid}");
    assert_eq!(paid["last4"], "4242");
    let made = world.get(&format!("/v1/requests/{}", asked["id"].as_str().unwrap())).ok(200).json();
    assert_eq!(made["ask"]["description"], payment(1)["description"]);
    assert_eq!(made["session"]["kind"], "ivr");
}

#[test]
fn action_cancels_and_asks_again_with_the_next_attempt() {
    let world = World::new();
    let asked = runs(&world, ASK, &payment(1));
    let ended = runs(&world, CANCEL, &json!({ "id": asked["id"] }));
    assert_eq!(ended, json!({ "id": asked["id"], "state": "cancelled" }));
    assert_ne!(runs(&world, ASK, &payment(2))["id"], asked["id"]);
    let mut wrong = payment(3);
    wrong["phone"] = json!("0123");
    assert_eq!(fails(&world, ASK, &wrong), 400);
    let mut other = payment(2);
    other["amount"] = json!(1);
    assert_eq!(fails(&world, ASK, &other), 422);
}

#[test]
fn action_has_the_members_that_genesys_documents() {
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let object = |required: &[&str], properties: Value| json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties });
    let text = json!({ "type": "string", "minLength": 1 });
    let name = json!({ "type": "string", "minLength": 1, "maxLength": 256 });
    let request = json!({ "requestUrlTemplate": { "type": "string", "pattern": "^https://" }, "requestTemplate": text,
        "requestTemplateUri": text, "requestType": { "enum": ["GET", "POST", "PUT", "PATCH", "DELETE"] }, "headers": texts });
    let response = json!({ "translationMap": texts, "translationMapDefaults": texts, "successTemplate": text, "successTemplateUri": text });
    let config = json!({ "timeoutSeconds": { "type": "integer", "minimum": 1, "maximum": SECONDS_MAX },
        "request": object(&["requestUrlTemplate", "requestType", "requestTemplate"], request),
        "response": object(&["translationMap", "translationMapDefaults", "successTemplate"], response) });
    let input = object(&["inputSchema"], json!({ "inputSchema": { "type": "object" } }));
    let output = object(&["successSchema"], json!({ "successSchema": { "type": "object" } }));
    let action = object(
        &["name", "integrationType", "actionType", "config", "contract", "secure"],
        json!({ "name": name, "integrationType": { "const": "custom-rest-actions" }, "actionType": { "const": "custom" },
            "config": object(&["request", "response"], config),
            "contract": object(&["input", "output"], json!({ "input": input, "output": output })),
            "secure": { "type": "boolean" } }),
    );
    for file in [ASK, WAIT, CANCEL] {
        let shipped: Value = serde_json::from_str(file).unwrap();
        assert!(is_valid(&action, &shipped), "{}", shipped["name"]);
        let mut other = shipped.clone();
        other["config"]["request"]["url"] = json!("https://x");
        assert!(!is_valid(&action, &other));
        // Each value of the output is one that the answer is searched for.
        let names =
            |object: &Value| object.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>());
        let paths = names(&shipped["config"]["response"]["translationMap"]);
        assert_eq!(names(&shipped["contract"]["output"]["successSchema"]["properties"]), paths);
    }
}
