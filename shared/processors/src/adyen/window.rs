//! The times at which a payment may be sent, believed and cancelled. No two of these overlap.

use std::time::Duration;

use domain::authorization::{Authorization, Grant};
use domain::values::time::Timestamp;
use ports::{AttemptContext, Retrieved, VoidResult};

use super::reported::{is_cancel_failed, is_declined, is_kept, is_taken_back, paid};
use super::wire::{Amount, payments};

/// The time after an attempt's begin in which its call is made and repeated.
const SENDS: Duration = Duration::from_secs(600);
/// The time after which an attempt is cancelled that stayed on our page.
///
/// UNVERIFIED: webhooks come within a minute, mostly. Measure the delay in Adyen's test environment.
const CANCELS: Duration = Duration::from_secs(1_800);
/// The time after which an attempt is cancelled whose customer went to their bank. The customer may be waiting for it.
const CANCELS_ON_PAGE: Duration = Duration::from_secs(720);

/// The time after which an attempt was never made whose cancellation failed without a report of the payment.
///
/// Adyen repeats each webhook until we accept it, and the failed cancellation proves that webhooks reach us.
/// UNVERIFIED: a `TECHNICAL_CANCEL` of an unknown reference fails. Cancel one in Adyen's test environment.
const NEVER_MADE: Duration = Duration::from_secs(86_400);

/// The time after which a payment stays that could not be reversed.
///
/// A reversal also fails after a cancellation that worked. The webhook of that cancellation comes before this time.
const KEPT: Duration = NEVER_MADE;

/// The time limits of an attempt, and the current time.
///
/// <https://github.com/Adyen/adyen-openapi>, Checkout v72, read 2026-11-23.
/// Adyen has no look-up by merchant reference, and it carries out a cancellation at a time of its own. A payment reported
/// before the first cancellation could be sent is done. A payment reported later may be about to be cancelled, so it is
/// reversed for good. If that fails, and no cancellation is reported within [`KEPT`], the payment is done after all. A call that
/// pays is never made after a cancellation.
pub(super) struct Window {
    begun_at: Timestamp,
    now: Timestamp,
    cancels: Duration,
}

impl Window {
    pub(super) fn of(attempt: &AttemptContext<'_>, now: Timestamp) -> Self {
        let cancels = if attempt.on_hosted_page { CANCELS_ON_PAGE } else { CANCELS };
        Self { begun_at: attempt.begun_at, now, cancels }
    }

    /// Returns whether a call that pays may be made now.
    pub(super) fn sends(&self) -> bool {
        self.now < self.begun_at.after(SENDS)
    }

    /// Returns whether a time lies before the first possible cancellation.
    fn is_before_cancels(&self, at: Timestamp) -> bool {
        at < self.begun_at.after(self.cancels)
    }

    /// Returns whether a payment could not be reversed, and no cancellation of it can be reported any more.
    fn stays(&self, attempt: &AttemptContext<'_>) -> bool {
        is_kept(attempt) && self.now >= self.begun_at.after(KEPT)
    }

    /// Returns what is known without a call.
    pub(super) fn retrieve(&self, attempt: &AttemptContext<'_>) -> Retrieved {
        if is_taken_back(attempt) {
            return Retrieved::SoftDeclined { code: "payment_cancelled" };
        }
        if let Some(paid) = paid(attempt) {
            let is_done = self.is_before_cancels(paid.at) || self.stays(attempt);
            let known = payments::reported(&paid).filter(|_| is_done);
            return known.map_or(Retrieved::Unknown, Retrieved::Done);
        }
        if is_declined(attempt) {
            return Retrieved::SoftDeclined { code: "card_declined" };
        }
        match attempt.authorization {
            // The result at the bank is unknown until the customer returns.
            Authorization::Credential(credential)
                if payments::is_taken(credential.kind) && attempt.on_hosted_page =>
            {
                Retrieved::Processing
            }
            // A repeat with the same key brings the first answer. UNVERIFIED: keys live at least seven days. Check
            // https://docs.adyen.com/development-resources/api-idempotency before going live.
            Authorization::Credential(credential)
                if payments::is_taken(credential.kind) && self.sends() =>
            {
                Retrieved::NotConfirmed
            }
            Authorization::Grant(Grant::Code(_)) if self.sends() => Retrieved::NotConfirmed,
            Authorization::Credential(_) | Authorization::Grant(_) | Authorization::Hosted => {
                Retrieved::Unknown
            }
        }
    }

    /// Returns the result of an attempt to be voided; `None` where it must be cancelled or reversed now.
    pub(super) fn over(
        &self,
        attempt: &AttemptContext<'_>,
        asked: Option<&Amount>,
    ) -> Option<VoidResult> {
        if is_taken_back(attempt) {
            return Some(VoidResult::Voided);
        }
        if let Some(paid) = paid(attempt) {
            let whole = asked.is_some_and(|asked| {
                (asked.value, asked.currency.as_str()) == (paid.value, paid.currency.as_str())
            });
            if (whole && self.is_before_cancels(paid.at)) || self.stays(attempt) {
                return Some(
                    payments::reported(&paid).map_or(VoidResult::Unknown, VoidResult::Done),
                );
            }
            if is_kept(attempt) {
                // A repeat of the reversal brings the first answer.
                return Some(VoidResult::Unknown);
            }
        } else if is_declined(attempt) {
            return Some(VoidResult::SoftDeclined { code: "card_declined" });
        }
        if self.is_before_cancels(self.now) {
            // Nothing is paid on the bank's page yet. That takes another call of ours.
            let returned = matches!(attempt.authorization, Authorization::Grant(Grant::Code(_)));
            let at_bank = attempt.on_hosted_page && !returned;
            return Some(if at_bank { VoidResult::Processing } else { VoidResult::Unknown });
        }
        // The worker died before its call, and none resumed in time.
        let never_made = is_cancel_failed(attempt) && self.now >= self.begun_at.after(NEVER_MADE);
        never_made.then_some(VoidResult::Voided)
    }
}
