//! The rules of transport: revisions, headers, errors and limits.

use http::Method;
use serde_json::{Value, json};
use tests::world::brand::RESTRICTED_KEY;
use tests::world::{Answer, Call, PUBLIC_BASE, World};

use super::{NEWEST, posts, result, world};

fn call<'a>(world: &'a World, body: &Value) -> Call<'a> {
    world.call(Method::POST, "/mcp").key(RESTRICTED_KEY).idempotency(None).json(body)
}

fn old(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": "a", "method": method, "params": params })
}

fn code(answer: &Answer) -> Value {
    answer.json()["error"]["code"].clone()
}

#[test]
fn initialize_agrees_on_a_revision_that_has_it() {
    let world = world();
    for (wanted, agreed) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        (NEWEST, "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ] {
        let params = json!({ "protocolVersion": wanted, "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" } });
        let answer = call(&world, &old("initialize", &params)).send().ok(200).json();
        assert_eq!(answer["result"]["protocolVersion"], agreed, "{wanted}");
        assert_eq!(answer["id"], "a");
        assert_eq!(answer["result"]["serverInfo"]["name"], "assent");
        assert!(answer["result"]["resultType"].is_null(), "{answer}");
    }
    let started = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert!(call(&world, &started).send().ok(202).body.is_empty());
    // No session: a later call stands on the header, or on nothing.
    for version in ["2025-06-18", "2025-11-25"] {
        let list =
            call(&world, &old("tools/list", &json!({}))).header("mcp-protocol-version", version);
        let list = list.send().ok(200).json();
        assert_eq!(list["result"]["tools"].as_array().unwrap().len(), 8);
        assert!(list["result"]["ttlMs"].is_null(), "{list}");
    }
    call(&world, &old("ping", &json!({}))).send().ok(200);
    let unknown = call(&world, &old("prompts/list", &json!({}))).send().ok(200);
    assert_eq!(code(&unknown), -32_601);
    let unknown =
        call(&world, &old("ping", &json!({}))).header("mcp-protocol-version", "2024-01-01");
    assert_eq!(code(&unknown.send().ok(400)), -32_022);
}

#[test]
fn newest_revision_stands_alone() {
    let world = world();
    let found = result(&world, "server/discover", &json!({}));
    let versions = json!(["2025-03-26", "2025-06-18", "2025-11-25", NEWEST]);
    assert_eq!(found["supportedVersions"], versions);
    assert_eq!(found["resultType"], "complete");
    assert_eq!(found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "assent");
    assert!(found["capabilities"]["extensions"]["io.modelcontextprotocol/tasks"].is_object());
    let listed = result(&world, "tools/list", &json!({}));
    assert_eq!((&listed["cacheScope"], &listed["ttlMs"]), (&json!("private"), &json!(300_000)));
    for removed in ["initialize", "ping"] {
        assert_eq!(code(&posts(&world, removed, &json!({})).ok(404)), -32_601, "{removed}");
    }
    let unknown = json!({ "name": "pay_now", "arguments": {} });
    assert_eq!(code(&posts(&world, "tools/call", &unknown).ok(200)), -32_602);
}

#[test]
fn headers_must_agree_with_the_body() {
    let world = world();
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": NEWEST,
        "io.modelcontextprotocol/clientCapabilities": {} });
    let body = old("tools/call", &json!({ "name": "check_reach", "arguments": {}, "_meta": meta }));
    let headers = |version: &str, method: &str, name: &str| {
        let mut made = call(&world, &body);
        for (header, value) in
            [("mcp-protocol-version", version), ("mcp-method", method), ("mcp-name", name)]
        {
            if !value.is_empty() {
                made = made.header(header, value);
            }
        }
        made.send()
    };
    headers(NEWEST, "tools/call", "check_reach").ok(200);
    headers(NEWEST, "tools/call", "=?base64?Y2hlY2tfcmVhY2g=?=").ok(200);
    for (version, method, name) in [
        ("", "tools/call", "check_reach"),
        ("2025-11-25", "tools/call", "check_reach"),
        (NEWEST, "", "check_reach"),
        (NEWEST, "tools/list", "check_reach"),
        (NEWEST, "tools/call", ""),
        (NEWEST, "tools/call", "request_payment"),
        (NEWEST, "tools/call", "=?base64?!?="),
    ] {
        let refused = headers(version, method, name).ok(400);
        assert_eq!(code(&refused), -32_020, "{version} {method} {name}");
    }
    let twice = call(&world, &body)
        .header("mcp-protocol-version", NEWEST)
        .header("mcp-name", "check_reach");
    let twice = twice.header("mcp-method", "tools/call").header("mcp-method", "tools/call").send();
    assert_eq!(code(&twice.ok(400)), -32_020);
    let future = json!({ "io.modelcontextprotocol/protocolVersion": "2099-01-01",
        "io.modelcontextprotocol/clientCapabilities": {} });
    let future = call(&world, &old("tools/list", &json!({ "_meta": future })));
    let future =
        future.header("mcp-protocol-version", "2099-01-01").header("mcp-method", "tools/list");
    let future = future.send().ok(400);
    assert_eq!(code(&future), -32_022);
    assert_eq!(future.json()["error"]["data"]["requested"], "2099-01-01");
    let bare = call(&world, &old("tools/list", &json!({})));
    let bare =
        bare.header("mcp-protocol-version", NEWEST).header("mcp-method", "tools/list").send();
    assert_eq!(code(&bare.ok(400)), -32_602);
}

#[test]
fn body_is_one_call_in_json_of_at_most_64_kib() {
    let world = world();
    let ping = old("ping", &json!({}));
    assert_eq!(code(&call(&world, &json!([ping, ping])).send().ok(400)), -32_600);
    assert_eq!(code(&call(&world, &json!({ "id": 1, "method": "ping" })).send().ok(400)), -32_600);
    let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
    assert_eq!(code(&call(&world, &answer).send().ok(400)), -32_600);
    let null = json!({ "jsonrpc": "2.0", "id": null, "method": "ping" });
    assert_eq!(code(&call(&world, &null).send().ok(400)), -32_600);
    let broken = world.call(Method::POST, "/mcp").key(RESTRICTED_KEY).body("{").send();
    assert_eq!(code(&broken.ok(400)), -32_700);
    let large = old("ping", &json!({ "x": "x".repeat(65_536) }));
    call(&world, &large).send().problem(413, "payload-too-large");
    call(&world, &ping)
        .header("content-type", "text/plain")
        .send()
        .problem(415, "unsupported-media-type");
    call(&world, &ping).header("accept", "text/event-stream").send().ok(406);
    call(&world, &ping).header("accept", "application/json, text/event-stream").send().ok(200);
    for method in [Method::GET, Method::DELETE] {
        let wrong = world.call(method, "/mcp").key(RESTRICTED_KEY).send();
        assert_eq!(wrong.problem(405, "method-not-allowed").header("allow"), "POST");
    }
}

#[test]
fn page_of_another_origin_may_not_call() {
    let world = world();
    let ping = old("ping", &json!({}));
    for foreign in [
        "https://evil.example.com",
        "null",
        "http://pay.example.com",
        "https://pay.example.com:8443",
    ] {
        let refused = call(&world, &ping).header("origin", foreign).send();
        refused.problem(403, "not-allowed-for-key");
    }
    call(&world, &ping).header("origin", PUBLIC_BASE).send().ok(200);
}
