//! Apple's own words around the encrypted part: base64 and hexadecimal in JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::PublicKey;
use p256::pkcs8::DecodePublicKey;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{Refused, TEXT_MAX};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    payment_data: PaymentData,
}

#[derive(Deserialize)]
struct PaymentData {
    version: String,
    data: String,
    signature: String,
    header: Header,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    /// `RSA_v1` has a `wrappedKey` in its place.
    ephemeral_public_key: Option<String>,
    public_key_hash: String,
    transaction_id: String,
    application_data: Option<String>,
}

/// A token of the right version, decoded and not yet verified.
pub(super) struct Sealed {
    /// CMS, in BER.
    pub(super) signature: Vec<u8>,
    /// What is encrypted, and its tag.
    pub(super) data: Vec<u8>,
    /// The key that the wallet made for this token.
    pub(super) ephemeral_key: PublicKey,
    pub(super) public_key_hash: [u8; 32],
    /// Unique to the token. Covered by the signature alone, not by the encryption.
    pub(super) transaction_id: [u8; 32],
    ephemeral_key_der: Vec<u8>,
    application_data: Option<[u8; 32]>,
}

/// Reads a token's text.
pub(super) fn read(text: &str) -> Result<Sealed, Refused> {
    if text.len() > TEXT_MAX {
        return Err(Refused::Malformed);
    }
    let token: Token = serde_json::from_str(text).map_err(|_not_quoted| Refused::Malformed)?;
    let PaymentData { version, data, signature, header } = token.payment_data;
    match version.as_str() {
        "EC_v1" => sealed(&data, &signature, &header).ok_or(Refused::Malformed),
        _ => Err(Refused::Unsupported),
    }
}

/// The signed content is four fields end to end, and nothing tells where one ends. So the two at the end have one length
/// each: otherwise the end of the transaction's id could be said to be application data, and a token would have many ids.
fn sealed(data: &str, signature: &str, header: &Header) -> Option<Sealed> {
    let ephemeral_key_der = STANDARD.decode(header.ephemeral_public_key.as_ref()?).ok()?;
    let application_data = match &header.application_data {
        Some(text) => Some(digest(text)?),
        None => None,
    };
    Some(Sealed {
        signature: STANDARD.decode(signature).ok()?,
        data: STANDARD.decode(data).ok()?,
        ephemeral_key: PublicKey::from_public_key_der(&ephemeral_key_der).ok()?,
        public_key_hash: STANDARD.decode(&header.public_key_hash).ok()?.try_into().ok()?,
        transaction_id: hex::decode(&header.transaction_id).ok()?.try_into().ok()?,
        ephemeral_key_der,
        application_data,
    })
}

/// A SHA-256 in hexadecimal or base64: those who write about Apple's format disagree, and the two cannot be confused.
fn digest(text: &str) -> Option<[u8; 32]> {
    let bytes = match text.len() {
        64 => hex::decode(text).ok()?,
        _ => STANDARD.decode(text).ok()?,
    };
    bytes.try_into().ok()
}

impl Sealed {
    /// SHA-256 of what Apple signs.
    pub(super) fn signed_digest(&self) -> [u8; 32] {
        let mut content = Sha256::new();
        content.update(&self.ephemeral_key_der);
        content.update(&self.data);
        content.update(self.transaction_id);
        content.update(self.application_data.as_ref().map_or(&[][..], |hash| &hash[..]));
        content.finalize().into()
    }

    /// Whether the token was given with this `applicationData`, where any is expected.
    pub(super) fn is_bound_to(&self, expected: Option<&[u8]>) -> bool {
        match expected {
            Some(data) => self.application_data == Some(Sha256::digest(data).into()),
            None => true,
        }
    }
}
