//! What ties a customer who comes back to the attempt that sent them: state, nonce and PKCE verifier, derived and never stored.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::brand::Key32;
use domain::keys;
use domain::values::id::RequestId;
use sha2::{Digest, Sha256};

/// What one attempt at one provider is known by.
pub(super) struct State {
    pub(super) request: RequestId,
    pub(super) attempt_no: u32,
    proof: String,
    /// What the ID token must bring back.
    pub(super) nonce: String,
    verifier: String,
}

impl State {
    /// Of one attempt.
    pub(super) fn of(request: RequestId, attempt_no: u32, key: &Key32, issuer: &str) -> Self {
        let derived = |purpose: &str| {
            keys::derived(key, &format!("openid {purpose} {issuer}"), request, attempt_no)
        };
        let half = |bytes: [u8; 32]| hex::encode(bytes.get(..16).unwrap_or_default());
        Self {
            request,
            attempt_no,
            proof: half(derived("state")),
            nonce: half(derived("nonce")),
            verifier: URL_SAFE_NO_PAD.encode(derived("verifier")),
        }
    }

    /// Reads what [`State`] shows as; `None` for what we did not write.
    pub(super) fn read(text: &str, key: &Key32, issuer: &str) -> Option<Self> {
        let (request, rest) = text.split_once('.')?;
        let (attempt_no, _) = rest.split_once('.')?;
        let state = Self::of(request.parse().ok()?, attempt_no.parse().ok()?, key, issuer);
        keys::same(&state.to_string(), text).then_some(state)
    }

    /// Shown with the code, and to nobody before.
    pub(super) fn verifier(&self) -> &str {
        &self.verifier
    }

    /// What the verifier is recognised by: RFC 7636, `S256`.
    pub(super) fn challenge(&self) -> String {
        challenge(&self.verifier)
    }
}

pub(super) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.request, self.attempt_no, self.proof)
    }
}
