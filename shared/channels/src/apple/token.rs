//! Bearer tokens to and from Apple: JSON Web Tokens, signed with HS256 and the decoded API secret.
//!
//! A token proves the sender and not the body. So a part of the body counts only if it has a proof of its own.
//! Source: <https://register.apple.com/resources/messages/msp-rest-api/>, by Apple's sample code of 2025.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::settings::is_withheld;
use domain::values::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::settings::{InvalidSetting, RotatedSecret};

/// The accepted difference between two clocks.
const SKEW_SECONDS: i64 = 60;
/// The longest token that is read; Apple's are shorter.
const LENGTH_MAX: usize = 4096;

/// Signs and verifies the tokens of a provider's account.
pub(super) struct ProviderTokens {
    csp_id: String,
    /// The key of tokens to Apple.
    key: SecretSlice<u8>,
    /// The keys that may have signed a token from Apple.
    keys: Vec<SecretSlice<u8>>,
    age_seconds_max: i64,
}

#[derive(Serialize)]
struct SentHeader {
    alg: &'static str,
    typ: &'static str,
}

#[derive(Serialize)]
struct SentClaims<'a> {
    iss: &'a str,
    iat: i64,
}

/// The header of a token from Apple. A critical extension would change the meaning of the rest.
#[derive(Deserialize)]
struct ReceivedHeader {
    alg: String,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct ReceivedClaims {
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

impl ProviderTokens {
    /// Reads the API secrets as Apple Business Register shows them, in base64.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] for a secret that is no base64 or shorter than 16 bytes.
    pub(super) fn new(
        csp_id: String,
        secrets: &RotatedSecret,
        age_max: Duration,
    ) -> Result<Self, InvalidSetting> {
        let current = secrets.current("api_secret")?;
        // A function that may not read the secret makes no call.
        let key = if is_withheld(current) { Vec::new().into() } else { decoded(current)? };
        let keys: Result<Vec<_>, InvalidSetting> = secrets.all().map(decoded).collect();
        let keys = keys?;
        let age_seconds_max = i64::try_from(age_max.as_secs()).unwrap_or(i64::MAX);
        Ok(Self { csp_id, key, keys, age_seconds_max })
    }

    /// Writes the `Authorization` header of a call to Apple.
    pub(super) fn bearer(&self, now: Timestamp) -> Result<HeaderValue, http::Error> {
        let claims = SentClaims { iss: &self.csp_id, iat: now.as_secs() };
        let part = |json: Result<Vec<u8>, _>| URL_SAFE_NO_PAD.encode(json.unwrap_or_default());
        let header = part(serde_json::to_vec(&SentHeader { alg: "HS256", typ: "JWT" }));
        let signed = format!("{header}.{}", part(serde_json::to_vec(&claims)));
        let signature = mac(self.key.expose_secret(), &signed).map(Mac::finalize);
        let signature = signature.map(|mac| URL_SAFE_NO_PAD.encode(mac.into_bytes()));
        let text = format!("Bearer {signed}.{}", signature.unwrap_or_default());
        let mut value = HeaderValue::try_from(text)?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Returns whether the token proves that Apple sent this call to this provider, within the accepted age.
    pub(super) fn verifies(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let token = value.to_str().ok().and_then(|text| text.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let claims = token.and_then(|(_, token)| {
            self.keys.iter().find_map(|key| claims(token.trim(), key.expose_secret()))
        });
        let claims = claims.and_then(|json| serde_json::from_slice::<ReceivedClaims>(&json).ok());
        claims.is_some_and(|claims| self.accepts(&claims, now.as_secs()))
    }

    /// Returns whether the claims name this provider and are fresh. Apple sets no expiry, so the age decides.
    fn accepts(&self, claims: &ReceivedClaims, now: i64) -> bool {
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

fn decoded(secret: &SecretString) -> Result<SecretSlice<u8>, InvalidSetting> {
    let invalid = InvalidSetting { field: "api_secret" };
    let Ok(key) = STANDARD.decode(secret.expose_secret()) else { return Err(invalid) };
    // A stranger could guess a short key from any one token.
    if key.len() < 16 { Err(invalid) } else { Ok(key.into()) }
}

/// Returns the claims of a token that a holder of `key` signed, as JSON.
pub(super) fn claims(token: &str, key: &[u8]) -> Option<Vec<u8>> {
    let sized = token.len() <= LENGTH_MAX && !key.is_empty();
    let (signed, signature) = sized.then(|| token.rsplit_once('.')).flatten()?;
    let (header, claims) = signed.split_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    mac(key, signed)?.verify_slice(&signature).ok()?;
    let header: ReceivedHeader =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    // No other algorithm is accepted, least of all `none`.
    let is_hs256 = header.alg == "HS256" && header.crit.is_none();
    is_hs256.then(|| URL_SAFE_NO_PAD.decode(claims).ok()).flatten()
}

fn mac(key: &[u8], text: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}
