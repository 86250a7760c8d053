//! The request: one ask to one customer, with a deadline. It is the aggregate.
//!
//! Commands are methods that return a [`Change`] or a [`Refusal`]. Each has one arm per state.

mod aftermath;
mod answering;
mod attempt;
mod change;
mod closing;
mod entry;
mod erasing;
mod fetching;
mod hosted_page;
mod late_payments;
mod not_me;
mod prompt_mac;
mod prompting;
mod refund_reports;
mod refunding;
mod thread;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use aftermath::{Aftermath, DisputeRecord, OutsideRefund};
pub use answering::CodeCheck;
pub use attempt::{Attempt, AttemptEnd, AttemptState};
pub use change::{Change, WebhookEventType};
pub use closing::LIFETIME_MAX;
pub use entry::CUSTOMER_MUST_START;
pub use fetching::{Doubt, LEASE};
pub use hosted_page::{CancelRedirect, Redirect, RedirectState, ReturnBrowser};
pub use late_payments::{LatePayment, Reversal};
pub use prompting::{BUSY_RETRY, CHANNEL_BUSY, NextPrompt, PromptRecord, PromptStatus};
pub use refunding::{REFUNDS_MAX, RefundEnd, RefundRecord, RefundRetry};
pub use thread::{Answer, FollowUp, MessageStatus, OwedMessage, Thread, ThreadFact, ThreadMessage};

use crate::api_key::{KeyKind, KeyRef};
use crate::ask::{Ask, AskHash, Customer, Metadata, Session};
use crate::brand::Mode;
use crate::card_name::CardName;
use crate::consent::{Consent, SessionCode};
use crate::guards;
use crate::guards::Guard;
use crate::journal::HeldEntries;
use crate::outcome::Outcome;
use crate::seal::Sealed;
use crate::values::id::{PromptId, RequestId};
use crate::values::language::Language;
use crate::values::name::{BrandName, ChannelName, ProcessorName};
use crate::values::time::Timestamp;

/// A request of a brand to its customer, with all that happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The request's id.
    pub id: RequestId,
    /// The name of the brand that asks.
    pub brand: BrandName,
    /// Test or live, as the API key decides.
    pub mode: Mode,
    /// The brand's legal name at acceptance, which the customer reads and consents to.
    pub payee: String,
    /// The customer who is asked.
    pub customer: Customer,
    /// The language of the customer's messages, among those that have texts. `None` for requests from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The keyed hash of the customer's address.
    pub address: String,
    /// The live session between the requester and the customer.
    pub session: Session,
    /// The payment, saved card or claims that are asked for.
    pub ask: Ask,
    /// The digest that a consent must carry.
    pub ask_hash: AskHash,
    /// The processor that will use the authorization.
    pub processor: ProcessorName,
    /// The channels to try, best first.
    pub routes: Vec<ChannelName>,
    /// The number of routes used so far.
    pub routes_used: usize,
    /// The session code; `None` where the ask needs none.
    pub session_code: Option<SessionCode>,
    /// Whether a tap in the message is enough to approve.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_tap: bool,
    /// The API key that asked; `None` for requests from before keys had ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyRef>,
    /// The requester's metadata.
    pub metadata: Metadata,
    /// Whether the requester gets webhook events.
    pub notify: bool,
    /// The wait for a delivery receipt before the next route, in seconds.
    pub fallback_seconds: u32,
    /// The most attempts.
    pub attempts_max: u32,
    /// The retention after the end, in seconds.
    pub retention_seconds: u64,
    /// When the request was accepted.
    pub created_at: Timestamp,
    /// The deadline of an approval.
    pub expires_at: Timestamp,
    /// Whether the customer asked for more time.
    pub customer_extended: bool,
    /// The state, which transitions alone may change.
    pub state: State,
    /// The prompts so far, oldest first.
    pub prompts: Vec<PromptRecord>,
    /// The attempts at the processor so far, oldest first.
    pub attempts: Vec<Attempt>,
    /// The refunds of what was charged, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<RefundRecord>,
    /// What happened to the charge since.
    #[serde(default, skip_serializing_if = "Aftermath::is_empty")]
    pub aftermath: Aftermath,
    /// The threads of the prompts: the customer's answer, and the messages beside the prompts and after it.
    #[serde(default, skip_serializing_if = "Thread::is_empty")]
    pub thread: Box<Thread>,
    /// The channel on which the customer began by an entry link; `None` where they did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<ChannelName>,
    /// The saved card that the ask names, as the customer reads it; `None` where it names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Box<CardName>>,
    /// When the customer's personal data was erased; `None` before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Timestamp>,
    /// The timeline for the requester, oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// The newest journal entries, which are stored with the request. Older ones are items of their own.
    #[serde(default, skip_serializing_if = "HeldEntries::is_empty")]
    pub journal: HeldEntries,
    /// The number of journal entries.
    pub entries: u32,
    /// The hash of the last journal entry.
    pub chain: String,
    /// The number of webhook events.
    pub webhooks: u32,
}

