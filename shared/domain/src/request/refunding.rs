//! Refunds of a payment, which the requester asks for after the request has ended.
//!
//! The outcome stays what it is (C4). The refunds stand beside it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::attempt::LOST;
use super::{Change, LEASE, Refusal, Request, State, WebhookEventType};
use crate::guards;
use crate::guards::Guard;
use crate::journal::EntryKind;
use crate::outcome::{Details, Outcome};
use crate::processor_result::{Receipt, Reference, ReportedResult};
use crate::values::name::ProcessorName;
use crate::values::text::DisplayText;
use crate::values::time::Timestamp;

/// How many refunds a request can have.
pub const REFUNDS_MAX: usize = 20;
/// How long the message of a new refund may be on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(10);
/// How much sooner than due a message may come and still be the one that was sent for that time.
const EARLY: Duration = Duration::from_secs(1);

/// The reason why a refund is not made yet, and the time of its next try.
#[derive(Clone, Copy, Debug)]
pub struct RefundRetry<'a> {
    /// A stable word for the journal.
    pub reason: &'a str,
    /// The processor's id for the refund, where it has one by now.
    pub reference: Option<&'a Reference>,
    /// The wait before the next try.
    pub wait: Duration,
}

/// One refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRecord {
    /// The refund's number within its request, from 1.
    pub seq: u32,
    /// The amount, in the minor unit of the charge's currency.
    pub amount: u64,
    /// The requester's reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<DisplayText<140>>,
    /// When the requester asked for it.
    pub asked_at: Timestamp,
    /// When the call that makes it was first about to be made, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Until when a worker has it, or had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<Timestamp>,
    /// How many runs it had.
    pub tries: u32,
    /// When it is to be run again, once it was released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// The processor's id for it, once it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// The result that a webhook reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported: Option<ReportedResult>,
    /// How it ended, once it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<RefundEnd>,
}

/// The end of a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RefundEnd {
    /// The money is on its way back.
    Done {
        /// Since when.
        at: Timestamp,
    },
    /// The money will not be refunded.
    Failed {
        /// Since when that is known.
        at: Timestamp,
        /// A stable code of the reason.
        code: String,
    },
}

impl RefundRecord {
    /// Returns whether it counts against the charge: the money was refunded, or still may be.
    #[must_use]
    pub const fn counts(&self) -> bool {
        !matches!(self.end, Some(RefundEnd::Failed { .. }))
    }

    /// Returns whether a message that comes now was sent before it was due, because there may be a new result.
    #[must_use]
    pub fn is_early(&self, now: Timestamp) -> bool {
        self.retry_at.is_some_and(|at| now.after(EARLY) < at)
    }

    /// Returns when the message for its next run must have been lost, or its worker must be gone.
    #[must_use]
    pub fn lost_at(&self) -> Timestamp {
        let on_its_way = self.asked_at.after(ON_ITS_WAY);
        let due = self.retry_at.map_or(on_its_way, |at| at.after(LOST));
        self.lease.map_or(due, |lease| due.max(lease))
    }
}

impl Request {
    /// Returns the receipt of the charge, where money was charged.
    #[must_use]
    pub const fn charge(&self) -> Option<&Receipt> {
        match &self.state {
            State::Closed {
                outcome: Outcome::Fulfilled { receipt: Details::Payment(receipt), .. },
                ..
            } => Some(receipt),
            State::Pending
            | State::Prompted
            | State::Authorized { .. }
            | State::Processing { .. }
            | State::Closed { .. } => None,
        }
    }

    /// Returns the processor of the charge.
    #[must_use]
    pub const fn charged_at(&self) -> Option<&ProcessorName> {
        match &self.state {
            State::Closed { outcome: Outcome::Fulfilled { processor, .. }, .. } => Some(processor),
            State::Pending
            | State::Prompted
            | State::Authorized { .. }
            | State::Processing { .. }
            | State::Closed { .. } => None,
        }
    }

    /// Returns how much of the charge can still be refunded.
    #[must_use]
    pub fn refundable(&self) -> u64 {
        let given = self.refunds.iter().filter(|refund| refund.counts());
        let given = given.fold(0_u64, |sum, refund| sum.saturating_add(refund.amount));
        let given = given.saturating_add(self.aftermath.refunded_outside());
        self.charge().map_or(0, |charge| charge.amount.saturating_sub(given))
    }

    /// Returns the refunds that have not ended.
    pub fn open_refunds(&self) -> impl Iterator<Item = &RefundRecord> {
        self.refunds.iter().filter(|refund| refund.end.is_none())
    }

