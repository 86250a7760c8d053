//! Payments that succeed after their attempts have ended, and their reversals.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::aftermath::RECORDS_MAX;
use super::{Attempt, AttemptEnd, Change, OutsideRefund, Refusal, Request, WebhookEventType};
use crate::journal::EntryKind;
use crate::processor_result::{Reference, ReportedResult};
use crate::values::time::Timestamp;

/// How long a processor may take to report the result of a reversal.
const REVERSAL_TIMEOUT: Duration = Duration::from_secs(7 * 86_400);

/// A payment that succeeded after its attempt had ended without a charge. It is reversed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatePayment {
    /// The attempt's number, from 1.
    pub attempt_no: u32,
    /// The processor's id of the payment.
    pub reference: Reference,
    /// When it was reported.
    pub at: Timestamp,
    /// How far its reversal is.
    pub reversal: Reversal,
    /// Whether the processor took its reversal back. A success of the reversal that is reported later is older.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub taken_back: bool,
}

/// The progress of a late payment's reversal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reversal {
    /// It is to be requested.
    Owed,
    /// The processor accepted it and reports its result later.
    Requested,
    /// The payment was reversed.
    Done,
    /// The payment could not be reversed. A person must refund it.
    Failed,
}

impl LatePayment {
    /// Returns when its reversal counts as failed, while its result is unknown.
    #[must_use]
    pub fn reversal_ends_at(&self) -> Option<Timestamp> {
        match self.reversal {
            Reversal::Owed | Reversal::Requested => Some(self.at.after(REVERSAL_TIMEOUT)),
            Reversal::Done | Reversal::Failed => None,
        }
    }

    /// Returns whether a report is of this payment.
    fn is_meant_by(&self, attempt_no: u32, reported: &ReportedResult) -> bool {
        self.attempt_no == attempt_no && reported.is_of(&self.reference)
    }

    /// Returns whether a report of its reversal says something new.
    const fn can_become(&self, reversal: Reversal) -> bool {
        match (self.reversal, reversal) {
            (Reversal::Owed, Reversal::Requested | Reversal::Done | Reversal::Failed)
            | (Reversal::Requested, Reversal::Done | Reversal::Failed) => true,
            // Another call of ours was refused, or a person reversed it since.
            (Reversal::Failed, Reversal::Done) => !self.taken_back,
            (Reversal::Owed | Reversal::Requested | Reversal::Done | Reversal::Failed, _) => false,
        }
    }
}

impl Request {
    /// Records what a webhook reported of an attempt that has ended. A success is to be reversed; other reports are the
    /// result of that reversal.
    ///
    /// # Errors
    /// [`Refusal::Step`] where the report says nothing new: it is of the charge itself, or older than a cancellation.
    pub fn record_reported_late(
        &self,
        attempt_no: u32,
        reported: &ReportedResult,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let attempt = self.attempts.iter().find(|attempt| attempt.attempt_no == attempt_no);
        let attempt = attempt.ok_or(Refusal::Step)?;
        if reported.is_reversed() {
            return self.record_taken_back(attempt, reported, now);
        }
        if attempt.is_open() {
            return Err(Refusal::Step);
        }
        if reported.success {
            return self.record_late_payment(attempt, reported, now);
        }
        // A repeated report of a declined attempt does not concern the reversal. Nor does a failed cancellation.
        let reversal = match reported.code.as_deref() {
            Some(ReportedResult::CANCELLED) => Reversal::Done,
            Some(ReportedResult::REVERSAL_FAILED) => Reversal::Failed,
            Some(_) | None => return Err(Refusal::Step),
        };
        let is_meant = |late: &LatePayment| late.is_meant_by(attempt_no, reported);
        if self.aftermath.late_payments.iter().any(is_meant) {
            return self.record_reversal(attempt_no, reported.original.as_ref(), reversal, now);
        }
        let charge = self.charge().filter(|_| attempt.end() == Some(AttemptEnd::Charged));
        let charge = charge.filter(|_| reversal == Reversal::Done).ok_or(Refusal::Step)?;
        if !reported.original.as_ref().is_none_or(|payment| self.is_charge(attempt, payment)) {
            return Err(Refusal::Step);
        }
        // The charge itself was cancelled at the processor, such as in its dashboard.
        let (reference, amount) = (reported.reference.clone(), charge.amount);
        self.record_outside_refund(OutsideRefund { reference, amount, success: true, at: now })
    }

    fn record_late_payment(
        &self,
        attempt: &Attempt,
        reported: &ReportedResult,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let payment = reported.payment();
        let known =
            |late: &LatePayment| late.attempt_no == attempt.attempt_no && late.reference == payment;
        if self.aftermath.late_payments.iter().any(known) {
            return Ok(self.unchanged(now));
        }
        if self.is_charge(attempt, &payment) || attempt.cancelled {
            return Err(Refusal::Step);
        }
        self.with_late_payment(attempt.attempt_no, payment, now)
    }

