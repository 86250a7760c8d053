//! The tools of a model: their effects, and the facts that none of them shows.

use http::Method;
use serde_json::{Value, json};
use tests::world::brand::{RESTRICTED_KEY, TEST_KEY};
use tests::world::{PHONE, PUBLIC_BASE, World};

use super::{does, payment, refuses, result, tool, world, world_with};

#[test]
fn model_asks_waits_and_reads_the_transaction_code() {
    let world = world();
    let asked = does(&world, "request_payment", &payment("call-1", 4250));
    assert_eq!((&asked["state"], &asked["over"]), (&json!("pending"), &json!(false)));
    assert_eq!(asked["session_code"].as_str().unwrap().len(), 2, "{asked}");
    world.run_until_idle();
    let id = json!({ "request_id": asked["request_id"] });
    let waiting = does(&world, "wait_for_outcome", &id);
    assert_eq!(waiting["state"], "prompted");
    assert!(waiting["advice"].as_str().unwrap().starts_with("Read session_code"), "{waiting}");
    world.customer().approves().ok(200);
    world.run_until_idle();
    let paid = does(&world, "wait_for_outcome", &id);
    assert_eq!((&paid["state"], &paid["over"]), (&json!("fulfilled"), &json!(true)));
    assert_eq!(paid["last4"], "4242");
    assert!(!paid["transaction_code"].as_str().unwrap().is_empty(), "{paid}");
    assert_eq!(does(&world, "read_request", &id), paid);
}

#[test]
fn customer_reads_the_models_words_in_quotation_marks() {
    let world = world();
    does(&world, "request_payment", &payment("call-1", 4250));
    world.run_until_idle();
    let message = world.customer().newest();
    let text = message.text("text");
    assert!(text.starts_with("An automated assistant of Demo Books asks you to pay"), "{text}");
    assert!(text.contains("\"Invoice 4711\""), "{text}");
    let page = world.customer().opens(&message.page).text();
    assert!(page.contains("An automated assistant of this business asks you."), "{page}");
    assert!(page.contains("<q><bdi>Invoice 4711</bdi></q>"), "{page}");
    // The payee and the amount are the page's own.
    assert!(page.contains("Demo Books") && page.contains("42.50"), "{page}");
    world.customer().denies().ok(200);
    world.run_until_idle();
}

