//! Google's root keys, which sign the keys that sign the tokens.

use domain::values::time::Timestamp;
use serde::Deserialize;

use super::signing::VerifyingKey;
use super::wire::{Protocol, millis};
use crate::TEXT_MAX;

/// Google's root keys, as published.
///
/// Fetching them is the caller's: keep them for as long as the answer's headers say, and fetch them anew on
/// [`Refused::RootKeys`](crate::Refused::RootKeys), and once on [`Refused::Forged`](crate::Refused::Forged).
/// `https://payments.developers.google.com/paymentmethodtoken/keys.json`, and `…/test/keys.json` for the test environment.
/// They must come over TLS and never from whoever hands in a token: whose keys these are can sign anything.
#[derive(Debug)]
pub struct RootKeys(Vec<RootKey>);

#[derive(Debug)]
struct RootKey {
    protocol: Protocol,
    key: VerifyingKey,
    /// Only a key of `ECv1` may be without.
    expires_at: Option<Timestamp>,
}

/// A text that is not Google's list of root keys, or lists none that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a list of the wallet's root keys")]
pub struct InvalidRootKeys;

#[derive(Deserialize)]
struct List {
    keys: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    key_value: String,
    protocol_version: String,
    key_expiration: Option<String>,
}

impl RootKeys {
    /// Reads Google's list: `{"keys": [{"keyValue", "protocolVersion", "keyExpiration"}]}`. Keys of other versions are passed
    /// over, and so are those that cannot be read: fewer keys mean less trust.
    ///
    /// # Errors
    /// [`InvalidRootKeys`].
    pub fn read(json: &str) -> Result<Self, InvalidRootKeys> {
        if json.len() > TEXT_MAX {
            return Err(InvalidRootKeys);
        }
        let list: List = serde_json::from_str(json).map_err(|_not_quoted| InvalidRootKeys)?;
        let keys: Vec<RootKey> = list.keys.into_iter().filter_map(Listed::usable).collect();
        if keys.is_empty() { Err(InvalidRootKeys) } else { Ok(Self(keys)) }
    }

    /// The keys of that version which are in force.
    pub(super) fn in_force(
        &self,
        protocol: Protocol,
        now: Timestamp,
    ) -> impl Iterator<Item = &VerifyingKey> {
        let of_version = self.0.iter().filter(move |root| root.protocol == protocol);
        let in_force = of_version.filter(move |root| root.expires_at.is_none_or(|end| now < end));
        in_force.map(|root| &root.key)
    }
}

impl Listed {
    fn usable(self) -> Option<RootKey> {
        let protocol = Protocol::read(&self.protocol_version)?;
        let expires_at = match (self.key_expiration, protocol) {
            (Some(text), _) => Some(millis(&text)?),
            (None, Protocol::EcV1) => None,
            (None, Protocol::EcV2 | Protocol::EcV2SigningOnly) => return None,
        };
        Some(RootKey { protocol, key: VerifyingKey::read(&self.key_value)?, expires_at })
    }
}
