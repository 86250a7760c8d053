//! Client tokens: what a browser may hold to follow one request, or the requests of one session. Nothing is stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::KeyId;
use crate::brand::{Brand, Mode};
use crate::keys::{client_token_mac, same_bytes};
use crate::values::id::RequestId;
use crate::values::name::BrandName;
use crate::values::time::Timestamp;

/// The longest text that is read as a token.
const TEXT_MAX: usize = 1024;

/// The request or session that a client token is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientScope {
    /// One request.
    Request(RequestId),
    /// The requests of one session.
    Session(String),
}

/// The content of a client token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientToken {
    /// The brand whose requests it is for.
    pub brand: BrandName,
    /// Test or live.
    pub mode: Mode,
    /// The key that made the token. The token ends with it.
    pub key: KeyId,
    /// What it is for.
    pub scope: ClientScope,
    /// The origin of the page that may use the token.
    pub origin: String,
    /// When the token ends.
    pub expires_at: Timestamp,
}

/// A token's text that claims a content. [`SignedToken::verify`] verifies it.
pub struct SignedToken<'a> {
    /// The claimed content.
    pub claimed: ClientToken,
    signed: &'a str,
    mac: Vec<u8>,
}

impl ClientToken {
    /// Writes the token with its MAC.
    #[must_use]
    pub fn write(&self, brand: &Brand) -> String {
        let content = serde_json::to_string(self).unwrap_or_default();
        let content = URL_SAFE_NO_PAD.encode(content);
        let mac = URL_SAFE_NO_PAD.encode(client_token_mac(&brand.address_key, &content));
        format!("ct_{content}.{mac}")
    }
}

impl<'a> SignedToken<'a> {
    /// Parses a token's text; `None` for any other text.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let (signed, mac) = text.strip_prefix("ct_")?.split_once('.')?;
        if text.len() > TEXT_MAX {
            return None;
        }
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        let claimed = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed).ok()?).ok()?;
        Some(Self { claimed, signed, mac })
    }

    /// Returns the content, if the brand wrote it and it has not ended.
    #[must_use]
    pub fn verify(&self, brand: &Brand, now: Timestamp) -> Option<&ClientToken> {
        let mac = client_token_mac(&brand.address_key, self.signed);
        let is_ours = same_bytes(&mac, &self.mac) && self.claimed.brand == brand.name;
        (is_ours && now < self.claimed.expires_at).then_some(&self.claimed)
    }
}
