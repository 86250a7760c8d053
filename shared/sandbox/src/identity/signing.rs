//! The key that signs ID tokens. The first use makes it, and every function of the installation reads it from the store.
//!
//! It proves nothing outside test mode, so it is stored as it is.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::digest::digest_hex;
use ports::{Expect, Item, Key, Source, StoreError, Write};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::IdentityProvider;

/// The signing key of the provider.
pub(super) struct SigningKey(EcdsaKeyPair);

/// The key cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
#[error("signing key of the sandbox's OpenID provider unusable")]
struct UnusableKey;

fn unusable() -> StoreError {
    StoreError::Damaged(Source::from(UnusableKey))
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredKey {
    #[serde(rename = "1")]
    V1 {
        /// PKCS#8 in base64.
        pkcs8: String,
    },
}

fn place() -> Key {
    Key { pk: "SANDBOX#oid_key".to_owned(), sk: "KEY".to_owned() }
}

impl IdentityProvider {
    /// Reads the signing key, or makes it.
    pub(super) async fn signing_key(&self) -> Result<SigningKey, StoreError> {
        if let Some(key) = self.stored_key().await? {
            return Ok(key);
        }
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let made = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new());
        let made = made.map_err(|_unspecified| unusable())?;
        let stored = StoredKey::V1 { pkcs8: STANDARD.encode(made.as_ref()) };
        let body = serde_json::to_string(&stored);
        let body = body.map_err(|error| StoreError::Damaged(error.into()))?;
        let item = Item { key: place(), version: 1, body, expires_at: None, index: None };
        let put = Write::Put { item, expect: Expect::Absent };
        match self.store.write(vec![put]).await {
            // Another call made it at the same time.
            Ok(()) | Err(StoreError::Conflict) => self.stored_key().await?.ok_or_else(unusable),
            Err(error @ (StoreError::Unavailable(_) | StoreError::Damaged(_))) => Err(error),
        }
    }

    async fn stored_key(&self) -> Result<Option<SigningKey>, StoreError> {
        let Some(item) = self.store.read(&place()).await? else { return Ok(None) };
        let stored = serde_json::from_str(&item.body);
        let StoredKey::V1 { pkcs8 } = stored.map_err(|error| StoreError::Damaged(error.into()))?;
        let der = STANDARD.decode(pkcs8).map_err(|error| StoreError::Damaged(error.into()))?;
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::from_pkcs8(algorithm, &der, &SystemRandom::new());
        key.map(|key| Some(SigningKey(key))).map_err(|_rejected| unusable())
    }
}

impl SigningKey {
    /// Returns the public key as a key set (RFC 7517).
    pub(super) fn jwks(&self) -> Value {
        // An uncompressed point: 4, x and y.
        let point = self.0.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at_checked(32).unwrap_or_default();
        json!({ "keys": [{
            "kty": "EC",
            "crv": "P-256",
            "use": "sig",
            "alg": "ES256",
            "kid": self.id(),
            "x": URL_SAFE_NO_PAD.encode(x),
            "y": URL_SAFE_NO_PAD.encode(y),
        }] })
    }

    fn id(&self) -> String {
        let mut id = digest_hex(self.0.public_key().as_ref());
        id.truncate(16);
        id
    }

    /// Signs claims as a JSON Web Token (RFC 7519).
    pub(super) fn sign(&self, claims: &Value) -> Result<String, StoreError> {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.id() });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.map_err(|_unspecified| unusable())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())))
    }
}
