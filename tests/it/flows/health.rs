//! The health of channels, processors and the endpoint, and the brand as a caller may know it.

use domain::digest::digest_hex;
use ports::{Created, Rejection};
use serde_json::{Value, json};
use tests::world::brand::{LIVE_KEY, TEST_KEY};
use tests::world::{PHONE, Reply, World};

fn health(world: &World) -> Value {
    world.get("/v1/health").ok(200).json()
}

fn of<'a>(health: &'a Value, list: &str, name: &str) -> &'a Value {
    let found = health[list].as_array().unwrap().iter().find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("{name} in {health}"))
}

#[test]
fn channel_shows_its_last_success_and_failures() {
    let world = World::new();
    world.asks_at("+15551239001", 100);
    world.customer_at("+15551239001").denies().ok(200);
    let health = health(&world);
    let rcs = of(&health, "channels", "rcs");
    assert_eq!(
        (&rcs["sent"], &rcs["delivered"], &rcs["failed"]),
        (&json!(1), &json!(0), &json!(1))
    );
    assert_eq!(rcs["failures"][0]["count"], 1);
    assert_eq!(rcs["last_delivered_at"], Value::Null);
    assert!(rcs["last_failed_at"].is_string());
    let sms = of(&health, "channels", "sms");
    assert_eq!(
        (&sms["sent"], &sms["delivered"], &sms["failed"]),
        (&json!(1), &json!(1), &json!(0))
    );
    assert!(sms["last_delivered_at"].is_string() && sms["last_failed_at"].is_null());
}

/// Ends from before yesterday no longer count.
#[test]
fn health_is_of_today_and_yesterday() {
    let world = World::new();
    world.asks(100);
    world.customer().approves().ok(200);
    world.time_passes(5);
    let fulfilled =
        |world: &World| of(&health(world), "processors", "sandbox")["fulfilled"].clone();
    assert_eq!(fulfilled(&world), 1);
    world.time_passes(86_400);
    assert_eq!(fulfilled(&world), 1);
    world.time_passes(86_400);
    assert_eq!(fulfilled(&world), 0);
}

#[test]
fn processor_that_rejects_us_shows_its_open_circuit() {
    let policy = json!({ "session_code": false });
    let world = World::builder().with_fake_processor(&["test_card"]).with("/policy", &policy);
    let world = world.build();
    world.asks(4250);
    world.fake_processor().will_return([Created::Blocked { by: Rejection::Credentials }]);
    world.customer().approves().ok(200);
    let read = health(&world);
    let processor = &read["processors"][0];
    let circuit = &processor["circuits"][0];
    assert_eq!((&circuit["call"], &circuit["state"]), (&Value::Null, &json!("open")), "{read}");
    assert_eq!(circuit["refusals"], 1);
    world.time_passes(120);
    assert_eq!(health(&world)["processors"][0]["circuits"], json!([]));
}

#[test]
fn endpoint_that_fails_is_failing_until_it_succeeds() {
    let world = World::new();
    assert_eq!(health(&world)["webhooks"]["state"], "working");
    world.replies("shop.example", [(); 3].map(|()| Reply::Status(500, "out of order".to_owned())));
    world.asks(100);
    let failing = health(&world)["webhooks"].clone();
    assert_eq!(failing["state"], "failing", "{failing}");
    assert!(failing["failing_since"].is_string() && failing["disabled_since"].is_null());
    world.time_passes(400);
    assert_eq!(health(&world)["webhooks"]["state"], "working");
    world.replies("shop.example", [Reply::Status(410, String::new())]);
    world.asks_at("+15551230002", 100);
    let gone = health(&world)["webhooks"].clone();
    assert_eq!(gone["state"], "disabled", "{gone}");
    assert!(gone["disabled_since"].is_string());
}

/// A finding names the setting, and none of its values.
#[test]
fn settings_that_cannot_be_used_are_findings() {
    let stripe =
        json!([{ "name": "stripe", "kind": "stripe", "settings": { "secret": "made_up" } }]);
    let world = World::builder().with("/test/processors", &stripe).build();
    let answer = world.get("/v1/health").ok(200);
    let wanted = json!([{ "code": "settings_invalid", "setting": "test.processors.stripe" }]);
    assert_eq!(answer.json()["findings"], wanted);
    assert!(!answer.text().contains("made_up"));
}

#[test]
fn brand_is_shown_without_its_settings() {
    let world = World::new();
    let answer = world.get("/v1/brand").ok(200);
    let brand = answer.json();
    assert_eq!((&brand["name"], &brand["mode"]), (&json!("demo"), &json!("test")));
    // The sandbox's numbers are of the United States.
    assert_eq!((&brand["country"], &brand["currency"]), (&json!("US"), &Value::Null));
    for private in [digest_hex(TEST_KEY.as_bytes()), PHONE.to_owned(), "whsec".to_owned()] {
        assert!(!answer.text().contains(&private), "{private}");
    }
    let live = world.call(http::Method::GET, "/v1/brand").key(LIVE_KEY).send().ok(200).json();
    assert_eq!(live["mode"], "live");
}

#[test]
fn brand_names_its_own_country_and_currency() {
    let world =
        World::builder().with("/country", &json!("DE")).with("/currency", &json!("EUR")).build();
    let brand = world.get("/v1/brand").ok(200).json();
    assert_eq!((&brand["country"], &brand["currency"]), (&json!("DE"), &json!("EUR")));
}
