//! What a command decided: the request from now on, the events that explain it, the notices that tell it.

use serde::{Deserialize, Serialize};

use super::{Request, TimelineEntry};
use crate::journal::{EntryKind, JournalEntry};
use crate::values::name::ChannelName;
use crate::values::time::Timestamp;

/// A decision, not yet stored.
#[derive(Clone, Debug)]
pub struct Change {
    /// The request from now on.
    pub request: Request,
    /// The events that explain it, in order.
    pub entries: Vec<JournalEntry>,
    /// The notices the requester gets, in order.
    pub webhooks: Vec<WebhookEventType>,
    /// When it was decided.
    pub at: Timestamp,
}

/// What a notice tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookEventType {
    /// A channel took the prompt.
    Prompted,
    /// The prompt reached the phone.
    Delivered,
    /// The prompt was read.
    Read,
    /// The page was opened.
    Opened,
    /// The customer said yes.
    Authorized,
    /// The money moved.
    Fulfilled,
    /// The customer said no.
    Denied,
    /// The deadline passed.
    Expired,
    /// The requester took it back.
    Cancelled,
    /// No route reached the customer.
    Undeliverable,
    /// The processor would not or could not.
    Failed,
    /// Money is on its way back.
    Refunded,
    /// Money that was to be given back will not be.
    RefundFailed,
}

impl WebhookEventType {
    /// The notice's `type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prompted => "request.prompted",
            Self::Delivered => "request.delivered",
            Self::Read => "request.read",
            Self::Opened => "request.opened",
            Self::Authorized => "request.authorized",
            Self::Fulfilled => "request.fulfilled",
            Self::Denied => "request.denied",
            Self::Expired => "request.expired",
            Self::Cancelled => "request.cancelled",
            Self::Undeliverable => "request.undeliverable",
            Self::Failed => "request.failed",
            Self::Refunded => "request.refunded",
            Self::RefundFailed => "request.refund_failed",
        }
    }
}

/// A timeline is told whole in every answer, so it has an end; what is beyond it is still in the events.
const TIMELINE_MAX: usize = 100;

impl Change {
    /// A decision that starts from `request` as it is.
    #[must_use]
    pub(super) fn of(request: &Request, at: Timestamp) -> Self {
        Self { request: request.clone(), entries: Vec::new(), webhooks: Vec::new(), at }
    }

    /// Explains the decision.
    #[must_use]
    pub(super) fn with_entry(mut self, what: EntryKind) -> Self {
        let seq = self.request.entries.saturating_add(1);
        let event = JournalEntry { seq, at: self.at, what, previous: self.request.chain.clone() };
        self.request.entries = seq;
        self.request.chain = event.hash();
        self.entries.push(event);
        self
    }

    /// Tells the requester by a notice, if it gets any.
    #[must_use]
    pub(super) fn with_webhook(mut self, webhook: WebhookEventType) -> Self {
        if self.request.notify {
            self.request.webhooks = self.request.webhooks.saturating_add(1);
            self.webhooks.push(webhook);
        }
        self
    }

    /// Adds a line to the timeline.
    #[must_use]
    pub(super) fn with_timeline_entry(
        mut self,
        what: &str,
        channel: Option<&ChannelName>,
        reason: Option<&str>,
    ) -> Self {
        if self.request.timeline.len() < TIMELINE_MAX {
            self.request.timeline.push(TimelineEntry {
                at: self.at,
                what: what.to_owned(),
                channel: channel.cloned(),
                reason: reason.map(str::to_owned),
            });
        }
        self
    }

    /// Whether nothing is to be stored: the command was a repeat.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.entries.is_empty()
    }
}
