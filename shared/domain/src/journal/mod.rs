//! The journal of a request: a chain of entries, each with the hash of the entry before it.
//!
//! A hash is taken over the text of an entry as it is stored and exported. A reader recomputes the chain from an export
//! without knowing the fields. A field that is added later breaks no earlier hash.

mod erasing;
mod held;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::caller::Caller;
use crate::consent::Consent;
use crate::digest::digest_hex;
use crate::outcome::DenialReason;
use crate::processor_result::DisputeStatus;
use crate::request::{CancelRedirect, MessageStatus, ReturnBrowser, Reversal, ThreadFact};
use crate::values::id::PromptId;
use crate::values::name::ChannelName;
use crate::values::time::Timestamp;

pub use erasing::ErasedMembers;
pub use held::HeldEntries;

/// A stored entry of a request's journal: its fields, and the text that they were read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// The place in the request's chain, from 1.
    pub seq: u32,
    /// When the change was decided.
    pub at: Timestamp,
    /// The change that the entry explains.
    pub what: EntryKind,
    /// The hash of the entry before; the hash of nothing for the first.
    pub previous: String,
    /// The call that caused the change, of the requester or of the customer's browser; `None` for changes without one.
    pub caller: Option<Caller>,
    /// What was erased of it; `None` for an entry as it was written.
    pub erased: Option<ErasedMembers>,
    /// The JSON text, as it is stored and exported.
    text: String,
}

/// The fields of an entry's text, in the order in which they are written.
#[derive(Serialize, Deserialize)]
struct Fields<K> {
    seq: u32,
    at: Timestamp,
    what: K,
    previous: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    caller: Option<Caller>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    erased: Option<ErasedMembers>,
}

impl JournalEntry {
    /// Writes the entry that follows the entry whose hash is `previous`.
    #[must_use]
    pub fn new(seq: u32, at: Timestamp, what: EntryKind, previous: String) -> Self {
        Self::written(Fields { seq, at, what, previous, caller: None, erased: None })
    }

    /// Returns the same entry with the call that caused it, behind the entry whose hash is `previous`.
    #[must_use]
    pub fn caused_by(self, caller: &Caller, previous: String) -> Self {
        let Self { seq, at, what, .. } = self;
        Self::written(Fields {
            seq,
            at,
            what,
            previous,
            caller: Some(caller.clone()),
            erased: None,
        })
    }

    fn written(fields: Fields<EntryKind>) -> Self {
        let text = serde_json::to_string(&fields).unwrap_or_default();
        let Fields { seq, at, what, previous, caller, .. } = fields;
        Self { seq, at, what, previous, caller, erased: None, text }
    }

    /// Returns the text, as it is stored and exported.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the hash that the next entry carries: SHA-256 over the bytes of the text, in hexadecimal.
    ///
    /// An erased entry has the hash of the text as it was written.
    #[must_use]
    pub fn hash(&self) -> String {
        match &self.erased {
            Some(erased) => erased.hash.clone(),
            None => digest_hex(self.text.as_bytes()),
        }
    }
}

/// Writes the text itself, byte for byte.
impl Serialize for JournalEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<&RawValue>(&self.text) {
            Ok(raw) => raw.serialize(serializer),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}

/// Keeps the text byte for byte, with the fields that this version does not know.
impl<'de> Deserialize<'de> for JournalEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let fields: Fields<EntryKind> =
            serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
        let Fields { seq, at, what, previous, caller, erased } = fields;
        Ok(Self { seq, at, what, previous, caller, erased, text: raw.get().to_owned() })
    }
}

/// A change of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntryKind {
    /// The request was accepted. The entry's caller has the API key, which earlier releases wrote here as well.
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
    /// The customer returned from the hosted page.
    Returned {
        /// The attempt's number, from 1.
        attempt_no: u32,
        /// The browser in which the customer returned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        browser: Option<ReturnBrowser>,
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
    AttemptFailed {
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
    /// The capture of the charge failed.
    CaptureFailed,
    /// The processor reported a dispute of the charge.
    DisputeReported {
        /// The processor's id of the dispute.
        reference: String,
        /// Where it stands.
        status: DisputeStatus,
        /// The disputed amount, in the charge's minor unit; `None` where it is in another currency.
        #[serde(skip_serializing_if = "Option::is_none")]
        amount: Option<u64>,
    },
    /// The processor reported a refund that was not made through us.
    RefundedOutside {
        /// The processor's id of the refund.
        reference: String,
        /// The amount, in the charge's minor unit.
        amount: u64,
        /// Whether it succeeded.
        success: bool,
    },
    /// The processor reported a payment of an attempt that had ended.
    LatePayment {
        /// The attempt's number, from 1.
        attempt_no: u32,
        /// The processor's id of the payment.
        reference: String,
    },
    /// The reversal of a late payment changed.
    ReversalReported {
        /// The attempt's number, from 1.
        attempt_no: u32,
        /// How far it is.
        reversal: Reversal,
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
    /// A channel is tried again: it was busy, or its customer began a conversation.
    Requeued {
        /// The brand's name of the channel.
        channel: ChannelName,
    },
    /// The customer's personal data was erased.
    Erased,
    /// The customer tapped a button of a prompt that no longer counted.
    SpentTap {
        /// The prompt of the button.
        prompt: PromptId,
    },
    /// The customer reported "this is not me" after a denial.
    NotMeReported {
        /// The prompt in whose thread it was reported.
        prompt: PromptId,
    },
    /// A message in the customer's thread is about to be sent, or its status changed.
    Message {
        /// The message's id.
        message: PromptId,
        /// The fact that it tells.
        fact: ThreadFact,
        /// The new status.
        status: MessageStatus,
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
