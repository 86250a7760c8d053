//! What proves that Google called: HMAC-SHA512 over the decoded data, keyed with the webhook's client token, or that token
//! itself when the webhook is registered.
//!
//! Only the data is signed: the envelope around it, its attributes and its time are not, so nothing of them is believed.
//! A replayed call verifies; what it says is recorded once.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::keys;
use domain::ports::{CallbackError, UnverifiedCallback};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha512;

const HEADER: &str = "x-goog-signature";
/// The secret of a handshake is echoed: it is a few characters, and no place to put a page.
const SECRET_MAX: usize = 1_024;

/// A call from somebody who knows the client token.
pub(super) enum Proven {
    /// The webhook is being registered.
    Handshake {
        /// What to answer with, and nothing else.
        secret: String,
    },
    /// Something happened.
    Event {
        /// The bytes that were signed.
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

/// Whether the holder of `client_token` made this call.
pub(super) fn verify(
    client_token: &SecretString,
    callback: &UnverifiedCallback,
) -> Result<Proven, CallbackError> {
    let forged = CallbackError::Forged;
    if callback.method != Method::POST {
        return Err(forged);
    }
    // The signed bytes are inside: what comes before them has to be read to find them.
    let Ok(body) = serde_json::from_slice::<Body>(&callback.body) else { return Err(forged) };
    let token = client_token.expose_secret();
    match body {
        Body::Push { message } => {
            let Ok(data) = STANDARD.decode(message.data) else { return Err(forged) };
            let given = given(callback).ok_or(CallbackError::Forged)?;
            if signs(token.as_bytes(), &data, &given) {
                Ok(Proven::Event { data })
            } else {
                Err(forged)
            }
        }
        Body::Handshake(Handshake { client_token, secret }) => {
            let known = keys::same(client_token.expose_secret(), token);
            if known && secret.len() <= SECRET_MAX {
                Ok(Proven::Handshake { secret })
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
