//! Published tokens, and tokens made here, opened and refused.

mod bits;
mod hostile;
mod made;
mod refusals;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::wire::Protocol;
use super::*;
use crate::Number;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../fixtures/google-pay.json")).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A token is text in one source and JSON in another.
fn token(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Tink's merchant key.
fn key() -> Key {
    let base64 = text(&vectors()["keys"]["merchant_private_pkcs8_b64"]).to_owned();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
    // A line of PEM is 64 characters.
    let mut lines = String::new();
    for line in pem.lines() {
        for part in line.as_bytes().chunks(if line.starts_with('-') { 99 } else { 64 }) {
            lines.push_str(std::str::from_utf8(part).unwrap());
            lines.push('\n');
        }
    }
    Key::new(&lines.into()).unwrap()
}

fn listed(protocol: &str, key: &str, expiration: Option<&str>) -> Value {
    let mut listed = json!({"keyValue": key, "protocolVersion": protocol});
    if let Some(expiration) = expiration {
        listed["keyExpiration"] = expiration.into();
    }
    listed
}

fn roots(keys: &[Value]) -> RootKeys {
    RootKeys::read(&json!({"keys": keys}).to_string()).unwrap()
}

/// Tink's root keys, one of each version.
fn tinks_roots() -> RootKeys {
    let keys = &vectors()["keys"];
    roots(&[
        listed("ECv1", text(&keys["root_ecv1_spki_b64"]), None),
        listed("ECv2", text(&keys["root_ecv2_spki_b64"]), Some("4102444800000")),
        listed(
            "ECv2SigningOnly",
            text(&keys["root_ecv2_signing_only_spki_b64"]),
            Some("4102444800000"),
        ),
    ])
}

/// Google's recipient in its test environment.
fn merchant() -> RecipientId {
    "merchant:12345678901234567890".parse().unwrap()
}

/// A time at which the tokens made for the vectors are in force.
fn today() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

const DEVICE: Expected<'static> = Expected { numbers: Numbers::Device, gateway_merchant: None };
const ANY: Expected<'static> = Expected { numbers: Numbers::Any, gateway_merchant: None };

#[test]
fn tinks_message_opens_step_by_step() {
    let vector = &vectors()["tink_ecv1"];
    let (expect, keys) = (&vector["expect"], [key()]);
    let id = RecipientId(text(&vector["recipient_id"]).to_owned());
    let recipient = Recipient { id: &id, keys: &keys };
    let opened = super::text(text(&vector["token"]), recipient, &tinks_roots(), today()).unwrap();
    assert_eq!(std::str::from_utf8(&opened).unwrap(), text(&expect["plaintext"]));
    holds_step_by_step(text(&vector["token"]), Protocol::EcV1, expect);
    // It is no card, and not even JSON.
    let refused = open(text(&vector["token"]), recipient, &tinks_roots(), today(), &ANY);
    assert_eq!(refused.unwrap_err(), Refused::Malformed);
}

/// The keys and the text that a token's message comes to with Tink's merchant key, whoever signed it.
fn holds_step_by_step(token: &str, protocol: Protocol, expect: &Value) {
    let message = wire::read(token).unwrap().signed_message;
    let bytes = protocol.key_bytes().unwrap();
    let encrypted: wire::Encrypted = serde_json::from_str(&message).unwrap();
    let point = STANDARD.decode(encrypted.ephemeral_public_key).unwrap();
    let theirs = p256::PublicKey::from_sec1_bytes(&point).unwrap();
    let shared = hex::encode(key().0.agree(&theirs).raw_secret_bytes());
    assert_eq!(shared, text(&expect["shared_secret_hex"]));
    let agreed = cipher::Keys::agreed(&key(), &point, bytes).unwrap();
    let (encrypting, authenticating) = agreed.halves();
    assert_eq!(hex::encode(encrypting), text(&expect["aes_key_hex"]));
    assert_eq!(hex::encode(authenticating), text(&expect["mac_key_hex"]));
    let opened = cipher::open(&message, &[key()], bytes).unwrap();
    assert_eq!(std::str::from_utf8(&opened).unwrap(), text(&expect["plaintext"]));
}

/// Its signatures verify under no key that is known, so it shows the decryption, and that they are looked at.
#[test]
fn googles_sample_decrypts_and_is_refused() {
    let vector = &vectors()["google_docs_sample_ecv2"];
    holds_step_by_step(text(&vector["token"]), Protocol::EcV2, &vector["expect"]);
    for recipient in ["someRecipient", "merchant:12345678901234567890"] {
        let id = RecipientId(recipient.to_owned());
        let recipient = Recipient { id: &id, keys: &[key()] };
        let refused = open(text(&vector["token"]), recipient, &tinks_roots(), today(), &ANY);
        assert_eq!(refused.unwrap_err(), Refused::Forged);
    }
}

#[test]
fn real_tokens_of_the_first_version_open() {
    for vector in vectors()["r2d2_ecv1"].as_array().unwrap() {
        let keys = [Key::new(&text(&vector["merchant_private_key_pem"]).into()).unwrap()];
        let id = text(&vector["recipient_id"]).parse().unwrap();
        let recipient = Recipient { id: &id, keys: &keys };
        let roots = roots(&[listed("ECv1", text(&vector["root_spki_b64"]), None)]);
        let now = Timestamp::from_millis(vector["verify_at_unix"].as_i64().unwrap() * 1000);
        let token = token(&vector["token"]);
        let opened = message(&token, recipient, &roots, now).unwrap();
        let plain = text(&vector["expect_plaintext"]);
        assert_eq!(std::str::from_utf8(opened.text()).unwrap(), plain);
        let plain: Value = plain.parse().unwrap();
        assert_eq!(opened.id(), text(&plain["messageId"]));
        let end = opened.expires_at().as_millis().to_string();
        assert_eq!(end, text(&plain["messageExpiration"]));
        let late = message(&token, recipient, &roots, opened.expires_at());
        assert_eq!(late.unwrap_err(), Refused::Expired);
        if vector["name"] == "card" {
            let refused = open(&token, recipient, &roots, now, &DEVICE).unwrap_err();
            assert_eq!(refused, Refused::CardNumber);
            let card = open(&token, recipient, &roots, now, &ANY).unwrap().claimed();
            assert_eq!(card.kind(), Number::Card);
            assert_eq!(card.number().expose_secret(), "4111111111111111");
            assert!(card.cryptogram().is_none() && card.eci().is_none());
        } else {
            let card = open(&token, recipient, &roots, now, &DEVICE).unwrap().claimed();
            assert_eq!(card.kind(), Number::Device);
            assert_eq!(card.number().expose_secret(), "4895370012003478");
            assert_eq!((card.expiry_year(), card.expiry_month()), (2022, 12));
            let cryptogram = card.cryptogram().unwrap().expose_secret();
            assert_eq!(cryptogram, "AgAAAAAABk4DWZ4C28yUQAAAAAA=");
            assert_eq!(card.eci().unwrap().expose_secret(), "07");
        }
    }
}

#[test]
fn a_token_of_the_second_version_opens() {
    let (id, keys) = (merchant(), [key()]);
    let recipient = Recipient { id: &id, keys: &keys };
    let vector = &vectors()["own_ecv2"];
    let token = token(&vector["token"]);
    let opened = message(&token, recipient, &tinks_roots(), today()).unwrap();
    let plain = std::str::from_utf8(opened.text()).unwrap();
    assert_eq!(plain, text(&vector["expect"]["plaintext"]));
    let unclaimed = open(&token, recipient, &tinks_roots(), today(), &DEVICE).unwrap();
    assert_eq!(unclaimed.id(), "own-msg-1");
    assert_eq!(unclaimed.keep_until().as_millis(), 4_102_444_800_000);
    let card = unclaimed.claimed();
    assert_eq!(card.kind(), Number::Device);
    assert_eq!(card.number().expose_secret(), "4111111111111111");
    assert_eq!((card.expiry_year(), card.expiry_month()), (2030, 12));
    assert_eq!(card.cryptogram().unwrap().expose_secret(), "AgAAAAAABk4DWZ4C28yUQAAAAAA=");
    assert_eq!(card.eci().unwrap().expose_secret(), "05");
}

#[test]
fn a_message_that_is_only_signed_is_read_as_it_stands() {
    let id = merchant();
    let recipient = Recipient { id: &id, keys: &[] };
    let vector = &vectors()["own_ecv2_signing_only"];
    let token = token(&vector["token"]);
    let read = message(&token, recipient, &tinks_roots(), today()).unwrap();
    assert_eq!(read.id(), "own-msg-2");
    let signed = text(&vector["token"]["signedMessage"]);
    assert_eq!(std::str::from_utf8(read.text()).unwrap(), signed);
    let no_card = open(&token, recipient, &tinks_roots(), today(), &ANY);
    assert_eq!(no_card.unwrap_err(), Refused::Malformed);
    assert_eq!(format!("{read:?} {:?}", key()), "Message { .. } Key { .. }");
}
