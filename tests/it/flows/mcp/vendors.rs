//! The shipped settings of voice platforms: they have the members of the vendors' types, and lead to the tools.
//!
//! The types are those of `@vapi-ai/server-sdk` 2.0.1 (`CreateMcpToolDto`, `Server`, `McpToolMetadata`) and of `retell-sdk` 5.66.1
//! (`LlmUpdateParams.Mcp`), both from npm, read 2026-11-27.

use http::Method;
use serde_json::{Value, json};
use tests::world::brand::RESTRICTED_KEY;

use super::world;

const VAPI: &str = include_str!("../../../../functions/agents/vapi/tool.json");
const RETELL: &str = include_str!("../../../../functions/agents/retell/llm.json");
/// The longest wait of a tool, in seconds, after which a platform must still listen.
const WAIT_MAX: u64 = 20;

fn is_valid(schema: &Value, instance: &Value) -> bool {
    jsonschema::validator_for(schema).unwrap().is_valid(instance)
}

/// Lists the tools at the address of a shipped file, with its header.
fn lists(url: &str, authorization: &str) -> usize {
    let path = url.strip_prefix("https://assent.example.com").unwrap();
    let world = world();
    let call = world.call(Method::POST, path).key(None).idempotency(None);
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let authorization = authorization.replace("RESTRICTED_KEY", RESTRICTED_KEY);
    let call = call.header("authorization", &authorization);
    let answer =
        call.header("mcp-protocol-version", "2025-06-18").json(&body).send().ok(200).json();
    answer["result"]["tools"].as_array().unwrap().len()
}

#[test]
fn tool_of_vapi_has_the_members_of_its_type() {
    let shipped: Value = serde_json::from_str(VAPI).unwrap();
    let server = json!({ "type": "object", "additionalProperties": false, "required": ["url", "credentialId"], "properties": {
        "timeoutSeconds": { "type": "number" }, "credentialId": { "type": "string" }, "staticIpAddressesEnabled": { "type": "boolean" },
        "encryptedPaths": { "type": "array" }, "url": { "type": "string" }, "headers": { "type": "object" }, "backoffPlan": { "type": "object" },
    } });
    let metadata = json!({ "type": "object", "additionalProperties": false, "properties": { "protocol": { "enum": ["sse", "shttp"] } } });
    let tool = json!({ "type": "object", "additionalProperties": false, "required": ["type", "server"], "properties": {
        "type": { "const": "mcp" }, "messages": { "type": "array" }, "server": server, "toolMessages": { "type": "array" },
        "metadata": metadata, "rejectionPlan": { "type": "object" },
    } });
    assert!(is_valid(&tool, &shipped), "{shipped}");
    assert!(shipped["server"]["timeoutSeconds"].as_u64().unwrap() > WAIT_MAX);
    assert_eq!(shipped["metadata"]["protocol"], "shttp");
    // The credential is a bearer token.
    assert_eq!(lists(shipped["server"]["url"].as_str().unwrap(), "Bearer RESTRICTED_KEY"), 8);
}

#[test]
fn server_of_retell_has_the_members_of_its_type() {
    let shipped: Value = serde_json::from_str(RETELL).unwrap();
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let server = json!({ "type": "object", "additionalProperties": false, "required": ["name", "url"], "properties": {
        "name": { "type": "string" }, "url": { "type": "string" }, "headers": texts, "query_params": texts,
        "timeout_ms": { "type": "number" },
    } });
    let body = json!({ "type": "object", "additionalProperties": false, "required": ["mcps"], "properties": {
        "mcps": { "type": "array", "items": server, "minItems": 1, "maxItems": 1 } } });
    assert!(is_valid(&body, &shipped), "{shipped}");
    let server = &shipped["mcps"][0];
    assert!(server["timeout_ms"].as_u64().unwrap() > WAIT_MAX * 1_000);
    let authorization = server["headers"]["Authorization"].as_str().unwrap();
    assert_eq!(lists(server["url"].as_str().unwrap(), authorization), 8);
}
