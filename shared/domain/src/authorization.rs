//! The authorization that an approval carries to the processor. It is sealed at rest, and gone once the request is closed.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::seal::{Scheme, Sealable, Sealed};
use crate::values::id::RequestId;

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

/// An approval's content as it is stored with a request: an authorization, or a saved card that only fetch-info opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredAuthorization {
    /// The authorization itself.
    Own(Authorization),
    /// A saved card, with its credential still sealed.
    Card(SealedCard),
}

/// A saved card's sealed credential, with what it is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedCard {
    /// The request that saved the card.
    pub request: RequestId,
    /// The keyed hash of the customer's address that the card was saved for.
    pub address: String,
    /// The credential, which only fetch-info opens.
    pub sealed: Sealed,
}

impl From<Authorization> for StoredAuthorization {
    fn from(authorization: Authorization) -> Self {
        Self::Own(authorization)
    }
}

/// The word that is stored for each variant.
#[derive(Clone, Copy, Serialize, Deserialize)]
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
    SealedCard,
}

#[derive(Deserialize)]
struct StoredForm {
    kind: StoredKind,
    secret: SecretString,
}

impl Authorization {
    fn stored(&self) -> (StoredKind, &str) {
        match self {
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
        }
    }
}

fn to_plain(kind: StoredKind, secret: &str) -> Zeroizing<String> {
    Zeroizing::new(serde_json::json!({ "kind": kind, "secret": secret }).to_string())
}

impl Sealable for StoredAuthorization {
    const PURPOSE: &str = "authorization";
    const FIRST_PURPOSE: &str = "";
    const SCHEME: Scheme = Scheme::ToFetchInfo;

    fn to_plain(&self) -> Zeroizing<String> {
        match self {
            Self::Own(authorization) => {
                let (kind, secret) = authorization.stored();
                to_plain(kind, secret)
            }
            Self::Card(card) => {
                to_plain(StoredKind::SealedCard, &serde_json::json!(card).to_string())
            }
        }
    }

    fn from_plain(text: &str) -> Option<Self> {
        let StoredForm { kind, secret } = serde_json::from_str(text).ok()?;
        let credential = |kind| Self::Own(Credential::new(kind, secret.clone()).into());
        Some(match kind {
            StoredKind::Hosted => Self::Own(Authorization::Hosted),
            StoredKind::PaymentMethod => credential(CredentialKind::PaymentMethod),
            StoredKind::ApplePay => credential(CredentialKind::ApplePay),
            StoredKind::GooglePay => credential(CredentialKind::GooglePay),
            StoredKind::SavedCard => credential(CredentialKind::SavedCard),
            StoredKind::Code => Self::Own(Grant::Code(secret).into()),
            StoredKind::AccessToken => Self::Own(Grant::AccessToken(secret).into()),
            StoredKind::SealedCard => {
                Self::Card(serde_json::from_str(secret.expose_secret()).ok()?)
            }
        })
    }
}
