//! Channels that share an app or an account. Each event counts for the number that the provider names, in its own mode.

use http::Method;
use serde_json::{Value, json};
use tests::providers::whatsapp::{self, Person, posted};
use tests::world::brand::{LIVE_KEY, TWILIO_TOKEN, twilio};
use tests::world::{Answer, Core, PHONE, PUBLIC_BASE, World};

use super::sms_twilio::signed;

const TWILIO: &str = "api.twilio.com";
const TEST_TOKEN: &str = "twilio-auth-token-of-the-test-account";
const OTHER_NUMBER: &str = "+15005550007";

fn sms(name: &str, token: &str, from: &str) -> Value {
    let mut settings = twilio();
    settings["auth_token"] = json!(token);
    settings["from"] = json!(from);
    json!({ "name": name, "kind": "sms", "settings": settings })
}

/// A brand with Twilio in both modes, each with a number of its own.
fn in_both_modes(test_token: &str, test_number: &str) -> World {
    let stripe =
        json!({ "name": "stripe", "kind": "stripe", "settings": { "secret_key": "sk_live_x" } });
    World::builder()
        .with("/test/channels", &json!([sms("sms", test_token, test_number)]))
        .with("/live/channels", &json!([sms("sms", TWILIO_TOKEN, "+15005550006")]))
        .with("/live/processors", &json!([stripe]))
        .build()
}

/// Asks a customer in live mode, and returns the answer.
fn asks_live(world: &World, phone: &str) -> Answer {
    let call = world.call(Method::POST, "/v1/requests").key(LIVE_KEY);
    let answer = call.json(&world.payment(phone, 4250)).send();
    world.run_until_idle();
    answer
}

fn state_of(world: &World, created: &Answer) -> Value {
    let read = world.call(Method::GET, created.header("location")).key(LIVE_KEY).send();
    read.ok(200).json()
}

/// Returns the path and query that Twilio reports the newest text to.
fn status_uri(core: &Core) -> String {
    let calls = core.calls_to(TWILIO);
    let form = form_urlencoded::parse(&calls.last().unwrap().body);
    let mut callback = form.filter(|(name, _)| name == "StatusCallback");
    callback.next().unwrap().1.replacen(PUBLIC_BASE, "", 1)
}

fn writes(world: &World, to: &str, words: &str, token: &str) -> Answer {
    let sid = format!("SM{}", domain::digest::digest_hex(format!("{to} {words}").as_bytes()));
    let pairs = [("Body", words), ("From", PHONE), ("MessageSid", sid.as_str()), ("To", to)];
    let answer = signed(world, "/callbacks/demo/sms", &pairs, token);
    world.run_until_idle();
    answer
}

/// Returns whether the channel of the mode knows that the customer wrote.
fn knows(world: &World, mode: &str, channel: &str) -> bool {
    let prefix = format!("CONTACT#demo#{mode}#{channel}#");
    world.items().iter().any(|item| item.key.pk.starts_with(&prefix))
}

#[test]
fn test_credential_says_nothing_of_live_requests() {
    let world = in_both_modes(TEST_TOKEN, OTHER_NUMBER);
    let asked = asks_live(&world, PHONE).ok(201);
    let uri = status_uri(&world);
    for (status, code) in [("undelivered", "30003"), ("failed", "30001"), ("delivered", "0")] {
        let pairs = [("ErrorCode", code), ("MessageSid", "SM0"), ("MessageStatus", status)];
        signed(&world, &uri, &pairs, TEST_TOKEN).ok(200);
        world.run_until_idle();
    }
    let live = state_of(&world, &asked);
    assert_eq!(
        (&live["state"], live["timeline"].as_array().unwrap().len()),
        (&json!("prompted"), 1)
    );
    writes(&world, OTHER_NUMBER, "STOP", TEST_TOKEN).ok(200);
    assert_eq!(state_of(&world, &asked)["state"], "prompted");
    let pairs = [("MessageSid", "SM0"), ("MessageStatus", "delivered")];
    signed(&world, &uri, &pairs, TWILIO_TOKEN).ok(200);
    assert_eq!(state_of(&world, &asked)["timeline"][1]["what"], "delivered");
}

