//! API keys: how the brand's secret describes one, and how a caller proves one.

mod caller_arn;
mod client_token;
mod limits;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::brand::{Brand, Mode};

use crate::ask::AskKind;

use crate::digest::digest_hex;
use crate::keys::same;
use crate::values::json_text::text_in_json;
use crate::values::money::Currency;
use crate::values::name::{BrandName, ChannelName};
use crate::values::text::DisplayText;
use crate::values::time::Timestamp;

pub use caller_arn::{CallerArn, InvalidCallerArn};
pub use client_token::{ClientScope, ClientToken, SignedToken};
pub use limits::{KeyLimit, Right, Visibility};

/// The hexadecimal digits of the digest that name a key without an id of its own.
const DERIVED_DIGITS: usize = 16;

/// An API key in force, known by its digest only.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySettings {
    /// The id in journals and logs; derived from the digest where it is absent.
    #[serde(default)]
    id: Option<KeyId>,
    /// What people call the key, such as `desk Madrid`.
    #[serde(default)]
    pub label: Option<DisplayText<60>>,
    /// The kind of caller that holds the key.
    #[serde(default)]
    pub kind: KeyKind,
    /// Test or live; the same as in the key's own text.
    pub mode: Mode,
    /// SHA-256 of the whole key's text, in lower-case hexadecimal. It is empty where only `callers` act as the key.
    #[serde(default)]
    pub sha256: String,
    /// The platforms that act as the key without its text, such as an instance of Amazon Connect.
    #[serde(default)]
    pub callers: Vec<CallerArn>,
    /// When the key ends; `None` for a key without an end.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// The rights of a restricted key; `None` for a key that may do everything.
    #[serde(default)]
    pub may: Option<Vec<Right>>,
    /// The kinds of ask that it may make; `None` for all.
    #[serde(default)]
    pub asks: Option<Vec<AskKind>>,
    /// The most of one payment, in minor units by currency; `None` for no ceiling.
    #[serde(default)]
    pub amount_max: Option<BTreeMap<Currency, u64>>,
    /// The most that all its payments of 24 hours ask for, in minor units by currency; `None` for no ceiling.
    #[serde(default)]
    pub amount_per_day: Option<BTreeMap<Currency, u64>>,
    /// The most asks of an hour; `None` for no ceiling.
    #[serde(default)]
    pub asks_per_hour: Option<u32>,
    /// The channels that it may use; `None` for all.
    #[serde(default)]
    pub channels: Option<Vec<ChannelName>>,
    /// The requests that it sees.
    #[serde(default)]
    pub sessions: Visibility,
}

impl KeySettings {
    /// Returns the key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id.clone().unwrap_or_else(|| {
            KeyId(format!("key_{}", self.sha256.get(..DERIVED_DIGITS).unwrap_or(&self.sha256)))
        })
    }

    /// Returns the key as requests and journals name it.
    #[must_use]
    pub fn reference(&self) -> KeyRef {
        KeyRef { id: self.id(), kind: self.kind }
    }

    /// Returns whether the key's text begins with `rk_`: a key whose rights are listed.
    #[must_use]
    pub const fn is_restricted(&self) -> bool {
        self.may.is_some()
    }

    /// Returns whether the key has a limit without a list of rights, which no key may have.
    #[must_use]
    pub(crate) fn lacks_rights(&self) -> bool {
        let is_limited = self.asks.is_some()
            || self.amount_max.is_some()
            || self.amount_per_day.is_some()
            || self.asks_per_hour.is_some()
            || self.channels.is_some()
            || !self.callers.is_empty()
            || self.sessions == Visibility::Own;
        self.may.is_none() && is_limited
    }

    /// Returns whether nothing can prove the key. It has no digest, and no platform with an id to name it by.
    #[must_use]
    pub(crate) fn lacks_proof(&self) -> bool {
        self.sha256.is_empty() && (self.callers.is_empty() || self.id.is_none())
    }

    /// Returns whether a platform acts as the key.
    #[must_use]
    pub fn is_for(&self, arn: &str) -> bool {
        self.callers.iter().any(|caller| caller.as_str() == arn)
    }

    /// Returns whether the key has not ended.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// The kind of caller that holds a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// An agent's desk.
    Human,
    /// An interactive voice response system.
    Ivr,
    /// An AI agent. Its customers read that an automated assistant asks.
    AiAgent,
    /// A server of the brand.
    #[default]
    Server,
}

