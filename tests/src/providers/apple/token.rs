//! Apple's tokens, told independently of the code that makes and verifies them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::values::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{CSP, SECRET};

fn signature(signed: &str) -> String {
    let key = STANDARD.decode(SECRET).expect("the secret is base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any key will do");
    mac.update(signed.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// The token Apple sends to its provider.
pub(super) fn inbound(now: Timestamp) -> String {
    let claims = json!({ "aud": CSP, "iat": now.as_secs() });
    let parts = [json!({ "alg": "HS256" }), claims].map(|part| part.to_string());
    let signed = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    format!("Bearer {signed}.{}", signature(&signed))
}

/// # Errors
/// What is wrong with a token that came.
pub(super) fn check(authorization: &str, now: Timestamp) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("a token with {what}"));
    let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, given] = parts.as_slice() else { return wrong("other than three parts") };
    if signature(&format!("{header}.{claims}")) != *given {
        return wrong("another signature");
    }
    let read = |part: &str| -> Option<Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
    };
    if read(header) != Some(json!({ "alg": "HS256", "typ": "JWT" })) {
        return wrong("another header");
    }
    let claims = read(claims).unwrap_or_default();
    if claims.as_object().is_none_or(|claims| claims.len() != 2) || claims["iss"] != CSP {
        return wrong("other claims");
    }
    let age = now.as_secs() - claims["iat"].as_i64().unwrap_or_default();
    if !(-1..=60).contains(&age) {
        return wrong("another time");
    }
    Ok(())
}
