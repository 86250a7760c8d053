//! The journal of a request: a chain of entries, each with the hash of the entry before it.

use serde::{Deserialize, Serialize};

use crate::consent::Consent;
use crate::keys::digest_hex;
use crate::outcome::DenialReason;
use crate::request::CancelRedirect;
use crate::values::id::PromptId;
use crate::values::name::ChannelName;
use crate::values::time::Timestamp;

/// A stored entry of a request's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// The place in the request's chain, from 1.
    pub seq: u32,
    /// When the change was decided.
    pub at: Timestamp,
    /// The change that the entry explains.
    pub what: EntryKind,
    /// The hash of the entry before; the hash of nothing for the first.
    pub previous: String,
}

impl JournalEntry {
    /// Returns the hash that the next entry carries: SHA-256 over this entry's JSON, in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        digest_hex(&serde_json::to_vec(self).unwrap_or_default())
    }
}

/// A change of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntryKind {
    /// The request was accepted.
    Accepted,
    /// A prompt is about to be sent. The next entry says whether it was, unless the worker died.
    Sending {
        /// The id of the prompt, new for each route and reminder.
        prompt: PromptId,
        /// The channel that the prompt is sent over.
        channel: ChannelName,
        /// Whether it repeats an earlier prompt without an answer.
        reminder: bool,
    },
    /// The delivery status of a prompt changed.
    Prompt {
        /// The id of the prompt that changed.
        prompt: PromptId,
        /// The new status.
        delivery_status: DeliveryStatus,
    },
    /// The customer approved.
    Approved {
        /// The evidence of the approval.
        consent: Consent,
    },
    /// The customer denied.
    Denied {
        /// The reason of the denial.
        reason: DenialReason,
        /// The prompt that was answered; `None` where it is unknown, as for an opt-out.
        prompt: Option<PromptId>,
    },
    /// A worker took the lease.
    Leased {
        /// When the lease ends.
        until: Timestamp,
    },
    /// The processor created the attempt's object.
    Created {
        /// The attempt's number, from 1.
        attempt_no: u32,
        /// The processor's id of the object.
        reference: String,
    },
    /// The call that moves money is about to be made.
    Started {
        /// The attempt's number, from 1.
        attempt_no: u32,
    },
    /// The attempt's result is unknown: money may have moved.
    InDoubt {
        /// The attempt's number, from 1.
        attempt_no: u32,
    },
    /// The customer is redirected to the hosted page.
    Redirected {
        /// The attempt's number, from 1.
        attempt_no: u32,
    },
    /// The customer returned from the hosted page with an authorization.
    Returned {
        /// The attempt's number, from 1.
        attempt_no: u32,
    },
    /// The authorization code was exchanged for an access token.
    Exchanged {
        /// The attempt's number, from 1.
        attempt_no: u32,
    },
    /// The hosted page is abandoned: its attempt is to be cancelled.
    RedirectCancelled {
        /// The attempt's number, from 1.
        attempt_no: u32,
        /// Who abandoned it.
        by: CancelRedirect,
    },
    /// The processor reported an attempt's result by webhook.
    AttemptReported {
        /// The attempt's number, from 1.
        attempt_no: u32,
        /// Whether it succeeded.
        success: bool,
    },
    /// The worker released the lease; another run follows.
    Released {
        /// A stable code of the reason.
        reason: String,
    },
    /// The attempt failed and the customer may try again.
    CardDeclined {
        /// The attempt's number, from 1.
        attempt_no: u32,
        /// A stable code of the reason.
        code: String,
    },
    /// The money moved.
    Fulfilled {
        /// The attempt's number, from 1.
        attempt_no: u32,
    },
    /// The requester asked for a refund.
    RefundAsked {
        /// The refund's number, from 1.
        refund: u32,
        /// The amount, in the charge's minor unit.
        amount: u64,
    },
    /// The refund call is about to be made.
    RefundStarted {
        /// The refund's number, from 1.
        refund: u32,
    },
    /// The worker released the refund; another run follows.
    RefundReleased {
        /// The refund's number, from 1.
        refund: u32,
        /// A stable code of the reason.
        reason: String,
    },
    /// The processor reported a refund's result by webhook.
    RefundReported {
        /// The refund's number, from 1.
        refund: u32,
        /// Whether it succeeded.
        success: bool,
    },
    /// The refund succeeded.
    Refunded {
        /// The refund's number, from 1.
        refund: u32,
    },
    /// The refund failed.
    RefundFailed {
        /// The refund's number, from 1.
        refund: u32,
        /// A stable code of the reason.
        code: String,
    },
    /// The request failed.
    Failed {
        /// A stable code of the reason.
        reason: String,
    },
    /// The deadline passed.
    Expired,
    /// The requester cancelled the request.
    Cancelled,
    /// No route is left.
    Undeliverable {
        /// The last route's stable code of the reason.
        reason: String,
    },
    /// The deadline moved.
    Extended {
        /// The new deadline.
        until: Timestamp,
        /// Whether the customer asked for more time.
        by_customer: bool,
    },
    /// A busy channel was moved behind the other routes.
    Requeued {
        /// The brand's name of the busy channel.
        channel: ChannelName,
    },
    /// The requester asked for the prompt again.
    Resent {
        /// The channel that the requester named; `None` for the usual order.
        channel: Option<ChannelName>,
    },
}

/// The delivery status of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// The provider accepted the prompt.
    Accepted,
    /// The provider's answer was lost: the prompt may be on its way.
    Unknown,
    /// The prompt reached the phone.
    Delivered,
    /// The prompt was read.
    Read,
    /// The consent page was opened.
    Opened,
    /// The prompt will not arrive.
    Failed {
        /// A stable code of the reason.
        reason: String,
    },
    /// A newer prompt replaced it.
    Superseded {
        /// Whether the provider retracted it from the phone.
        retracted: bool,
    },
}

impl DeliveryStatus {
    /// Returns the status as the timeline names it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Unknown => "unknown",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Opened => "opened",
            Self::Failed { .. } => "failed",
            Self::Superseded { .. } => "superseded",
        }
    }
}
