//! Capability look-ups: all channels are asked at once, for two seconds, and cached for a minute.

use domain::values::prompt_ref::PromptRef;
use serde_json::{Value, json};
use tests::world::{Answer, PHONE, World};

/// A world of channels by name, with the settings of each fake.
fn world(channels: &[(&str, Value)]) -> World {
    let setups = channels.iter().map(
        |(name, settings)| json!({ "name": name, "kind": "fake-channel", "settings": settings }),
    );
    World::builder().with("/test/channels", &setups.collect()).build()
}

fn asks(world: &World) -> Answer {
    let mut body = world.payment(PHONE, 100);
    body.as_object_mut().unwrap().remove("session");
    world.post("/v1/capabilities", &body)
}

/// Returns each route: its channel, whether it is reachable, and the reason if not.
fn routes(world: &World) -> Vec<(String, bool, String)> {
    let answer = asks(world).ok(200).json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let routes = answer["routes"].as_array().unwrap().iter();
    routes.map(|r| (text(&r["channel"]), r["reachable"] == true, text(&r["reason"]))).collect()
}

fn route(channel: &str, reachable: bool, reason: &str) -> (String, bool, String) {
    (channel.to_owned(), reachable, reason.to_owned())
}

#[test]
fn silent_channel_is_named_after_two_seconds() {
    let silent = json!({ "silent": true });
    let world = world(&[
        ("rcs", silent.clone()),
        ("apple", json!({ "reachable": false })),
        ("whatsapp", json!({})),
        ("sms", silent),
    ]);
    let before = world.now();
    let expected = [
        route("rcs", true, "no_answer_in_time"),
        route("whatsapp", true, ""),
        route("sms", true, "no_answer_in_time"),
        route("apple", false, "not_on_channel"),
    ];
    assert_eq!(routes(&world), expected);
    assert_eq!(before.until(world.now()).as_secs(), 2);
    let receipts = &asks(&world).json()["routes"][0]["receipts"];
    assert_eq!(receipts, &json!({ "delivered": true, "read": true }), "known without asking");
}

#[test]
fn answer_is_cached_a_minute_and_silence_is_not() {
    let world = world(&[("rcs", json!({})), ("sms", json!({ "silent": true }))]);
    let times =
        |world: &World, name: &str| world.sent_messages().asked.get(name).map_or(0, Vec::len);
    for _ in 0..3 {
        routes(&world);
    }
    assert_eq!((times(&world, "rcs"), times(&world, "sms")), (1, 3));
    world.clock_jumps(60);
    routes(&world);
    assert_eq!(times(&world, "rcs"), 2);
}

#[test]
fn cached_unreachable_is_forgotten_when_customer_writes() {
    let world = world(&[("rcs", json!({}))]);
    routes(&world);
    let wrote = json!({ "wrote": { "from": { "phone": PHONE }, "text": "hello" } });
    world.channel_sends("rcs", &json!([wrote])).ok(200);
    routes(&world);
    let known: Vec<bool> = world.sent_messages().asked["rcs"]
        .iter()
        .map(|known| known.last_inbound.is_some())
        .collect();
    assert_eq!(known, [false, true]);
}

#[test]
fn request_without_channels_tries_unreachable_ones_last() {
    let world = world(&[
        ("rcs", json!({ "reachable": false, "absent": true })),
        ("whatsapp", json!({})),
        ("sms", json!({})),
    ]);
    let asked = world.asks(100);
    assert_eq!(asked.answer["channels"], json!(["rcs", "whatsapp", "sms"]), "no channel was asked");
    assert!(world.sent_messages().asked.is_empty());
    assert_eq!(world.timeline(&asked), ["failed rcs not_on_channel", "accepted whatsapp"]);
    routes(&world);
    let asked = world.asks(100);
    assert_eq!(asked.answer["channels"], json!(["whatsapp", "sms", "rcs"]));
    let mut named = world.payment(PHONE, 100);
    named["channels"] = json!(["rcs", "sms"]);
    assert_eq!(world.asks_for(&named).answer["channels"], json!(["rcs", "sms"]), "as asked for");
    world.clock_jumps(61);
    let mut later = world.payment("+15551230002", 100);
    later["session"]["id"] = json!("later");
    assert_eq!(world.asks_for(&later).answer["channels"][0], "rcs", "a minute has passed");
}

#[test]
fn page_wallets_are_remembered_for_ninety_days() {
    let world = world(&[("sms", json!({}))]);
    let asked = world.asks(100);
    let wallets = || asks(&world).ok(200).json()["routes"][0]["wallets"].clone();
    assert_eq!(wallets(), json!([]));
    let reference = world.sent_messages().sent[0].reference;
    let seen = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        world.run(world.machine.consent_callback.page().record_wallets(reference, &names)).unwrap();
    };
    seen(&["google_pay", "apple_pay", "google_pay", "<script>", "", &"x".repeat(40)]);
    assert_eq!(wallets(), json!(["apple_pay", "google_pay"]));
    let stranger =
        PromptRef { prompt: domain::values::id::PromptId::from_bytes([9; 16]), ..reference };
    let none = world
        .run(world.machine.consent_callback.page().record_wallets(stranger, &["x".to_owned()]));
    none.unwrap();
    assert_eq!(wallets(), json!(["apple_pay", "google_pay"]), "no page of ours");
    world.acts(&asked, "cancel", &json!({})).ok(200);
    world.time_passes(89 * 86_400);
    assert_eq!(wallets(), json!(["apple_pay", "google_pay"]));
    world.time_passes(2 * 86_400);
    assert_eq!(wallets(), json!([]));
}

#[test]
fn channel_wallets_are_not_mixed_with_page_wallets() {
    let world = world(&[("apple", json!({ "wallets": ["apple_pay"] })), ("sms", json!({}))]);
    world.asks(100);
    let reference = world.sent_messages().sent[0].reference;
    let seen = ["google_pay".to_owned()];
    world.run(world.machine.consent_callback.page().record_wallets(reference, &seen)).unwrap();
    let routes = asks(&world).ok(200).json()["routes"].clone();
    assert_eq!(routes[0]["wallets"], json!(["apple_pay"]));
    assert_eq!(routes[1]["wallets"], json!(["google_pay"]));
}
