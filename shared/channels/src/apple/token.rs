//! Apple's bearer tokens, both ways: JSON Web Tokens signed with HS256 and the decoded API secret.
//!
//! A token proves who sends and not what: the body is not covered, so nothing in it is believed that has no proof of its own.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::values::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::settings::InvalidSetting;

/// How far two clocks may be apart.
const SKEW_SECONDS: i64 = 60;
/// Longer than any token Apple sends, and any that is worth reading.
const LENGTH_MAX: usize = 4096;

/// What tokens are made and recognised with.
pub(super) struct Tokens {
    csp_id: String,
    key: SecretSlice<u8>,
    age_seconds_max: i64,
}

#[derive(Serialize)]
struct Header {
    alg: &'static str,
    typ: &'static str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
}

/// Of a header that came: a critical extension would change what the rest means.
#[derive(Deserialize)]
struct GivenHeader {
    alg: String,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct GivenClaims {
    aud: Audience,
    iat: i64,
    #[serde(default)]
    exp: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Tokens {
    /// Reads the API secret as Apple Business Register shows it, in base64.
    pub(super) fn new(
        csp_id: String,
        secret: &SecretString,
        age_max: Duration,
    ) -> Result<Self, InvalidSetting> {
        let invalid = InvalidSetting { field: "api_secret" };
        let Ok(key) = STANDARD.decode(secret.expose_secret()) else { return Err(invalid) };
        // A short key could be guessed from any one token.
        if key.len() < 16 {
            return Err(invalid);
        }
        let age_seconds_max = i64::try_from(age_max.as_secs()).unwrap_or(i64::MAX);
        Ok(Self { csp_id, key: key.into(), age_seconds_max })
    }

    /// The header that proves a call of ours.
    pub(super) fn bearer(&self, now: Timestamp) -> Result<HeaderValue, http::Error> {
        let claims = Claims { iss: &self.csp_id, iat: now.as_secs() };
        let part = |json: Result<Vec<u8>, _>| URL_SAFE_NO_PAD.encode(json.unwrap_or_default());
        let header = part(serde_json::to_vec(&Header { alg: "HS256", typ: "JWT" }));
        let signed = format!("{header}.{}", part(serde_json::to_vec(&claims)));
        let signature = mac(self.key.expose_secret(), &signed).map(Mac::finalize);
        let signature = signature.map(|mac| URL_SAFE_NO_PAD.encode(mac.into_bytes()));
        let text = format!("Bearer {signed}.{}", signature.unwrap_or_default());
        let mut value = HeaderValue::try_from(text)?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Whether Apple sent this to us, just now.
    pub(super) fn prove(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let token = value.to_str().ok().and_then(|text| text.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let claims = token.and_then(|(_, token)| claims(token.trim(), self.key.expose_secret()));
        let claims = claims.and_then(|json| serde_json::from_slice::<GivenClaims>(&json).ok());
        claims.is_some_and(|claims| self.meant(&claims, now.as_secs()))
    }

    /// Whether a token that is Apple's is meant for us and for now. Apple sets no expiry, so its age is ours to judge.
    fn meant(&self, claims: &GivenClaims, now: i64) -> bool {
        let to_us = match &claims.aud {
            Audience::One(aud) => *aud == self.csp_id,
            Audience::Many(auds) => auds.contains(&self.csp_id),
        };
        let age = now.saturating_sub(claims.iat);
        let oldest = self.age_seconds_max.saturating_add(SKEW_SECONDS);
        let alive = claims.exp.is_none_or(|exp| now < exp.saturating_add(SKEW_SECONDS));
        to_us && alive && (-SKEW_SECONDS..=oldest).contains(&age)
    }
}

/// The claims of a token that whoever holds `key` signed, as JSON.
pub(super) fn claims(token: &str, key: &[u8]) -> Option<Vec<u8>> {
    let sized = token.len() <= LENGTH_MAX && !key.is_empty();
    let (signed, signature) = sized.then(|| token.rsplit_once('.')).flatten()?;
    let (header, claims) = signed.split_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    mac(key, signed)?.verify_slice(&signature).ok()?;
    let header: GivenHeader = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    // Whatever else a header may ask for, `none` among it, was never agreed on.
    let agreed = header.alg == "HS256" && header.crit.is_none();
    agreed.then(|| URL_SAFE_NO_PAD.decode(claims).ok()).flatten()
}

fn mac(key: &[u8], text: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}
