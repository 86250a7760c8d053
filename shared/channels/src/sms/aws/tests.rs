//! The call to AWS and what each of its recorded answers means.

use domain::contact::Contact;
use domain::ports::{CallbackError, OpenChannelError, Proof, UnverifiedCallback};
use http::{HeaderMap, Method};
use pollster::block_on;
use serde_json::{Value, json};

use super::wire;
use crate::doubles::{NOW, PHONE, Script, World, fixtures, meaning, prompt_to, recorded};

fn settings() -> Value {
    fixtures("sms/fixtures/settings").remove("aws").unwrap()
}

#[test]
fn the_call_is_the_documented_one_and_signed() {
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
fn each_recorded_answer_means_what_its_fixture_says() {
    let fixtures = fixtures("sms/fixtures/aws");
    for (name, fixture) in &fixtures {
        let (status, body, means) = recorded(fixture);
        let sent = wire::accepted(status.try_into().unwrap(), &body);
        assert_eq!(meaning(&sent), means, "{name}");
    }
    for (error, reason, _) in wire::FAULTS {
        let of_row = |body: &Value| {
            body["__type"].as_str().is_some_and(|kind| kind.ends_with(error))
                && body["Reason"].as_str().unwrap_or("") == *reason
        };
        assert!(
            fixtures.values().any(|fixture| of_row(&fixture["body"])),
            "{error} {reason} has no fixture"
        );
    }
}

#[test]
fn a_machine_without_an_identity_cannot_open_it() {
    let world = World { signs: false, ..World::new(Script::Lost) };
    assert!(matches!(world.open("sms", &settings()), Err(OpenChannelError::Settings(_))));
}

#[test]
fn it_has_no_callbacks_yet_and_promises_no_receipt() {
    let world = World::new(Script::Lost);
    let channel = world.open("sms", &settings()).unwrap();
    let (method, headers) = (Method::POST, HeaderMap::new());
    let callback = UnverifiedCallback {
        method,
        url: String::new(),
        headers,
        body: "{}".into(),
        now: NOW,
        proof: Proof::None,
    };
    assert_eq!(channel.receive(&callback), Err(CallbackError::None));
    assert!(
        !block_on(channel.capability(&PHONE.parse().unwrap(), &Contact::default(), NOW))
            .receipts
            .delivered
    );
}
