//! The credential of a saved card, as it is kept between the requests that charge it.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::authorization::{Credential, CredentialKind};
use crate::seal::{Scheme, Sealable};

/// The credential by which a processor charges a saved card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedCredential(pub Credential);

#[derive(Deserialize)]
struct StoredForm {
    kind: String,
    secret: SecretString,
}

/// The stored name of the only kind.
const KIND: &str = "kept_card";

impl SavedCredential {
    /// Creates the credential of this text.
    #[must_use]
    pub fn new(secret: impl Into<SecretString>) -> Self {
        Self(Credential::new(CredentialKind::SavedCard, secret))
    }
}

impl Sealable for SavedCredential {
    const PURPOSE: &str = "saved_card";
    const FIRST_PURPOSE: &str = "";
    const SCHEME: Scheme = Scheme::WithinFetchInfo;

    fn to_plain(&self) -> Zeroizing<String> {
        let secret = self.0.secret.expose_secret();
        Zeroizing::new(serde_json::json!({ "kind": KIND, "secret": secret }).to_string())
    }

    fn from_plain(text: &str) -> Option<Self> {
        let StoredForm { kind, secret } = serde_json::from_str(text).ok()?;
        (kind == KIND).then(|| Self::new(secret))
    }
}
