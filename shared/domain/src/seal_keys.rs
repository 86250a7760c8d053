//! The keys of sealed secrets: who seals and who opens follows from which of them a function has.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};

use crate::brand::{Brand, InvalidBrand, Key32, KeyRing};
use crate::keys;
use crate::seal_public;

/// The public halves of the sealing keys by id. New authorizations are sealed to the current one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKeyRing {
    /// The id of the key in use.
    pub current: String,
    /// Every public key, 32 bytes each, in base64.
    pub keys: BTreeMap<String, PublicKey>,
}

/// A public X25519 key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(pub(crate) [u8; 32]);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&STANDARD.encode(self.0)).finish()
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("a key is 32 bytes in base64"))
    }
}

impl PublicKey {
    /// Returns the public half of a private key.
    #[must_use]
    pub fn of(private: &Key32) -> Self {
        seal_public::public_key(private)
    }

    /// Returns the bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PublicKeyRing {
    /// Returns the public halves of private keys.
    pub(crate) fn of(private: &KeyRing) -> Self {
        let public = |(id, key): (&String, &Key32)| (id.clone(), seal_public::public_key(key));
        Self { current: private.current.clone(), keys: private.keys.iter().map(public).collect() }
    }
}

impl Brand {
    /// Completes the sealing keys of a brand's one document, which need not name what follows from the private keys.
    pub(crate) fn with_derived_keys(mut self) -> Self {
        if let Some(private) = &self.sealing {
            self.sealing_public.get_or_insert_with(|| PublicKeyRing::of(private));
            self.claims.get_or_insert_with(|| private.derived("claims"));
        }
        self
    }

    /// Checks that each ring has its current key, and that the public keys are the halves of the private ones.
    pub(crate) fn check_seal_keys(&self) -> Result<(), InvalidBrand> {
        let is_incomplete =
            |ring: &Option<KeyRing>| ring.as_ref().is_some_and(|ring| !ring.is_complete());
        if is_incomplete(&self.sealing) {
            return Err(InvalidBrand::Sealing);
        }
        if is_incomplete(&self.consent) {
            return Err(InvalidBrand::Consent);
        }
        if is_incomplete(&self.claims) {
            return Err(InvalidBrand::Claims);
        }
        let Some(public) = &self.sealing_public else { return Ok(()) };
        if !public.keys.contains_key(&public.current) {
            return Err(InvalidBrand::SealingPublic);
        }
        let Some(private) = &self.sealing else { return Ok(()) };
        let mut keys = public.keys.iter();
        match keys
            .find(|(id, key)| private.keys.get(*id).map(seal_public::public_key) != Some(**key))
        {
            Some((id, _)) => Err(InvalidBrand::SealingPair(id.clone())),
            None => Ok(()),
        }
    }
}

impl KeyRing {
    /// Returns keys of the same ids for one purpose, from which these cannot be computed.
    pub(crate) fn derived(&self, purpose: &str) -> Self {
        let derive = |(id, key): (&String, &Key32)| (id.clone(), keys::sealing_key(key, purpose));
        Self { current: self.current.clone(), keys: self.keys.iter().map(derive).collect() }
    }
}
