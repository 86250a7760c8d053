//! When a payment under a name of ours may be sent, believed and cancelled: never two of these at once.

use std::time::Duration;

use domain::authorization::AuthorizationKind;
use domain::ports::{Retrieved, Use, VoidResult};
use domain::values::time::Timestamp;

use super::wire::{Amount, payments};
use super::{is_taken_back, paid};

/// For how long after an attempt began its call is made, and made again.
const SENDS: Duration = Duration::from_secs(600);
/// From when on it is cancelled, where nobody was sent on. Adyen's webhooks come within a minute, mostly.
const CANCELS: Duration = Duration::from_secs(1_800);
/// From when on it is cancelled where the customer was sent on to their bank: they, or the requester, may wait for it.
const CANCELS_ON_PAGE: Duration = Duration::from_secs(720);

/// The time of an attempt, and where in it we are.
///
/// Adyen cannot be asked about a payment of which only our own name is known, and a cancellation is carried out whenever it
/// is. A payment that is heard of before the first cancellation could have been sent is done. One that is heard of later
/// may be about to be cancelled, and is taken back for good. A call that pays is never made after a cancellation.
pub(super) struct Window {
    begun_at: Timestamp,
    now: Timestamp,
    cancels: Duration,
}

impl Window {
    pub(super) fn of(what: &Use<'_>, now: Timestamp) -> Self {
        let cancels = if what.on_hosted_page { CANCELS_ON_PAGE } else { CANCELS };
        Self { begun_at: what.begun_at, now, cancels }
    }

    /// Whether a call that pays may be made.
    pub(super) fn sends(&self) -> bool {
        self.now < self.begun_at.after(SENDS)
    }

    /// Whether something was heard before anything could have been cancelled.
    fn is_before_cancels(&self, at: Timestamp) -> bool {
        at < self.begun_at.after(self.cancels)
    }

    /// What is known, without asking anybody.
    pub(super) fn retrieve(&self, what: &Use<'_>) -> Retrieved {
        if is_taken_back(what) {
            return Retrieved::SoftDeclined { code: "payment_cancelled" };
        }
        if let Some(paid) = paid(what) {
            let known = payments::reported(&paid).filter(|_| self.is_before_cancels(paid.at));
            return known.map_or(Retrieved::Unknown, Retrieved::Done);
        }
        if what.reported.is_some() {
            return Retrieved::SoftDeclined { code: "card_declined" };
        }
        match what.authorization.kind {
            // Whether the customer is done at their bank, nobody knows until they come back.
            AuthorizationKind::ApplePay
            | AuthorizationKind::GooglePay
            | AuthorizationKind::KeptCard
                if what.on_hosted_page =>
            {
                Retrieved::Processing
            }
            // The same call with the same key brings the same answer, or a first one: Adyen keeps keys for a week [S].
            AuthorizationKind::ApplePay
            | AuthorizationKind::GooglePay
            | AuthorizationKind::KeptCard
            | AuthorizationKind::Code
                if self.sends() =>
            {
                Retrieved::NotConfirmed
            }
            AuthorizationKind::ApplePay
            | AuthorizationKind::GooglePay
            | AuthorizationKind::KeptCard
            | AuthorizationKind::Code
            | AuthorizationKind::PaymentMethod
            | AuthorizationKind::Hosted
            | AuthorizationKind::AccessToken
            | AuthorizationKind::RedirectUrl
            | AuthorizationKind::Claims => Retrieved::Unknown,
        }
    }

    /// What an attempt that is to be ended has come to, or `None` where it is time to cancel it or to take it back.
    pub(super) fn over(&self, what: &Use<'_>, asked: Option<&Amount>) -> Option<VoidResult> {
        if is_taken_back(what) {
            return Some(VoidResult::Voided);
        }
        if let Some(paid) = paid(what) {
            let whole = asked.is_some_and(|asked| {
                (asked.value, asked.currency.as_str()) == (paid.value, paid.currency.as_str())
            });
            if whole && self.is_before_cancels(paid.at) {
                return Some(
                    payments::reported(&paid).map_or(VoidResult::Unknown, VoidResult::Done),
                );
            }
        } else if what.reported.is_some() {
            return Some(VoidResult::SoftDeclined { code: "card_declined" });
        }
        if self.is_before_cancels(self.now) {
            // On their bank's page nothing is paid yet: that takes a call of ours.
            let at_bank = what.on_hosted_page && what.authorization.kind != AuthorizationKind::Code;
            return Some(if at_bank { VoidResult::Processing } else { VoidResult::Unknown });
        }
        None
    }
}
