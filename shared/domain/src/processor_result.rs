//! What a processor reports of a charge, a saved card, claims or a refund, as it is stored.

use serde::{Deserialize, Serialize};

use crate::values::time::Timestamp;

/// The processor's own id of the object an attempt acts on, such as `pi_…`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(pub String);

/// The receipt of a charge that succeeded. Nothing in it is sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The processor's own id for the requester's books.
    pub reference: Reference,
    /// What was charged, as the processor reports it; compared with the ask.
    pub amount: u64,
    /// The currency's code, as the processor reports it, in capitals.
    pub currency: String,
    /// `card`, or the processor's word for another method.
    pub method: String,
    /// The wallet, where one was used: `apple_pay`, `google_pay`.
    pub wallet: Option<String>,
    /// The card's brand, such as `visa`.
    pub card_brand: Option<String>,
    /// The card's last four digits.
    pub last4: Option<String>,
}

/// The receipt of a saved card. Nothing in it is sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardReceipt {
    /// The processor's own id for the requester's books.
    pub reference: Reference,
    /// The wallet, where one was used.
    pub wallet: Option<String>,
    /// The card's brand, such as `visa`.
    pub card_brand: Option<String>,
    /// The card's last four digits.
    pub last4: Option<String>,
    /// The month it expires, from 1.
    pub exp_month: Option<u8>,
    /// The year it expires, four digits.
    pub exp_year: Option<u16>,
}

/// The receipt of claims, without the claims.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsReceipt {
    /// A keyed hash of the provider's own id for the customer. For one brand, one customer has one hash.
    pub subject: String,
    /// The names of the claims that were released.
    pub released: Vec<String>,
    /// Whether the provider's verified number is the one that was asked; `None` where the provider told none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number_matches: Option<bool>,
    /// When the customer signed in at the provider; `None` where the provider did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<Timestamp>,
    /// The authentication context class of the sign-in; `None` where the provider did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
}

/// The result that a verified webhook reported, for processors that cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedResult {
    /// Whether it succeeded.
    pub success: bool,
    /// The processor's own id for it.
    pub reference: Reference,
    /// A stable word of ours for why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl ReportedResult {
    /// The code of a cancelled attempt. It is final: no other report changes it.
    pub const CANCELLED: &'static str = "cancelled";

    /// The code of a refund that the processor reversed after it had sent it. It is final: a success is an older report.
    pub const REVERSED: &'static str = "refund_failed";

    /// Whether the processor has reversed the refund.
    #[must_use]
    pub fn is_reversed(&self) -> bool {
        !self.success && self.code.as_deref() == Some(Self::REVERSED)
    }

    /// Returns the code of a refund that is reported as failed.
    #[must_use]
    pub fn refund_code(&self) -> &str {
        self.code.as_deref().unwrap_or(Self::REVERSED)
    }

    /// Whether the processor has cancelled the attempt.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        !self.success && self.code.as_deref() == Some(Self::CANCELLED)
    }
}
