//! Verifies Meta's signature: HMAC-SHA256 over the bytes of the body, keyed with the app's secret.
//!
//! The bytes must be those on the wire, where Meta escapes `/`, `@` and every non-ASCII character. A body that was parsed
//! and serialised again does not verify.

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use ports::CallbackError;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

const HEADER: &str = "x-hub-signature-256";

/// Verifies that the holder of `app_secret` sent exactly this body.
///
/// # Errors
///
/// [`CallbackError::Forged`] for every other body.
pub(super) fn verify(
    app_secret: &SecretString,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), CallbackError> {
    let given = given(headers).ok_or(CallbackError::Forged)?;
    let key = app_secret.expose_secret().as_bytes();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Err(CallbackError::Forged);
    };
    mac.update(body);
    if mac.verify_slice(&given).is_ok() { Ok(()) } else { Err(CallbackError::Forged) }
}

/// Reads the one signature: its prefix, and hexadecimal digits of either case.
fn given(headers: &HeaderMap) -> Option<Vec<u8>> {
    let mut values = headers.get_all(HEADER).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    hex::decode(value.as_bytes().strip_prefix(b"sha256=")?).ok()
}
