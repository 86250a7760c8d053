//! The messages on the queues: pointers, never data.

use serde::{Deserialize, Serialize};

use crate::brand::Mode;
use crate::values::id::{CardId, RequestId};
use crate::values::name::BrandName;

/// A message: a step that a request owes. Newer releases read the messages of older ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum Message {
    /// Version 1.
    #[serde(rename = "1")]
    V1 {
        /// The step that a worker must run.
        step: Step,
        /// The request that owes the step.
        request: RequestId,
    },
    /// Version 2: a task that belongs to no request.
    #[serde(rename = "2")]
    V2 {
        /// The task that a worker must run.
        task: Task,
    },
}

/// A task that belongs to no request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Task {
    /// Erases a customer.
    EraseCustomer {
        /// The brand whose customer it is.
        brand: BrandName,
        /// Test or live.
        mode: Mode,
        /// The keyed hash of the customer's address.
        address: String,
    },
    /// Takes a saved card off file.
    DetachCard {
        /// The brand for which the card is saved.
        brand: BrandName,
        /// Test or live.
        mode: Mode,
        /// The card's id.
        card: CardId,
    },
    /// Ends the saved cards of all brands whose customers were silent for too long. A daily schedule sends it.
    CheckCards,
}

impl Task {
    /// Returns the kind, as it is written.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::EraseCustomer { .. } => "erase_customer",
            Self::DetachCard { .. } => "detach_card",
            Self::CheckCards => "check_cards",
        }
    }

    /// Returns the brand that the task is of; `None` for a task of all brands.
    #[must_use]
    pub const fn brand(&self) -> Option<&BrandName> {
        match self {
            Self::EraseCustomer { brand, .. } | Self::DetachCard { brand, .. } => Some(brand),
            Self::CheckCards => None,
        }
    }
}

/// A step that a request owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Step {
    /// Sends the prompt over the current route.
    Deliver,
    /// Does what is due: a lost step, a fallback, a reminder, the deadline.
    Check,
    /// Uses the authorization at the processor.
    Fetch,
    /// Refunds money.
    Refund {
        /// The refund's number, from 1.
        seq: u32,
    },
    /// Reverses a payment that succeeded after its attempt had ended.
    Reverse {
        /// The attempt's number, from 1.
        attempt_no: u32,
    },
    /// Delivers webhook events that were stored together.
    Webhook {
        /// The first event's number, from 1.
        seq: u32,
        /// How many events follow it.
        #[serde(default, skip_serializing_if = "is_zero")]
        more: u32,
    },
}

impl Step {
    /// The delivery of one webhook event.
    #[must_use]
    pub const fn webhook(seq: u32) -> Self {
        Self::Webhook { seq, more: 0 }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// A queue between the functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QueueName {
    /// Carries `deliver` and `check` to `send-prompt`.
    Prompts,
    /// Carries `fetch`, `refund`, `reverse` and tasks without a request to `fetch-info`.
    Authorizations,
    /// Carries `webhook` to `fetch-info`.
    Webhooks,
}

impl QueueName {
    /// Every queue.
    pub const ALL: [Self; 3] = [Self::Prompts, Self::Authorizations, Self::Webhooks];

    /// Returns the queue's name in settings, logs and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prompts => "prompts",
            Self::Authorizations => "authorizations",
            Self::Webhooks => "webhooks",
        }
    }
}

impl Message {
    /// Makes a message of the current version.
    #[must_use]
    pub const fn new(step: Step, request: RequestId) -> Self {
        Self::V1 { step, request }
    }

    /// Returns the step and the request; `None` for a task without a request.
    #[must_use]
    pub const fn parts(&self) -> Option<(Step, RequestId)> {
        match self {
            Self::V1 { step, request } => Some((*step, *request)),
            Self::V2 { .. } => None,
        }
    }

    /// Returns the queue that carries the message.
    #[must_use]
    pub const fn queue(&self) -> QueueName {
        match self {
            Self::V1 { step: Step::Deliver | Step::Check, .. } => QueueName::Prompts,
            Self::V1 { step: Step::Webhook { .. }, .. } => QueueName::Webhooks,
            Self::V1 { step: Step::Fetch | Step::Refund { .. } | Step::Reverse { .. }, .. }
            | Self::V2 { .. } => QueueName::Authorizations,
        }
    }
}

/// The result of handling a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageResult {
    /// The step is done, or can never be: the queue deletes the message.
    Done,
    /// A dependency did not answer: the queue delivers the message again, and to the dead letters in the end.
    Again,
}
