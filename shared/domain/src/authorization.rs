//! What an approval carries to the processor. It is secret: sealed at rest, and gone once the request is closed.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::seal::Sealable;

/// The secret that a processor call acts with on the customer's behalf. `Debug` shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// The approval alone: the customer gives the rest on the processor's own page.
    Hosted,
    /// A payment credential.
    Credential(Credential),
    /// What the customer brought back from the processor's page.
    Grant(Grant),
}

/// A payment credential, with which a card is charged or saved. `Debug` shows its kind only.
#[derive(Clone)]
pub struct Credential {
    /// The type of the secret.
    pub kind: CredentialKind,
    /// The secret itself.
    pub secret: SecretString,
}

/// The kinds of payment credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// The id of a payment method that the processor already holds, such as Stripe's `pm_…`.
    PaymentMethod,
    /// An Apple Pay payment token, as JSON text: `{"paymentData", "paymentMethod", "transactionIdentifier"}`.
    ApplePay,
    /// A Google Pay gateway token, as the text of `paymentMethodData.tokenizationData.token`.
    GooglePay,
    /// The processor's own text with which it charges a saved card.
    SavedCard,
}

/// An OAuth grant, or a processor's equivalent of one. `Debug` shows its kind only.
#[derive(Clone)]
pub enum Grant {
    /// The code that the customer returned with: an OAuth authorization code, or Adyen's `redirectResult`. It works once.
    Code(SecretString),
    /// An OAuth access token, for which a code was exchanged.
    AccessToken(SecretString),
}

impl Credential {
    /// Creates a credential of this kind.
    #[must_use]
    pub fn new(kind: CredentialKind, secret: impl Into<SecretString>) -> Self {
        Self { kind, secret: secret.into() }
    }
}

impl From<Credential> for Authorization {
    fn from(credential: Credential) -> Self {
        Self::Credential(credential)
    }
}

impl From<Grant> for Authorization {
    fn from(grant: Grant) -> Self {
        Self::Grant(grant)
    }
}

impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && is_same(&self.secret, &other.secret)
    }
}

impl Eq for Credential {}

impl PartialEq for Grant {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Code(one), Self::Code(two))
            | (Self::AccessToken(one), Self::AccessToken(two)) => is_same(one, two),
            (Self::Code(_), Self::AccessToken(_)) | (Self::AccessToken(_), Self::Code(_)) => false,
        }
    }
}

impl Eq for Grant {}

fn is_same(one: &SecretString, two: &SecretString) -> bool {
    crate::keys::same(one.expose_secret(), two.expose_secret())
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code(_) => "Code(…)",
            Self::AccessToken(_) => "AccessToken(…)",
        })
    }
}

/// The word that is stored for each variant.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredKind {
    Hosted,
    PaymentMethod,
    ApplePay,
    GooglePay,
    #[serde(rename = "kept_card")]
    SavedCard,
    Code,
    AccessToken,
}

#[derive(Deserialize)]
struct Stored {
    kind: StoredKind,
    secret: SecretString,
}

impl Sealable for Authorization {
    const PURPOSE: &str = "";

    fn to_plain(&self) -> Zeroizing<String> {
        let (kind, secret) = match self {
            Self::Hosted => (StoredKind::Hosted, ""),
            Self::Credential(Credential { kind, secret }) => {
                let kind = match kind {
                    CredentialKind::PaymentMethod => StoredKind::PaymentMethod,
                    CredentialKind::ApplePay => StoredKind::ApplePay,
                    CredentialKind::GooglePay => StoredKind::GooglePay,
                    CredentialKind::SavedCard => StoredKind::SavedCard,
                };
                (kind, secret.expose_secret())
            }
            Self::Grant(Grant::Code(code)) => (StoredKind::Code, code.expose_secret()),
            Self::Grant(Grant::AccessToken(token)) => {
                (StoredKind::AccessToken, token.expose_secret())
            }
        };
        Zeroizing::new(serde_json::json!({ "kind": kind, "secret": secret }).to_string())
    }

    fn from_plain(text: &str) -> Option<Self> {
        let Stored { kind, secret } = serde_json::from_str(text).ok()?;
        let credential = |kind| Credential::new(kind, secret.clone()).into();
        Some(match kind {
            StoredKind::Hosted => Self::Hosted,
            StoredKind::PaymentMethod => credential(CredentialKind::PaymentMethod),
            StoredKind::ApplePay => credential(CredentialKind::ApplePay),
            StoredKind::GooglePay => credential(CredentialKind::GooglePay),
            StoredKind::SavedCard => credential(CredentialKind::SavedCard),
            StoredKind::Code => Grant::Code(secret).into(),
            StoredKind::AccessToken => Grant::AccessToken(secret).into(),
        })
    }
}
