//! A processor's report of a charge, a saved card, claims or a refund, as it is stored.

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
    /// The payment that a cancellation or reversal is of, where the processor names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Reference>,
}

/// A report of a verified webhook about a charge whose request had ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChargeReport {
    /// The capture failed, so that the money never comes.
    CaptureFailed,
    /// A dispute changed.
    Dispute(DisputeReport),
    /// A refund that was not made through us succeeded or failed.
    Refund {
        /// The processor's id of the refund.
        reference: Reference,
        /// The amount, in the minor unit of the charge's currency.
        amount: u64,
        /// Whether the money went back.
        success: bool,
    },
}

/// A report of a dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeReport {
    /// The processor's id of the dispute.
    pub reference: Reference,
    /// Where it stands.
    pub status: DisputeStatus,
    /// The stage in the processor's order of events. Webhooks come in any order.
    pub stage: u8,
    /// The disputed amount, in the minor unit of its currency.
    pub amount: u64,
    /// The currency's code, in capitals. It may differ from the charge's.
    pub currency: String,
}

/// The status of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// The cardholder disputes the charge, and the money is still there.
    Opened,
    /// The money was taken back. The dispute may go on.
    ChargedBack,
    /// The money stays with, or came back to, the brand.
    Won,
    /// The money stays with the cardholder.
    Lost,
}

impl DisputeStatus {
    /// Returns the status as the API names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::ChargedBack => "charged_back",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

impl ReportedResult {
    /// Returns the processor's id of a reported payment: the first word of the reference.
    #[must_use]
    pub fn payment(&self) -> Reference {
        Reference(self.reference.0.split(' ').next().unwrap_or_default().to_owned())
    }

    /// Returns whether a cancellation or reversal may be of that payment.
    #[must_use]
    pub fn is_of(&self, payment: &Reference) -> bool {
        self.original.as_ref().is_none_or(|original| original == payment)
    }

    /// The code of a cancelled attempt. It is final: no other report changes it.
    pub const CANCELLED: &'static str = "cancelled";

    /// The code of a refund, or of a cancellation, that the processor took back after it had reported it.
    ///
    /// It is final: a success is an older report.
    pub const REVERSED: &'static str = "refund_failed";

    /// Returns whether the processor has taken back the refund or the cancellation.
    #[must_use]
    pub fn is_reversed(&self) -> bool {
        !self.success && self.code.as_deref() == Some(Self::REVERSED)
    }

    /// Returns the code of a refund that is reported as failed.
    #[must_use]
    pub fn refund_code(&self) -> &str {
        self.code.as_deref().unwrap_or(Self::REVERSED)
    }

    /// The code of a cancellation that the processor could not carry out. It says nothing about the money.
    pub const CANCEL_FAILED: &'static str = "cancel_failed";

    /// The code of a reversal that the processor could not carry out. The payment stays.
    pub const REVERSAL_FAILED: &'static str = "reversal_failed";

    /// Returns whether the processor could not reverse a payment.
    #[must_use]
    pub fn is_reversal_failed(&self) -> bool {
        !self.success && self.code.as_deref() == Some(Self::REVERSAL_FAILED)
    }

    /// Returns whether this success was to be reversed, and the processor could not.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.success && self.code.as_deref() == Some(Self::REVERSAL_FAILED)
    }

    /// Returns whether the processor could not cancel the attempt: it was captured, declined, or never made.
    #[must_use]
    pub fn is_cancel_failed(&self) -> bool {
        !self.success && self.code.as_deref() == Some(Self::CANCEL_FAILED)
    }

    /// Returns whether the processor has cancelled the attempt.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        !self.success && self.code.as_deref() == Some(Self::CANCELLED)
    }
}
