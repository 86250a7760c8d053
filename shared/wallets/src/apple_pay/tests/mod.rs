//! A real token of a throw-away merchant, and tokens made here, opened and refused.

mod bits;
mod hostile;
mod made;
mod refusals;

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;
use crate::{Number, TEXT_MAX};

/// The vector: a token, the key and certificate it was made for, and what comes out at each step.
fn vector() -> Value {
    serde_json::from_str(include_str!("../../../fixtures/apple-pay.json")).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn key() -> Key {
    let vector = vector();
    let pem = text(&vector["merchant_private_key_pem"]).into();
    Key::new(&pem, text(&vector["merchant_identifier"])).unwrap()
}

fn keys() -> &'static [Key] {
    static KEYS: LazyLock<[Key; 1]> = LazyLock::new(|| [key()]);
    &*KEYS
}

/// The wallet's whole token around what is signed.
fn around(payment_data: &Value) -> String {
    let method =
        json!({"displayName": "MasterCard 1471", "network": "MasterCard", "type": "debit"});
    json!({"paymentData": payment_data, "paymentMethod": method, "transactionIdentifier": "F7"})
        .to_string()
}

fn token() -> String {
    around(&vector()["payment_data"])
}

fn money(amount: u64, currency: &str) -> Money {
    Money::new(amount, currency.parse().unwrap()).unwrap()
}

fn expected() -> Expected<'static> {
    let window = Duration::from_secs(300);
    Expected { money: money(100, "USD"), application_data: None, window }
}

fn signing_time() -> Timestamp {
    text(&vector()["expect"]["cms_signing_time_utc"]).parse().unwrap()
}

fn refused(token: &str, keys: &[Key], now: Timestamp, expected: &Expected<'_>) -> Refused {
    open(token, keys, now, expected).unwrap_err()
}

#[test]
fn a_real_token_opens() {
    let unclaimed = open(&token(), keys(), signing_time(), &expected()).unwrap();
    let header = &vector()["payment_data"]["header"];
    assert_eq!(unclaimed.id(), text(&header["transactionId"]));
    assert_eq!(unclaimed.keep_until(), signing_time().after(Duration::from_secs(300)));
    let card = unclaimed.claimed();
    assert_eq!(card.kind(), Number::Device);
    assert_eq!(card.number().expose_secret(), "5353756319181169");
    assert_eq!((card.expiry_year(), card.expiry_month()), (2024, 9));
    let cryptogram = card.cryptogram().unwrap().expose_secret();
    assert_eq!(cryptogram, "AMwBRjPWDnAgAA7Rls7mAoABFA==");
    assert!(card.eci().is_none());
}

#[test]
fn each_step_comes_to_what_the_vector_says() {
    let vector = vector();
    let (expect, key) = (&vector["expect"], key());
    let sealed = wire::read(&token()).unwrap();
    assert_eq!(*key.public_key_hash(), sealed.public_key_hash);
    assert_eq!(hex::encode(sealed.signed_digest()), text(&expect["signed_bytes_sha256_hex"]));
    let shared = key.private.agree(&sealed.ephemeral_key);
    assert_eq!(STANDARD.encode(shared.raw_secret_bytes()), text(&expect["shared_secret_b64"]));
    let derived = cipher::key(&shared, &key.merchant);
    assert_eq!(STANDARD.encode(*derived), text(&expect["symmetric_key_b64"]));
    let plain = cipher::open(&key, &sealed).unwrap();
    assert_eq!(std::str::from_utf8(&plain).unwrap(), text(&expect["plaintext"]));
}

#[test]
fn the_certificate_apple_issued_names_the_same_merchant_and_key() {
    use der::{Decode, Encode};
    use rustls_pki_types::pem::PemObject;
    let vector = vector();
    let pem = text(&vector["merchant_certificate_pem"]);
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let certificate = x509_cert::Certificate::from_der(&certificate).unwrap();
    let tbs = certificate.tbs_certificate();
    let spki = tbs.subject_public_key_info().to_der().unwrap();
    assert_eq!(<[u8; 32]>::from(Sha256::digest(spki)), *key().public_key_hash());
    let merchant = der::oid::ObjectIdentifier::new_unwrap("1.2.840.113635.100.6.32");
    let mut extensions = tbs.extensions().unwrap().iter();
    let named = extensions.find(|extension| extension.extn_id == merchant).unwrap();
    let hash = String::from_der(named.extn_value.as_bytes()).unwrap();
    assert_eq!(hash.to_lowercase(), hex::encode(key().merchant));
    assert_eq!(hash.to_lowercase(), text(&vector["merchant_id_hash_hex"]));
}

#[test]
fn the_root_is_apples() {
    let fingerprint = hex::encode(Sha256::digest(&ROOT));
    assert_eq!(fingerprint, "63343abfb89a6a03ebb57e9b3f5fa7be7c4f5c756f3017b3a8c488c3653e9179");
}

#[test]
fn a_key_shows_nothing_of_itself() {
    assert_eq!(format!("{:?}", key()), "Key { .. }");
}
