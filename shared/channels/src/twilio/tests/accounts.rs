//! The settings of an account: its numbers and its tokens.

use ports::{Addressee, CallbackError};
use serde_json::{Value, json};

use super::{channel, signed, status_url};
use crate::doubles::{PHONE, Script, World, fixtures};

#[test]
fn text_names_its_number_or_messaging_service() {
    let url = "https://hooks.example.com/callbacks/acme/sms";
    for (settings, own) in [
        ("twilio", ("To", "+15005550006")),
        ("twilio-key-and-service", ("MessagingServiceSid", "MG00000000000000000000000000000000")),
    ] {
        let (_, channel) = channel(settings);
        let of = |pair| channel.addressee(&signed(url, &[("From", PHONE), ("Body", "hi"), pair]));
        assert_eq!(of(own), Addressee::Own, "{settings}");
        assert_eq!(of(("To", "+15005550007")), Addressee::Unnamed, "{settings}");
        assert_eq!(of(("To", "rcs:acme_agent")), Addressee::Unnamed, "{settings}");
        assert_eq!(of(("MessagingServiceSid", "MG2")), Addressee::Unnamed, "{settings}");
        let twice = signed(url, &[own, own]);
        assert_eq!(channel.addressee(&twice), Addressee::Unnamed, "{settings}");
    }
}

#[test]
fn token_verifies_before_and_after_its_rotation() {
    let open = |token: Value| {
        let mut settings = fixtures("sms/fixtures/settings")["twilio"].clone();
        settings["auth_token"] = token;
        World::new(Script::Lost).open("sms", &settings)
    };
    let call = signed(&status_url(), &[("MessageStatus", "delivered")]);
    for token in [
        json!("secret-token"),
        json!(["secret-token", "the-other"]),
        json!(["the-other", "secret-token"]),
    ] {
        assert!(open(token.clone()).unwrap().receive(&call).is_ok(), "{token}");
    }
    let other = open(json!(["the-other", "another"])).unwrap();
    assert_eq!(other.receive(&call), Err(CallbackError::Forged));
    for token in [json!([]), json!(""), json!(["secret-token", ""]), json!(7)] {
        assert!(open(token.clone()).is_err(), "{token}");
    }
}
