//! The encryption of `ECv1` and `ECv2`: two keys from the key agreement by HKDF, AES-CTR, and HMAC-SHA256 over what it wrote.

use aes_gcm::aes::{Aes128, Aes256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use p256::PublicKey;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Key;
use super::wire::{self, Encrypted, KeyBytes};
use crate::Refused;

/// What the keys are derived for.
const INFO: &[u8] = b"Google";
/// A point that is not compressed, as its first byte says.
const POINT_BYTES: usize = 65;

/// The two keys of a message. They are wiped when dropped.
pub(super) struct Keys {
    both: Zeroizing<[u8; 64]>,
    bytes: KeyBytes,
}

impl Keys {
    /// The keys that the merchant's private key and the message's point agree on.
    pub(super) fn agreed(ours: &Key, point: &[u8], bytes: KeyBytes) -> Option<Self> {
        let theirs = PublicKey::from_sec1_bytes(point).ok()?;
        let shared = ours.0.agree(&theirs);
        let mut secret = Zeroizing::new(point.to_vec());
        // Beforehand, so that nothing is copied and left behind.
        secret.reserve_exact(32);
        secret.extend_from_slice(shared.raw_secret_bytes());
        let mut both = Zeroizing::new([0; 64]);
        let (wanted, _) = both.split_at_mut(match bytes {
            KeyBytes::Sixteen => 32,
            KeyBytes::ThirtyTwo => 64,
        });
        Hkdf::<Sha256>::new(None, &secret).expand(INFO, wanted).ok()?;
        Some(Self { both, bytes })
    }

    /// The key that encrypts, and the key that authenticates.
    pub(super) fn halves(&self) -> (&[u8], &[u8]) {
        let (first, second) = self.both.split_at(32);
        match self.bytes {
            KeyBytes::Sixteen => first.split_at(16),
            KeyBytes::ThirtyTwo => (first, second),
        }
    }

    /// Whether the message was encrypted with these. Takes the same time for every tag.
    fn authenticate(&self, encrypted: &[u8], tag: &[u8]) -> bool {
        let (_, key) = self.halves();
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
        mac.chain_update(encrypted).verify_slice(tag).is_ok()
    }

    /// Decrypts in place. The counter begins at zero, as each key is for one message.
    pub(super) fn decrypt(&self, text: &mut [u8]) -> Option<()> {
        let (key, _) = self.halves();
        let start = [0; 16];
        match self.bytes {
            KeyBytes::Sixteen => {
                let cipher = Ctr128BE::<Aes128>::new_from_slices(key, &start);
                cipher.ok()?.try_apply_keystream(text).ok()
            }
            KeyBytes::ThirtyTwo => {
                let cipher = Ctr128BE::<Aes256>::new_from_slices(key, &start);
                cipher.ok()?.try_apply_keystream(text).ok()
            }
        }
    }
}

/// Decrypts a message whose signature was verified. It does not say which key it was made for, so each of ours is tried;
/// when none fits, the message is whole all the same, and was made for a key of somebody's else.
pub(super) fn open(
    signed_message: &str,
    keys: &[Key],
    bytes: KeyBytes,
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let message: Encrypted = serde_json::from_str(signed_message).map_err(wire::malformed)?;
    let decoded = |text: &str| STANDARD.decode(text).map_err(|_not_quoted| Refused::Malformed);
    let point = decoded(&message.ephemeral_public_key)?;
    let tag = decoded(&message.tag)?;
    let mut text = Zeroizing::new(decoded(&message.encrypted_message)?);
    if point.len() != POINT_BYTES || PublicKey::from_sec1_bytes(&point).is_err() {
        return Err(Refused::Malformed);
    }
    let mut agreed = keys.iter().filter_map(|key| Keys::agreed(key, &point, bytes));
    let fitting = agreed.find(|keys| keys.authenticate(&text, &tag)).ok_or(Refused::UnknownKey)?;
    fitting.decrypt(&mut text).ok_or(Refused::Malformed)?;
    Ok(text)
}