#[test]
fn model_learns_no_link_no_number_and_no_name() {
    let world = world();
    let asked = does(&world, "request_payment", &payment("call-1", 4250));
    world.run_until_idle();
    let link = world.customer().newest().page;
    world.customer().approves().ok(200);
    world.run_until_idle();
    let id = json!({ "request_id": asked["request_id"] });
    let mut told = vec![asked];
    for name in ["wait_for_outcome", "read_request", "cancel_request", "resend_request"] {
        told.push(tool(&world, name, &id));
    }
    told.push(tool(&world, "check_reach", &json!({ "phone": PHONE })));
    let told = Value::from(told).to_string();
    for secret in [link.as_str(), PUBLIC_BASE, "/c/", PHONE, "Invoice", "Demo Books"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}

#[test]
fn call_id_asks_once() {
    let world = world();
    let first = does(&world, "request_payment", &payment("call-1", 4250));
    world.run_until_idle();
    let again = does(&world, "request_payment", &payment("call-1", 4250));
    world.run_until_idle();
    assert_eq!(again["request_id"], first["request_id"]);
    assert_eq!(world.customer().messages().len(), 1);
    let other = refuses(&world, "request_payment", &payment("call-1", 9900));
    assert!(other.contains("idempotency-key-reused"), "{other}");
    let mut arguments = payment("", 4250);
    arguments.as_object_mut().unwrap().remove("call_id");
    let missing = refuses(&world, "request_payment", &arguments);
    assert!(missing.starts_with("call_id is missing."), "{missing}");
    // The id of the host's own is as good.
    let named = json!({ "name": "request_payment", "arguments": arguments,
        "_meta": { "assent/callId": "call-1" } });
    let by_host = result(&world, "tools/call", &named);
    assert_eq!(by_host["structuredContent"]["request_id"], first["request_id"]);
    does(&world, "cancel_request", &json!({ "request_id": first["request_id"] }));
    world.run_until_idle();
}

#[test]
fn model_needs_retry_of_after_a_denial() {
    let world = world();
    let first = does(&world, "request_payment", &payment("call-1", 4250));
    world.run_until_idle();
    let early = with(payment("call-2", 99), "retry_of", &first["request_id"]);
    let none = refuses(&world, "request_payment", &early);
    assert!(none.contains("retry_of: it names no request"), "{none}");
    world.customer().denies().ok(200);
    world.run_until_idle();
    let id = json!({ "request_id": first["request_id"] });
    let denied = does(&world, "wait_for_outcome", &id);
    assert_eq!((&denied["state"], &denied["reason"]), (&json!("denied"), &json!("customer")));
    assert!(denied["advice"].as_str().unwrap().contains("Do not ask again."), "{denied}");
    let name = first["request_id"].as_str().unwrap();
    for again in [payment("call-3", 4250), with(payment("call-4", 99), "retry_of", &json!("req_x"))]
    {
        let refused = refuses(&world, "request_payment", &again);
        assert!(refused.contains("Do not ask again.") && refused.contains(name), "{refused}");
    }
    // Another kind of ask is another ask, too.
    let card =
        json!({ "phone": PHONE, "description": "Card", "session_id": "CA123", "call_id": "c5" });
    assert!(refuses(&world, "request_card", &card).contains("Do not ask again."));
    // A repeat asks nothing again, and a later conversation is another session.
    let repeated = does(&world, "request_payment", &payment("call-1", 4250));
    assert_eq!(repeated["state"], "denied");
    let retried = with(payment("call-6", 4250), "retry_of", &first["request_id"]);
    let retried = does(&world, "request_payment", &retried);
    assert_ne!(retried["request_id"], first["request_id"]);
    world.run_until_idle();
    does(&world, "cancel_request", &json!({ "request_id": retried["request_id"] }));
    let other = with(payment("call-7", 4250), "session_id", &json!("CA124"));
    let other = does(&world, "request_payment", &other);
    world.run_until_idle();
    does(&world, "cancel_request", &json!({ "request_id": other["request_id"] }));
    world.run_until_idle();
}

fn with(mut arguments: Value, name: &str, value: &Value) -> Value {
    arguments[name] = value.clone();
    arguments
}

#[test]
fn model_stays_below_the_ceilings_of_its_key() {
    let world = world_with(&json!({ "asks": ["payment"], "amount_max": { "EUR": 5000 },
        "amount_per_day": { "EUR": 6000 } }));
    let above = refuses(&world, "request_payment", &payment("call-1", 5001));
    assert!(above.contains("ceiling-reached") && above.contains("amount_max"), "{above}");
    let first = does(&world, "request_payment", &payment("call-2", 5000));
    let day = refuses(&world, "request_payment", &payment("call-3", 1001));
    assert!(day.contains("amount_per_day") && day.contains("Retry after"), "{day}");
    let card =
        json!({ "phone": PHONE, "description": "Card", "session_id": "CA123", "call_id": "c4" });
    assert!(refuses(&world, "request_card", &card).contains("not-allowed-for-key"));
    let listed = result(&world, "tools/list", &json!({}));
    let names =
        listed["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap());
    let names: Vec<&str> = names.collect();
    let expected = [
        "check_reach",
        "request_payment",
        "wait_for_outcome",
        "read_request",
        "cancel_request",
        "resend_request",
    ];
    assert_eq!(names, expected);
    does(&world, "cancel_request", &json!({ "request_id": first["request_id"] }));
    world.run_until_idle();
}

#[test]
fn model_sees_no_request_of_another_key() {
    let world = world();
    let foreign = world.asks(4250);
    for name in ["wait_for_outcome", "read_request", "cancel_request", "resend_request"] {
        let refused = refuses(&world, name, &json!({ "request_id": foreign.id }));
        assert!(refused.contains("not-found"), "{name}: {refused}");
    }
    assert_eq!(world.state(&foreign), "prompted");
    assert_eq!(world.customer().messages().len(), 1);
    world.acts(&foreign, "cancel", &json!({})).ok(200);
    world.run_until_idle();
}

/// The model learns the id of that request, with which it can do nothing.
#[test]
fn denial_of_another_keys_ask_counts_for_the_model() {
    let world = world();
    let foreign = world.asks(4250);
    world.customer().denies().ok(200);
    world.run_until_idle();
    let refused = refuses(&world, "request_payment", &payment("call-1", 4250));
    assert!(refused.contains(&foreign.id), "{refused}");
}

#[test]
fn arguments_are_refused_by_their_own_names() {
    let world = world();
    let wrong = json!({ "phone": "12", "amount": 0, "currency": "EURO", "description": "",
        "session_id": "a b", "call_id": "c1" });
    let refused = refuses(&world, "request_payment", &wrong);
    for name in ["phone:", "amount:", "currency:", "description:", "session_id:"] {
        assert!(refused.contains(name), "{name} in {refused}");
    }
    let unknown = refuses(&world, "request_payment", &json!({ "number": "1" }));
    assert!(unknown.contains("no argument number"), "{unknown}");
    let empty = refuses(&world, "wait_for_outcome", &json!({}));
    assert_eq!(empty, "request_id is missing.");
    let long = json!({ "request_id": "req_x", "max_seconds": 21 });
    let long = refuses(&world, "wait_for_outcome", &long);
    assert_eq!(long, "max_seconds must be a whole number, 1 to 20.");
}

#[test]
fn reach_says_who_opted_out_and_sends_nothing() {
    let world = world();
    let reached = does(&world, "check_reach", &json!({ "phone": PHONE }));
    assert_eq!((&reached["reachable"], &reached["opted_out"]), (&json!(true), &json!(false)));
    assert!(!reached["channels"].as_array().unwrap().is_empty(), "{reached}");
    assert!(world.customer().messages().is_empty());
}

#[test]
fn model_names_an_e_mail_address_and_never_reads_it() {
    let world = world();
    let address = json!("ada@example.com");
    let reached = does(&world, "check_reach", &json!({ "phone": PHONE, "email": address }));
    let asked = does(&world, "request_payment", &with(payment("call-1", 4250), "email", &address));
    world.run_until_idle();
    let path = format!("/v1/requests/{}", asked["request_id"].as_str().unwrap());
    let shown = world.get(&path).ok(200).json();
    assert_eq!(shown["customer"]["email"], "a•••••@•••••.com");
    assert!(!format!("{reached}{asked}").contains("ada"), "{reached} {asked}");
    let wrong = with(payment("call-2", 4250), "email", &json!("ada"));
    assert!(refuses(&world, "request_payment", &wrong).contains("email"));
}

#[test]
fn endpoint_takes_only_keys_of_ai_agents() {
    let world = world();
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let call = || world.call(Method::POST, "/mcp").json(&body);
    let refused = call().key(TEST_KEY).send().problem(403, "not-allowed-for-key").json();
    assert!(refused["detail"].as_str().unwrap().contains("`ai_agent`"), "{refused}");
    let none = call().key(None).send().problem(401, "unauthenticated");
    assert_eq!(none.header("www-authenticate"), "Bearer");
    call().key("rk_test_demo_0123456789abcdef").send().problem(401, "unauthenticated");
    call().key(RESTRICTED_KEY).send().ok(200);
    let asked = does(&world, "request_payment", &payment("call-1", 4250));
    let token = json!({ "request": asked["request_id"], "origin": "https://app.example.com" });
    let token = world.call(Method::POST, "/v1/client_tokens").key(RESTRICTED_KEY).json(&token);
    let token = token.send().ok(201).json()["client_token"].as_str().unwrap().to_owned();
    let refused = call().key(token.as_str()).send().problem(403, "not-allowed-for-key").json();
    assert_eq!(refused["limit"], "client_token");
    does(&world, "cancel_request", &json!({ "request_id": asked["request_id"] }));
    world.run_until_idle();
}

/// The request would be made, and its id be lost.
#[test]
fn key_without_the_right_to_read_asks_nothing() {
    let world = world_with(&json!({ "may": ["request"] }));
    let refused = refuses(&world, "request_payment", &payment("call-1", 4250));
    assert!(refused.contains("`read`"), "{refused}");
    world.run_until_idle();
    assert!(world.customer().messages().is_empty());
    assert_eq!(requests_of(&world), 0);
}

fn requests_of(world: &World) -> usize {
    let listed = world.get("/v1/requests").ok(200).json();
    listed["requests"].as_array().unwrap().len()
}