/// The state of a request. Each variant carries exactly the data that is valid in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// The request was accepted, and no prompt is out.
    Pending,
    /// A channel accepted a prompt.
    Prompted,
    /// A verified approval is stored, sealed.
    Authorized {
        /// The evidence of the customer's approval.
        consent: Consent,
        /// The sealed authorization.
        sealed: Sealed,
    },
    /// A worker has the lease and is at the processor.
    Processing {
        /// The evidence of the customer's approval.
        consent: Consent,
        /// The sealed authorization.
        sealed: Sealed,
        /// When the lease ends.
        lease: Timestamp,
    },
    /// The request ended.
    Closed {
        /// The result that the requester gets.
        outcome: Outcome,
        /// When it ended.
        at: Timestamp,
    },
}

/// An entry of the timeline that the requester sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// When it happened.
    pub at: Timestamp,
    /// A stable code of the event.
    pub what: String,
    /// The channel; `None` where the event concerns no channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelName>,
    /// A stable code of the reason; `None` where there is no reason to give.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The reason why a command does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request has ended.
    #[error("the request has ended")]
    Closed,
    /// The customer approved already.
    #[error("the customer approved already")]
    Authorized,
    /// No prompt was sent yet.
    #[error("no prompt was sent yet")]
    Early,
    /// The deadline has passed.
    #[error("the deadline has passed")]
    Late,
    /// The prompt is not one of the request's, or was superseded.
    #[error("the prompt is not in force")]
    Prompt,
    /// Another worker has the request.
    #[error("another worker has the request")]
    Leased,
    /// The worker lost the lease, or the attempt is in another step.
    #[error("the attempt is in another step")]
    Step,
    /// A limit of the request is reached.
    #[error("a limit of the request is reached")]
    Limit,
}

impl Request {
    /// Returns the state as the API names it.
    #[must_use]
    pub const fn state_name(&self) -> &'static str {
        match &self.state {
            State::Pending => "pending",
            State::Prompted => "prompted",
            State::Authorized { .. } => "authorized",
            State::Processing { .. } => "processing",
            State::Closed { outcome, .. } => outcome.state_name(),
        }
    }

    /// Returns whether an AI agent asks, which the customer reads.
    #[must_use]
    pub fn is_by_assistant(&self) -> bool {
        self.key.as_ref().is_some_and(|key| key.kind == KeyKind::AiAgent)
    }

    /// Returns whether the request has ended.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// Returns the outcome; `None` while the request is open.
    #[must_use]
    pub const fn outcome(&self) -> Option<&Outcome> {
        match &self.state {
            State::Closed { outcome, .. } => Some(outcome),
            State::Pending
            | State::Prompted
            | State::Authorized { .. }
            | State::Processing { .. } => None,
        }
    }

    /// Returns when the request ended; `None` while it is open.
    #[must_use]
    pub const fn ended_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Closed { at, .. } => Some(*at),
            State::Pending
            | State::Prompted
            | State::Authorized { .. }
            | State::Processing { .. } => None,
        }
    }

    /// Returns whether an answer can still count.
    #[must_use]
    pub const fn is_open_to_answers(&self) -> bool {
        matches!(self.state, State::Pending | State::Prompted)
    }

    /// Returns the wait for a delivery receipt before the next route.
    #[must_use]
    pub fn fallback(&self) -> Duration {
        Duration::from_secs(u64::from(self.fallback_seconds))
    }

    /// Returns the prompt of an id; `None` for another request's.
    #[must_use]
    pub fn prompt(&self, id: PromptId) -> Option<&PromptRecord> {
        self.prompts.iter().find(|prompt| prompt.id == id)
    }

    /// Returns the empty change, for a repeat.
    #[must_use]
    pub fn unchanged(&self, now: Timestamp) -> Change {
        Change::of(self, now)
    }

    /// Returns the wait until the next `check`; `None` when nothing is left to check.
    ///
    /// A `check` repeats a lost step, falls back to the next route, reminds, and expires.
    #[must_use]
    pub fn next_check(&self, now: Timestamp) -> Option<Duration> {
        let soon = now.after(Duration::from_secs(10));
        let owed = self.owed_message().map(|_| soon);
        let due = match &self.state {
            State::Pending | State::Prompted if owed.is_some() || self.awaits_sending() => soon,
            State::Pending | State::Prompted => {
                let quiet = self.falls_back_at().or_else(|| self.reminds_at());
                quiet.unwrap_or(self.expires_at)
            }
            State::Authorized { .. } => soon,
            State::Processing { lease, .. } => {
                let lost = self.open_attempt().and_then(Attempt::lost_at).unwrap_or(soon);
                let due = lease.after(Duration::from_secs(5)).max(soon).max(lost);
                // After the deadline only a lost message is left to find. A doubt may last for hours.
                return Some(wait_until(
                    if self.expires_at > now { due.min(self.expires_at.max(soon)) } else { due },
                    now,
                ));
            }
            State::Closed { .. } if guards::is_disabled(Guard::CheckWhileRefundIsOpen) => {
                return None;
            }
            State::Closed { .. } => {
                let lost = self.open_refunds().map(RefundRecord::lost_at);
                return Some(wait_until(lost.chain(owed).min()?, now));
            }
        };
        Some(wait_until(due.min(self.expires_at.max(soon)), now))
    }
}

/// Clamps a wait to what a queue can delay: one second to 15 minutes.
fn wait_until(due: Timestamp, now: Timestamp) -> Duration {
    now.until(due).clamp(Duration::from_secs(1), Duration::from_secs(900))
}
