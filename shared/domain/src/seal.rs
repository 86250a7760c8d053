//! Seals secrets at rest: AES-256-GCM under the brand's key, bound to the request and to what the secret is.

use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::brand::KeyRing;
use crate::guards;
use crate::guards::Guard;
use crate::random::Random;
use crate::values::id::RequestId;

/// A secret that can be sealed.
///
/// The purpose is bound to the ciphertext, so that one type's secret never opens as another's.
pub trait Sealable: Sized {
    /// What follows the request's id in the associated data. It differs from every other type's.
    const PURPOSE: &str;

    /// Returns the text that is sealed. It is wiped from memory when dropped.
    fn to_plain(&self) -> Zeroizing<String>;

    /// Reads the text that [`to_plain`](Self::to_plain) returned; `None` where it is malformed.
    fn from_plain(text: &str) -> Option<Self>;
}

/// A sealed secret. It opens with the brand's key, for its own request and as its own type only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    key_id: String,
    nonce: String,
    ciphertext: String,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// A failure to seal or open.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The brand does not have the sealing key.
    #[error("the sealing key is not among the brand's keys")]
    Key,
    /// The text was altered, or belongs to another request, or is another type's.
    #[error("failed to open the sealed secret")]
    Broken,
}

/// Seals a secret with the brand's current key.
///
/// # Errors
/// [`SealError::Key`] when the current key is missing.
pub fn seal<T: Sealable>(
    keys: &KeyRing,
    request: RequestId,
    secret: &T,
    random: &dyn Random,
) -> Result<Sealed, SealError> {
    let mut nonce = [0_u8; 12];
    random.fill(&mut nonce);
    let plain = secret.to_plain();
    let aad = associated_data::<T>(request);
    let payload = Payload { msg: plain.as_bytes(), aad: aad.as_bytes() };
    let sealed = cipher(keys, &keys.current)?.encrypt(&Nonce::from(nonce), payload);
    let Ok(ciphertext) = sealed else { return Err(SealError::Broken) };
    let ciphertext = if guards::is_disabled(Guard::SealAtRest) {
        plain.to_string()
    } else {
        STANDARD.encode(ciphertext)
    };
    Ok(Sealed { key_id: keys.current.clone(), nonce: STANDARD.encode(nonce), ciphertext })
}

/// Opens a secret of this type that [`seal`] sealed for the same request.
///
/// # Errors
/// [`SealError`].
pub fn open<T: Sealable>(
    keys: &KeyRing,
    request: RequestId,
    sealed: &Sealed,
) -> Result<T, SealError> {
    let cipher = cipher(keys, &sealed.key_id)?;
    let nonce =
        STANDARD.decode(&sealed.nonce).ok().and_then(|bytes| <[u8; 12]>::try_from(bytes).ok());
    let (Some(nonce), Ok(ciphertext)) = (nonce, STANDARD.decode(&sealed.ciphertext)) else {
        return Err(SealError::Broken);
    };
    let aad = associated_data::<T>(request);
    let payload = Payload { msg: &ciphertext, aad: aad.as_bytes() };
    let Ok(plain) = cipher.decrypt(&Nonce::from(nonce), payload).map(Zeroizing::new) else {
        return Err(SealError::Broken);
    };
    let text = std::str::from_utf8(&plain).ok();
    text.and_then(T::from_plain).ok_or(SealError::Broken)
}

fn associated_data<T: Sealable>(request: RequestId) -> String {
    format!("{request}{}", T::PURPOSE)
}

fn cipher(keys: &KeyRing, id: &str) -> Result<Aes256Gcm, SealError> {
    let key = keys.keys.get(id).ok_or(SealError::Key)?;
    Ok(Aes256Gcm::new(key.bytes().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization::{Authorization, Credential, CredentialKind};
    use crate::brand::Key32;
    use crate::redirect_url::RedirectUrl;
    use crate::released_claims::ReleasedClaims;
    use crate::values::time::Timestamp;
    use std::collections::BTreeMap;

    struct Fixed;

    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn keys(current: &str) -> KeyRing {
        let keys = [("a", Key32::new([1; 32])), ("b", Key32::new([2; 32]))];
        let keys: BTreeMap<_, _> = keys.into_iter().map(|(id, key)| (id.to_owned(), key)).collect();
        KeyRing { current: current.to_owned(), keys }
    }

    fn id(random: u8) -> RequestId {
        RequestId::new(Timestamp::from_millis(1), [random; 10])
    }

    fn card(secret: &str) -> Authorization {
        Credential::new(CredentialKind::PaymentMethod, secret).into()
    }

    #[test]
    fn seal_opens_as_its_own_type_only() {
        let (keys, id) = (keys("a"), id(1));
        let url = RedirectUrl("https://pay.example.com".to_owned());
        let claims = ReleasedClaims(r#"{"kind":"code","secret":"c0de"}"#.into());
        let sealed_url = seal(&keys, id, &url, &Fixed).unwrap();
        let sealed_claims = seal(&keys, id, &claims, &Fixed).unwrap();
        assert_eq!(open(&keys, id, &sealed_url), Ok(url));
        assert_eq!(open(&keys, id, &sealed_claims), Ok(claims));
        assert_eq!(open::<Authorization>(&keys, id, &sealed_claims), Err(SealError::Broken));
        assert_eq!(open::<RedirectUrl>(&keys, id, &sealed_claims), Err(SealError::Broken));
        assert_eq!(open::<ReleasedClaims>(&keys, id, &sealed_url), Err(SealError::Broken));
        let sealed_card = seal(&keys, id, &card("tok"), &Fixed).unwrap();
        assert_eq!(open::<ReleasedClaims>(&keys, id, &sealed_card), Err(SealError::Broken));
    }

    #[test]
    fn seal_opens_after_rotation_for_its_own_request_only() {
        let authorization = card("pm_card_visa");
        let sealed = seal(&keys("a"), id(1), &authorization, &Fixed).unwrap();
        assert!(!serde_json::to_string(&sealed).unwrap().contains("pm_card"));
        let opened: Authorization = open(&keys("b"), id(1), &sealed).unwrap();
        assert_eq!(opened, authorization);
        assert_ne!(opened, card("pm_card_mastercard"));
        let other = open::<Authorization>(&keys("a"), id(2), &sealed);
        assert_eq!(other.unwrap_err(), SealError::Broken);
    }

    #[test]
    fn seal_with_any_changed_character_fails_to_open() {
        let sealed = seal(&keys("a"), id(1), &card("tok"), &Fixed).unwrap();
        for place in 0..sealed.ciphertext.len() {
            let mut altered = sealed.clone();
            let old = altered.ciphertext.as_bytes()[place];
            let new = if old == b'A' { "B" } else { "A" };
            altered.ciphertext.replace_range(place..=place, new);
            assert!(open::<Authorization>(&keys("a"), id(1), &altered).is_err());
        }
    }
}
