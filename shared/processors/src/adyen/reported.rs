//! The results that webhooks reported of an attempt, as they are kept until the attempt is looked at.

use domain::processor_result::{Reference, ReportedResult};
use domain::values::time::Timestamp;
use ports::AttemptContext;

use super::reference::is_psp;

/// An authorisation that a webhook reported: its signed values, and the time of receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReportedPayment {
    /// Adyen's id of the payment.
    pub(super) psp: String,
    /// The amount in Adyen's minor units.
    pub(super) value: u64,
    /// The currency's code.
    pub(super) currency: String,
    /// The time at which the webhook was received.
    pub(super) at: Timestamp,
}

impl ReportedPayment {
    /// Writes the payment as the text that is kept with the attempt.
    pub(super) fn to_reference(&self) -> Reference {
        let Self { psp, value, currency, at } = self;
        Reference(format!("{psp} {value} {currency} {}", at.as_millis()))
    }

    /// Reads a reported success; `None` for a failure or a malformed text.
    pub(super) fn of(reported: &ReportedResult) -> Option<Self> {
        let mut parts = reported.reference.0.split(' ');
        let mut part = || parts.next().map(str::to_owned);
        let (psp, value, currency, at) = (part()?, part()?, part()?, part()?);
        let at = Timestamp::from_millis(at.parse().ok()?);
        let paid = Self { psp, value: value.parse().ok()?, currency, at };
        (reported.success && parts.next().is_none() && is_psp(&paid.psp)).then_some(paid)
    }
}

/// Returns the payment that a webhook reported. The zero authorisation of a saved card is not a payment.
pub(super) fn paid(attempt: &AttemptContext<'_>) -> Option<ReportedPayment> {
    attempt.money().and(attempt.reported).and_then(ReportedPayment::of)
}

/// Returns whether a webhook reported that the payment was cancelled or reversed.
pub(super) fn is_taken_back(attempt: &AttemptContext<'_>) -> bool {
    attempt.reported.is_some_and(ReportedResult::is_cancelled)
}

/// Returns whether a webhook reported that the payment could not be reversed.
pub(super) fn is_kept(attempt: &AttemptContext<'_>) -> bool {
    attempt.reported.is_some_and(ReportedResult::is_kept)
}

/// Returns whether a webhook reported that the payment could not be cancelled, and no webhook reported the payment.
pub(super) fn is_cancel_failed(attempt: &AttemptContext<'_>) -> bool {
    attempt.reported.is_some_and(ReportedResult::is_cancel_failed)
}

/// Returns whether a webhook reported another result than a payment or a failed cancellation.
pub(super) fn is_declined(attempt: &AttemptContext<'_>) -> bool {
    attempt.reported.is_some_and(|reported| !reported.is_cancel_failed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reported_payment_round_trips_and_damage_is_refused() {
        let at = Timestamp::from_millis(1_767_225_600_000);
        let paid = ReportedPayment {
            psp: "7914073381342284".into(),
            value: 1999,
            currency: "EUR".into(),
            at,
        };
        let reported = ReportedResult {
            success: true,
            reference: paid.to_reference(),
            code: None,
            original: None,
        };
        assert_eq!(ReportedPayment::of(&reported), Some(paid));
        let refused = ReportedResult { success: false, ..reported };
        assert_eq!(ReportedPayment::of(&refused), None);
        let damaged = ReportedResult {
            reference: Reference("a/b 1 EUR 1".into()),
            success: true,
            code: None,
            original: None,
        };
        assert_eq!(ReportedPayment::of(&damaged), None);
    }
}
