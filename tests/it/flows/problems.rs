//! Bad input: each case gets a problem with a stable, explained code, and changes nothing.

use http::Method;
use serde_json::{Value, json};
use tests::world::brand::TEST_KEY;
use tests::world::{Answer, PHONE, PUBLIC_BASE, World};

/// The value of a field that is missing.
const NOTHING: Value = Value::Null;

fn post_with(world: &World, pointer: &str, value: &Value) -> Answer {
    let mut body = world.payment(PHONE, 4250);
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(name);
    } else {
        parent.insert(name.to_owned(), value.clone());
    }
    world.post("/v1/requests", &body)
}

#[test]
fn each_wrong_field_is_named_by_its_pointer() {
    let world = World::new();
    let long = "x".repeat(141);
    let cases: &[(&str, Value, &str)] = &[
        ("/surprise", json!(true), "unknown"),
        ("/customer/mail", json!("a@b.example"), "unknown"),
        ("/customer/email", json!("a@b"), "value"),
        ("/session/x~1y", json!(1), "unknown"),
        ("/customer", NOTHING, "missing"),
        ("/customer", json!("Ada"), "type"),
        ("/customer/phone", NOTHING, "missing"),
        ("/customer/phone", json!(15_551_230_001_u64), "type"),
        ("/customer/phone", json!("0555 123"), "value"),
        ("/customer/phone", json!("15551230001"), "value"),
        ("/customer/phone", json!("+1555123000100000"), "value"),
        ("/customer/phone", json!("+0551230001"), "value"),
        ("/customer/language", json!("english, please"), "value"),
        ("/session", NOTHING, "missing"),
        ("/session/kind", json!("telepathy"), "value"),
        ("/session/id", json!(""), "value"),
        ("/session/id", json!("a b"), "value"),
        ("/session/id", json!("x".repeat(129)), "value"),
        ("/ask", NOTHING, "missing"),
        ("/ask/kind", json!("gift"), "value"),
        ("/ask/amount", NOTHING, "missing"),
        ("/ask/amount", json!("4250"), "type"),
        ("/ask/amount", json!(42.5), "type"),
        ("/ask/currency", json!("EURO"), "value"),
        ("/ask/currency", json!("eur"), "value"),
        ("/ask/currency", json!("XXY"), "value"),
        ("/ask/description", NOTHING, "missing"),
        ("/ask/description", json!(long), "value"),
        ("/ask/description", json!("\u{202e}0 EUR"), "value"),
        ("/channels", json!([]), "length"),
        ("/channels", json!("rcs"), "type"),
        (
            "/channels",
            json!(["rcs", "rcs", "rcs", "rcs", "rcs", "rcs", "rcs", "rcs", "rcs"]),
            "length",
        ),
        ("/expires_in", json!(0), "range"),
        ("/metadata", json!({ "n".repeat(41): "1" }), "length"),
        ("/metadata", json!({ "n": "v".repeat(501) }), "length"),
        ("/metadata", json!({ "n": 1 }), "type"),
    ];
    for (pointer, value, word) in cases {
        let problem = post_with(&world, pointer, value).problem(400, "invalid-request").json();
        let fault = &problem["errors"][0];
        let place = fault["pointer"].as_str().unwrap();
        assert!(place.starts_with(&pointer.replace("~1", "~01")), "{pointer} {value}: {problem}");
        assert_eq!(fault["code"], *word, "{pointer} {value}: {problem}");
    }
    assert!(world.items().is_empty() && world.sent().is_empty());
}

#[test]
fn unchargeable_amount_has_its_own_code() {
    let world = World::new();
    for amount in [json!(0), json!(-1), json!(1_000_000_000_000_000_u64), json!(u64::MAX)] {
        post_with(&world, "/ask/amount", &amount).problem(400, "amount-out-of-range");
    }
}

/// An amount is a whole number. It is never rounded, read from a text or wrapped around.
#[test]
fn amount_that_is_no_whole_number_is_refused() {
    let world = World::new();
    let body = world.payment(PHONE, 4250).to_string();
    assert!(body.contains(":4250"), "{body}");
    for number in [
        "4250.5",
        "4.2505e3",
        "-0",
        "0",
        "\"4250\"",
        "true",
        "[4250]",
        "18446744073709551616",
        "042",
        "+5",
        "NaN",
        "0x109a",
        "1e400",
    ] {
        let sent = body.replace(":4250", &format!(":{number}"));
        let answer = world.call(Method::POST, "/v1/requests").body(sent).send();
        assert_eq!(answer.status, 400, "{number}");
    }
    assert!(world.items().is_empty() && world.sent().is_empty());
}

