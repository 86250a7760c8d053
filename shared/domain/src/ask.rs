//! The ask, the customer it goes to, and the session it belongs to.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::digest_hex;
use crate::values::email::Email;
use crate::values::id::{CardId, RequestId};
use crate::values::language::Language;
use crate::values::money::Money;
use crate::values::name::BrandName;
use crate::values::phone::Phone;
use crate::values::text::DisplayText;

/// The claims that can be asked for, by their names in `OpenID` Connect Core 5.1, in the page's order.
pub const CLAIMS: [&str; 10] = [
    "name",
    "given_name",
    "family_name",
    "birthdate",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "address",
    "updated_at",
];

/// An ask: what the business wants from the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ask {
    /// A single payment.
    Payment {
        /// The amount and its currency.
        #[serde(flatten)]
        money: Money,
        /// The purpose, in the requester's words.
        description: DisplayText<140>,
        /// The saved card to charge; `None` lets the customer choose.
        #[serde(default, rename = "payment_method", skip_serializing_if = "Option::is_none")]
        card: Option<CardId>,
    },
    /// A card that the processor saves.
    PaymentMethod {
        /// The purpose, in the requester's words.
        description: DisplayText<140>,
    },
    /// Claims about the customer's identity.
    Identity {
        /// The authentication context classes, one of which the sign-in must meet; empty for any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        acr: Vec<DisplayText<128>>,
        /// The claims' names, each of [`CLAIMS`].
        claims: Vec<DisplayText<64>>,
        /// The purpose, in the requester's words.
        description: DisplayText<140>,
        /// The most seconds since the customer signed in; `None` for any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_age: Option<u32>,
    },
}

impl Ask {
    /// Returns the ask's kind, as the API names it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Payment { .. } => "payment",
            Self::PaymentMethod { .. } => "payment_method",
            Self::Identity { .. } => "identity",
        }
    }

    /// Returns the purpose.
    #[must_use]
    pub fn description(&self) -> &str {
        match self {
            Self::Payment { description, .. }
            | Self::PaymentMethod { description }
            | Self::Identity { description, .. } => description.as_str(),
        }
    }

    /// Returns the saved card that the ask names; `None` where it names none.
    #[must_use]
    pub const fn card(&self) -> Option<CardId> {
        match self {
            Self::Payment { card, .. } => *card,
            Self::PaymentMethod { .. } | Self::Identity { .. } => None,
        }
    }

    /// Returns the amount of a payment; `None` for other asks.
    #[must_use]
    pub const fn money(&self) -> Option<Money> {
        match self {
            Self::Payment { money, .. } => Some(*money),
            Self::PaymentMethod { .. } | Self::Identity { .. } => None,
        }
    }
}

/// The kind of an ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskKind {
    /// A single payment.
    Payment,
    /// A card to save.
    PaymentMethod,
    /// Claims about the customer.
    Identity,
}

impl AskKind {
    /// Returns the kind of an ask.
    #[must_use]
    pub const fn of(ask: &Ask) -> Self {
        match ask {
            Ask::Payment { .. } => Self::Payment,
            Ask::PaymentMethod { .. } => Self::PaymentMethod,
            Ask::Identity { .. } => Self::Identity,
        }
    }
}

/// The digest that a consent is bound to: exactly this ask, of this payee, in this request.
///
/// Dynamic linking (RTS on SCA, article 5): the worker recomputes it from the stored ask before it acts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AskHash(String);

impl AskHash {
    /// Computes the digest of an ask: SHA-256 over its [`text`](Self::text).
    #[must_use]
    pub fn of(request: RequestId, brand: &BrandName, payee: &str, ask: &Ask) -> Self {
        Self(digest_hex(Self::text(request, brand, payee, ask).as_bytes()))
    }

    /// Writes the text that is digested. A record exports it, so that a reader can compute the digest.
    #[must_use]
    pub fn text(request: RequestId, brand: &BrandName, payee: &str, ask: &Ask) -> String {
        // Fields in alphabetical order: for these types the text is then canonical (RFC 8785).
        #[derive(Serialize)]
        struct Bound<'a> {
            ask: &'a Ask,
            brand: &'a BrandName,
            payee: &'a str,
            request: RequestId,
        }
        serde_json::to_string(&Bound { ask, brand, payee, request }).unwrap_or_default()
    }

    /// Returns the digest's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        hex::decode(&self.0).unwrap_or_default()
    }

    /// Returns the digest in hexadecimal.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AskHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The customer who is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The phone number.
    pub phone: Phone,
    /// The e-mail address, for channels that send mail; `None` where it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// The name in prompts; `None` where it is unknown.
    pub name: Option<DisplayText<60>>,
    /// The language of prompts; `None` where it is unknown.
    pub language: Option<Language>,
}

/// The live conversation that a request belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The kind of line.
    pub kind: SessionKind,
    /// The requester's own id of the session: 1 to 128 printable ASCII characters.
    pub id: String,
    /// The requester's id of the agent, human or machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// The kinds of live conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// A call with a person or an AI voice agent.
    Voice,
    /// A call with a menu.
    Ivr,
    /// A written conversation.
    Chat,
    /// A conversation face to face, as at a shop counter.
    InPerson,
}

/// Key-value pairs that the requester attaches for itself.
pub type Metadata = BTreeMap<String, String>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::time::Timestamp;

    #[test]
    fn ask_hash_changes_with_any_field_the_customer_read() {
        let id = RequestId::new(Timestamp::from_millis(1), [1; 10]);
        let other = RequestId::new(Timestamp::from_millis(1), [2; 10]);
        let ask = |amount, currency: &str, text| Ask::Payment {
            money: Money::new(amount, currency.parse().unwrap()).unwrap(),
            description: DisplayText::new(text).unwrap(),
            card: None,
        };
        let brand: BrandName = "acme".parse().unwrap();
        let original = AskHash::of(id, &brand, "Acme", &ask(100, "EUR", "a"));
        assert_ne!(original, AskHash::of(other, &brand, "Acme", &ask(100, "EUR", "a")));
        assert_ne!(original, AskHash::of(id, &brand, "Acne", &ask(100, "EUR", "a")));
        assert_ne!(original, AskHash::of(id, &brand, "Acme", &ask(101, "EUR", "a")));
        assert_ne!(original, AskHash::of(id, &brand, "Acme", &ask(100, "USD", "a")));
        assert_ne!(original, AskHash::of(id, &brand, "Acme", &ask(100, "EUR", "b")));
        assert_eq!(original, AskHash::of(id, &brand, "Acme", &ask(100, "EUR", "a")));
    }
}
