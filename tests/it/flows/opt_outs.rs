//! Opt-outs: in words and by taps, as a provider reports them, and over all channels of a brand.

use domain::brand::BrandScope;
use records::opt_outs;
use records::opt_outs::{OptOutKeyword, Statement};
use serde_json::{Value, json};
use tests::world::{Core, CreatedRequest, PHONE, World};

const CHANNELS: [&str; 2] = ["whatsapp", "sms"];

fn world() -> World {
    let policy = json!({
        "text_replies": true, "session_code": false, "open_max": 9, "prompts_per_ten_minutes": 99, "denials_per_ten_minutes": 99,
        "fallback_seconds": 300,
    });
    World::builder().with_fake_channels(&CHANNELS).with("/policy", &policy).build()
}

/// A world whose first channel refuses each prompt, as the customer opted out at its provider.
fn world_of_an_opted_out_customer() -> World {
    let first = json!({ "name": "whatsapp", "kind": "fake-channel", "settings": { "refuses": "opted_out" } });
    let second = json!({ "name": "sms", "kind": "fake-channel" });
    World::builder().with("/test/channels", &json!([first, second])).build()
}

/// Asks over one channel for a payment, in a language.
fn asks_over(world: &World, channel: &str, language: &str) -> CreatedRequest {
    let mut body = world.payment(PHONE, 100);
    body["channels"] = json!([channel]);
    body["customer"]["language"] = json!(language);
    let asked = world.asks_for(&body);
    assert_eq!(world.state(&asked), "prompted");
    asked
}

fn tells(core: &Core, channel: &str, callback: &Value) {
    core.channel_sends(channel, &json!([callback])).ok(200);
    core.run_until_idle();
}

fn writes(core: &Core, text: &str) {
    tells(core, "sms", &json!({ "wrote": { "from": { "phone": PHONE }, "text": text } }));
}

fn opted_out(world: &World, asked: &CreatedRequest) {
    let denied = json!({ "kind": "denied", "reason": "opted_out" });
    assert_eq!(world.reads(asked)["outcome"], denied);
    world.post("/v1/requests", &world.payment(PHONE, 1)).problem(403, "address-opted-out");
}

#[test]
fn stop_on_one_channel_ends_requests_on_the_others() {
    let world = world();
    let (near, far) = (asks_over(&world, "sms", "en"), asks_over(&world, "whatsapp", "en"));
    writes(&world, "STOP");
    opted_out(&world, &near);
    opted_out(&world, &far);
}

/// The stop was recorded while the request was written, so that it ended no request.
#[test]
fn customer_who_stops_before_the_prompt_is_not_asked() {
    let world = world();
    let asked = world.accepted(&world.payment(PHONE, 100));
    let request = world.stored(&asked);
    let scope = BrandScope { brand: &request.brand, mode: request.mode };
    let stop = Statement { word: OptOutKeyword::Stop, written_at: None, reported_at: world.now() };
    let store = world.ports.store.as_ref();
    world.run(opt_outs::record(store, scope, &request.address, stop)).unwrap();
    world.run_until_idle();
    opted_out(&world, &asked);
    assert_eq!(world.sent_messages().sent.len(), 0);
}

#[test]
fn customer_opted_out_at_the_provider_is_not_asked() {
    let world = world_of_an_opted_out_customer();
    let asked = world.asks(100);
    world.run_until_idle();
    assert!(world.sent_messages().sent.is_empty(), "asked over the next channel");
    opted_out(&world, &asked);
}

#[test]
fn opt_out_that_a_status_reports_counts() {
    let world = world();
    let asked = asks_over(&world, "whatsapp", "en");
    let other = asks_over(&world, "sms", "en");
    let about = world.sent_messages().sent[0].reference.to_string();
    tells(&world, "whatsapp", &json!({ "failed": { "about": about, "reason": "opted_out" } }));
    opted_out(&world, &asked);
    opted_out(&world, &other);
    // A start that was written since counts more, however often the status is repeated.
    world.time_passes(2);
    let start =
        json!({ "wrote": { "from": { "phone": PHONE, "at": world.now() }, "text": "START" } });
    tells(&world, "sms", &start);
    tells(&world, "whatsapp", &json!({ "failed": { "about": about, "reason": "opted_out" } }));
    asks_over(&world, "sms", "en");
}

#[test]
fn tap_on_a_foreign_stop_button_stops() {
    for (postback, label) in [
        ("STOP", json!("STOP")),
        ("b-17", json!("Unsubscribe")),
        ("menu", json!("Stop messages")),
        ("stop", Value::Null),
    ] {
        let world = world();
        let asked = asks_over(&world, "whatsapp", "en");
        let tap = json!({ "postback": postback, "label": label, "from": { "phone": PHONE } });
        tells(&world, "whatsapp", &json!({ "tapped": tap }));
        opted_out(&world, &asked);
    }
    let world = world();
    let asked = asks_over(&world, "whatsapp", "en");
    for label in ["Track my parcel", "No", "Yes"] {
        let tap = json!({ "postback": "x", "label": label, "from": { "phone": PHONE } });
        tells(&world, "whatsapp", &json!({ "tapped": tap }));
        assert_eq!(world.state(&asked), "prompted", "{label} is no button of ours");
    }
}

#[test]
fn tap_on_our_own_button_is_no_stop_by_its_label() {
    let world = world();
    let asked = asks_over(&world, "whatsapp", "en");
    let sent = world.sent_messages().sent.pop().unwrap();
    let deny = sent.buttons.iter().find_map(|button| match &button.action {
        ports::ButtonAction::Reply { postback } if button.label == sent.labels.deny => {
            Some(postback.clone())
        }
        ports::ButtonAction::Reply { .. } | ports::ButtonAction::Open { .. } => None,
    });
    let tap = json!({ "postback": deny.unwrap(), "label": "STOP", "from": { "phone": PHONE } });
    tells(&world, "whatsapp", &json!({ "tapped": tap }));
    assert_eq!(world.reads(&asked)["outcome"], json!({ "kind": "denied", "reason": "customer" }));
    asks_over(&world, "whatsapp", "en");
}

#[test]
fn reaction_or_word_of_another_language_is_no_stop() {
    for (language, text) in [
        ("en", "Liked “Acme asks you to pay. Reply STOP to opt out”"),
        ("en", "please don't stop texting me"),
        ("sv", "Fin!"),
        ("hi", "Acha"),
        ("da", "Ret"),
    ] {
        let world = world();
        let asked = asks_over(&world, "sms", language);
        writes(&world, text);
        assert_eq!(world.state(&asked), "prompted", "{text}");
    }
}

#[test]
fn word_of_the_customers_language_stops() {
    for (language, text) in
        [("sw", "acha"), ("es", "Fin"), ("sv", "sluta"), ("hi", "STOP"), ("zh", "TD")]
    {
        let world = world();
        let asked = asks_over(&world, "sms", language);
        writes(&world, text);
        opted_out(&world, &asked);
    }
}

#[test]
fn stop_of_a_payment_denies_it_and_stops_nothing() {
    for text in [
        "Please stop the payment",
        "NO",
        "No thanks",
        "Decline",
        "Please stop this charge, I did not order that",
    ] {
        let world = world();
        let asked = asks_over(&world, "sms", "en");
        writes(&world, text);
        let denied = json!({ "kind": "denied", "reason": "customer" });
        assert_eq!(world.reads(&asked)["outcome"], denied, "{text}");
        asks_over(&world, "sms", "en");
    }
}
