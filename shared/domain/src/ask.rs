//! What is wanted, from whom, in which live conversation.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::values::id::{CardId, RequestId};
use crate::values::language::Language;
use crate::values::money::Money;
use crate::values::name::BrandName;
use crate::values::phone::Phone;
use crate::values::text::DisplayText;

/// The facts that can be asked for, by their `OpenID` Connect claim names, in the order a page lists them.
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

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ask {
    /// A payment, once.
    Payment {
        /// How much.
        #[serde(flatten)]
        money: Money,
        /// What for, in the requester's words.
        description: DisplayText<140>,
        /// The card on file to charge, by the id an earlier request for one was fulfilled with.
        #[serde(default, rename = "payment_method", skip_serializing_if = "Option::is_none")]
        card: Option<CardId>,
    },
    /// A card to keep on file.
    PaymentMethod {
        /// What for, in the requester's words.
        description: DisplayText<140>,
    },
    /// Facts about who the customer is.
    Identity {
        /// Which facts, by their `OpenID` claim names: some of [`CLAIMS`].
        claims: Vec<DisplayText<64>>,
        /// What for, in the requester's words.
        description: DisplayText<140>,
    },
}

impl Ask {
    /// The ask's kind, as the API calls it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Payment { .. } => "payment",
            Self::PaymentMethod { .. } => "payment_method",
            Self::Identity { .. } => "identity",
        }
    }

    /// What it is for.
    #[must_use]
    pub fn description(&self) -> &str {
        match self {
            Self::Payment { description, .. }
            | Self::PaymentMethod { description }
            | Self::Identity { description, .. } => description.as_str(),
        }
    }

    /// The card on file it names, where it names one.
    #[must_use]
    pub const fn card(&self) -> Option<CardId> {
        match self {
            Self::Payment { card, .. } => *card,
            Self::PaymentMethod { .. } | Self::Identity { .. } => None,
        }
    }

    /// How much, for a payment.
    #[must_use]
    pub const fn money(&self) -> Option<Money> {
        match self {
            Self::Payment { money, .. } => Some(*money),
            Self::PaymentMethod { .. } | Self::Identity { .. } => None,
        }
    }
}

/// The digest a consent is bound to: exactly this ask, of this payee, in this request.
///
/// Dynamic linking (RTS on SCA, article 5): whoever acts on a consent recomputes it from the stored ask and compares.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AskHash(String);

impl AskHash {
    /// The digest of an ask.
    #[must_use]
    pub fn of(request: RequestId, brand: &BrandName, payee: &str, ask: &Ask) -> Self {
        // Fields in alphabetical order, so that the text is the canonical one of RFC 8785 for these types.
        #[derive(Serialize)]
        struct Bound<'a> {
            ask: &'a Ask,
            brand: &'a BrandName,
            payee: &'a str,
            request: RequestId,
        }
        let text = serde_json::to_vec(&Bound { ask, brand, payee, request }).unwrap_or_default();
        Self(hex::encode(Sha256::digest(text)))
    }

    /// The digest's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        hex::decode(&self.0).unwrap_or_default()
    }

    /// The digest in hexadecimal.
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

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Where they are reached.
    pub phone: Phone,
    /// How they are addressed, if known.
    pub name: Option<DisplayText<60>>,
    /// Their language, if known.
    pub language: Option<Language>,
}

/// The live conversation a request belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// What kind of line the two are on.
    pub kind: SessionKind,
    /// The requester's own id for it: 1 to 128 printable ASCII characters.
    pub id: String,
    /// The requester's id for the agent, human or not.
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
    /// A counter.
    InPerson,
}

/// What the requester attached for itself.
pub type Metadata = BTreeMap<String, String>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::time::Timestamp;

    #[test]
    fn any_change_of_what_the_customer_read_changes_the_digest() {
        let id = RequestId::new(Timestamp::from_millis(1), [1; 10]);
        let other = RequestId::new(Timestamp::from_millis(1), [2; 10]);
        let ask = |amount, currency: &str, text| Ask::Payment {
            money: Money::new(amount, currency.parse().unwrap()).unwrap(),
            description: DisplayText::new(text).unwrap(),
            card: None,
        };
        let brand: BrandName = "acme".parse().unwrap();
        let expected_version = AskHash::of(id, &brand, "Acme", &ask(100, "EUR", "a"));
        assert_ne!(expected_version, AskHash::of(other, &brand, "Acme", &ask(100, "EUR", "a")));
        assert_ne!(expected_version, AskHash::of(id, &brand, "Acne", &ask(100, "EUR", "a")));
        assert_ne!(expected_version, AskHash::of(id, &brand, "Acme", &ask(101, "EUR", "a")));
        assert_ne!(expected_version, AskHash::of(id, &brand, "Acme", &ask(100, "USD", "a")));
        assert_ne!(expected_version, AskHash::of(id, &brand, "Acme", &ask(100, "EUR", "b")));
        assert_eq!(expected_version, AskHash::of(id, &brand, "Acme", &ask(100, "EUR", "a")));
    }
}
