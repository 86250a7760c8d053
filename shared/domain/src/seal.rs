//! Seals authorizations at rest: AES-256-GCM under the brand's key, bound to the request.

use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::authorization::Authorization;
use crate::brand::KeyRing;
use crate::guards;
use crate::guards::Guard;
use crate::random::Random;
use crate::values::id::RequestId;

/// A sealed authorization. It opens with the brand's key, for its own request only.
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
    /// The text was altered, or belongs to another request.
    #[error("failed to open the sealed authorization")]
    Broken,
}

/// Seals an authorization with the brand's current key.
///
/// # Errors
/// [`SealError::Key`] when the current key is missing.
pub fn seal(
    keys: &KeyRing,
    request: RequestId,
    authorization: &Authorization,
    random: &dyn Random,
) -> Result<Sealed, SealError> {
    let mut nonce = [0_u8; 12];
    random.fill(&mut nonce);
    let plain = authorization.to_plain();
    let aad = request.to_string();
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

/// Opens an authorization that [`seal`] sealed for the same request.
///
/// # Errors
/// [`SealError`].
pub fn open(
    keys: &KeyRing,
    request: RequestId,
    sealed: &Sealed,
) -> Result<Authorization, SealError> {
    let cipher = cipher(keys, &sealed.key_id)?;
    let nonce =
        STANDARD.decode(&sealed.nonce).ok().and_then(|bytes| <[u8; 12]>::try_from(bytes).ok());
    let (Some(nonce), Ok(ciphertext)) = (nonce, STANDARD.decode(&sealed.ciphertext)) else {
        return Err(SealError::Broken);
    };
    let aad = request.to_string();
    let payload = Payload { msg: &ciphertext, aad: aad.as_bytes() };
    let Ok(plain) = cipher.decrypt(&Nonce::from(nonce), payload).map(Zeroizing::new) else {
        return Err(SealError::Broken);
    };
    let text = std::str::from_utf8(&plain).ok();
    text.and_then(Authorization::from_plain).ok_or(SealError::Broken)
}

fn cipher(keys: &KeyRing, id: &str) -> Result<Aes256Gcm, SealError> {
    let key = keys.keys.get(id).ok_or(SealError::Key)?;
    Ok(Aes256Gcm::new(key.bytes().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization::AuthorizationKind;
    use crate::brand::Key32;
    use crate::values::time::Timestamp;
    use secrecy::ExposeSecret;
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

    #[test]
    fn seal_opens_after_rotation_for_its_own_request_only() {
        let authorization =
            Authorization { kind: AuthorizationKind::PaymentMethod, secret: "pm_card_visa".into() };
        let sealed = seal(&keys("a"), id(1), &authorization, &Fixed).unwrap();
        assert!(!serde_json::to_string(&sealed).unwrap().contains("pm_card"));
        let opened = open(&keys("b"), id(1), &sealed).unwrap();
        assert_eq!(opened.secret.expose_secret(), "pm_card_visa");
        assert_eq!(open(&keys("a"), id(2), &sealed).unwrap_err(), SealError::Broken);
    }

    #[test]
    fn seal_with_any_changed_character_fails_to_open() {
        let authorization =
            Authorization { kind: AuthorizationKind::GooglePay, secret: "tok".into() };
        let sealed = seal(&keys("a"), id(1), &authorization, &Fixed).unwrap();
        for place in 0..sealed.ciphertext.len() {
            let mut altered = sealed.clone();
            let old = altered.ciphertext.as_bytes()[place];
            let new = if old == b'A' { "B" } else { "A" };
            altered.ciphertext.replace_range(place..=place, new);
            assert!(open(&keys("a"), id(1), &altered).is_err());
        }
    }
}
