//! What a yes carries to the processor. It is secret: sealed at rest, and gone once the request is closed.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What the customer's yes carries. `Debug` shows its kind only.
#[derive(Clone)]
pub struct Authorization {
    /// What the secret is.
    pub kind: AuthorizationKind,
    /// The secret itself.
    pub secret: SecretString,
}

/// The kinds of authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationKind {
    /// The id of a payment method that the processor already holds, such as Stripe's `pm_…`.
    PaymentMethod,
    /// An Apple Pay payment token, as JSON text: `{"paymentData", "paymentMethod", "transactionIdentifier"}`.
    ApplePay,
    /// A Google Pay gateway token, as the text of `paymentMethodData.tokenizationData.token`.
    GooglePay,
    /// Nothing: the yes is enough, and the customer gives the rest on the processor's own page.
    Hosted,
    /// A card on file: what its processor charges it by, in that processor's own text.
    KeptCard,
    /// An OAuth authorization code the customer came back with. It works once.
    Code,
    /// An OAuth access token, which a code was exchanged for.
    AccessToken,
    /// Where the customer goes on to at the processor: a URL.
    RedirectUrl,
    /// Facts about the customer, as a JSON object of claims.
    Claims,
}

impl PartialEq for Authorization {
    fn eq(&self, other: &Self) -> bool {
        let (one, two) = (self.secret.expose_secret(), other.secret.expose_secret());
        self.kind == other.kind && crate::keys::same(one, two)
    }
}

impl Eq for Authorization {}

#[derive(Deserialize)]
struct Parts {
    kind: AuthorizationKind,
    secret: SecretString,
}

impl Authorization {
    /// The text that is sealed. It is wiped from memory when dropped.
    #[must_use]
    pub fn to_plain(&self) -> Zeroizing<String> {
        let text = serde_json::json!({ "kind": self.kind, "secret": self.secret.expose_secret() });
        Zeroizing::new(text.to_string())
    }

    /// Reads what [`Authorization::to_plain`] wrote.
    #[must_use]
    pub fn from_plain(text: &str) -> Option<Self> {
        let Parts { kind, secret } = serde_json::from_str(text).ok()?;
        Some(Self { kind, secret })
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization").field("kind", &self.kind).finish_non_exhaustive()
    }
}
