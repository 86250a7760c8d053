//! The token endpoint of a service account: the assertion is checked as RFC 7523 and Google's guide say.
#![expect(clippy::expect_used, reason = "a stand-in's own key is sound")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::values::time::Timestamp;
use http::request::Parts;
use http::{Method, header};
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};

const SCOPE: &str = "https://www.googleapis.com/auth/rcsbusinessmessaging";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How far clocks may differ.
const SKEW_SECONDS: i64 = 300;

/// The key file of the stand-in's one service account.
pub(super) fn key_file() -> Value {
    serde_json::from_str(include_str!("service-account.json")).expect("a key file")
}

/// Returns whether a call asks for a token as it should.
///
/// # Errors
/// What Google would refuse.
pub(super) fn check(parts: &Parts, body: &[u8], now: Timestamp) -> Result<(), String> {
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let form = kind.is_some_and(|kind| kind == "application/x-www-form-urlencoded");
    if parts.method != Method::POST || parts.uri.path() != "/token" || !form {
        return Err("no form that is posted to /token".to_owned());
    }
    let pairs: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    let [(grant, kind), (assertion, token)] = pairs.as_slice() else {
        return Err("a form of other fields".to_owned());
    };
    if (grant.as_str(), kind.as_str(), assertion.as_str()) != ("grant_type", GRANT, "assertion") {
        return Err("a form of other fields".to_owned());
    }
    claims(token, now.as_millis() / 1000)
}

fn claims(token: &str, now: i64) -> Result<(), String> {
    let file = key_file();
    let (signed, signature) = token.rsplit_once('.').ok_or("no token")?;
    let (head, body) = signed.split_once('.').ok_or("no token")?;
    if !signs(&file, signed, signature) {
        return Err("Invalid JWT Signature.".to_owned());
    }
    let (head, body) = (read(head), read(body));
    let kid = file["private_key_id"].clone();
    if head != json!({ "alg": "RS256", "typ": "JWT", "kid": kid }) {
        return Err(format!("a header of {head}"));
    }
    let texts = [("iss", &file["client_email"]), ("aud", &file["token_uri"])];
    let right = texts.iter().all(|(name, value)| body[*name] == **value) && body["scope"] == SCOPE;
    let (iat, exp) = (body["iat"].as_i64().unwrap_or(0), body["exp"].as_i64().unwrap_or(0));
    let timely = (iat - now).abs() <= SKEW_SECONDS && exp > now && exp - iat <= 3600;
    if right && timely { Ok(()) } else { Err(format!("claims of {body} at {now}")) }
}

/// Returns whether the account's key made this signature.
fn signs(file: &Value, signed: &str, signature: &str) -> bool {
    let pem = file["private_key"].as_str().expect("a key");
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).expect("a key");
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("a key");
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    key.verify(signed.as_bytes(), &signature).is_ok()
}

/// A part of the token; null where it is not JSON.
fn read(part: &str) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}
