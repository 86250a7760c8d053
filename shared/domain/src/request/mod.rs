//! A request: one ask to one customer, with a deadline; the aggregate everything else hangs on.
//!
//! Commands are methods that take what is known and return a [`Change`] or a [`Refusal`]; each has one arm per state.

mod answering;
mod change;
mod closing;
mod fetching;
mod onward;
mod prompting;
mod refunding;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use answering::CodeCheck;
pub use change::{Change, WebhookEventType};
pub use closing::LIFETIME_MAX;
pub use fetching::{Attempt, AttemptEnd, Doubt, LEASE};
pub use onward::{Recall, SentOn};
pub use prompting::{NextPrompt, PromptRecord, PromptStatus};
pub use refunding::{REFUNDS_MAX, RefundEnd, RefundRecord};

use crate::ask::{Ask, AskHash, Customer, Metadata, Session};
use crate::brand::Mode;
use crate::consent::{Consent, SessionCode};
use crate::guards::{self, Guard};
use crate::outcome::Outcome;
use crate::seal::Sealed;
use crate::values::id::{PromptId, RequestId};
use crate::values::name::{BrandName, ChannelName, ProcessorName};
use crate::values::time::Timestamp;

/// A request, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// Whose it is.
    pub brand: BrandName,
    /// Whether money is real.
    pub mode: Mode,
    /// The brand's legal name when the request was accepted: what the customer reads and consents to.
    pub payee: String,
    /// Who is asked.
    pub customer: Customer,
    /// The keyed hash that stands for the customer's address.
    pub address: String,
    /// The live conversation it belongs to.
    pub session: Session,
    /// What is asked.
    pub ask: Ask,
    /// The digest a consent must carry.
    pub ask_hash: AskHash,
    /// Where the authorization will be used.
    pub processor: ProcessorName,
    /// The channels to try, best first.
    pub routes: Vec<ChannelName>,
    /// How many of the routes have been used.
    pub routes_used: usize,
    /// The session code, where the ask has one.
    pub session_code: Option<SessionCode>,
    /// Whether a yes needs nothing of the customer but a tap, so that it can be given in the message itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_tap: bool,
    /// What the requester attached for itself.
    pub metadata: Metadata,
    /// Whether the requester is told by notices.
    pub notify: bool,
    /// How long a silent route is waited for, in seconds.
    pub fallback_seconds: u32,
    /// How many attempts the customer has.
    pub attempts_max: u32,
    /// For how long it is kept once closed, in seconds.
    pub retention_seconds: u64,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// The deadline for a yes.
    pub expires_at: Timestamp,
    /// Whether the customer has already asked for more time.
    pub customer_extended: bool,
    /// Where it stands.
    pub state: State,
    /// The prompts so far, oldest first.
    pub prompts: Vec<PromptRecord>,
    /// The attempts at the processor so far, oldest first.
    pub attempts: Vec<Attempt>,
    /// The refunds of what was charged, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<RefundRecord>,
    /// What is told to the requester of all this, oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// How many events it has.
    pub entries: u32,
    /// The hash of the last event.
    pub chain: String,
    /// How many notices it has.
    pub webhooks: u32,
}

/// Where a request stands. Each state carries exactly the facts that are true in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Accepted, nothing delivered yet.
    Pending,
    /// A channel took a prompt.
    Prompted,
    /// A verified yes is stored, sealed.
    Authorized {
        /// The yes.
        consent: Consent,
        /// What it carries.
        sealed: Sealed,
    },
    /// One worker is at the processor.
    Processing {
        /// The yes.
        consent: Consent,
        /// What it carries.
        sealed: Sealed,
        /// Until when the worker has it.
        lease: Timestamp,
    },
    /// It ended.
    Closed {
        /// How.
        outcome: Outcome,
        /// When.
        at: Timestamp,
    },
}

/// One line of the timeline the requester sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// What: a stable word.
    pub what: String,
    /// Over which channel, where one is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelName>,
    /// Why, where there is a why: a stable word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why a command does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request has ended.
    #[error("the request has ended")]
    Closed,
    /// There is a yes already.
    #[error("the customer has said yes already")]
    Authorized,
    /// Nothing has been asked yet.
    #[error("the customer has not been asked yet")]
    Early,
    /// The deadline has passed.
    #[error("the deadline has passed")]
    Late,
    /// The prompt is not one of the request's, or a newer one took its place.
    #[error("the prompt is not in force")]
    Prompt,
    /// Another worker has the request.
    #[error("another worker has the request")]
    Leased,
    /// The worker no longer has the request, or the attempt is not in the step asked for.
    #[error("the attempt is not in this step")]
    Step,
    /// A limit of the request is reached.
    #[error("a limit of the request is reached")]
    Limit,
}

impl Request {
    /// The state's name, as the API calls it.
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

    /// Whether the request has ended.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// Whether an answer of the customer can still count.
    #[must_use]
    pub const fn is_open_to_answers(&self) -> bool {
        matches!(self.state, State::Pending | State::Prompted)
    }

    /// How long a silent route is waited for.
    #[must_use]
    pub fn fallback(&self) -> Duration {
        Duration::from_secs(u64::from(self.fallback_seconds))
    }

    /// The prompt of that id.
    #[must_use]
    pub fn prompt(&self, id: PromptId) -> Option<&PromptRecord> {
        self.prompts.iter().find(|prompt| prompt.id == id)
    }

    /// The change that is none: what a repeat comes to.
    #[must_use]
    pub fn unchanged(&self, now: Timestamp) -> Change {
        Change::of(self, now)
    }

    /// When time may next ask for something, or nothing is left for time to do.
    ///
    /// A `check` is due then: it re-drives a step that was never taken, falls back from a silent route, reminds, expires.
    #[must_use]
    pub fn next_check(&self, now: Timestamp) -> Option<Duration> {
        let soon = now.after(Duration::from_secs(10));
        let due = match &self.state {
            State::Pending | State::Prompted if self.awaits_sending() => soon,
            State::Pending | State::Prompted => {
                let quiet = self.falls_back_at().or_else(|| self.reminds_at());
                quiet.unwrap_or(self.expires_at)
            }
            State::Authorized { .. } => soon,
            State::Processing { lease, .. } => {
                let lost = self.open_attempt().and_then(Attempt::lost_at).unwrap_or(soon);
                lease.after(Duration::from_secs(5)).max(soon).max(lost)
            }
            State::Closed { .. } if guards::is_disabled(Guard::CheckWhileRefundIsOpen) => {
                return None;
            }
            State::Closed { .. } => {
                let lost = self.open_refunds().map(RefundRecord::lost_at).min()?;
                return Some(wait_until(lost, now));
            }
        };
        Some(wait_until(due.min(self.expires_at.max(soon)), now))
    }
}

/// A queue delays for a quarter of an hour at most, and nothing is checked twice within a second.
fn wait_until(due: Timestamp, now: Timestamp) -> Duration {
    now.until(due).clamp(Duration::from_secs(1), Duration::from_secs(900))
}
