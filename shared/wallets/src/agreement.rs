//! The merchant's private key, and the secret it shares with the key that a wallet made for one token (ECDH on P-256).

use p256::PublicKey;
use p256::SecretKey;
use p256::ecdh::SharedSecret;
use p256::pkcs8::EncodePublicKey;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// A text that is not a private key on P-256: a person must look at the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is PEM of an unencrypted private key on P-256, SEC 1 or PKCS #8")]
pub struct InvalidKey;

/// A private key on P-256. It is wiped when dropped.
pub(crate) struct PrivateKey(SecretKey);

impl PrivateKey {
    /// Reads `BEGIN EC PRIVATE KEY` or `BEGIN PRIVATE KEY`.
    pub(crate) fn read(pem: &SecretString) -> Result<Self, InvalidKey> {
        match SecretKey::from_pem(pem.expose_secret().trim()) {
            Ok(key) => Ok(Self(key)),
            Err(_) => Err(InvalidKey),
        }
    }

    /// SHA-256 of the public key as DER of a `SubjectPublicKeyInfo`: what Apple calls a key by.
    pub(crate) fn public_key_hash(&self) -> Result<[u8; 32], InvalidKey> {
        match self.0.public_key().to_public_key_der() {
            Ok(der) => Ok(Sha256::digest(der.as_bytes()).into()),
            Err(_) => Err(InvalidKey),
        }
    }

    /// The secret shared with the other key. It is wiped when dropped.
    pub(crate) fn agree(&self, other: &PublicKey) -> SharedSecret {
        self.0.diffie_hellman(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_private_key_on_p256_is_refused_and_not_quoted() {
        let other_curve = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        let cut = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let (cut, _) = cut.split_at(cut.len() / 2);
        for bad in ["", "-----BEGIN EC PRIVATE KEY-----", &other_curve.serialize_pem(), cut] {
            let error = PrivateKey::read(&bad.into()).err().unwrap();
            assert!(!error.to_string().contains("BEGIN"));
        }
        assert!(
            PrivateKey::read(&rcgen::KeyPair::generate().unwrap().serialize_pem().into()).is_ok()
        );
    }
}
