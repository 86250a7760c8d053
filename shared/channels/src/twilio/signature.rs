//! Verifies Twilio's signature: HMAC-SHA1 over the configured URL and the sorted form, keyed with the account's token.
//!
//! Twilio signs its own spelling of the URL. Port and escapes differ between its products, so several spellings of the
//! one URL are tried. Names and values are signed as one text without separators. No other form may have the same
//! signature. So a pair without `=` is refused here, and a repeated field is refused where it is read.
//! Source: <https://www.twilio.com/docs/usage/webhooks/webhooks-security>, read 2026-11-26, and the SDKs of 2026.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::digest::digest_hex;
use hmac::{Hmac, KeyInit, Mac};
use http::header::CONTENT_TYPE;
use ports::{CallbackError, UnverifiedCallback};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;

const HEADER: &str = "x-twilio-signature";

/// The decoded names and values of a form, in the order sent.
pub(super) type Pairs = Vec<(String, String)>;

/// Verifies that the holder of `auth_token` sent exactly this call.
///
/// # Errors
///
/// [`CallbackError::Forged`] for every other call.
pub(super) fn verify(
    auth_token: &SecretString,
    callback: &UnverifiedCallback,
) -> Result<(), CallbackError> {
    let given = given(callback).ok_or(CallbackError::Forged)?;
    let url = callback.url.split_once('#').map_or(callback.url.as_str(), |(url, _)| url);
    let form = signed_form(url, callback).ok_or(CallbackError::Forged)?;
    let key = auth_token.expose_secret().as_bytes();
    // A stranger can compute a signature under an empty key.
    let known = !key.is_empty()
        && spellings(url).iter().any(|spelling| signs(key, &[spelling, &form], &given));
    if known { Ok(()) } else { Err(CallbackError::Forged) }
}

fn signs(key: &[u8], parts: &[&str], given: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key) else { return false };
    for part in parts {
        mac.update(part.as_bytes());
    }
    mac.verify_slice(given).is_ok()
}

fn given(callback: &UnverifiedCallback) -> Option<Vec<u8>> {
    let mut values = callback.headers.get_all(HEADER).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    STANDARD.decode(value.as_bytes()).ok()
}

/// Returns the body's part of the signed text; `None` for a body that Twilio cannot have signed.
fn signed_form(url: &str, callback: &UnverifiedCallback) -> Option<String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut hashes =
        form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "bodySHA256");
    if let Some((_, hash)) = hashes.next() {
        // The signed URL holds the body's hash, which proves the body.
        let same = hashes.next().is_none() && digest_hex(&callback.body) == *hash;
        return same.then(String::new);
    }
    if callback.body.is_empty() {
        return Some(String::new());
    }
    Some(signed_text(&pairs(callback)?))
}

/// Returns the pairs of a form; `None` for a body that is no form.
pub(super) fn pairs(callback: &UnverifiedCallback) -> Option<Pairs> {
    let kind = callback.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = kind.split(';').next().unwrap_or_default().trim();
    let form = essence.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let whole = callback
        .body
        .split(|byte| *byte == b'&')
        .all(|pair| pair.is_empty() || pair.contains(&b'='));
    (form && whole).then(|| form_urlencoded::parse(&callback.body).into_owned().collect())
}

fn signed_text(pairs: &Pairs) -> String {
    let mut sorted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in pairs {
        sorted.entry(name).or_default().insert(value);
    }
    let mut text = String::new();
    for (name, values) in sorted {
        for value in values {
            text.push_str(name);
            text.push_str(value);
        }
    }
    text
}

/// Returns the URL with and without its port, each with its query as received, unescaped and escaped.
fn spellings(url: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for url in [Some(url.to_owned()), other_port(url)].into_iter().flatten() {
        if let Some((path, query)) = url.split_once('?') {
            all.insert(format!("{path}?{}", unescaped(query)));
            all.insert(format!("{path}?{}", escaped(query)));
        }
        all.insert(url);
    }
    all
}

fn unescaped(query: &str) -> String {
    let query = query.replace("%27", "'").replace("%40", "@");
    query.replace("%3A", ":").replace("%3a", ":")
}

fn escaped(query: &str) -> String {
    query.replace('\'', "%27").replace('@', "%40").replace(':', "%3A")
}

/// Returns the URL without its port, or with its scheme's default port if it has none.
fn other_port(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let port = authority
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    match (port, scheme) {
        (Some((host, _)), _) => Some(format!("{scheme}://{host}{path}")),
        (None, "https") => Some(format!("{scheme}://{authority}:443{path}")),
        (None, "http") => Some(format!("{scheme}://{authority}:80{path}")),
        (None, _) => None,
    }
}
