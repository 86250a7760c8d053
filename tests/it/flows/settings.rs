//! Broken settings: a provider's webhook gets 503 so that it is repeated, and the log names the setting.

use http::Method;
use serde_json::{Value, json};
use tests::world::World;
use tests::world::brand::twilio;

/// Calls a brand's webhook address as a provider, and asserts that its settings are called invalid.
fn call(pointer: &str, setups: &Value, uri: &str) -> World {
    let world = World::builder().with(pointer, setups).build();
    let answer = world.call(Method::POST, uri).key(None).idempotency(None).form(&[("a", "b")]);
    answer.send().problem(503, "settings-invalid");
    world
}

#[test]
fn channel_webhook_with_broken_setting_is_503() {
    let mut settings = twilio();
    settings.as_object_mut().unwrap().remove("auth_token");
    let setups = json!([{ "name": "sms", "kind": "sms", "settings": settings }]);
    let world = call("/test/channels", &setups, "/callbacks/demo/sms");
    let logs = world.logs();
    assert!(logs.contains("channel settings invalid"), "{logs}");
    assert!(logs.contains("setting `auth_token` is missing"), "{logs}");
    let setups = json!([{ "name": "sms", "kind": "pigeon", "settings": twilio() }]);
    let world = call("/test/channels", &setups, "/callbacks/demo/sms");
    assert!(world.logs().contains("setting `kind` names no kind of channel"), "{}", world.logs());
}

#[test]
fn channel_webhook_with_broken_other_mode_is_503_when_unproven() {
    let broken = json!([{ "name": "sms", "kind": "sms", "settings": {} }]);
    let sound = json!([{ "name": "sms", "kind": "sms", "settings": twilio() }]);
    let world =
        World::builder().with("/live/channels", &broken).with("/test/channels", &sound).build();
    let call = world.call(Method::POST, "/callbacks/demo/sms").key(None).idempotency(None);
    call.form(&[("MessageSid", "SM0")]).send().problem(503, "settings-invalid");
}

#[test]
fn processor_webhook_with_broken_setting_is_503() {
    let setups = json!([{ "name": "stripe", "kind": "stripe", "settings": { "s3cret": 1 } }]);
    let world = call("/test/processors", &setups, "/callbacks/demo/stripe");
    let logs = world.logs();
    assert!(logs.contains("processor settings invalid"), "{logs}");
    assert!(
        logs.contains("unknown setting beside")
            && logs.contains("`secret_key`")
            && !logs.contains("s3cret"),
        "{logs}"
    );
}
