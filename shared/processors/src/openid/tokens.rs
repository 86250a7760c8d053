//! The checks on an ID token before the access token that came with it is used.
//!
//! It comes directly from the token endpoint over TLS, so that TLS proves the issuer.
//! <https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation>, item 6.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::keys;
use domain::values::time::Timestamp;
use serde::Deserialize;

use super::settings::Provider;

/// The greatest difference between a provider's clock and ours, in seconds.
const SKEW: i64 = 120;

#[derive(Deserialize)]
struct IdTokenPayload {
    iss: String,
    aud: Audience,
    azp: Option<String>,
    sub: String,
    exp: i64,
    nonce: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Returns the customer's id at the provider, or a code for the failed check.
pub(super) fn subject(
    token: &str,
    provider: &Provider,
    nonce: &str,
    now: Timestamp,
) -> Result<String, &'static str> {
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("id_token_not_a_jwt");
    };
    let payload = URL_SAFE_NO_PAD.decode(payload).ok();
    let payload = payload.and_then(|bytes| serde_json::from_slice::<IdTokenPayload>(&bytes).ok());
    let payload = payload.ok_or("id_token_not_readable")?;
    let ours = |audience: &String| *audience == provider.client_id;
    let meant = match &payload.aud {
        Audience::One(audience) => ours(audience),
        Audience::Many(audiences) => {
            audiences.iter().any(ours) && (audiences.len() == 1 || payload.azp.is_some())
        }
    };
    let seconds = now.as_millis().div_euclid(1000);
    match &payload {
        _ if payload.iss != provider.issuer => Err("id_token_iss"),
        _ if !meant => Err("id_token_aud"),
        _ if payload.azp.as_ref().is_some_and(|party| !ours(party)) => Err("id_token_azp"),
        _ if payload.exp.saturating_add(SKEW) < seconds => Err("id_token_exp"),
        _ if !payload.nonce.as_deref().is_some_and(|given| keys::same(given, nonce)) => {
            Err("id_token_nonce")
        }
        _ if payload.sub.is_empty() || payload.sub.len() > 255 => Err("id_token_sub"),
        _ => Ok(payload.sub),
    }
}
