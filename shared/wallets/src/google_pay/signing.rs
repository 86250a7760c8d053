//! Who signed: a root key of Google's, or a key that one signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::values::time::Timestamp;
use p256::PublicKey;
use p256::pkcs8::DecodePublicKey;
use webpki::ring::ECDSA_P256_SHA256;

use super::wire::{self, Envelope, SignedKey, millis};
use super::{RecipientId, RootKeys};
use crate::Refused;

/// Who signs.
const SENDER: &str = "Google";

/// A public key on P-256 that verifies ECDSA signatures over SHA-256.
#[derive(Debug)]
pub(super) struct VerifyingKey(PublicKey);

impl VerifyingKey {
    /// Reads base64 of DER of a `SubjectPublicKeyInfo`.
    pub(super) fn read(text: &str) -> Option<Self> {
        PublicKey::from_public_key_der(&STANDARD.decode(text).ok()?).ok().map(Self)
    }

    /// Whether the signature, base64 of DER, is this key's over the text.
    fn signed(&self, text: &[u8], signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        let point = self.0.to_sec1_bytes();
        ECDSA_P256_SHA256.verify_signature(&point, text, &signature).is_ok()
    }
}

/// What is signed: each text after its length in bytes, four bytes, little end first.
pub(super) fn joined(texts: &[&str]) -> Option<Vec<u8>> {
    let mut joined = Vec::new();
    for text in texts {
        joined.extend_from_slice(&u32::try_from(text.len()).ok()?.to_le_bytes());
        joined.extend_from_slice(text.as_bytes());
    }
    Some(joined)
}

/// Verifies that Google signed the message for this recipient.
pub(super) fn verify(
    envelope: &Envelope,
    recipient: &RecipientId,
    roots: &RootKeys,
    now: Timestamp,
) -> Result<(), Refused> {
    let protocol = envelope.protocol;
    let roots: Vec<&VerifyingKey> = roots.in_force(protocol, now).collect();
    if roots.is_empty() {
        return Err(Refused::RootKeys);
    }
    let signed = joined(&[SENDER, &recipient.0, protocol.name(), &envelope.signed_message]);
    let signed = signed.ok_or(Refused::Malformed)?;
    let by = |key: &VerifyingKey| key.signed(&signed, &envelope.signature);
    let genuine = match &envelope.intermediate {
        None => roots.iter().any(|root| by(root)),
        Some(key) => by(&vouched_for(key, protocol.name(), &roots, now)?),
    };
    if genuine { Ok(()) } else { Err(Refused::Forged) }
}

/// The intermediate key, once a root key vouches for it and while it is in force.
fn vouched_for(
    key: &SignedKey,
    protocol: &str,
    roots: &[&VerifyingKey],
    now: Timestamp,
) -> Result<VerifyingKey, Refused> {
    let signed = joined(&[SENDER, protocol, &key.signed_key]).ok_or(Refused::Malformed)?;
    let genuine =
        key.signatures.iter().any(|one| roots.iter().any(|root| root.signed(&signed, one)));
    if !genuine {
        return Err(Refused::Forged);
    }
    let key: wire::Key = serde_json::from_str(&key.signed_key).map_err(wire::malformed)?;
    let expires_at = millis(&key.key_expiration).ok_or(Refused::Malformed)?;
    if expires_at <= now {
        return Err(Refused::Expired);
    }
    VerifyingKey::read(&key.key_value).ok_or(Refused::Malformed)
}
