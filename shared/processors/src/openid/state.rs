//! State, nonce and PKCE verifier, which tie a customer's return to the attempt. They are derived, never stored.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::brand::Key32;
use domain::digest::to_hex;
use domain::keys;
use domain::values::id::RequestId;
use sha2::{Digest, Sha256};

/// The values that identify one attempt at one provider.
pub(super) struct AttemptState {
    pub(super) request: RequestId,
    pub(super) attempt_no: u32,
    proof: String,
    /// The nonce that the ID token must contain.
    pub(super) nonce: String,
    verifier: String,
}

impl AttemptState {
    /// Derives the values of one attempt.
    pub(super) fn of(request: RequestId, attempt_no: u32, key: &Key32, issuer: &str) -> Self {
        let derived = |purpose: &str| {
            keys::derived(key, &format!("openid {purpose} {issuer}"), request, attempt_no)
        };
        let half = |bytes: [u8; 32]| to_hex(bytes.get(..16).unwrap_or_default());
        Self {
            request,
            attempt_no,
            proof: half(derived("state")),
            nonce: half(derived("nonce")),
            verifier: URL_SAFE_NO_PAD.encode(derived("verifier")),
        }
    }

    /// Reads the text of a [`AttemptState`]; `None` for one that this brand's key did not make.
    pub(super) fn read(text: &str, key: &Key32, issuer: &str) -> Option<Self> {
        let (request, rest) = text.split_once('.')?;
        let (attempt_no, _) = rest.split_once('.')?;
        let state = Self::of(request.parse().ok()?, attempt_no.parse().ok()?, key, issuer);
        keys::same(&state.to_string(), text).then_some(state)
    }

    /// Returns the PKCE verifier. It is sent with the code only.
    pub(super) fn verifier(&self) -> &str {
        &self.verifier
    }

    /// Returns the PKCE challenge (RFC 7636, `S256`).
    pub(super) fn challenge(&self) -> String {
        challenge(&self.verifier)
    }
}

pub(super) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

impl fmt::Display for AttemptState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.request, self.attempt_no, self.proof)
    }
}
