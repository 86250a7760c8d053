//! The terminal result of a request.

use serde::{Deserialize, Serialize};

use crate::ports::{CardReceipt, ClaimsReceipt, Receipt};
use crate::values::id::CardId;
use crate::values::name::ProcessorName;

/// How a request ended. It never changes once it is there (C4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// The authorization was used and the money moved.
    Fulfilled {
        /// Short, random, readable aloud.
        transaction_code: String,
        /// Who moved it.
        processor: ProcessorName,
        /// What is known of it and may be told.
        receipt: Details,
    },
    /// The customer said no.
    Denied {
        /// In which way.
        reason: DenialReason,
    },
    /// The deadline passed without a yes.
    Expired,
    /// The requester took it back.
    Cancelled,
    /// No route reached the customer.
    Undeliverable {
        /// The last route's stable word for why.
        reason: String,
    },
    /// There was a yes, and the processor would not or could not.
    Failed {
        /// A stable word, such as `card_declined` or `processor_unavailable`.
        reason: String,
    },
}

/// What is known of a fulfilled request and may be told: nothing of it is sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Details {
    /// The money moved.
    Payment(Receipt),
    /// The card is on file.
    Card {
        /// What later asks call it.
        card: CardId,
        /// What is known of it.
        #[serde(flatten)]
        receipt: CardReceipt,
    },
    /// The facts are kept apart, sealed and for a while.
    Claims(ClaimsReceipt),
}

/// The ways to say no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DenialReason {
    /// No.
    Customer,
    /// No, and it was reported as unexpected.
    NotMe,
    /// A wrong session code was picked: whoever holds the phone does not hear the agent.
    WrongSessionCode,
    /// The customer wants no messages from this brand.
    OptedOut,
}

impl Outcome {
    /// The state a request with this outcome is in, as the API calls it.
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
