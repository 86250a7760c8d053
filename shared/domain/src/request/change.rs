//! The decision of a command: the changed request, its journal entries and its webhook events.

use serde::{Deserialize, Serialize};

use super::{Request, TimelineEntry};
use crate::caller::Caller;
use crate::journal::{EntryKind, JournalEntry};
use crate::values::name::ChannelName;
use crate::values::time::Timestamp;

/// A decision that is not stored yet.
#[derive(Clone, Debug)]
pub struct Change {
    /// The changed request.
    pub request: Request,
    /// The journal entries that explain it, in order.
    pub entries: Vec<JournalEntry>,
    /// The types of the webhook events, in order.
    pub webhooks: Vec<WebhookEventType>,
    /// When it was decided.
    pub at: Timestamp,
    /// Whether the request owed a message in the customer's thread before.
    owed_message: bool,
    /// Whether the request had ended before.
    was_closed: bool,
}

/// The type of a webhook event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookEventType {
    /// A channel accepted the prompt.
    Prompted,
    /// The prompt reached the phone.
    Delivered,
    /// The prompt was read.
    Read,
    /// The consent page was opened.
    Opened,
    /// The customer approved.
    Authorized,
    /// The processor did what was asked.
    Fulfilled,
    /// The customer denied.
    Denied,
    /// The deadline passed.
    Expired,
    /// The requester cancelled the request.
    Cancelled,
    /// No route reached the customer.
    Undeliverable,
    /// The processor declined or failed.
    Failed,
    /// A refund succeeded.
    Refunded,
    /// A refund failed.
    RefundFailed,
    /// The charge was disputed, or charged back.
    Disputed,
    /// A dispute was won or lost.
    DisputeClosed,
    /// The capture failed.
    CaptureFailed,
    /// A refund was made at the processor, or such a refund failed.
    RefundedOutside,
    /// A payment succeeded after its attempt had ended.
    LatePayment,
    /// A late payment was reversed.
    LatePaymentReversed,
    /// A late payment could not be reversed.
    LatePaymentKept,
    /// The requester asked for a test of the endpoint. It is of no request.
    EndpointTest,
}

impl WebhookEventType {
    /// Returns the event's `type`.
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
            Self::Disputed => "request.disputed",
            Self::DisputeClosed => "request.dispute_closed",
            Self::CaptureFailed => "request.capture_failed",
            Self::RefundedOutside => "request.refunded_outside",
            Self::LatePayment => "request.late_payment",
            Self::LatePaymentReversed => "request.late_payment_reversed",
            Self::LatePaymentKept => "request.late_payment_kept",
            Self::EndpointTest => "webhook.test",
        }
    }
}

/// The most timeline entries, since every answer has the whole timeline. The journal has the rest.
const TIMELINE_MAX: usize = 100;

impl Change {
    /// Begins a decision from `request`.
    #[must_use]
    pub(super) fn of(request: &Request, at: Timestamp) -> Self {
        let (owed_message, was_closed) = (request.owed_message().is_some(), request.is_closed());
        let (entries, webhooks) = (Vec::new(), Vec::new());
        Self { request: request.clone(), entries, webhooks, at, owed_message, was_closed }
    }

    /// Adds a decision that was made from the result of this one. Both are stored as one change.
    #[must_use]
    pub fn followed_by(self, next: Self) -> Self {
        let Self { mut entries, mut webhooks, owed_message, was_closed, .. } = self;
        entries.extend(next.entries);
        webhooks.extend(next.webhooks);
        Self { entries, webhooks, owed_message, was_closed, ..next }
    }

    /// Adds a journal entry.
    #[must_use]
    pub(super) fn with_entry(mut self, what: EntryKind) -> Self {
        let seq = self.request.entries.saturating_add(1);
        let entry = JournalEntry::new(seq, self.at, what, self.request.chain.clone());
        self.request.entries = seq;
        self.request.chain = entry.hash();
        self.entries.push(entry);
        self
    }

    /// Adds a webhook event, if the requester gets any.
    #[must_use]
    pub(super) fn with_webhook(mut self, webhook: WebhookEventType) -> Self {
        if self.request.notify {
            self.request.webhooks = self.request.webhooks.saturating_add(1);
            self.webhooks.push(webhook);
        }
        self
    }

    /// Adds a timeline entry.
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

    /// Writes into each journal entry the call that caused it, and chains them again.
    #[must_use]
    pub fn caused_by(mut self, caller: &Caller) -> Self {
        let Some(first) = self.entries.first() else { return self };
        let mut chain = first.previous.clone();
        let entries = std::mem::take(&mut self.entries);
        for entry in entries {
            let entry = entry.caused_by(caller, chain);
            chain = entry.hash();
            self.entries.push(entry);
        }
        self.request.chain = chain;
        self
    }

    /// Returns whether the request owes a message in the customer's thread from this change on.
    #[must_use]
    pub fn begins_to_owe_message(&self) -> bool {
        !self.owed_message && self.request.owed_message().is_some()
    }

    /// Returns whether the request ends by this change.
    #[must_use]
    pub const fn ends_request(&self) -> bool {
        !self.was_closed && self.request.is_closed()
    }

    /// Returns whether nothing is to be stored, as for a repeat.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.entries.is_empty()
    }
}
