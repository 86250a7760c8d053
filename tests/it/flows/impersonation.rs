//! Strangers do not speak through the brand: which words customers read, and which numbers are asked.

use http::Method;
use serde_json::{Value, json};
use tests::world::brand::LIVE_KEY;
use tests::world::{PHONE, World};

fn ask_with(world: &World, pointer: &str, value: &str) -> tests::world::Answer {
    let mut body = world.payment(PHONE, 4250);
    *body.pointer_mut(pointer).unwrap() = json!(value);
    world.post("/v1/requests", &body)
}

#[test]
fn description_that_leads_elsewhere_is_refused() {
    let world = World::new();
    for pointer in ["/ask/description", "/customer/name"] {
        for text in [
            "see https://evil.example/pay",
            "evil.example/pay",
            "Call +1 900 555 0100",
            "mail x@evil.example",
            "4711). Your answer (",
            "Invoice 47\u{202E}11",
            "Ac\u{200D}me",
            "\u{3164}",
        ] {
            let problem = ask_with(&world, pointer, text).problem(400, "invalid-request").json();
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{text}: {problem}");
        }
    }
    assert!(world.items().is_empty() && world.sent().is_empty());
    let policy = json!({ "description_links": true });
    let world = World::builder().with("/policy", &policy).build();
    ask_with(&world, "/ask/description", "Order at shop.example.com").ok(201);
    ask_with(&world, "/ask/description", "Invoice 47\u{202E}11").problem(400, "invalid-request");
    world.leaves();
}

#[test]
fn name_with_needed_joiners_is_taken() {
    let world = World::new();
    ask_with(&world, "/customer/name", "\u{0639}\u{0644}\u{06CC}\u{200C}\u{0631}\u{0636}\u{0627}")
        .ok(201);
    ask_with(&world, "/customer/name", "\u{0DC1}\u{0DCA}\u{200D}\u{0DBB}\u{0DD3}").ok(201);
    world.leaves();
}

#[test]
fn display_name_with_a_verification_mark_is_no_brand() {
    let secret = |name: &str| {
        let mut secret = local::brand::draw(
            &tests::doubles::SeededRandom::new(1),
            "sk_test_demo_0123456789abcdef",
        );
        secret["display_name"] = json!(name);
        domain::brand::Brand::parse(&secret.to_string())
    };
    assert!(secret("Demo Shop Ltd").is_ok());
    for name in
        ["Demo Shop \u{2714}", "Demo \u{2705}", "Demo\u{202E}S", "Demo \u{1F512} Bank", "\u{3164}"]
    {
        assert!(matches!(secret(name), Err(domain::brand::InvalidBrand::DisplayName)), "{name}");
    }
}

#[test]
fn member_that_comes_twice_is_refused_with_its_place() {
    let world = World::new();
    let body = |ask: &str| {
        format!(
            r#"{{"customer":{{"phone":"{PHONE}"}},"session":{{"kind":"voice","id":"c"}},"ask":{ask}}}"#
        )
    };
    for (ask, pointer) in [
        (
            r#"{"kind":"payment","amount":100,"amount":4250,"currency":"EUR","description":"x"}"#,
            "/ask/amount",
        ),
        (
            r#"{"kind":"payment","amount":4250,"currency":"EUR","currency":"KWD","description":"x"}"#,
            "/ask/currency",
        ),
    ] {
        let call = world.call(Method::POST, "/v1/requests").idempotency("twice").body(body(ask));
        let problem = call.send().problem(400, "invalid-request").json();
        assert_eq!(
            (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
            (&json!(pointer), &json!("repeated"))
        );
    }
    assert!(world.items().is_empty());
}

#[test]
fn number_that_costs_is_refused_by_default() {
    let world = World::new();
    for (phone, status, code) in [
        ("+9791234567", 403, "number-not-allowed"),
        ("+88213123456", 403, "number-not-allowed"),
        ("+881612345678", 403, "number-not-allowed"),
        ("+19005550100", 403, "number-not-allowed"),
        ("+18005550100", 403, "number-not-allowed"),
        ("+449098790000", 403, "number-not-allowed"),
        ("+18765550100", 403, "number-not-allowed"),
        ("+5351234567", 403, "number-not-allowed"),
        ("+9991234567", 400, "invalid-request"),
        ("+10000000000", 400, "invalid-request"),
        ("+4402079460000", 400, "invalid-request"),
    ] {
        let mut body = world.payment(phone, 100);
        let problem = world.post("/v1/requests", &body).problem(status, code).json();
        assert_eq!(problem["errors"][0]["pointer"], "/customer/phone", "{phone}");
        body.as_object_mut().unwrap().remove("session");
        world.post("/v1/capabilities", &body).problem(status, code);
    }
    assert!(world.items().is_empty() && world.sent().is_empty());
}

#[test]
fn policy_names_the_countries_and_services_that_are_asked() {
    let statuses = |policy: Value| {
        let world = World::builder().with("/policy", &policy).build();
        let phones =
            ["+15551230001", "+4915112345678", "+390612345678", "+881612345678", "+19005550100"];
        let asked =
            phones.map(|phone| world.post("/v1/requests", &world.payment(phone, 100)).status);
        world.leaves();
        asked
    };
    assert_eq!(statuses(json!({})), [201, 403, 403, 403, 403]);
    assert_eq!(statuses(json!({ "countries": ["DE", "IT"] })), [403, 201, 201, 403, 403]);
    assert_eq!(statuses(json!({ "countries": "all" })), [201, 201, 201, 403, 403]);
    let all = json!({ "countries": "all", "service_numbers": true });
    assert_eq!(statuses(all), [201, 201, 201, 201, 201]);
    for bad in [json!("DE"), json!([]), json!(["de"]), json!(["GER"]), json!(true)] {
        let policy = json!({ "countries": bad });
        assert!(serde_json::from_value::<domain::brand::Policy>(policy).is_err());
    }
}

#[test]
fn cursor_holds_for_its_own_list_only() {
    let world = World::new();
    world.asks(100);
    world.time_passes(1);
    world.asks(200);
    let list = |query: &str| world.get(&format!("/v1/requests?{query}"));
    let page = list("session=CA123&limit=1").ok(200).json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let second = list(&format!("session=CA123&limit=1&cursor={cursor}")).ok(200).json();
    assert_eq!(second["requests"][0]["ask"]["amount"], 100);
    assert!(second["next_cursor"].is_null());
    let first = list("session=CA123&cursor=").ok(200).json();
    assert_eq!(first["requests"].as_array().unwrap().len(), 2);
    let other = format!("session=CA124&cursor={cursor}");
    for query in [
        "session=CA123&cursor=AAAA",
        "session=CA123&cursor=AAAA.AAAA",
        other.as_str(),
        "session=CA123&limit=0",
        "session=CA123&limit=101",
        "session=CA123&limit=-1",
    ] {
        list(query).problem(400, "invalid-request");
    }
    let live = format!("/v1/requests?session=CA123&cursor={cursor}");
    world.call(Method::GET, &live).key(Some(LIVE_KEY)).send().problem(400, "invalid-request");
}
