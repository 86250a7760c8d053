//! What happened to a request: a chain of events, each carrying the hash of the one before it.

use serde::{Deserialize, Serialize};

use crate::consent::Consent;
use crate::keys::digest_hex;
use crate::outcome::DenialReason;
use crate::request::CancelRedirect;
use crate::values::id::PromptId;
use crate::values::name::ChannelName;
use crate::values::time::Timestamp;

/// One event, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Its place in the request's chain, from 1.
    pub seq: u32,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: EntryKind,
    /// The hash of the event before it; of nothing for the first.
    pub previous: String,
}

impl JournalEntry {
    /// The hash the next event carries: SHA-256 over this event's JSON, in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        digest_hex(&serde_json::to_vec(self).unwrap_or_default())
    }
}

/// What can happen to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntryKind {
    /// It was accepted from the requester.
    Accepted,
    /// A prompt is about to be sent; whether it is will be known by the next event, or never.
    Sending {
        /// The prompt.
        prompt: PromptId,
        /// Over which channel.
        channel: ChannelName,
        /// Whether it repeats an earlier prompt that was not answered.
        reminder: bool,
    },
    /// Something became of a prompt.
    Prompt {
        /// The prompt.
        prompt: PromptId,
        /// What became of it.
        delivery_status: DeliveryStatus,
    },
    /// The customer said yes, with the evidence.
    Approved {
        /// The evidence.
        consent: Consent,
    },
    /// The customer said no.
    Denied {
        /// In which way.
        reason: DenialReason,
        /// Answering which prompt, if one is known.
        prompt: Option<PromptId>,
    },
    /// A worker took the request to the processor.
    Leased {
        /// Until when it has it.
        until: Timestamp,
    },
    /// The attempt's object is there at the processor.
    Created {
        /// Which attempt.
        attempt_no: u32,
        /// The processor's id for it.
        reference: String,
    },
    /// The call that moves money is about to be made.
    Started {
        /// Which attempt.
        attempt_no: u32,
    },
    /// What became of the attempt is not known yet.
    InDoubt {
        /// Which attempt.
        attempt_no: u32,
    },
    /// The customer has to go on to the processor's own page.
    Redirected {
        /// Which attempt.
        attempt_no: u32,
    },
    /// The customer came back from there with something to use.
    Returned {
        /// Which attempt.
        attempt_no: u32,
    },
    /// What the customer came back with was exchanged for what facts are read with.
    Exchanged {
        /// Which attempt.
        attempt_no: u32,
    },
    /// Somebody wants the customer back from there.
    RedirectCancelled {
        /// Which attempt.
        attempt_no: u32,
        /// Who.
        by: CancelRedirect,
    },
    /// The processor told by callback what became of an attempt.
    AttemptReported {
        /// Which attempt.
        attempt_no: u32,
        /// Whether it succeeded.
        success: bool,
    },
    /// The worker gave the request back, to be taken up again.
    Released {
        /// A stable word for why.
        reason: String,
    },
    /// The processor refused, and the customer may try again.
    CardDeclined {
        /// Which attempt.
        attempt_no: u32,
        /// A stable word for why.
        code: String,
    },
    /// The money moved.
    Fulfilled {
        /// Which attempt.
        attempt_no: u32,
    },
    /// The requester gives money back.
    RefundAsked {
        /// Which refund.
        refund: u32,
        /// How much, in the charge's minor unit.
        amount: u64,
    },
    /// The call that gives it back is about to be made.
    RefundStarted {
        /// Which refund.
        refund: u32,
    },
    /// The worker gave the refund back, to be taken up again.
    RefundReleased {
        /// Which refund.
        refund: u32,
        /// A stable word for why.
        reason: String,
    },
    /// The processor told by callback what became of a refund.
    RefundReported {
        /// Which refund.
        refund: u32,
        /// Whether it succeeded.
        success: bool,
    },
    /// The money is on its way back.
    Refunded {
        /// Which refund.
        refund: u32,
    },
    /// It will not be given back.
    RefundFailed {
        /// Which refund.
        refund: u32,
        /// A stable word for why.
        code: String,
    },
    /// It failed for good.
    Failed {
        /// A stable word for why.
        reason: String,
    },
    /// The deadline passed.
    Expired,
    /// The requester took it back.
    Cancelled,
    /// No route is left.
    Undeliverable {
        /// The last route's stable word for why.
        reason: String,
    },
    /// The deadline moved.
    Extended {
        /// To when.
        until: Timestamp,
        /// Whether the customer asked for it.
        by_customer: bool,
    },
    /// A channel that was busy is tried again behind the other routes.
    Requeued {
        /// Which channel.
        channel: ChannelName,
    },
    /// The requester asked for the prompt once more.
    Resent {
        /// Over which channel, where it said so.
        channel: Option<ChannelName>,
    },
}

/// What can become of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// The provider took it.
    Accepted,
    /// The provider's answer was lost: it may be on its way.
    Unknown,
    /// It reached the phone.
    Delivered,
    /// It was read.
    Read,
    /// Its page was opened.
    Opened,
    /// It will not arrive.
    Failed {
        /// A stable word for why.
        reason: String,
    },
    /// A newer prompt took its place.
    Superseded {
        /// Whether the provider took it back from the phone.
        retracted: bool,
    },
}

impl DeliveryStatus {
    /// The word for it on the timeline.
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
