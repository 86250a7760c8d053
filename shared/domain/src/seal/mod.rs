//! Seals secrets at rest, each to the functions that need it, and bound to what it is for.
//!
//! | secret | sealed by | opened by | how |
//! | --- | --- | --- | --- |
//! | an authorization | consent-callback, fetch-info | fetch-info | HPKE to the sealing key, with the consent key as pre-shared key |
//! | a saved card's credential | fetch-info | fetch-info | AES-256-GCM under a key derived from the private sealing key |
//! | a redirect URL | fetch-info | consent-callback | AES-256-GCM under a key derived from the consent key |
//! | released claims | fetch-info | intake | AES-256-GCM under the claims key |

use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::brand::{Brand, KeyRing};
use crate::guards;
use crate::guards::Guard;
use crate::keys;
use crate::random::Random;
use crate::seal_binding::Binding;
use crate::seal_public;
use crate::seal_public::{EncapsulatedText, Sender};

/// The detail of the problem of an authorization that cannot be sealed.
pub const FAILED: &str =
    "failed to seal the authorization; check `sealing` and `consent` in the brand's secrets";

/// The purpose of the keys that are derived from consent keys as pre-shared keys.
const SENDER: &str = "authorization";

/// A secret that can be sealed.
///
/// The purpose is bound to the ciphertext, so that one type's secret never opens as another's.
///
/// ```
/// use domain::redirect_url::RedirectUrl;
/// use domain::seal::Sealable;
///
/// let url = RedirectUrl("https://hooks.stripe.com/redirect/1".to_owned());
/// let plain = url.to_plain();
/// assert_eq!(RedirectUrl::from_plain(&plain), Some(url));
/// ```
pub trait Sealable: Sized {
    /// The name of this kind of secret in the associated data. It differs from every other type's.
    const PURPOSE: &str;
    /// What followed the request's id in the associated data of the first stored texts.
    const FIRST_PURPOSE: &str;
    /// The functions that seal and open it.
    const SCHEME: Scheme;

    /// Returns the text that is sealed. It is wiped from memory when dropped.
    fn to_plain(&self) -> Zeroizing<String>;

    /// Reads the text that [`to_plain`](Self::to_plain) returned; `None` where it is malformed.
    fn from_plain(text: &str) -> Option<Self>;
}

/// The functions that seal and open a kind of secret, and so the keys that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// consent-callback and fetch-info seal it, and only fetch-info opens it.
    ToFetchInfo,
    /// Only fetch-info seals and opens it.
    WithinFetchInfo,
    /// consent-callback and fetch-info both can.
    ToConsentCallback,
    /// fetch-info seals it, and intake opens it.
    ToIntake,
}

/// A sealed secret. It opens with the brand's key, for what it is bound to and as its own type only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    key_id: String,
    /// Empty where the key is used once, so that nothing needs a nonce.
    nonce: String,
    ciphertext: String,
    /// How it is sealed; `None` for the first stored texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    form: Option<Form>,
}

/// The form of a sealed text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
enum Form {
    /// To a public key, by a sender with a consent key.
    Hpke { encapsulated_key: String, sender_key_id: String },
    /// Under a key that both sides have.
    Shared,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// A failure to seal or open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The brand does not have the sealing key, or this function may not read it.
    #[error("the sealing key is not among the brand's keys")]
    Key,
    /// The text was altered, or is bound to something else, or is another type's.
    #[error("failed to open the sealed secret")]
    Broken,
}

/// Seals a secret for what it is bound to, with the brand's current keys.
///
/// # Errors
/// [`SealError::Key`] when a current key is missing.
pub fn seal<T: Sealable>(
    brand: &Brand,
    binding: &Binding,
    secret: &T,
    random: &dyn Random,
) -> Result<Sealed, SealError> {
    let plain = secret.to_plain();
    let bound = binding.associated_data(T::PURPOSE);
    let mut sealed = match shared_keys(brand, T::SCHEME)? {
        Some(keys) => seal_shared(&keys, &plain, &bound, random)?,
        None => seal_to_public(brand, &plain, &bound, random)?,
    };
    if guards::is_disabled(Guard::SealAtRest) {
        sealed.ciphertext = plain.to_string();
    }
    Ok(sealed)
}

/// Opens a secret of this type that [`seal`] sealed for the same binding.
///
/// # Errors
/// [`SealError`].
pub fn open<T: Sealable>(
    brand: &Brand,
    binding: &Binding,
    sealed: &Sealed,
) -> Result<T, SealError> {
    let plain = match (&sealed.form, shared_keys(brand, T::SCHEME)?) {
        (Some(Form::Hpke { encapsulated_key, sender_key_id }), None) => {
            let bound = binding.associated_data(T::PURPOSE);
            let (Ok(key), Ok(ciphertext)) =
                (STANDARD.decode(encapsulated_key), STANDARD.decode(&sealed.ciphertext))
            else {
                return Err(SealError::Broken);
            };
            let text = EncapsulatedText { key, ciphertext };
            open_with_private(brand, &sealed.key_id, sender_key_id, &text, &bound)?
        }
        (Some(Form::Shared), Some(keys)) => {
            open_shared(&keys, sealed, &binding.associated_data(T::PURPOSE))?
        }
        (None, _) => {
            let keys = brand.sealing.as_ref().ok_or(SealError::Key)?;
            open_shared(keys, sealed, &binding.first_associated_data(T::FIRST_PURPOSE))?
        }
        (Some(Form::Hpke { .. }), Some(_)) | (Some(Form::Shared), None) => {
            return Err(SealError::Broken);
        }
    };
    let text = std::str::from_utf8(&plain).ok();
    text.and_then(T::from_plain).ok_or(SealError::Broken)
}

