//! AI agents over the Model Context Protocol: its tools, its tasks, and its rules of transport.

mod protocol;
mod tasks;
mod tools;
mod vendors;

use domain::digest::digest_hex;
use http::Method;
use serde_json::{Value, json};
use tests::world::brand::{RESTRICTED_KEY, TEST_KEY};
use tests::world::{Answer, PHONE, World};

const NEWEST: &str = "2026-07-28";

/// A world whose AI agent has a key with these settings.
fn world_with(settings: &Value) -> World {
    let digest = |text: &str| digest_hex(text.as_bytes());
    let usual = json!({ "mode": "test", "sha256": digest(TEST_KEY) });
    let may = json!(["request", "read", "capability"]);
    let mut key = json!({ "id": "key_model", "mode": "test", "sha256": digest(RESTRICTED_KEY),
        "kind": "ai_agent", "may": may });
    for (name, value) in settings.as_object().unwrap() {
        key[name] = value.clone();
    }
    let often = json!({ "open_max": 20, "prompts_per_ten_minutes": 100, "prompts_per_day": 1000 });
    World::builder().with("/keys", &json!([usual, key])).with("/policy", &often).build()
}

fn world() -> World {
    world_with(&json!({}))
}

/// Posts a call of the newest revision with the headers that it wants.
fn posts(world: &World, method: &str, params: &Value) -> Answer {
    let mut params = params.clone();
    let meta = params.as_object_mut().unwrap().entry("_meta").or_insert_with(|| json!({}));
    meta["io.modelcontextprotocol/protocolVersion"] = NEWEST.into();
    let capabilities = &mut meta["io.modelcontextprotocol/clientCapabilities"];
    if capabilities.is_null() {
        *capabilities = json!({});
    }
    let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
    let mut call = world.call(Method::POST, "/mcp").key(RESTRICTED_KEY).idempotency(None);
    call = call.header("mcp-protocol-version", NEWEST).header("mcp-method", method);
    for name in ["name", "taskId"] {
        if let Some(named) = params[name].as_str() {
            call = call.header("mcp-name", named);
        }
    }
    call.json(&body).send()
}

/// Returns the result of a call of the newest revision.
fn result(world: &World, method: &str, params: &Value) -> Value {
    let answer = posts(world, method, params).ok(200).json();
    assert_eq!((&answer["id"], &answer["jsonrpc"]), (&json!(7), &json!("2.0")), "{answer}");
    assert!(answer["result"].is_object(), "{answer}");
    answer["result"].clone()
}

fn tool(world: &World, name: &str, arguments: &Value) -> Value {
    result(world, "tools/call", &json!({ "name": name, "arguments": arguments }))
}

/// Calls a tool that must do something. Returns what it shows, which the text repeats and its schema describes.
fn does(world: &World, name: &str, arguments: &Value) -> Value {
    let answered = tool(world, name, arguments);
    assert_eq!(answered["isError"], false, "{answered}");
    let shown = answered["structuredContent"].clone();
    let text: Value =
        serde_json::from_str(answered["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, shown);
    let tools = result(world, "tools/list", &json!({}));
    let listed = tools["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == name);
    let schema = jsonschema::validator_for(&listed.unwrap()["outputSchema"]).unwrap();
    assert!(schema.is_valid(&shown), "{shown}");
    shown
}

/// Calls a tool that must refuse. Returns the sentence for the model.
fn refuses(world: &World, name: &str, arguments: &Value) -> String {
    let answered = tool(world, name, arguments);
    assert_eq!(answered["isError"], true, "{answered}");
    assert!(answered["structuredContent"].is_null(), "{answered}");
    answered["content"][0]["text"].as_str().unwrap().to_owned()
}

fn payment(call_id: &str, amount: u64) -> Value {
    json!({ "phone": PHONE, "amount": amount, "currency": "EUR", "description": "Invoice 4711",
        "session_id": "CA123", "call_id": call_id })
}
