//! Reports of refunds by webhook, in any order, before and after a refund has ended.

use super::{Change, RefundEnd, Refusal, Request, WebhookEventType};
use crate::guards;
use crate::guards::Guard;
use crate::journal::EntryKind;
use crate::processor_result::ReportedResult;
use crate::values::time::Timestamp;

/// The code of a refund that was stopped, because the one that it would repeat had succeeded.
const REFUNDED_BEFORE: &str = "refunded_before";

impl Request {
    /// Records the result that a webhook reported of a refund.
    ///
    /// A success may be followed by a failure. Then the refund failed, and its amount is free again. A success that is
    /// reported after a failure counts too. After a reversal it does not, since the success is older.
    ///
    /// # Errors
    /// [`Refusal::Step`] when the request has no such refund.
    pub fn record_refund_reported(
        &self,
        seq: u32,
        reported: ReportedResult,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = Change::of(self, now);
        let mut refunds = change.request.refunds.iter_mut();
        let refund = refunds.find(|refund| refund.seq == seq).ok_or(Refusal::Step)?;
        let success = reported.success;
        let entry = EntryKind::RefundReported { refund: seq, success };
        match &refund.end {
            None => {
                if refund.reported.as_ref().is_some_and(|known| !known.is_replaced_by(&reported)) {
                    return Ok(self.unchanged(now));
                }
                refund.reported = Some(reported);
                refund.retry_at = None;
                Ok(change.with_entry(entry))
            }
            Some(RefundEnd::Done { .. }) if success => Ok(self.unchanged(now)),
            Some(RefundEnd::Done { .. }) => {
                let code = reported.refund_code().to_owned();
                Ok(change.with_entry(entry).with_failed_refund(seq, &code).with_late_successes())
            }
            Some(RefundEnd::Failed { code, .. }) => {
                let is_old = code == ReportedResult::REVERSED || refund.reported.is_some();
                if !success || is_old {
                    return Ok(self.unchanged(now));
                }
                refund.reported = Some(reported);
                Ok(change.with_entry(entry).with_late_successes())
            }
        }
    }

    /// Returns whether money went back for a refund that counts as failed, because its amount was refunded otherwise.
    #[must_use]
    pub fn is_refunded_twice(&self) -> bool {
        let late =
            self.refunds.iter().any(|refund| refund.end.is_some() && refund.reported.is_some());
        late && self.open_refunds().next().is_none()
    }
}

impl ReportedResult {
    /// Returns whether another report of the same refund replaces this one.
    fn is_replaced_by(&self, other: &Self) -> bool {
        self.success != other.success && !self.is_reversed()
    }
}

impl Change {
    /// Ends a refund as failed, whether it is open or counted as done.
    pub(super) fn with_failed_refund(mut self, seq: u32, code: &str) -> Self {
        let end = RefundEnd::Failed { at: self.at, code: code.to_owned() };
        for refund in self.request.refunds.iter_mut().filter(|refund| refund.seq == seq) {
            refund.ends(end.clone());
        }
        self.with_timeline_entry("refund_failed", None, Some(code))
            .with_entry(EntryKind::RefundFailed { refund: seq, code: code.to_owned() })
            .with_webhook(WebhookEventType::RefundFailed)
    }

    /// Counts the failed refunds that a webhook reported as successful since.
    ///
    /// A refund that no call has begun for is stopped where it would refund the same amount again. Where the amount was
    /// refunded otherwise, the success waits: an open refund of that amount can still fail.
    pub(super) fn with_late_successes(mut self) -> Self {
        let is_late =
            |refund: &super::RefundRecord| refund.end.is_some() && refund.reported.is_some();
        let late: Vec<(u32, u64)> = self
            .request
            .refunds
            .iter()
            .filter(|refund| is_late(refund))
            .map(|refund| (refund.seq, refund.amount))
            .collect();
        for (seq, amount) in late {
            for repeat in self.request.repeats_of(seq, amount) {
                self = self.with_failed_refund(repeat, REFUNDED_BEFORE);
            }
            if self.request.refundable() >= amount {
                self = self.with_completed_refund(seq);
            }
        }
        self
    }

    fn with_completed_refund(mut self, seq: u32) -> Self {
        let end = RefundEnd::Done { at: self.at };
        for refund in self.request.refunds.iter_mut().filter(|refund| refund.seq == seq) {
            let reported = refund.reported.take().map(|reported| reported.reference);
            refund.reference = reported.or_else(|| refund.reference.take());
            refund.ends(end.clone());
        }
        self.with_timeline_entry("refunded", None, None)
            .with_entry(EntryKind::Refunded { refund: seq })
            .with_webhook(WebhookEventType::Refunded)
    }
}

impl Request {
    /// Returns the refunds without a call so far that would refund an amount again, or that no longer fit.
    fn repeats_of(&self, seq: u32, amount: u64) -> Vec<u32> {
        if guards::is_disabled(Guard::LateRefundSuccess) {
            return Vec::new();
        }
        let waiting = self.open_refunds().filter(|refund| {
            let room = self.refundable() >= amount;
            refund.seq > seq && refund.started_at.is_none() && (refund.amount == amount || !room)
        });
        waiting.map(|refund| refund.seq).collect()
    }
}