/// Returns the keys that both sides have; `None` where the secret is sealed to a public key.
fn shared_keys(brand: &Brand, scheme: Scheme) -> Result<Option<KeyRing>, SealError> {
    let keys = match scheme {
        Scheme::ToFetchInfo => return Ok(None),
        Scheme::WithinFetchInfo => brand.sealing.as_ref().map(|keys| keys.derived("saved_card")),
        Scheme::ToConsentCallback => {
            brand.consent.as_ref().map(|keys| keys.derived("redirect_url"))
        }
        Scheme::ToIntake => brand.claims.clone(),
    };
    keys.map(Some).ok_or(SealError::Key)
}

fn seal_shared(
    keys: &KeyRing,
    plain: &str,
    bound: &str,
    random: &dyn Random,
) -> Result<Sealed, SealError> {
    let mut nonce = [0_u8; 12];
    random.fill(&mut nonce);
    let payload = Payload { msg: plain.as_bytes(), aad: bound.as_bytes() };
    let sealed = cipher(keys, &keys.current)?.encrypt(&Nonce::from(nonce), payload);
    let Ok(ciphertext) = sealed else { return Err(SealError::Broken) };
    Ok(Sealed {
        key_id: keys.current.clone(),
        nonce: STANDARD.encode(nonce),
        ciphertext: STANDARD.encode(ciphertext),
        form: Some(Form::Shared),
    })
}

fn open_shared(
    keys: &KeyRing,
    sealed: &Sealed,
    bound: &str,
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let cipher = cipher(keys, &sealed.key_id)?;
    let nonce =
        STANDARD.decode(&sealed.nonce).ok().and_then(|bytes| <[u8; 12]>::try_from(bytes).ok());
    let (Some(nonce), Ok(ciphertext)) = (nonce, STANDARD.decode(&sealed.ciphertext)) else {
        return Err(SealError::Broken);
    };
    let payload = Payload { msg: &ciphertext, aad: bound.as_bytes() };
    match cipher.decrypt(&Nonce::from(nonce), payload) {
        Ok(plain) => Ok(Zeroizing::new(plain)),
        Err(_) => Err(SealError::Broken),
    }
}

fn seal_to_public(
    brand: &Brand,
    plain: &str,
    bound: &str,
    random: &dyn Random,
) -> Result<Sealed, SealError> {
    let (to, senders) = match (&brand.sealing_public, &brand.consent) {
        (Some(to), Some(senders)) => (to, senders),
        (Some(_) | None, None) | (None, Some(_)) => return Err(SealError::Key),
    };
    let public = to.keys.get(&to.current).ok_or(SealError::Key)?;
    let key = senders.keys.get(&senders.current).ok_or(SealError::Key)?;
    let sender = Sender { key: &keys::sealing_key(key, SENDER), key_id: &senders.current };
    let sealed = seal_public::seal(public, &sender, plain.as_bytes(), bound.as_bytes(), random);
    let EncapsulatedText { key, ciphertext } = sealed.ok_or(SealError::Key)?;
    let form = Form::Hpke {
        encapsulated_key: STANDARD.encode(key),
        sender_key_id: senders.current.clone(),
    };
    Ok(Sealed {
        key_id: to.current.clone(),
        nonce: String::new(),
        ciphertext: STANDARD.encode(ciphertext),
        form: Some(form),
    })
}

fn open_with_private(
    brand: &Brand,
    key_id: &str,
    sender_key_id: &str,
    text: &EncapsulatedText,
    bound: &str,
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (Some(private), Some(senders)) = (&brand.sealing, &brand.consent) else {
        return Err(SealError::Key);
    };
    let private = private.keys.get(key_id).ok_or(SealError::Key)?;
    let sender = senders.keys.get(sender_key_id).ok_or(SealError::Key)?;
    let sender = keys::sealing_key(sender, SENDER);
    let sender = Sender { key: &sender, key_id: sender_key_id };
    seal_public::open(private, &sender, text, bound.as_bytes()).ok_or(SealError::Broken)
}

fn cipher(keys: &KeyRing, id: &str) -> Result<Aes256Gcm, SealError> {
    let key = keys.keys.get(id).ok_or(SealError::Key)?;
    Ok(Aes256Gcm::new(key.bytes().into()))
}

#[cfg(test)]
mod tests;
