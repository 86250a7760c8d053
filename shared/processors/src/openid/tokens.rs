//! Signed tokens, and the checks on an ID token before the access token that came with it is used.
//!
//! They come directly from the provider's endpoints over TLS, so that TLS proves the issuer.
//! <https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation>, item 6.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::keys;
use domain::values::time::Timestamp;
use serde_json::{Map, Value};

use super::claims::seconds;
use super::settings::Provider;

/// The greatest difference between a provider's clock and ours, in seconds.
const SKEW: i64 = 120;

/// A verified ID token.
pub(super) struct IdToken {
    /// The issuer; the tenant's own where the settings name a template.
    pub(super) issuer: String,
    /// The customer's id at the provider.
    pub(super) subject: String,
    /// When the customer signed in, in seconds since 1970.
    pub(super) auth_time: Option<i64>,
    /// How the customer signed in: the authentication context class.
    pub(super) acr: Option<String>,
    /// All claims of the token.
    pub(super) claims: Map<String, Value>,
}

/// The reason why an ID token is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IdTokenRejection {
    /// Another issuer made it. The settings or the provider are wrong, and no other try helps.
    Issuer(String),
    /// A code for the failed check.
    Check(&'static str),
}

/// Reads the payload of a signed token (RFC 7519); `None` for any other text.
pub(super) fn payload(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.trim().split('.');
    let (Some(_), Some(payload), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// Returns whether a signed token is for this client: by `aud`, and by `azp` where it has one.
pub(super) fn is_for(claims: &Map<String, Value>, client_id: &str) -> Result<(), &'static str> {
    let ours = |value: &Value| value.as_str() == Some(client_id);
    let azp = claims.get("azp").filter(|azp| !azp.is_null());
    let meant = match claims.get("aud") {
        Some(Value::Array(audiences)) => {
            audiences.iter().any(ours) && (audiences.len() == 1 || azp.is_some())
        }
        Some(audience) => ours(audience),
        None => false,
    };
    match azp {
        _ if !meant => Err("id_token_aud"),
        Some(azp) if !ours(azp) => Err("id_token_azp"),
        Some(_) | None => Ok(()),
    }
}

/// Verifies an ID token.
pub(super) fn verify(
    token: &str,
    provider: &Provider,
    nonce: &str,
    now: Timestamp,
) -> Result<IdToken, IdTokenRejection> {
    let claims = payload(token).ok_or(IdTokenRejection::Check("id_token_not_a_jwt"))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let issuer = text("iss").ok_or(IdTokenRejection::Check("id_token_not_readable"))?.to_owned();
    if !provider.is_issuer(&issuer, text("tid")) {
        return Err(IdTokenRejection::Issuer(issuer));
    }
    is_for(&claims, &provider.client_id).map_err(IdTokenRejection::Check)?;
    let expires = claims.get("exp").and_then(seconds);
    if expires.is_none_or(|expires| expires.saturating_add(SKEW) < now.as_secs()) {
        return Err(IdTokenRejection::Check("id_token_exp"));
    }
    if !text("nonce").is_some_and(|given| keys::same(given, nonce)) {
        return Err(IdTokenRejection::Check("id_token_nonce"));
    }
    let subject = text("sub").filter(|subject| (1..=255).contains(&subject.len()));
    let subject = subject.ok_or(IdTokenRejection::Check("id_token_sub"))?.to_owned();
    let auth_time = claims.get("auth_time").and_then(seconds);
    let acr = text("acr").map(str::to_owned);
    Ok(IdToken { issuer, subject, auth_time, acr, claims })
}

/// Returns whether the customer signed in at most `max_age` seconds ago, and in one of these ways.
pub(super) fn is_as_asked(
    token: &IdToken,
    max_age: Option<u32>,
    acr: &[&str],
    now: Timestamp,
) -> Result<(), &'static str> {
    if let Some(max_age) = max_age {
        let oldest = now.as_secs().saturating_sub(i64::from(max_age)).saturating_sub(SKEW);
        match token.auth_time {
            None => return Err("auth_time_missing"),
            Some(auth_time) if auth_time < oldest => return Err("sign_in_too_old"),
            Some(_) => {}
        }
    }
    let met = token.acr.as_deref().is_some_and(|given| acr.contains(&given));
    if acr.is_empty() || met { Ok(()) } else { Err("acr_not_met") }
}