#[test]
fn opt_out_lasts_until_an_opt_in_of_its_own_mode() {
    let world = in_both_modes(TEST_TOKEN, OTHER_NUMBER);
    let test = || world.post("/v1/requests", &world.payment(PHONE, 100));
    writes(&world, "+15005550006", "STOP", TWILIO_TOKEN).ok(200);
    asks_live(&world, PHONE).problem(403, "address-opted-out");
    test().ok(201);
    writes(&world, OTHER_NUMBER, "START", TEST_TOKEN).ok(200);
    asks_live(&world, PHONE).problem(403, "address-opted-out");
    writes(&world, OTHER_NUMBER, "STOP", TEST_TOKEN).ok(200);
    test().problem(403, "address-opted-out");
    writes(&world, "+15005550006", "START", TWILIO_TOKEN).ok(200);
    asks_live(&world, PHONE).ok(201);
    test().problem(403, "address-opted-out");
}

#[test]
fn number_of_both_modes_opts_out_of_both() {
    let world = in_both_modes(TWILIO_TOKEN, "+15005550006");
    writes(&world, "+15005550006", "STOP", TWILIO_TOKEN).ok(200);
    asks_live(&world, PHONE).problem(403, "address-opted-out");
    let test = world.post("/v1/requests", &world.payment(PHONE, 100));
    test.problem(403, "address-opted-out");
}

#[test]
fn text_counts_for_the_number_it_was_sent_to() {
    for (to, is_known) in [
        ("+15005550006", [true, false, false]),
        (OTHER_NUMBER, [false, true, false]),
        ("+15005550008", [false, false, true]),
        ("rcs:acme_agent", [true, false, true]),
    ] {
        let world = World::builder()
            .with(
                "/test/channels",
                &json!([
                    sms("sms", TWILIO_TOKEN, "+15005550006"),
                    sms("sms-us", TWILIO_TOKEN, OTHER_NUMBER),
                    sms("sms-elsewhere", TEST_TOKEN, to),
                ]),
            )
            .with("/live/channels", &json!([sms("sms", TWILIO_TOKEN, "+15005550008")]))
            .build();
        world.asks(4250);
        writes(&world, to, "hello", TWILIO_TOKEN).ok(200);
        let known = [("Test", "sms"), ("Test", "sms-us"), ("Live", "sms")]
            .map(|(mode, name)| knows(&world, mode, name));
        assert_eq!(known, is_known, "{to}");
        assert!(!knows(&world, "Test", "sms-elsewhere"), "another account's token proves nothing");
    }
}

#[test]
fn numbers_of_one_app_report_to_the_address_of_one() {
    let channel = |name: &str, number: &str| {
        let mut settings = whatsapp::settings();
        settings["phone_number_id"] = json!(number);
        json!({ "name": name, "kind": "whatsapp", "settings": settings })
    };
    let own = whatsapp::settings()["phone_number_id"].as_str().unwrap().to_owned();
    let channels = json!([channel("whatsapp", "200000000000002"), channel("whatsapp-us", &own)]);
    let world = World::builder().with("/test/channels", &channels).build();
    let deliver = |value: Value| {
        let posted = posted(&[value]);
        let call = world.call(Method::POST, "/callbacks/demo/whatsapp").key(None).idempotency(None);
        let call = call.header("x-hub-signature-256", &posted.signature).body(posted.body);
        call.send().ok(200);
        world.run_until_idle();
    };
    let mut body = world.payment(PHONE, 4250);
    body["channels"] = json!(["whatsapp-us"]);
    let asked = world.accepted(&body);
    world.run_until_idle();
    let sent = world.whatsapp().newest();
    deliver(world.whatsapp().status(&sent, "delivered", world.now()));
    assert_eq!(world.timeline(&asked), ["accepted whatsapp-us", "delivered whatsapp-us"]);
    deliver(world.whatsapp().writes(&Person::at(PHONE), "STOP", world.now()));
    assert_eq!(world.state(&asked), "denied");
    assert!(knows(&world, "Test", "whatsapp-us") && !knows(&world, "Test", "whatsapp"));
}
