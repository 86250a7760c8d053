//! Seals to a public key with HPKE (RFC 9180): X25519, HKDF-SHA-256 and AES-256-GCM, in the mode with a pre-shared key.
//!
//! Only the private key opens. Only a function that has a consent key can seal, since that key is the pre-shared one.

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{Infallible, TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, PskBundle, Serializable};
use zeroize::Zeroizing;

use crate::brand::Key32;
use crate::guards;
use crate::guards::Guard;
use crate::random::Random;
use crate::seal_keys::PublicKey;

/// Separates these seals from every other use of the keys.
const INFO: &[u8] = b"assent authorization 1";

type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;

/// The key by which the opener knows that one of our functions sealed.
pub(crate) struct Sender<'a> {
    pub(crate) key: &'a Key32,
    pub(crate) key_id: &'a str,
}

/// A text as it was sealed.
pub(crate) struct EncapsulatedText {
    /// The public key that was drawn for this text.
    pub(crate) key: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
}

/// Our source of random bytes, as the crate reads one.
struct Source<'a>(&'a dyn Random);

impl TryRng for Source<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Source<'_> {}

/// Returns the public half of a private key.
pub(crate) fn public_key(private: &Key32) -> PublicKey {
    let public = private_key(private).map(|key| X25519HkdfSha256::sk_to_pk(&key).to_bytes());
    PublicKey(public.map_or([0; 32], Into::into))
}

/// Seals a text to a public key; `None` where the key is not one.
pub(crate) fn seal(
    to: &PublicKey,
    sender: &Sender<'_>,
    plain: &[u8],
    bound: &[u8],
    random: &dyn Random,
) -> Option<EncapsulatedText> {
    let to = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&to.0).ok()?;
    let mode = OpModeS::Psk(sender.bundle()?);
    let sealed = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
        &mode,
        &to,
        INFO,
        plain,
        bound,
        &mut Source(random),
    );
    let (key, ciphertext) = sealed.ok()?;
    Some(EncapsulatedText { key: key.to_bytes().to_vec(), ciphertext })
}

/// Opens a text that a sender with the same pre-shared key sealed to this key; `None` for any other text.
pub(crate) fn open(
    private: &Key32,
    sender: &Sender<'_>,
    sealed: &EncapsulatedText,
    bound: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let key = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&sealed.key).ok()?;
    let mode = OpModeR::Psk(sender.bundle()?);
    let opened = hpke::single_shot_open::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
        &mode,
        &private_key(private)?,
        &key,
        INFO,
        &sealed.ciphertext,
        bound,
    );
    opened.ok().map(Zeroizing::new)
}

fn private_key(key: &Key32) -> Option<PrivateKey> {
    PrivateKey::from_bytes(key.bytes()).ok()
}

impl Sender<'_> {
    fn bundle(&self) -> Option<PskBundle<'_>> {
        if guards::is_disabled(Guard::SealedBySender) {
            return PskBundle::new(&[0; 32], b"none").ok();
        }
        PskBundle::new(self.key.bytes(), self.key_id.as_bytes()).ok()
    }
}
