//! The events of a charge after its request has ended. The outcome stays what it is (C4); this stands beside it.

use serde::{Deserialize, Serialize};

use super::{Change, LatePayment, Refusal, Request, WebhookEventType};
use crate::journal::EntryKind;
use crate::processor_result::{
    ChargeReport, DisputeReport, DisputeStatus, Reference, ReportedResult,
};
use crate::values::time::Timestamp;

/// The most disputes, refunds made elsewhere and late payments that are kept, of each.
pub(super) const RECORDS_MAX: usize = 20;

/// The events of a charge after its request had ended.
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

impl Aftermath {
    /// Returns whether nothing happened.
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
                        original: None,
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

    pub(super) fn record_outside_refund(&self, refund: OutsideRefund) -> Result<Change, Refusal> {
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
}