/// A key, as requests and journals name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRef {
    /// The key's id.
    pub id: KeyId,
    /// The kind of caller that holds it.
    pub kind: KeyKind,
}

/// The id of a key: `key_` and 1 to 40 of `A-Z`, `a-z`, `0-9`, `_` and `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

/// A text that is not the id of a key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key's id is `key_` and 1 to 40 of A-Z, a-z, 0-9, '_' and '-'")]
pub struct InvalidKeyId;

impl KeyId {
    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = InvalidKeyId;

    fn from_str(text: &str) -> Result<Self, InvalidKeyId> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        match text.strip_prefix("key_") {
            Some(rest) if (1..=40).contains(&rest.len()) && rest.bytes().all(is_plain) => {
                Ok(Self(text.to_owned()))
            }
            Some(_) | None => Err(InvalidKeyId),
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_in_json!(KeyId);

/// The brand and mode that an API key's text claims. [`ApiKey::find`] verifies them.
pub struct ApiKey<'a> {
    /// The claimed brand.
    pub brand: BrandName,
    /// The claimed mode.
    pub mode: Mode,
    is_restricted: bool,
    text: &'a str,
}

impl<'a> ApiKey<'a> {
    /// Parses `sk_{live|test}_<brand>_<secret>`, or `rk_…` of a restricted key; `None` for any other text.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let (is_restricted, rest) = match text.split_once('_')? {
            ("sk", rest) => (false, rest),
            ("rk", rest) => (true, rest),
            _ => return None,
        };
        let (mode, rest) = rest.split_once('_')?;
        let mode = match mode {
            "test" => Mode::Test,
            "live" => Mode::Live,
            _ => return None,
        };
        let (brand, secret) = rest.split_once('_')?;
        let sound =
            (16..=128).contains(&secret.len()) && secret.bytes().all(|b| b.is_ascii_alphanumeric());
        if !sound {
            return None;
        }
        Some(Self { brand: brand.parse().ok()?, mode, is_restricted, text })
    }

    /// Returns the brand's key that the text proves; `None` where it proves none, or one that ended.
    ///
    /// The time depends neither on the place of the key nor on how much of it matches.
    #[must_use]
    pub fn find<'b>(&self, brand: &'b Brand, now: Timestamp) -> Option<&'b KeySettings> {
        let digest = digest_hex(self.text.as_bytes());
        let known = brand.keys.iter().filter(|known| known.mode == self.mode);
        let found = known.fold(None, |found, known| {
            let is_same = same(&known.sha256, &digest);
            if is_same { Some(known) } else { found }
        });
        found.filter(|known| known.is_restricted() == self.is_restricted && known.is_in_force(now))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn api_key_parse_names_brand_and_mode() {
        let key = ApiKey::read("sk_test_acme_0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(key.brand.as_str(), "acme");
        assert_eq!(key.mode, Mode::Test);
        for bad in [
            "",
            "sk_",
            "sk_prod_acme_0123456789abcdef",
            "sk_test_acme_short",
            "sk_test_Acme_0123456789abcdef",
            "pk_test_acme_0123456789abcdef",
        ] {
            assert!(ApiKey::read(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn key_without_an_id_is_named_by_its_digest() {
        let text = "sk_test_acme_0123456789abcdef";
        let settings = json!({ "mode": "test", "sha256": digest_hex(text.as_bytes()) });
        let settings: KeySettings = serde_json::from_value(settings).unwrap();
        let digest = digest_hex(text.as_bytes());
        assert_eq!(settings.id().as_str(), format!("key_{}", &digest[..16]));
        assert_eq!(settings.kind, KeyKind::Server);
        assert_eq!(settings.id().as_str().parse(), Ok(settings.id()));
    }

    #[test]
    fn key_id_takes_plain_characters_only() {
        for bad in ["", "key_", "madrid", "key_a b", "key_a/b", &format!("key_{}", "a".repeat(41))]
        {
            assert_eq!(bad.parse::<KeyId>(), Err(InvalidKeyId), "{bad}");
        }
        assert_eq!("key_desk-Madrid_2".parse::<KeyId>().unwrap().as_str(), "key_desk-Madrid_2");
    }
}
