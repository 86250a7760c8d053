//! The card that a prompt becomes, and the receipts that the channel promises.

use domain::contact::Contact;
use domain::postback::Action;
use pollster::block_on;
use ports::{Button, ButtonAction, Prompt, ReceiptKinds, SendError};
use serde_json::{Value, json};

use crate::doubles::{NOW, PHONE, Script, World, fixtures, meaning, postback, prompt_to, recorded};

fn settings(name: &str) -> Value {
    fixtures("rcs/fixtures/settings").remove(name).unwrap()
}

/// The body of the call that sends a prompt.
fn sent(settings: &Value, prompt: &Prompt) -> Value {
    let world = World::new(Script::Lost);
    block_on(world.open("rcs", settings).unwrap().send(prompt)).unwrap_err();
    serde_json::from_slice(world.calls().remove(0).body()).unwrap()
}

#[test]
fn card_is_sent_by_the_documented_signed_call() {
    let world = World::new(Script::Lost);
    let prompt = prompt_to(PHONE);
    block_on(world.open("rcs", &settings("aws")).unwrap().send(&prompt)).unwrap_err();
    let calls = world.calls();
    let [call] = calls.as_slice() else { panic!("one call") };
    assert_eq!(call.uri(), "https://sms-voice.eu-west-1.amazonaws.com/");
    assert_eq!(call.headers()["x-amz-target"], "PinpointSMSVoiceV2.SendRcsMessage");
    assert_eq!(call.headers()["authorization"], "AWS4 sms-voice/eu-west-1");
    let reply =
        |text: &str, action| json!({"Reply": {"Text": text, "PostbackData": postback(action)}});
    let open = json!({"OpenUrl": {
        "Text": "Open", "PostbackData": postback(Action::Open), "Url": prompt.link, "Application": "BROWSER",
    }});
    let suggestions = json!([
        reply("Pay", Action::Approve),
        open,
        reply("No", Action::Deny),
        reply("Not me", Action::NotMe),
    ]);
    let card = json!({"CardOrientation": "VERTICAL", "CardContent": {
        "Title": prompt.title, "Description": prompt.body, "Suggestions": suggestions,
    }});
    let expected = json!({
        "DestinationPhoneNumber": PHONE, "OriginationIdentity": "rcs-c020de2520714385964ebf7b095c4b60",
        "RcsMessageContent": {"Content": {"RichCard": card}}, "TimeToLive": 300,
        "MessageTrafficType": "SERVICE_REQUEST", "ConfigurationSetName": "authz-events",
        "Context": {"ref": prompt.reference.to_string()},
    });
    let body: Value = serde_json::from_slice(call.body()).unwrap();
    assert_eq!(body, expected);
}

#[test]
fn provider_fallback_is_requested_only_where_set() {
    let prompt = prompt_to(PHONE);
    let body = sent(&settings("aws-with-sms-fallback"), &prompt);
    let text = json!({
        "Channel": "SMS", "MessageBody": prompt.text, "OriginationIdentity": "+15550001111",
    });
    assert_eq!((&body["FallbackConfiguration"], &body["TimeToLive"]), (&text, &json!(45)));
    let mut settings = settings("aws-with-sms-fallback");
    settings["sms_fallback"]["after_seconds"] = json!(null);
    settings["sms_fallback"].as_object_mut().unwrap().remove("after_seconds");
    assert_eq!(sent(&settings, &prompt)["TimeToLive"], 30);
    for after in [0, 300, u32::MAX] {
        settings["sms_fallback"]["after_seconds"] = json!(after);
        let life = sent(&settings, &prompt)["TimeToLive"].as_u64().unwrap();
        assert!((1..=300).contains(&life), "{after} {life}");
    }
}

#[test]
fn fallback_from_pool_or_agent_is_refused() {
    for bad in ["", "pool-0a1b", "rcs-c020", "arn:aws:sms-voice:us-east-1:1:pool/pool-0a", "a b"] {
        let mut settings = settings("aws-with-sms-fallback");
        settings["sms_fallback"]["origination_identity"] = json!(bad);
        assert!(World::silent().open("rcs", &settings).is_err(), "{bad}");
    }
}

#[test]
fn long_prompt_is_cut_to_the_limits_of_a_card() {
    let mut prompt = prompt_to(PHONE);
    prompt.title = "Zahlung bestätigen? ".repeat(20);
    prompt.body = "é".repeat(3_000);
    let long = Button { label: "ü".repeat(40), ..prompt.buttons[0].clone() };
    prompt.buttons = vec![long; 9];
    let card = &sent(&settings("aws"), &prompt)["RcsMessageContent"]["Content"]["RichCard"];
    let content = &card["CardContent"];
    let length = |text: &Value| text.as_str().unwrap().chars().count();
    assert!(length(&content["Title"]) <= 200 && content["Title"].as_str().unwrap().ends_with('…'));
    assert_eq!(length(&content["Description"]), 2_000);
    let suggestions = content["Suggestions"].as_array().unwrap();
    assert_eq!(suggestions.len(), 4);
    assert_eq!(length(&suggestions[0]["Reply"]["Text"]), 25);
}

#[test]
fn page_url_that_the_service_refuses_is_not_sent() {
    for url in
        ["http://127.0.0.1:8787/c/x", &format!("https://pay.example.com/{}", "x".repeat(2_048))]
    {
        let mut prompt = prompt_to(PHONE);
        let action = ButtonAction::Open { url: url.to_owned(), postback: postback(Action::Open) };
        prompt.buttons[0] = Button { label: "Open".to_owned(), action };
        let world = World::new(Script::Lost);
        let sent = block_on(world.open("rcs", &settings("aws")).unwrap().send(&prompt));
        assert!(matches!(sent, Err(SendError::Misconfigured { reason: "public_base" })), "{url}");
        assert!(world.calls().is_empty());
    }
}

#[test]
fn recorded_answer_means_what_its_fixture_says() {
    for (name, fixture) in fixtures("aws/fixtures/answers") {
        let (status, body, means) = recorded(&fixture);
        let world = World::new(Script::Answer(status, body));
        let sent = block_on(world.open("rcs", &settings("aws")).unwrap().send(&prompt_to(PHONE)));
        assert_eq!(meaning(&sent), means, "{name}");
    }
}

#[test]
fn channel_promises_the_receipts_that_its_settings_bring() {
    for (name, delivered, read) in [
        ("aws", true, true),
        ("aws-with-sms-fallback", false, true),
        ("aws-without-events", false, false),
    ] {
        let channel = World::silent().open("rcs", &settings(name)).unwrap();
        let to = PHONE.parse().unwrap();
        let capability = block_on(channel.capability(&to, &Contact::default(), NOW));
        assert!(capability.reachable && capability.rich);
        assert_eq!(capability.receipts, ReceiptKinds { delivered, read }, "{name}");
        assert_eq!(channel.receipts(), capability.receipts);
    }
}
