//! Meta's signature: HMAC-SHA256 over the body's own bytes, keyed with the app's secret.
//!
//! The body must not have been read and written again: on the wire it escapes what is not ASCII, and `/` and `@` too.

use domain::ports::CallbackError;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

const HEADER: &str = "x-hub-signature-256";

/// Whether the holder of `app_secret` sent exactly this body.
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

/// The one signature, with its prefix, in hexadecimal of either case.
fn given(headers: &HeaderMap) -> Option<Vec<u8>> {
    let mut values = headers.get_all(HEADER).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    hex::decode(value.as_bytes().strip_prefix(b"sha256=")?).ok()
}