    /// Returns whether nothing can happen to it any more: it has ended, and so have its refunds.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_closed() && self.open_refunds().next().is_none()
    }

    /// Returns the refund of that number, if it has not ended.
    #[must_use]
    pub fn open_refund(&self, seq: u32) -> Option<&RefundRecord> {
        self.open_refunds().find(|refund| refund.seq == seq)
    }

    /// Begins a refund of that amount, or of all that is left.
    ///
    /// # Errors
    /// [`Refusal::Step`] where nothing was charged, [`Refusal::Limit`] beyond what is left or what a request can have.
    pub fn refund(
        &self,
        amount: Option<u64>,
        reason: Option<DisplayText<140>>,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        if self.charge().is_none() {
            return Err(Refusal::Step);
        }
        let left = self.refundable();
        let amount = amount.unwrap_or(left);
        let too_much = amount > left && !guards::is_disabled(Guard::RefundMaximum);
        if amount == 0 || too_much || self.refunds.len() >= REFUNDS_MAX {
            return Err(Refusal::Limit);
        }
        let seq = u32::try_from(self.refunds.len()).unwrap_or(u32::MAX).saturating_add(1);
        let mut change = Change::of(self, now);
        change.request.refunds.push(RefundRecord {
            seq,
            amount,
            reason,
            asked_at: now,
            started_at: None,
            lease: None,
            tries: 0,
            retry_at: None,
            reference: None,
            reported: None,
            end: None,
        });
        Ok(change
            .with_timeline_entry("refund_asked", None, None)
            .with_entry(EntryKind::RefundAsked { refund: seq, amount }))
    }

    /// Records that the call that makes the refund is about to be made, for the first time or again.
    ///
    /// # Errors
    /// [`Refusal::Leased`] while another worker has the refund, [`Refusal::Step`] when it has ended.
    pub fn record_refund_started(&self, seq: u32, now: Timestamp) -> Result<Change, Refusal> {
        let mut change = Change::of(self, now);
        let refund = open(&mut change.request, seq)?;
        if refund.lease.is_some_and(|lease| now < lease) {
            return Err(Refusal::Leased);
        }
        refund.started_at = refund.started_at.or(Some(now));
        refund.lease = Some(now.after(LEASE));
        refund.tries = refund.tries.saturating_add(1);
        Ok(change.with_entry(EntryKind::RefundStarted { refund: seq }))
    }

    /// Releases a refund, which is run again after the wait.
    ///
    /// # Errors
    /// [`Refusal::Step`] when it has ended.
    pub fn release_refund(
        &self,
        seq: u32,
        retry: RefundRetry<'_>,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let RefundRetry { reason, reference, wait } = retry;
        let mut change = Change::of(self, now);
        let refund = open(&mut change.request, seq)?;
        refund.lease = Some(now);
        if !refund.is_early(now) {
            refund.retry_at = Some(now.after(wait));
        }
        refund.reference = reference.cloned().or_else(|| refund.reference.take());
        let reason = reason.to_owned();
        Ok(change.with_entry(EntryKind::RefundReleased { refund: seq, reason }))
    }

    /// Ends a refund whose money is on its way back. It fails where a webhook reported meanwhile that it failed.
    ///
    /// # Errors
    /// [`Refusal::Step`] when the call was never about to be made, or it has ended.
    pub fn complete_refund(
        &self,
        seq: u32,
        reference: Reference,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = Change::of(self, now);
        let refund = open(&mut change.request, seq)?;
        if refund.started_at.is_none() {
            return Err(Refusal::Step);
        }
        // The webhook is newer than what the worker was told.
        if let Some(failed) = refund.reported.take_if(|reported| !reported.success) {
            return self.fail_refund(seq, failed.refund_code(), now);
        }
        refund.reference = Some(reference);
        refund.ends(RefundEnd::Done { at: now });
        Ok(change
            .with_timeline_entry("refunded", None, None)
            .with_entry(EntryKind::Refunded { refund: seq })
            .with_webhook(WebhookEventType::Refunded))
    }

    /// Ends a refund that failed. A success that waited for its amount may count now.
    ///
    /// # Errors
    /// [`Refusal::Step`] when it has ended.
    pub fn fail_refund(&self, seq: u32, code: &str, now: Timestamp) -> Result<Change, Refusal> {
        let mut change = Change::of(self, now);
        let refund = open(&mut change.request, seq)?;
        let reversed = refund.reported.as_ref().is_some_and(ReportedResult::is_reversed);
        // A reversal is final, so its own code is kept.
        let code = if reversed { ReportedResult::REVERSED } else { code };
        Ok(change.with_failed_refund(seq, code).with_late_successes())
    }
}

impl RefundRecord {
    pub(super) fn ends(&mut self, end: RefundEnd) {
        self.end = Some(end);
        self.lease = None;
        self.retry_at = None;
        self.reported = None;
    }
}

fn open(request: &mut Request, seq: u32) -> Result<&mut RefundRecord, Refusal> {
    let mut refunds = request.refunds.iter_mut();
    refunds.find(|refund| refund.seq == seq && refund.end.is_none()).ok_or(Refusal::Step)
}
