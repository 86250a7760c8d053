//! The encryption of `EC_v1`: a key from the key agreement by NIST SP 800-56A's one-step derivation, and AES-256-GCM.

use aes_gcm::aead::consts::U16;
use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Nonce};
use p256::ecdh::SharedSecret;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Key;
use super::wire::Sealed;
use crate::Refused;

/// The derivation's counter: one block of SHA-256 is all it takes.
const COUNTER: [u8; 4] = [0, 0, 0, 1];
/// The algorithm, after its length.
const ALGORITHM: &[u8] = b"\x0did-aes256-GCM";
/// The party that encrypts.
const PARTY_U: &[u8] = b"Apple";

/// The key of one token.
pub(super) fn key(shared: &SharedSecret, merchant: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let mut derived = Sha256::new();
    derived.update(COUNTER);
    derived.update(shared.raw_secret_bytes());
    derived.update(ALGORITHM);
    derived.update(PARTY_U);
    derived.update(merchant);
    Zeroizing::new(derived.finalize().into())
}

/// Decrypts what was signed. The nonce is 16 zero bytes, as each key is for one token; the tag is at the end.
///
/// The signature was verified before, so what does not decrypt is whole and was made for another merchant id.
pub(super) fn open(ours: &Key, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let key = key(&ours.private.agree(&sealed.ephemeral_key), &ours.merchant);
    let cipher = AesGcm::<Aes256, U16>::new((&*key).into());
    match cipher.decrypt(&Nonce::<U16>::default(), sealed.data.as_slice()) {
        Ok(plain) => Ok(Zeroizing::new(plain)),
        Err(_) => Err(Refused::UnknownKey),
    }
}
