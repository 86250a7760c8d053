//! What happens to a charge after its request has ended. The outcome stays what it is (C4); this stands beside it.

use serde::{Deserialize, Serialize};

use super::{Attempt, AttemptEnd, Change, Refusal, Request, WebhookEventType};
use crate::journal::EntryKind;
use crate::processor_result::{
    ChargeReport, DisputeReport, DisputeStatus, Reference, ReportedResult,
};
use crate::values::time::Timestamp;

/// The most disputes, refunds made elsewhere and late payments that are kept, of each.
const RECORDS_MAX: usize = 20;

/// What happened to a charge after its request had ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aftermath {
    /// When the capture failed, so that the money never comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_failed_at: Option<Timestamp>,
    /// The disputes, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disputes: Vec<DisputeRecord>,
    /// The refunds that were made at the processor, and not through us.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside_refunds: Vec<OutsideRefund>,
    /// The payments that succeeded after their attempts had ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub late_payments: Vec<LatePayment>,
}

/// A dispute of the charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeRecord {
    /// The processor's id of the dispute.
    pub reference: Reference,
    /// Where it stands.
    pub status: DisputeStatus,
    /// The stage of the last report. A report of an earlier stage is older.
    pub stage: u8,
    /// The disputed amount, in the minor unit of the charge's currency; `None` where it is in another currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// When it was first reported.
    pub opened_at: Timestamp,
    /// When it was last reported.
    pub updated_at: Timestamp,
}

/// A refund that was made at the processor, such as in its dashboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideRefund {
    /// The processor's id of the refund.
    pub reference: Reference,
    /// The amount, in the minor unit of the charge's currency.
    pub amount: u64,
    /// Whether the money went back.
    pub success: bool,
    /// When it was last reported.
    pub at: Timestamp,
}

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
}

/// How far the reversal of a late payment is.
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

impl Aftermath {
    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns how much was refunded at the processor, and not through us.
    #[must_use]
    pub fn refunded_outside(&self) -> u64 {
        let done = self.outside_refunds.iter().filter(|refund| refund.success);
        done.fold(0, |sum, refund| sum.saturating_add(refund.amount))
    }
}

impl Request {
    /// Records what a webhook reported of the charge. An older report changes nothing.
    ///
    /// # Errors
    /// [`Refusal::Step`] where nothing was charged, [`Refusal::Limit`] beyond what is kept.
    pub fn record_charge_reported(
        &self,
        report: &ChargeReport,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        if self.charge().is_none() {
            return Err(Refusal::Step);
        }
        match report {
            ChargeReport::CaptureFailed if self.aftermath.capture_failed_at.is_some() => {
                Ok(self.unchanged(now))
            }
            ChargeReport::CaptureFailed => {
                let mut change = Change::of(self, now);
                change.request.aftermath.capture_failed_at = Some(now);
                Ok(change
                    .with_timeline_entry("capture_failed", None, None)
                    .with_entry(EntryKind::CaptureFailed)
                    .with_webhook(WebhookEventType::CaptureFailed))
            }
            ChargeReport::Dispute(dispute) => self.record_dispute(dispute, now),
            ChargeReport::Refund { reference, amount, success } => {
                if let Some(seq) = self.own_refund(reference, *amount) {
                    let reported = ReportedResult {
                        success: *success,
                        reference: reference.clone(),
                        code: (!success).then(|| ReportedResult::REVERSED.to_owned()),
                    };
                    return self.record_refund_reported(seq, reported, now);
                }
                let refund = OutsideRefund {
                    reference: reference.clone(),
                    amount: *amount,
                    success: *success,
                    at: now,
                };
                self.record_outside_refund(refund)
            }
        }
    }

    fn record_dispute(&self, report: &DisputeReport, now: Timestamp) -> Result<Change, Refusal> {
        let DisputeReport { reference, status, stage, amount, currency } = report;
        let in_charge = self.charge().is_some_and(|charge| charge.currency == *currency);
        let amount = in_charge.then_some(*amount);
        let record = |opened_at| DisputeRecord {
            reference: reference.clone(),
            status: *status,
            stage: *stage,
            amount,
            opened_at,
            updated_at: now,
        };
        let mut change = Change::of(self, now);
        let disputes = &mut change.request.aftermath.disputes;
        let is_full = disputes.len() >= RECORDS_MAX;
        match disputes.iter_mut().find(|known| known.reference == *reference) {
            Some(known) if known.stage >= *stage => return Ok(self.unchanged(now)),
            Some(known) => *known = record(known.opened_at),
            None if is_full => return Err(Refusal::Limit),
            None => disputes.push(record(now)),
        }
        let webhook = match status {
            DisputeStatus::Opened | DisputeStatus::ChargedBack => WebhookEventType::Disputed,
            DisputeStatus::Won | DisputeStatus::Lost => WebhookEventType::DisputeClosed,
        };
        let (reference, status) = (reference.0.clone(), *status);
        Ok(change
            .with_timeline_entry("disputed", None, Some(status.as_str()))
            .with_entry(EntryKind::DisputeReported { reference, status, amount })
            .with_webhook(webhook))
    }