    fn with_late_payment(
        &self,
        attempt_no: u32,
        payment: Reference,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        if self.aftermath.late_payments.len() >= RECORDS_MAX {
            return Err(Refusal::Limit);
        }
        let mut change = Change::of(self, now);
        let reference = payment.0.clone();
        change.request.aftermath.late_payments.push(LatePayment {
            attempt_no,
            reference: payment,
            at: now,
            reversal: Reversal::Owed,
            taken_back: false,
        });
        Ok(change
            .with_timeline_entry("late_payment", None, None)
            .with_entry(EntryKind::LatePayment { attempt_no, reference })
            .with_webhook(WebhookEventType::LatePayment))
    }

    /// Records that the processor took back a cancellation or reversal that it had reported. The money stays there.
    fn record_taken_back(
        &self,
        attempt: &Attempt,
        reported: &ReportedResult,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let attempt_no = attempt.attempt_no;
        let is_meant = |late: &LatePayment| late.is_meant_by(attempt_no, reported);
        if self.aftermath.late_payments.iter().any(is_meant) {
            let mut change = Change::of(self, now);
            let late = change.request.aftermath.late_payments.iter_mut();
            let (mut marked, mut failed) = (false, false);
            for late in late.filter(|late| is_meant(late) && !late.taken_back) {
                marked = true;
                failed |= late.reversal != Reversal::Failed;
                (late.reversal, late.taken_back) = (Reversal::Failed, true);
            }
            if !marked {
                return Ok(self.unchanged(now));
            }
            let entry = EntryKind::ReversalReported { attempt_no, reversal: Reversal::Failed };
            let change = change.with_entry(entry);
            // The requester was told of a reversal that had failed before. The mark is stored nonetheless: an older success
            // must not count.
            return Ok(if failed { change.with_kept_payment() } else { change });
        }
        if attempt.end() == Some(AttemptEnd::Charged) {
            let made = |refund: &&OutsideRefund| refund.reference == reported.reference;
            let refund = self.aftermath.outside_refunds.iter().find(made).ok_or(Refusal::Step)?;
            return self.record_outside_refund(OutsideRefund {
                success: false,
                at: now,
                ..refund.clone()
            });
        }
        // The attempt was cancelled at its end, and the customer has paid after all.
        let payment = reported.original.clone().unwrap_or_else(|| reported.payment());
        let mut change = self.with_late_payment(attempt_no, payment, now)?;
        for late in change.request.aftermath.late_payments.iter_mut().filter(|late| is_meant(late))
        {
            (late.reversal, late.taken_back) = (Reversal::Failed, true);
        }
        Ok(change
            .with_entry(EntryKind::ReversalReported { attempt_no, reversal: Reversal::Failed })
            .with_kept_payment())
    }

    /// Returns whether a payment is the charge that fulfilled the request. A charge may be known by its attempt's object alone.
    fn is_charge(&self, attempt: &Attempt, payment: &Reference) -> bool {
        let charge = self.charge().map(|charge| &charge.reference);
        attempt.end() == Some(AttemptEnd::Charged)
            && (charge == Some(payment) || charge == attempt.reference())
    }

    /// Returns the late payments whose reversal is to be requested.
    pub fn owed_reversals(&self) -> impl Iterator<Item = &LatePayment> {
        self.aftermath.late_payments.iter().filter(|late| late.reversal == Reversal::Owed)
    }

    /// Returns the late payments of an attempt whose reversal has no result yet.
    pub fn open_reversals(&self, attempt_no: u32) -> impl Iterator<Item = &LatePayment> {
        let late = self.aftermath.late_payments.iter();
        late.filter(move |late| late.attempt_no == attempt_no && late.reversal_ends_at().is_some())
    }

    /// Records how far the reversal of an attempt's late payment is; of all of them, where the processor names none.
    ///
    /// # Errors
    /// [`Refusal::Step`] when that says nothing new of any of them.
    pub fn record_reversal(
        &self,
        attempt_no: u32,
        payment: Option<&Reference>,
        reversal: Reversal,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = Change::of(self, now);
        let mut changed = false;
        for late in &mut change.request.aftermath.late_payments {
            let is_meant = late.attempt_no == attempt_no
                && payment.is_none_or(|payment| late.reference == *payment);
            if is_meant && late.can_become(reversal) {
                late.reversal = reversal;
                changed = true;
            }
        }
        if !changed {
            return Err(Refusal::Step);
        }
        let change = change.with_entry(EntryKind::ReversalReported { attempt_no, reversal });
        Ok(match reversal {
            Reversal::Owed | Reversal::Requested => change,
            Reversal::Done => change
                .with_timeline_entry("late_payment_reversed", None, None)
                .with_webhook(WebhookEventType::LatePaymentReversed),
            Reversal::Failed => change.with_kept_payment(),
        })
    }
}

impl Change {
    fn with_kept_payment(self) -> Self {
        self.with_timeline_entry("late_payment_kept", None, None)
            .with_webhook(WebhookEventType::LatePaymentKept)
    }
}
