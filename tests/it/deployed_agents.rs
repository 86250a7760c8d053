//! The function of the agents' surfaces, deployed from `template.yaml` beside the four others.

use http::Request;
use serde_json::{Value, json};

use crate::deployed::{demo, message, raw, variable};

/// The key of kind `ai_agent` in `brands.json`.
const KEY: &str = "rk_test_demo_0123456789abcdef0123456789abcdef";

/// Calls a tool as a client of an older revision does, and returns what it shows.
async fn tool(name: &str, arguments: &Value) -> Value {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": name, "arguments": arguments } });
    let request = Request::post(format!("{}/mcp", variable("ASSENT_API")))
        .header("authorization", format!("Bearer {KEY}"))
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-06-18");
    let answer = raw(request, &call.to_string()).await;
    let text = String::from_utf8_lossy(answer.body());
    assert_eq!(answer.status(), 200, "{text}");
    let answer: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    answer["result"]["structuredContent"].clone()
}

#[tokio::test]
async fn model_asks_and_hears_that_the_payment_is_done() {
    let (requester, phone) = (demo(), "+15557010090");
    let ask = json!({ "phone": phone, "amount": 4250, "currency": "EUR", "description": "Invoice 4711",
        "session_id": "deployed-model", "call_id": "deployed-model-1" });
    let asked = tool("request_payment", &ask).await;
    let id = asked["request_id"].as_str().unwrap();
    // The platform repeats a call whose answer was lost.
    assert_eq!(tool("request_payment", &ask).await["request_id"], id);
    let message = message(&requester, phone, id).await;
    let tap = json!({ "action": "approve", "session_code": asked["session_code"] });
    let answer = requester.tap(phone, message["id"].as_str().unwrap(), &tap).await;
    assert_eq!(answer.unwrap().0, 200);
    for _ in 0..12 {
        let heard = tool("wait_for_outcome", &json!({ "request_id": id, "max_seconds": 10 })).await;
        if heard["over"] == true {
            assert_eq!(heard["state"], "fulfilled", "{heard}");
            assert_eq!(heard["transaction_code"].as_str().unwrap().len(), 9, "{heard}");
            return;
        }
    }
    panic!("{id} does not end");
}