#[test]
fn all_faults_of_a_body_are_reported_at_once() {
    let world = World::new();
    let body = json!({
        "customer": { "phone": "1" }, "session": { "kind": "voice" },
        "ask": { "kind": "payment", "amount": 0, "currency": "E", "description": "x" }, "extra": 1,
    });
    let problem = world.post("/v1/requests", &body).problem(400, "invalid-request").json();
    let mut places: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["pointer"].as_str().unwrap())
        .collect();
    places.sort_unstable();
    let expected = ["/ask/amount", "/ask/currency", "/customer/phone", "/extra", "/session/id"];
    assert_eq!(places, expected);
}

#[test]
fn body_that_is_no_json_object_is_malformed() {
    let world = World::new();
    for body in [
        "",
        "{",
        "{\"customer\": {\"phone\":",
        "[]",
        "null",
        "\"x\"",
        "\u{feff}{}",
        "{\"a\": 1} {}",
    ] {
        for path in ["/v1/requests", "/v1/previews", "/v1/capabilities"] {
            let answer = world.call(Method::POST, path).body(body).send();
            answer.problem(400, "invalid-request");
        }
    }
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let answer = world.call(Method::POST, "/v1/requests").body(deep).send();
    answer.problem(400, "invalid-request");
    let bytes: &[u8] = b"{\"customer\": \"\xff\xfe\"}";
    let answer = world.call(Method::POST, "/v1/requests").body(bytes).send();
    answer.problem(400, "invalid-request");
}

