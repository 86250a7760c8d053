//! Apple Pay, `EC_v1`: every check of Apple's payment token format, then the card.
//!
//! The checks, in the order of Apple's text: the version; the key by its hash; the signature's shape; the marks of both
//! certificates; the chain to Apple's root; the signed content; the signing time; the key agreement; the decryption; the
//! amount, the currency and the application data. What is left is that a token is used once: see [`Unclaimed`].

mod chain;
mod cipher;
mod cms;
mod payload;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt;
use std::time::Duration;

use domain::values::money::Money;
use domain::values::time::Timestamp;
use rustls_pki_types::CertificateDer;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::agreement::PrivateKey;
use crate::{InvalidKey, Refused, Unclaimed};

/// Apple Root CA - G3, valid until 2039. Its SHA-256 fingerprint, which a test holds it to, is
/// `63343abfb89a6a03ebb57e9b3f5fa7be7c4f5c756f3017b3a8c488c3653e9179`.
const ROOT: CertificateDer<'static> =
    CertificateDer::from_slice(include_bytes!("apple-root-ca-g3.cer"));

/// The key behind a payment processing certificate, and the merchant id it is for. `Debug` shows neither.
pub struct Key {
    private: PrivateKey,
    public_key_hash: [u8; 32],
    merchant: [u8; 32],
}

impl Key {
    /// The private key as PEM (SEC 1 or PKCS #8, not encrypted), and the merchant id it is registered for, such as
    /// `merchant.example.shop`.
    ///
    /// # Errors
    /// [`InvalidKey`] when the text is not a private key on P-256.
    pub fn new(private_key: &SecretString, merchant_id: &str) -> Result<Self, InvalidKey> {
        let private = PrivateKey::read(private_key)?;
        let public_key_hash = private.public_key_hash()?;
        Ok(Self { private, public_key_hash, merchant: Sha256::digest(merchant_id).into() })
    }

    /// SHA-256 of the public key, by which tokens name it: the same as of the certificate Apple issued for it.
    #[must_use]
    pub const fn public_key_hash(&self) -> &[u8; 32] {
        &self.public_key_hash
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

/// What a token must have been given for. It has no `Debug`, as nobody knows what a page puts into its data.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// Exactly this is charged.
    pub money: Money,
    /// What the page put into the request's `applicationData`, as it was before Apple hashed it. The way to bind a token to
    /// one request: a token without it, or with other data, is [`Refused::OtherAsk`]. `None` does not look.
    pub application_data: Option<&'a [u8]>,
    /// How far the signing time may be from now, either way: from the customer's tap until a token is opened. Apple says a
    /// few minutes.
    pub window: Duration,
}

/// Opens a payment token, `{"paymentData": {…}, "paymentMethod": {…}, "transactionIdentifier": "…"}`, as the wallet gave it.
///
/// Only `paymentData` is signed, so nothing else is read. The chain is judged at the signing time, as Apple's certificates
/// for signing live for a few years; and how old the token may be, by `expected.window`.
///
/// # Errors
/// [`Refused`], but for [`Refused::RootKeys`] and [`Refused::CardNumber`], which are Google's.
pub fn open(
    token: &str,
    keys: &[Key],
    now: Timestamp,
    expected: &Expected<'_>,
) -> Result<Unclaimed, Refused> {
    open_under(&ROOT, token, keys, now, expected)
}

/// [`open`] with another root, for tests that make tokens.
fn open_under(
    root: &CertificateDer<'_>,
    token: &str,
    keys: &[Key],
    now: Timestamp,
    expected: &Expected<'_>,
) -> Result<Unclaimed, Refused> {
    let sealed = wire::read(token)?;
    let mut ours = keys.iter();
    let key = ours.find(|key| key.public_key_hash == sealed.public_key_hash);
    let key = key.ok_or(Refused::UnknownKey)?;
    let signed_at = cms::verify(&sealed.signature, &sealed.signed_digest(), root)?;
    let (first, last) = (now.before(expected.window), now.after(expected.window));
    if !(first..=last).contains(&signed_at) {
        return Err(Refused::Expired);
    }
    let plain = cipher::open(key, &sealed)?;
    let payload = payload::read(&plain)?;
    if !payload.is_for(expected.money) || !sealed.is_bound_to(expected.application_data) {
        return Err(Refused::OtherAsk);
    }
    Ok(Unclaimed {
        id: hex::encode(sealed.transaction_id),
        keep_until: signed_at.after(expected.window),
        token: payload.into_token()?,
    })
}
