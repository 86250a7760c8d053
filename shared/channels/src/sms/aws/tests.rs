//! The call to AWS, and the receipts that the channel promises.

use domain::contact::Contact;
use pollster::block_on;
use ports::OpenChannelError;
use serde_json::{Value, json};

use crate::doubles::{NOW, PHONE, Script, World, fixtures, prompt_to};

fn settings() -> Value {
    fixtures("sms/fixtures/settings").remove("aws").unwrap()
}

#[test]
fn text_is_sent_by_the_documented_signed_call() {
    let world = World::new(Script::Lost);
    block_on(world.open("sms", &settings()).unwrap().send(&prompt_to(PHONE))).unwrap_err();
    let calls = world.calls();
    let [call] = calls.as_slice() else { panic!("one call") };
    assert_eq!(call.uri(), "https://sms-voice.eu-west-1.amazonaws.com/");
    assert_eq!(call.headers()["x-amz-target"], "PinpointSMSVoiceV2.SendTextMessage");
    assert_eq!(call.headers()["content-type"], "application/x-amz-json-1.0");
    assert_eq!(call.headers()["authorization"], "AWS4 sms-voice/eu-west-1");
    let prompt = prompt_to(PHONE);
    let body: Value = serde_json::from_slice(call.body()).unwrap();
    let expected = json!({
        "DestinationPhoneNumber": PHONE, "OriginationIdentity": "pool-0a1b2c3d4e5f", "MessageBody": prompt.text,
        "MessageType": "TRANSACTIONAL", "ConfigurationSetName": "authz-events", "TimeToLive": 300,
        "Context": {"ref": prompt.reference.to_string()},
    });
    assert_eq!(body, expected);
}

#[test]
fn machine_without_identity_cannot_open_channel() {
    let world = World { signs: false, ..World::new(Script::Lost) };
    assert!(matches!(world.open("sms", &settings()), Err(OpenChannelError::Settings(_))));
}

#[test]
fn channel_promises_no_delivery_receipt() {
    let channel = World::silent().open("sms", &settings()).unwrap();
    let to = PHONE.parse().unwrap();
    let capability = block_on(channel.capability(&to, &Contact::default(), NOW));
    assert!(!capability.receipts.delivered && !channel.receipts().delivered);
}