#[test]
fn body_of_another_media_type_is_refused() {
    let world = World::new();
    let body = world.payment(PHONE, 4250);
    for (name, value) in [
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-type", "text/plain; charset=utf-8"),
        ("content-type", "application/json; charset=utf-16"),
        ("content-encoding", "gzip"),
    ] {
        for path in ["/v1/requests", "/v1/previews", "/v1/capabilities"] {
            let call = world.call(Method::POST, path).header(name, value).json(&body);
            let refused = call.send().problem(415, "unsupported-media-type");
            assert_eq!(refused.header("accept"), "application/json");
        }
    }
    assert!(world.items().is_empty() && world.sent().is_empty());
    let call = world.call(Method::POST, "/v1/requests");
    call.header("content-type", "application/json; charset=utf-8").json(&body).send().ok(201);
    world.run_until_idle();
    let message = world.customer().newest();
    let path = format!("/sandbox/phones/{PHONE}/messages/{}/tap", message.text("id"));
    let call = world.call(Method::POST, &path).header("content-type", "text/plain");
    call.body(r#"{"action": "deny"}"#).send().problem(415, "unsupported-media-type");
}

#[test]
fn fault_outside_the_body_names_parameter_or_header() {
    let world = World::new();
    let asked = world.asks(4250);
    for (path, parameter, code) in [
        ("/v1/requests?session=a%20b", "session", "value"),
        ("/v1/requests?session=CA123&limit=0", "limit", "value"),
        ("/v1/requests?session=CA123&cursor=x", "cursor", "value"),
        ("/v1/requests?session=CA123&page=2", "page", "unknown"),
        ("/v1/requests?session=CA123&session=CA123", "session", "unknown"),
        (&format!("{}?wait=21", asked.path), "wait", "value"),
        (&format!("{}?after=-1", asked.path), "after", "value"),
        ("/sandbox/phones/x/messages", "phone", "value"),
    ] {
        let problem = world.get(path).problem(400, "invalid-request").json();
        let fault = &problem["errors"][0];
        assert_eq!((&fault["parameter"], &fault["code"]), (&json!(parameter), &json!(code)));
        assert!(fault.get("pointer").is_none(), "{problem}");
    }
    let body = world.payment(PHONE, 4250);
    let call = world.call(Method::POST, "/v1/requests").idempotency(None).json(&body);
    let problem = call.send().problem(400, "idempotency-key-missing").json();
    assert_eq!(problem["errors"][0]["header"], "Idempotency-Key", "{problem}");
    let call = world.call(Method::POST, "/v1/requests").idempotency("é").json(&body);
    let problem = call.send().problem(400, "invalid-request").json();
    assert_eq!(problem["errors"][0]["header"], "Idempotency-Key", "{problem}");
}

#[test]
fn oversized_body_is_not_read_to_its_end() {
    let world = World::new();
    let mut body = world.payment(PHONE, 4250);
    body["metadata"] = json!({ "n": "v".repeat(65 * 1024) });
    world.post("/v1/requests", &body).problem(413, "payload-too-large");
    let form = format!("x={}", "y".repeat(4 * 1024 * 1024));
    let call = world.call(Method::POST, "/callbacks/demo/sms").body(form);
    call.send().problem(413, "payload-too-large");
}

#[test]
fn missing_wrong_and_malformed_keys_are_rejected_alike() {
    let world = World::new();
    let asked = world.asks(4250);
    let wrong = "sk_test_demo_ffffffffffffffffffffffffffffffff";
    let keys = [
        None,
        Some(wrong),
        Some("sk_test_unknown_0123456789abcdef0123456789abcdef"),
        Some("sk_live_demo_0123456789abcdef0123456789abcdef"),
        Some("sk_test_demo_"),
        Some(""),
    ];
    let mut problem: Vec<Value> = Vec::new();
    for key in keys {
        let answer = world.call(Method::GET, &asked.path).key(key).send();
        let answer = answer.problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        problem.push(answer.json());
        let call = world.call(Method::POST, "/v1/requests").key(key);
        call.json(&world.payment(PHONE, 1)).send().problem(401, "unauthenticated");
    }
    assert!(problem.iter().all(|one| *one == problem[0]), "{problem:?}");
    let basic = format!("Basic {TEST_KEY}");
    let call = world.call(Method::GET, &asked.path).key(None).header("authorization", &basic);
    call.send().problem(401, "unauthenticated");
}

#[test]
fn unknown_path_or_id_is_not_found() {
    let world = World::new();
    for path in [
        "/v1/requests/req_01M844DZG03XCBJ52V4K8GHNXC",
        "/v1/requests/prm_01M844DZG03XCBJ52V4K8GHNXC",
        "/v1/requests/req_1",
        "/v1/requests/%20",
        "/v1/requests/",
        "/v1/nothing%20here",
        "/v1",
        "/nothing",
        "/problems/unheard-of",
        "/sandbox/phones",
        "/callbacks/demo",
    ] {
        world.get(path).problem(404, "not-found");
    }
    for (what, body) in
        [("cancel", json!({})), ("resend", json!({})), ("extend", json!({ "expires_in": 60 }))]
    {
        let path = format!("/v1/requests/req_01M844DZG03XCBJ52V4K8GHNXC/{what}");
        world.post(&path, &body).problem(404, "not-found");
    }
}

#[test]
fn method_not_allowed_is_a_problem() {
    let world = World::new();
    let id = "req_01M844DZG03XCBJ52V4K8GHNXC";
    for (method, path) in [
        (Method::DELETE, format!("/v1/requests/{id}")),
        (Method::PUT, "/v1/requests".to_owned()),
        (Method::GET, "/v1/capabilities".to_owned()),
        (Method::GET, format!("/v1/requests/{id}/cancel")),
        (Method::POST, "/problems/not-found".to_owned()),
        (Method::PUT, "/c/skgVUs-5l11CLL-_xhZxPw".to_owned()),
        (Method::DELETE, "/callbacks/demo/sms".to_owned()),
        (Method::POST, "/sandbox/phones/+15551230001/messages".to_owned()),
    ] {
        let answer = world.call(method, &path).send().problem(405, "method-not-allowed");
        assert!(!answer.header("allow").is_empty(), "{path}");
    }
}

#[test]
fn ask_without_capable_processor_is_rejected() {
    let world = World::new();
    let mut body = world.payment(PHONE, 4250);
    body["ask"] = json!({ "kind": "identity", "claims": ["birthdate"], "description": "Wine" });
    world.post("/v1/requests", &body).problem(422, "ask-not-supported");
    let none = World::builder().with("/test/processors", &json!([])).build();
    let refused = none.post("/v1/requests", &none.payment(PHONE, 4250));
    refused.problem(422, "processor-not-configured");
    let none = World::builder().with("/test/channels", &json!([])).build();
    let refused = none.post("/v1/requests", &none.payment(PHONE, 4250));
    refused.problem(422, "channel-not-configured");
}

#[test]
fn malformed_tap_is_rejected() {
    let world = World::new();
    let asked = world.asks(4250);
    let customer = world.customer();
    let message = customer.newest();
    for body in
        [json!({}), json!({ "action": "maybe" }), json!({ "action": "approve", "x": 1 }), json!([])]
    {
        customer.taps(&message, &body).problem(400, "invalid-request");
    }
    for path in [
        "/sandbox/phones/15551230001/messages",
        "/sandbox/phones/%2B1/messages",
        "/sandbox/phones/x/messages",
    ] {
        world.get(path).problem(400, "invalid-request");
    }
    let id = message.text("id");
    let tap = json!({ "action": "approve", "session_code": "00" });
    for path in [
        format!("/sandbox/phones/+15551230002/messages/{id}/tap"),
        "/sandbox/phones/+15551230001/messages/prm_01M844DZWGFW3SJKQ26BNN67GN/tap".to_owned(),
        "/sandbox/phones/+15551230001/messages/x/tap".to_owned(),
    ] {
        world.post(&path, &tap).problem(404, "not-found");
    }
    assert_eq!(world.state(&asked), "prompted");
}

#[test]
fn every_code_is_explained_at_its_type_address() {
    let world = World::new();
    for code in domain::problem::Code::ALL {
        let (code, status, title, remedy) = code.facts();
        let page = world.call(Method::GET, &format!("/problems/{code}")).key(None).send().ok(200);
        let address = format!("{PUBLIC_BASE}/problems/{code}");
        let expected = json!({
            "type": address, "code": code, "status": status, "title": title, "remedy": remedy,
        });
        assert_eq!(page.json(), expected);
    }
}
