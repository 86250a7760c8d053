//! The message for each device, the meaning of Apple's answers, and that only the customer begins.

use domain::contact::Contact;
use domain::postback::Action;
use pollster::block_on;
use ports::{Capability, Channel, ReceiptKinds, Resend};
use serde_json::{Value, json};

use super::super::wire;
use super::{SECRET, json_of, open, paying, settings};
use crate::answers::Reaction;
use crate::doubles::{
    HANDLE, NOW, PHONE, Script, World, fixtures, folder, meaning, postback, prompt_to, recorded,
    reference,
};
use crate::message_limits::APPLE;

fn features(list: &[&str]) -> Contact {
    let features = list.iter().map(|feature| (*feature).to_owned()).collect();
    Contact { handle: Some(HANDLE.to_owned()), features, ..Contact::default() }
}

/// The one call that sends the sample prompt to a device with these features.
fn sent(list: &[&str]) -> http::Request<bytes::Bytes> {
    let world = World::new(Script::Answer(200, "".into()));
    let mut prompt = prompt_to(PHONE);
    prompt.contact = features(list);
    block_on(open(&world, &settings("messages")).send(&prompt)).unwrap();
    let mut calls = world.calls();
    assert_eq!(calls.len(), 1);
    calls.remove(0)
}

/// The recorded part of a sent message.
pub(super) fn recorded_message(name: &str) -> Value {
    let path = folder("apple/fixtures/sent").join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn prompt_becomes_what_the_device_can_show() {
    for (list, name) in [
        (["LIST", "quick", "FORM"].as_slice(), "quick-reply"),
        (&["LIST", "TIME"], "list-picker"),
        (&[], "list-picker"),
        (&["AUTH"], "text"),
    ] {
        assert_eq!(json_of(&sent(list)), recorded_message(name), "{list:?}");
    }
}

#[test]
fn message_is_sent_by_the_documented_call() {
    let call = sent(&["QUICK"]);
    assert_eq!(call.method(), "POST");
    assert_eq!(call.uri(), "https://mspgw.push.apple.com/v1/message");
    let header = |name: &str| call.headers()[name].to_str().unwrap().to_owned();
    let uuid = reference().prompt.to_uuid();
    assert_eq!(header("id"), uuid);
    assert_eq!(header("source-id"), "a884eddf-0000-0000-0000-000000000000");
    assert_eq!(header("destination-id"), HANDLE);
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("auto-reply"), "true");
    let claims = json!({ "iss": super::CSP, "iat": NOW.as_secs() });
    let signed = header("authorization");
    let theirs = super::super::token::claims(signed.strip_prefix("Bearer ").unwrap(), SECRET);
    assert_eq!(serde_json::from_slice::<Value>(&theirs.unwrap()).unwrap(), claims);
}

#[test]
fn buttons_carry_postbacks_within_the_limits() {
    let world = World::new(Script::Answer(200, "".into()));
    let mut prompt = prompt_to(PHONE);
    prompt.contact = features(&["QUICK"]);
    prompt.body = "ä".repeat(4_000);
    let reply = prompt.buttons[0].clone();
    prompt.buttons = (0..8).map(|_| reply.clone()).collect();
    prompt.buttons[0].label = "Ü".repeat(40);
    block_on(open(&world, &settings("messages")).send(&prompt)).unwrap();
    let sent = json_of(&world.calls()[0]);
    let quick = &sent["interactiveData"]["data"]["quick-reply"];
    let items = quick["items"].as_array().unwrap();
    assert_eq!(items.len(), APPLE.buttons_max);
    assert_eq!(items[0]["title"].as_str().unwrap().chars().count(), APPLE.label_max);
    assert_eq!(quick["summaryText"].as_str().unwrap().chars().count(), APPLE.body_max);
    assert!(items.iter().all(|item| item["identifier"] == postback(Action::Approve)));
}

/// The text has the link. It is sent where a reply cannot approve, or only one button replies.
#[test]
fn prompt_without_two_approving_replies_is_a_text() {
    let sample = prompt_to(PHONE);
    let [yes, page, no, not_me] = sample.buttons.as_slice() else { panic!() };
    for buttons in [vec![page, no, not_me], vec![yes], vec![yes, page], vec![]] {
        let world = World::new(Script::Answer(200, "".into()));
        let mut prompt = prompt_to(PHONE);
        prompt.contact = features(&["QUICK", "LIST"]);
        prompt.buttons = buttons.into_iter().cloned().collect();
        block_on(open(&world, &settings("messages")).send(&prompt)).unwrap();
        assert_eq!(json_of(&world.calls()[0]), recorded_message("text"));
    }
}

#[test]
fn message_too_long_to_be_inline_is_not_sent() {
    let world = World::new(Script::Answer(200, "".into()));
    let mut prompt = prompt_to(PHONE);
    prompt.contact = features(&["AUTH"]);
    prompt.text = "x".repeat(10 * 1024);
    let sent = block_on(open(&world, &settings("messages")).send(&prompt));
    assert_eq!(meaning(&sent), "person too_long");
    assert!(world.calls().is_empty());
}

