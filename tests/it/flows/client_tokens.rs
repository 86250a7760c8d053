//! Client tokens: what a browser may do with one, and from where.

use http::Method;
use serde_json::{Value, json};
use tests::world::calls::Answer;
use tests::world::{CreatedRequest, World};

const ORIGIN: &str = "https://crm.example.com";

fn token(world: &World, body: &Value) -> String {
    let made = world.post("/v1/client_tokens", body).ok(201).json();
    made["client_token"].as_str().unwrap().to_owned()
}

fn token_of(world: &World, asked: &CreatedRequest) -> String {
    token(world, &json!({ "request": asked.id, "origin": ORIGIN }))
}

fn calls(world: &World, method: &Method, path: &str, token: &str) -> Answer {
    let call = world.call(method.clone(), path).key(token).header("origin", ORIGIN);
    let answer = if *method == Method::POST { call.json(&json!({})).send() } else { call.send() };
    world.run_until_idle();
    answer
}

#[test]
fn token_follows_its_request_from_another_origin() {
    let world = World::new();
    let asked = world.asks(4250);
    let token = token_of(&world, &asked);
    let read = calls(&world, &Method::GET, &asked.path, &token).ok(200);
    assert_eq!(read.header("access-control-allow-origin"), ORIGIN);
    assert_eq!(read.json()["state"], "prompted");
    let wait = format!("{}?wait=1&after=0", asked.path);
    calls(&world, &Method::GET, &wait, &token).ok(200);
    calls(&world, &Method::POST, &format!("{}/resend", asked.path), &token).ok(200);
    let extend = world.call(Method::POST, &format!("{}/extend", asked.path));
    let extend = extend.key(token.as_str()).header("origin", ORIGIN);
    extend.json(&json!({ "expires_in": 600 })).send().ok(200);
    calls(&world, &Method::POST, &format!("{}/cancel", asked.path), &token).ok(200);
    assert_eq!(world.state(&asked), "cancelled");
}

#[test]
fn token_reaches_nothing_outside_its_scope() {
    let world = World::new();
    let (asked, other) = (world.asks(100), world.asks(100));
    let token = token_of(&world, &asked);
    calls(&world, &Method::GET, &other.path, &token).problem(404, "not-found");
    let cancel = format!("{}/cancel", other.path);
    calls(&world, &Method::POST, &cancel, &token).problem(404, "not-found");
    let own = |action: &str| format!("{}/{action}", asked.path);
    for path in [own("refund"), "/v1/requests".to_owned(), "/v1/capabilities".to_owned()] {
        calls(&world, &Method::POST, &path, &token).problem(403, "not-allowed-for-key");
    }
    let more = calls(&world, &Method::POST, "/v1/client_tokens", &token);
    more.problem(403, "not-allowed-for-key");
    calls(&world, &Method::GET, &own("record"), &token).problem(403, "not-allowed-for-key");
    let listed = calls(&world, &Method::GET, "/v1/requests?session=CA123", &token).ok(200).json();
    assert_eq!(listed["requests"].as_array().unwrap().len(), 1);
}

#[test]
fn token_of_a_session_follows_its_requests_only() {
    let world = World::new();
    let asked = world.asks(100);
    let token = token(&world, &json!({ "session": "CA123", "origin": ORIGIN }));
    calls(&world, &Method::GET, &asked.path, &token).ok(200);
    let mut body = world.payment(tests::world::PHONE, 100);
    body["session"]["id"] = json!("CA999");
    let other = world.asks_for(&body);
    calls(&world, &Method::GET, &other.path, &token).problem(404, "not-found");
    let listed = calls(&world, &Method::GET, "/v1/requests?session=CA999", &token).ok(200).json();
    assert_eq!(listed["requests"], json!([]));
}

#[test]
fn token_counts_for_its_origin_and_time_only() {
    let world = World::new();
    let asked = world.asks(100);
    let body = json!({ "request": asked.id, "origin": ORIGIN, "expires_in": 60 });
    let token = token(&world, &body);
    let other = world.call(Method::GET, &asked.path).key(token.as_str());
    let refused = other.header("origin", "https://evil.example.com").send();
    assert!(refused.headers.get("access-control-allow-origin").is_none());
    refused.problem(401, "unauthenticated");
    let mut changed = token.clone();
    let last = if changed.pop() == Some('A') { 'B' } else { 'A' };
    changed.push(last);
    calls(&world, &Method::GET, &asked.path, &changed).problem(401, "unauthenticated");
    world.time_passes(60);
    calls(&world, &Method::GET, &asked.path, &token).problem(401, "unauthenticated");
}

#[test]
fn token_of_a_default_port_counts_for_the_origin_without_it() {
    let world = World::new();
    let asked = world.asks(100);
    let body = json!({ "request": asked.id, "origin": format!("{ORIGIN}:443") });
    let token = token(&world, &body);
    calls(&world, &Method::GET, &asked.path, &token).ok(200);
}

#[test]
fn token_ends_with_the_key_that_made_it() {
    let world = World::new();
    let asked = world.asks(100);
    let token = token_of(&world, &asked);
    world.rotates("/keys", &json!([]));
    calls(&world, &Method::GET, &asked.path, &token).problem(401, "unauthenticated");
}

#[test]
fn browser_may_ask_first_and_reads_no_answer_to_a_key() {
    let world = World::new();
    let asked = world.asks(100);
    let preflight = world.call(Method::OPTIONS, &asked.path).key(None).header("origin", ORIGIN);
    let preflight = preflight.header("access-control-request-method", "GET").send();
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.header("access-control-allow-origin"), ORIGIN);
    assert_eq!(preflight.header("access-control-allow-headers"), "authorization,content-type");
    let read = world.call(Method::GET, &asked.path).header("origin", ORIGIN).send().ok(200);
    assert!(read.headers.get("access-control-allow-origin").is_none());
}

#[test]
fn token_needs_one_scope_and_an_origin() {
    let world = World::new();
    let asked = world.asks(100);
    let faults = |body: &Value| {
        let refused = world.post("/v1/client_tokens", body).problem(400, "invalid-request").json();
        refused["errors"][0]["pointer"].as_str().unwrap().to_owned()
    };
    assert_eq!(faults(&json!({ "origin": ORIGIN })), "/request");
    let both = json!({ "request": asked.id, "session": "CA123", "origin": ORIGIN });
    assert_eq!(faults(&both), "/session");
    for origin in [
        "crm.example.com",
        "http://crm.example.com",
        "https://crm.example.com/",
        "https://CRM.example.com",
        "https://a@crm.example.com",
        "https://crm.example.com:6*",
        "https://crm.example.com:0443",
        "https://crm.example.com:65536",
        "https://-crm.example.com",
        "http://127.0.0.2",
        "null",
        "*",
    ] {
        assert_eq!(faults(&json!({ "request": asked.id, "origin": origin })), "/origin");
    }
    let absent = json!({ "request": "req_01M8QEDC009ZRS1D62RNSYS6CY", "origin": ORIGIN });
    world.post("/v1/client_tokens", &absent).problem(404, "not-found");
}
