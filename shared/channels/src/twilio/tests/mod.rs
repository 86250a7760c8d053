//! The call to Twilio, the meaning of each recorded answer, and the callbacks.

mod accounts;
mod chat;
mod signatures;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::values::phone::Phone;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue, Method};
use pollster::block_on;
use ports::{
    Callback, CallbackError, Channel, MessageOrigin, Proof, ReceivedWebhook, Sender,
    UnverifiedCallback,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use sha1::Sha1;

use super::{errors, signature, wire};
use crate::answers::Reaction;
use crate::doubles::{
    NOW, PHONE, Script, World, fixtures, meaning, prompt_to, recorded, reference,
};

const FORM: &str = "application/x-www-form-urlencoded";

fn channel(settings: &str) -> (World, Box<dyn Channel>) {
    let world = World::new(Script::Lost);
    let channel = world.open("sms", &fixtures("sms/fixtures/settings")[settings]).unwrap();
    (world, channel)
}

/// The call, its form decoded.
fn sent(settings: &str) -> (http::Request<Bytes>, Vec<(String, String)>) {
    let (world, channel) = channel(settings);
    block_on(channel.send(&prompt_to(PHONE))).unwrap_err();
    let call = world.calls().remove(0);
    let form = form_urlencoded::parse(call.body()).into_owned().collect();
    (call, form)
}

fn status_url() -> String {
    format!("https://hooks.example.com/callbacks/acme/sms?ref={}", reference())
}

fn callback(url: &str, signature: &str, kind: &str, body: &[u8]) -> UnverifiedCallback {
    let mut headers = HeaderMap::new();
    headers.insert("x-twilio-signature", HeaderValue::from_str(signature).unwrap());
    headers.insert("content-type", HeaderValue::from_str(kind).unwrap());
    let body = Bytes::copy_from_slice(body);
    UnverifiedCallback {
        method: Method::POST,
        url: url.to_owned(),
        headers,
        body,
        now: NOW,
        proof: Proof::None,
    }
}

fn encode(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn wrote(phone: &Phone, text: String) -> Callback {
    Callback::Wrote { origin: phone.clone().into(), text, intent: None }
}

/// A callback as Twilio would sign it, computed independently of the code that verifies.
pub(super) fn signed(url: &str, pairs: &[(&str, &str)]) -> UnverifiedCallback {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    let text: String = sorted.iter().map(|(name, value)| format!("{name}{value}")).collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(b"secret-token").unwrap();
    mac.update(format!("{url}{text}").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    callback(url, &signature, FORM, encode(pairs).as_bytes())
}

fn receive(url: &str, pairs: &[(&str, &str)]) -> Result<ReceivedWebhook, CallbackError> {
    channel("twilio").1.receive(&signed(url, pairs))
}

#[test]
fn text_is_sent_by_the_documented_call() {
    let (call, form) = sent("twilio");
    let account = "AC00000000000000000000000000000000";
    assert_eq!(
        call.uri().to_string(),
        format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Messages.json")
    );
    let basic = &call.headers()["authorization"];
    assert_eq!(basic, &format!("Basic {}", STANDARD.encode(format!("{account}:secret-token"))));
    assert!(basic.is_sensitive());
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = [
        pair("To", PHONE),
        pair("From", "+15005550006"),
        pair("Body", &prompt_to(PHONE).text),
        pair("StatusCallback", &status_url()),
        pair("ValidityPeriod", "300"),
    ];
    assert_eq!(form, expected);
}

#[test]
fn api_key_service_and_base_url_are_used_where_set() {
    let (call, form) = sent("twilio-key-and-service");
    assert!(call.uri().to_string().starts_with("http://127.0.0.1:4010/2010-04-01/Accounts/AC0"));
    let pair = STANDARD.encode("SK00000000000000000000000000000000:secret-key");
    assert_eq!(call.headers()["authorization"], format!("Basic {pair}"));
    let service =
        ("MessagingServiceSid".to_owned(), "MG00000000000000000000000000000000".to_owned());
    assert!(form.contains(&service) && !form.iter().any(|(name, _)| name == "From"));
}

#[test]
fn settings_with_two_senders_or_none_are_refused() {
    for (from, service) in [
        (json!(null), json!(null)),
        (json!("+15005550006"), json!("MG0")),
        (json!(""), json!(null)),
    ] {
        let settings = json!({
            "provider": "twilio", "account_sid": "AC0", "auth_token": "secret-token", "from": from,
            "messaging_service_sid": service,
        });
        assert!(World::new(Script::Lost).open("sms", &settings).is_err(), "{settings}");
    }
}

#[test]
fn recorded_answer_means_what_its_fixture_says() {
    let fixtures = fixtures("sms/fixtures/twilio");
    for (name, fixture) in &fixtures {
        let (status, body, means) = recorded(fixture);
        let sent = wire::accepted(status.try_into().unwrap(), &body);
        assert_eq!(meaning(&sent), means, "{name}");
    }
}

#[test]
fn signature_vector_is_judged_as_it_says() {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../../sms/fixtures/twilio-signatures.json")).unwrap();
    assert_eq!(vectors.len(), 16);
    for vector in vectors {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let params = vector["params"].as_array().unwrap();
        let params: Vec<(String, String)> =
            params.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
        let pairs: Vec<(&str, &str)> =
            params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let body = vector["body"].as_str().map_or_else(|| encode(&pairs), str::to_owned);
        let kind = if body.starts_with('{') { "application/json" } else { FORM };
        let signature = text(&vector["header"]["X-Twilio-Signature"]);
        let token = SecretString::from(text(&vector["auth_token"]));
        let verify = |url: &Value| {
            signature::verify(&token, &callback(&text(url), &signature, kind, body.as_bytes()))
        };
        let accepted = verify(&vector["presented_url"]).is_ok();
        assert_eq!(accepted, vector["expect"] == "accept", "{}", vector["id"]);
        if vector.get("configured_url").is_some() {
            assert!(verify(&vector["configured_url"]).is_ok(), "{}", vector["id"]);
        }
        let other = SecretString::from("another token");
        assert!(
            signature::verify(
                &other,
                &callback(&text(&vector["presented_url"]), &signature, kind, body.as_bytes())
            )
            .is_err()
        );
    }
}

#[test]
fn status_callback_reports_delivery() {
    let of = |status: &str| {
        let received = receive(
            &status_url(),
            &[("MessageStatus", status), ("To", PHONE), ("Note", "Zoë & co"), ("Empty", "")],
        );
        let received = received.unwrap();
        assert_eq!((received.reply.status, received.reply.body.as_str()), (200, ""));
        let mut callbacks = received.callbacks;
        let recipient = PHONE.parse::<Phone>().unwrap().into();
        let named = Callback::Recipient { about: reference().into(), recipient };
        assert_eq!(callbacks.remove(0), named);
        callbacks
    };
    assert_eq!(of("delivered"), [Callback::Delivered(reference().into())]);
    assert_eq!(of("read"), [Callback::Read(reference().into())]);
    for status in ["failed", "undelivered", "canceled"] {
        assert_eq!(of(status), [Callback::Failed(reference().into(), "undelivered")]);
    }
    for status in [
        "accepted",
        "scheduled",
        "queued",
        "sending",
        "sent",
        "partially_delivered",
        "a_new_word",
        "",
    ] {
        assert_eq!(of(status), [], "{status}");
    }
}

#[test]
fn failed_text_has_the_reason_of_its_code() {
    for (code, reaction) in errors::ERRORS {
        let code = code.to_string();
        let received =
            receive(&status_url(), &[("MessageStatus", "undelivered"), ("ErrorCode", &code)])
                .unwrap();
        let failed = match reaction {
            Reaction::Again => Callback::FailedForNow(reference().into()),
            Reaction::Unreachable(reason) | Reaction::Misconfigured(reason) => {
                Callback::Failed(reference().into(), reason)
            }
        };
        assert_eq!(received.callbacks, [failed], "{code}");
    }
    for code in ["99999", "", "x"] {
        let received =
            receive(&status_url(), &[("MessageStatus", "failed"), ("ErrorCode", code)]).unwrap();
        assert_eq!(
            received.callbacks,
            [Callback::Failed(reference().into(), "undelivered")],
            "{code}"
        );
    }
}

#[test]
fn status_without_reference_is_ignored_broken_is_malformed() {
    let pairs = [("MessageStatus", "delivered")];
    assert_eq!(receive("https://hooks.example.com/c", &pairs).unwrap().callbacks, []);
    for query in ["ref=", "ref=x", "ref=req_1.prm_1", &format!("ref={0}&ref={0}", reference())] {
        let url = format!("https://hooks.example.com/c?{query}");
        assert_eq!(receive(&url, &pairs), Err(CallbackError::Malformed), "{query}");
    }
}

#[test]
fn inbound_text_is_words_unless_twilio_says_more() {
    let phone: Phone = PHONE.parse().unwrap();
    let url = "https://hooks.example.com/callbacks/acme/sms";
    let of = |pairs: &[(&str, &str)]| {
        let received =
            receive(url, &[&[("From", PHONE), ("SmsStatus", "received")], pairs].concat()).unwrap();
        assert_eq!(
            (received.reply.content_type, received.reply.body.as_str()),
            ("text/xml", "<Response/>")
        );
        received.callbacks
    };
    assert_eq!(
        of(&[("Body", "anything"), ("OptOutType", "STOP")]),
        [Callback::Stop(phone.clone().into())]
    );
    assert_eq!(
        of(&[("Body", "STOP"), ("OptOutType", "START")]),
        [Callback::Start(phone.clone().into())]
    );
    assert_eq!(of(&[("Body", "HELP"), ("OptOutType", "HELP")]), [wrote(&phone, "HELP".to_owned())]);
    let received = of(&[("Body", "отписаться"), ("MessageStatus", "received")]);
    assert_eq!(received, [wrote(&phone, "отписаться".to_owned())]);
    // A button or a choice of another message of this number.
    for (postback, label) in [("ButtonPayload", "ButtonText"), ("ListId", "ListTitle")] {
        let tap = [("Body", "Leave"), (postback, "b-17"), (label, "Leave")];
        let (postback, label) = ("b-17".to_owned(), Some("Leave".to_owned()));
        let tapped = [Callback::Tapped { postback, label, origin: phone.clone().into() }];
        assert_eq!((of(&tap), of(&tap[..2])), (tapped.to_vec(), tapped.to_vec()));
    }
    assert_eq!(of(&[("Body", "YES 47")]), [wrote(&phone, "YES 47".to_owned())]);
    // A location, or a kind of message that is newer than the adapter.
    assert_eq!(of(&[("Latitude", "1.0"), ("NumMedia", "0")]), [wrote(&phone, String::new())]);
    let named = |id: &str| {
        let received = receive(url, &[("From", id), ("Body", "STOP")]).unwrap().callbacks;
        let [Callback::Wrote { origin, .. }] = received.as_slice() else { panic!("{received:?}") };
        origin.from.clone()
    };
    for number in ["rcs:+15551230001", "RCS:+15551230001", "whatsapp:+15551230001"] {
        assert_eq!(named(number), phone.clone().into(), "{number}");
    }
    assert_eq!(named("72975"), Sender { handle: Some("72975".to_owned()), ..Sender::default() });
    let message = receive(url, &[("From", PHONE), ("Body", "STOP"), ("MessageSid", "SM1")]);
    let origin = MessageOrigin { message_id: Some("SM1".to_owned()), ..phone.into() };
    assert_eq!(
        message.unwrap().callbacks,
        [Callback::Wrote { origin, text: "STOP".to_owned(), intent: None }]
    );
    for pairs in [
        &[("Body", "STOP")][..],
        &[("x", "y")],
        &[("From", PHONE), ("From", "+15551230009"), ("Body", "STOP")],
    ] {
        assert_eq!(receive(url, pairs), Err(CallbackError::Malformed));
    }
}