/// Every documented status is recorded.
#[test]
fn recorded_answer_means_what_its_fixture_says() {
    let answers = fixtures("apple/fixtures/answers");
    for (name, fixture) in &answers {
        let (status, body, means) = recorded(fixture);
        let world = World::new(Script::Answer(status, body));
        let sent = block_on(open(&world, &settings("messages")).send(&prompt_to(PHONE)));
        let means = means.replace("{uuid}", &reference().prompt.to_uuid());
        assert_eq!(meaning(&sent), means, "{name}");
    }
    for (code, reaction) in wire::ERRORS {
        let fixture = &answers[&format!("error-{code}")];
        assert_eq!(fixture["status"], *code);
        let means = match reaction {
            Reaction::Again => "again".to_owned(),
            Reaction::Unreachable(reason) => format!("unreachable {reason}"),
            Reaction::Misconfigured(reason) => format!("person {reason}"),
        };
        assert_eq!(fixture["means"], means);
    }
}

/// No call is made for such a customer.
#[test]
fn customer_who_never_wrote_is_unreachable() {
    let world = World::new(Script::Answer(200, "".into()));
    let channel = open(&world, &settings("messages"));
    let mut prompt = prompt_to(PHONE);
    prompt.contact = Contact::default();
    assert_eq!(meaning(&block_on(channel.send(&prompt))), "unreachable customer_must_start");
    assert!(world.calls().is_empty());
    let none = ReceiptKinds { delivered: false, read: false };
    let unreachable = Capability {
        reachable: false,
        rich: false,
        wallets: Vec::new(),
        receipts: none,
        reason: Some("customer_must_start"),
    };
    let capability = |contact: &Contact| block_on(channel.capability(&prompt.to, contact, NOW));
    assert_eq!(capability(&Contact::default()), unreachable);
    let reachable = Capability { reachable: true, rich: true, reason: None, ..unreachable };
    assert_eq!(capability(&features(&[])), reachable);
    assert_eq!(capability(&features(&["QUICK"])), reachable);
    assert_eq!(capability(&features(&["AUTH"])), Capability { rich: false, ..reachable });
    assert_eq!((channel.resend(), channel.receipts()), (Resend::Doubles, none));
}

#[test]
fn apple_pay_is_a_wallet_without_a_session_code() {
    let wallets = |channel: &dyn Channel, contact: &Contact| {
        let to = prompt_to(PHONE).to;
        block_on(channel.capability(&to, contact, NOW)).wallets
    };
    let (_, without_codes) = paying(Script::Lost);
    assert_eq!(wallets(without_codes.as_ref(), &features(&[])), ["apple_pay"]);
    assert!(wallets(without_codes.as_ref(), &Contact::default()).is_empty());
    let world = World::silent();
    let with_codes = open(&world, &settings("apple-pay"));
    assert!(wallets(with_codes.as_ref(), &features(&[])).is_empty());
    assert!(wallets(open(&world, &settings("messages")).as_ref(), &features(&[])).is_empty());
}

#[test]
fn entry_link_names_business_and_intent() {
    let world = World::silent();
    let link = open(&world, &settings("apple-pay")).entry_link(&postback(Action::Open)).unwrap();
    let (address, query) = link.split_once('?').unwrap();
    assert_eq!(address, "https://bcrw.apple.com/urn:biz:a884eddf-0000-0000-0000-000000000000");
    let fields: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let expected = [
        ("biz-intent-id", postback(Action::Open)),
        ("biz-group-id", "billing".to_owned()),
        ("body", "I would like to pay".to_owned()),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value)));
}

#[test]
fn invalid_setting_is_refused_by_name() {
    let world = World::silent();
    let refused = |name: &str, pointer: &str, value: Value| {
        let mut settings = settings(name);
        *settings.pointer_mut(pointer).unwrap() = value;
        let Err(error) = world.open("apple", &settings) else { panic!("{pointer}") };
        let source = std::error::Error::source(&error).unwrap().to_string();
        let field = pointer.rsplit('/').next().unwrap();
        assert_eq!(source, format!("invalid setting `{field}`"));
    };
    refused("messages", "/business_id", json!("urn:biz:x/../y"));
    refused("messages", "/csp_id", json!(""));
    for secret in ["", "c2hvcnQ=", "not base64 at all", "c2VjcmV0LWtleS1vZi10aGUtcHJvdmlkZXI"] {
        refused("messages", "/api_secret", json!(secret));
    }
    for seconds in [0, 3_601] {
        refused("apple-pay", "/token_seconds", json!(seconds));
    }
    refused("apple-pay", "/bid", json!("com apple"));
    refused("apple-pay", "/apple_pay/merchant_identifier", json!("merchant com"));
    refused("apple-pay", "/apple_pay/domain_name", json!("https://pay.example.com"));
    refused("apple-pay", "/apple_pay/country", json!("DEU"));
    refused("apple-pay", "/apple_pay/country", json!("de"));
    refused("apple-pay", "/apple_pay/networks", json!([]));
    refused("apple-pay", "/apple_pay/capabilities", json!(["supports 3DS"]));
}