    /// Returns the refund of ours that was reported. It is found by the processor's id, or by its amount before the id is known.
    fn own_refund(&self, reference: &Reference, amount: u64) -> Option<u32> {
        let by_id = self.refunds.iter().find(|refund| refund.reference.as_ref() == Some(reference));
        let under_way = || {
            self.open_refunds().find(|refund| {
                refund.started_at.is_some() && refund.reference.is_none() && refund.amount == amount
            })
        };
        by_id.or_else(under_way).map(|refund| refund.seq)
    }

    fn record_outside_refund(&self, refund: OutsideRefund) -> Result<Change, Refusal> {
        let mut change = Change::of(self, refund.at);
        let refunds = &mut change.request.aftermath.outside_refunds;
        let is_full = refunds.len() >= RECORDS_MAX;
        let (amount, success, reference) =
            (refund.amount, refund.success, refund.reference.0.clone());
        match refunds.iter_mut().find(|known| known.reference == refund.reference) {
            // A failure is final, and a success may still be followed by one.
            Some(known) if !known.success || success => return Ok(self.unchanged(refund.at)),
            Some(known) => *known = refund,
            None if is_full => return Err(Refusal::Limit),
            None => refunds.push(refund),
        }
        let reason = (!success).then_some("refund_failed");
        Ok(change
            .with_timeline_entry("refunded_outside", None, reason)
            .with_entry(EntryKind::RefundedOutside { reference, amount, success })
            .with_webhook(WebhookEventType::RefundedOutside))
    }

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
        let attempt = attempt.filter(|attempt| !attempt.is_open()).ok_or(Refusal::Step)?;
        let of_charge = attempt.end() == Some(AttemptEnd::Charged);
        if let Some(charge) = self.charge().filter(|_| of_charge && reported.is_cancelled()) {
            // The charge itself was cancelled at the processor, such as in its dashboard.
            let (reference, amount) = (reported.reference.clone(), charge.amount);
            let refund = OutsideRefund { reference, amount, success: true, at: now };
            return self.record_outside_refund(refund);
        }
        if !reported.success {
            // A refusal of the attempt itself, told once more, says nothing of the reversal.
            let reversal = match reported.code.as_deref() {
                Some(ReportedResult::CANCELLED) => Reversal::Done,
                Some(ReportedResult::CANCEL_FAILED) => Reversal::Failed,
                Some(_) | None => return Err(Refusal::Step),
            };
            return self.record_reversal(attempt_no, reversal, now);
        }
        let payment = reported.payment();
        let known = |late: &LatePayment| late.attempt_no == attempt_no && late.reference == payment;
        if self.aftermath.late_payments.iter().any(known) {
            return Ok(self.unchanged(now));
        }
        if self.is_charge(attempt, &payment) || attempt.cancelled {
            return Err(Refusal::Step);
        }
        if self.aftermath.late_payments.len() >= RECORDS_MAX {
            return Err(Refusal::Limit);
        }
        let mut change = Change::of(self, now);
        let reference = payment.0.clone();
        let late =
            LatePayment { attempt_no, reference: payment, at: now, reversal: Reversal::Owed };
        change.request.aftermath.late_payments.push(late);
        Ok(change
            .with_timeline_entry("late_payment", None, None)
            .with_entry(EntryKind::LatePayment { attempt_no, reference })
            .with_webhook(WebhookEventType::LatePayment))
    }

    /// Whether a payment is the charge that fulfilled the request. A charge may be known by its attempt's object alone.
    fn is_charge(&self, attempt: &Attempt, payment: &Reference) -> bool {
        let charge = self.charge().map(|charge| &charge.reference);
        attempt.end() == Some(AttemptEnd::Charged)
            && (charge == Some(payment) || charge == attempt.reference())
    }

    /// Returns the late payments whose reversal is to be requested.
    pub fn owed_reversals(&self) -> impl Iterator<Item = &LatePayment> {
        self.aftermath.late_payments.iter().filter(|late| late.reversal == Reversal::Owed)
    }

    /// Records how far the reversal of an attempt's late payments is.
    ///
    /// # Errors
    /// [`Refusal::Step`] when no reversal of that attempt is open.
    pub fn record_reversal(
        &self,
        attempt_no: u32,
        reversal: Reversal,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = Change::of(self, now);
        let open = change.request.aftermath.late_payments.iter_mut().filter(|late| {
            late.attempt_no == attempt_no
                && matches!(late.reversal, Reversal::Owed | Reversal::Requested)
                && late.reversal != reversal
        });
        let mut changed = false;
        for late in open {
            late.reversal = reversal;
            changed = true;
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
            Reversal::Failed => change
                .with_timeline_entry("late_payment_kept", None, None)
                .with_webhook(WebhookEventType::LatePaymentKept),
        })
    }
}
