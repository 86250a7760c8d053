//! The terminal result of a request.

use serde::{Deserialize, Serialize};

use crate::processor_result::{CardReceipt, ClaimsReceipt, Receipt, Reference};
use crate::values::id::CardId;
use crate::values::name::ProcessorName;

/// The outcome of a request. It never changes (C4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// The processor did what was asked.
    Fulfilled {
        /// The transaction code: short, random, readable aloud.
        transaction_code: String,
        /// The processor that did it.
        processor: ProcessorName,
        /// The details for the requester.
        receipt: Details,
    },
    /// The customer denied.
    Denied {
        /// The reason that the customer gave.
        reason: DenialReason,
    },
    /// The deadline passed without an approval.
    Expired,
    /// The requester cancelled the request.
    Cancelled,
    /// No route reached the customer.
    Undeliverable {
        /// The last route's stable code of the reason.
        reason: String,
    },
    /// The customer approved, and the processor declined or failed.
    Failed {
        /// A stable code, such as `card_declined` or `processor_unavailable`.
        reason: String,
    },
}

/// The details of a fulfilled request. Nothing in them is sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Details {
    /// A payment was charged.
    Payment(Receipt),
    /// A card was saved.
    Card {
        /// The saved card's id for later asks.
        card: CardId,
        /// The card's details.
        #[serde(flatten)]
        receipt: CardReceipt,
    },
    /// Claims were released. They are kept apart, sealed, for a limited time.
    Claims(ClaimsReceipt),
}

/// The reason of a denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DenialReason {
    /// The customer denied.
    Customer,
    /// The customer reported "this is not me".
    NotMe,
    /// A wrong session code was picked: the person with the phone does not hear the agent.
    WrongSessionCode,
    /// The customer opted out of the brand's messages.
    OptedOut,
}

impl DenialReason {
    /// Returns the stable code of the reason.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::NotMe => "not_me",
            Self::WrongSessionCode => "wrong_session_code",
            Self::OptedOut => "opted_out",
        }
    }
}

impl Outcome {
    /// Returns the stable code of the reason; `None` where the state says everything.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Denied { reason } => Some(reason.as_str()),
            Self::Undeliverable { reason } | Self::Failed { reason } => Some(reason),
            Self::Fulfilled { .. } | Self::Expired | Self::Cancelled => None,
        }
    }

    /// Returns the transaction code; `None` unless the request is fulfilled.
    #[must_use]
    pub fn transaction_code(&self) -> Option<&str> {
        match self {
            Self::Fulfilled { transaction_code, .. } => Some(transaction_code),
            Self::Denied { .. }
            | Self::Expired
            | Self::Cancelled
            | Self::Undeliverable { .. }
            | Self::Failed { .. } => None,
        }
    }

    /// Returns the processor's own id of what it did; `None` where it did nothing, or released claims.
    #[must_use]
    pub const fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Fulfilled { receipt: Details::Payment(receipt), .. } => Some(&receipt.reference),
            Self::Fulfilled { receipt: Details::Card { receipt, .. }, .. } => {
                Some(&receipt.reference)
            }
            Self::Fulfilled { receipt: Details::Claims(_), .. }
            | Self::Denied { .. }
            | Self::Expired
            | Self::Cancelled
            | Self::Undeliverable { .. }
            | Self::Failed { .. } => None,
        }
    }

    /// Returns the request's state, as the API names it.
    #[must_use]
    pub const fn state_name(&self) -> &'static str {
        match self {
            Self::Fulfilled { .. } => "fulfilled",
            Self::Denied { .. } => "denied",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Undeliverable { .. } => "undeliverable",
            Self::Failed { .. } => "failed",
        }
    }
}
