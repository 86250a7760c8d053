//! Verifies Google's webhook calls: HMAC-SHA512 over the decoded data, keyed with the webhook's client token.
//!
//! The registration of the webhook carries that token itself. Only the data is signed. The envelope, its attributes and
//! its time are not, so they are not read. A replayed call verifies, and its event is recorded once.
//! Source: <https://developers.google.com/business-communications/rcs-business-messaging/guides/integrate/webhooks>,
//! read 2026-11-26.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::keys;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use ports::{CallbackError, UnverifiedCallback};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha512;

const HEADER: &str = "x-goog-signature";
/// The longest secret that is echoed. Google's has a few characters, and a page must not fit.
const SECRET_MAX: usize = 1_024;

/// A call from a holder of the client token.
pub(super) enum VerifiedCall {
    /// The registration of the webhook.
    Handshake {
        /// The whole body of the answer.
        secret: String,
    },
    /// A signed event of the platform.
    Event {
        /// The signed bytes.
        data: Vec<u8>,
    },
}

/// The two shapes of a call.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Push { message: Push },
    Handshake(Handshake),
}

#[derive(Deserialize)]
struct Push {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handshake {
    client_token: SecretString,
    secret: String,
}

/// Verifies that the holder of `client_token` made this call.
///
/// # Errors
///
/// [`CallbackError::Forged`] for every other call.
pub(super) fn verify(
    client_token: &SecretString,
    callback: &UnverifiedCallback,
) -> Result<VerifiedCall, CallbackError> {
    let forged = CallbackError::Forged;
    if callback.method != Method::POST {
        return Err(forged);
    }
    // The signed bytes are inside the body, so the envelope is parsed before it is verified.
    let Ok(body) = serde_json::from_slice::<Body>(&callback.body) else { return Err(forged) };
    let token = client_token.expose_secret();
    match body {
        Body::Push { message } => {
            let Ok(data) = STANDARD.decode(message.data) else { return Err(forged) };
            let given = given(callback).ok_or(CallbackError::Forged)?;
            if signs(token.as_bytes(), &data, &given) {
                Ok(VerifiedCall::Event { data })
            } else {
                Err(forged)
            }
        }
        Body::Handshake(Handshake { client_token, secret }) => {
            let known = keys::same(client_token.expose_secret(), token);
            if known && secret.len() <= SECRET_MAX {
                Ok(VerifiedCall::Handshake { secret })
            } else {
                Err(forged)
            }
        }
    }
}

fn signs(key: &[u8], data: &[u8], given: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(key) else { return false };
    mac.update(data);
    mac.verify_slice(given).is_ok()
}

fn given(callback: &UnverifiedCallback) -> Option<Vec<u8>> {
    let mut values = callback.headers.get_all(HEADER).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    STANDARD.decode(value.as_bytes()).ok()
}
