//! The result of one run at the processor, classified by what follows from it.

use std::time::Duration;

use domain::ask::Ask;
use domain::guards;
use domain::guards::Guard;
use domain::request::{Doubt, Request};
use domain::seal::Sealed;
use ports::{Fulfillment, Rejection};

use crate::circuit::AccountStatus;

/// One run at the processor: its result, and what it says about our account there.
pub(super) struct Run {
    pub(super) result: RunResult,
    /// `None` where the processor was not called.
    pub(super) account: Option<AccountStatus>,
}

/// The result of a run.
pub(super) enum RunResult {
    /// The money moved, the card is saved, or the claims are here.
    Done(Fulfillment),
    /// The money did not move, and this attempt never will move it.
    Declined {
        code: &'static str,
        /// Whether the customer may try another card.
        can_retry: bool,
    },
    /// The customer goes to the sealed address.
    Redirect(Sealed),
    /// The attempt is run again after a while.
    Postponed { reason: &'static str, doubt: Doubt },
    /// The circuit is open for that long: nothing was sent.
    CircuitOpen(Duration),
    /// The processor cannot be opened, or its result cannot be sealed. An operator must look.
    Unusable(&'static str),
    /// The customer returned while the run began. It has been released, and the next run uses what they brought.
    Superseded,
}

impl Run {
    const fn accepted(result: RunResult) -> Self {
        Self { result, account: Some(AccountStatus::Accepted) }
    }

    /// The processor was not called.
    pub(super) const fn without_call(result: RunResult) -> Self {
        Self { result, account: None }
    }

    pub(super) const fn unusable(code: &'static str) -> Self {
        Self::without_call(RunResult::Unusable(code))
    }

    /// The processor reports a success. Anything but exactly what the customer approved is no success (dynamic linking).
    pub(super) fn done(request: &Request, fulfillment: Fulfillment) -> Self {
        if is_exact(request, &fulfillment) {
            return Self::accepted(RunResult::Done(fulfillment));
        }
        tracing::error!(request.id = %request.id, "processor reported something else than the customer approved");
        Self::accepted(RunResult::Postponed { reason: "amount_differs", doubt: Doubt::Reported })
    }

    /// Another card may work.
    pub(super) const fn soft_declined(code: &'static str) -> Self {
        Self::accepted(RunResult::Declined { code, can_retry: true })
    }

    /// No other try will mend it.
    pub(super) const fn hard_declined(code: &'static str) -> Self {
        Self::accepted(RunResult::Declined { code, can_retry: false })
    }

    /// The processor calls the attempt itself wrong.
    pub(super) fn invalid(request: &Request, code: &'static str) -> Self {
        tracing::error!(request.id = %request.id, code, "processor called the attempt invalid");
        Self::hard_declined(code)
    }

    /// The attempt took too long, or its object has ended. It can never move money.
    pub(super) const fn gave_up() -> Self {
        Self::hard_declined("processor_unavailable")
    }

    pub(super) const fn redirect(to: Sealed) -> Self {
        Self::accepted(RunResult::Redirect(to))
    }

    /// The processor rejected the call that this kind of ask needs. An earlier call may have been made before.
    pub(super) const fn rejected(by: Rejection, doubt: Doubt) -> Self {
        let result = RunResult::Postponed { reason: by.code(), doubt };
        Self { result, account: Some(AccountStatus::Rejected(by)) }
    }

    /// The processor rejected a look-up or a void. That says nothing of the call that the ask needs, unless it rejects the
    /// whole account.
    pub(super) fn rejected_beside(by: Rejection) -> Self {
        let run = Self::rejected(by, Doubt::Unchanged);
        if by.is_of_account() {
            run
        } else {
            Self { account: Some(AccountStatus::Unreachable), ..run }
        }
    }

    /// Nothing moved, and the same call is safe.
    pub(super) const fn again() -> Self {
        let result = RunResult::Postponed { reason: "again", doubt: Doubt::Unchanged };
        Self { result, account: Some(AccountStatus::Unreachable) }
    }

    pub(super) const fn processing() -> Self {
        Self::accepted(RunResult::Postponed { reason: "processing", doubt: Doubt::Unchanged })
    }

    /// The money may have moved.
    pub(super) fn unknown() -> Self {
        let result = if guards::is_disabled(Guard::UnknownIsNoDecline) {
            RunResult::Declined { code: "lost", can_retry: true }
        } else {
            RunResult::Postponed { reason: "unknown", doubt: Doubt::Reported }
        };
        Self { result, account: Some(AccountStatus::Unreachable) }
    }
}

/// Returns whether what the processor did is exactly what the customer approved.
fn is_exact(request: &Request, fulfillment: &Fulfillment) -> bool {
    match (&request.ask, fulfillment) {
        (Ask::Payment { money, .. }, Fulfillment::Payment(receipt)) => {
            receipt.amount == money.amount() && receipt.currency == money.currency().code()
        }
        (Ask::PaymentMethod { .. }, Fulfillment::Card { .. }) => true,
        (Ask::Identity { claims, .. }, Fulfillment::Claims { receipt, .. }) => receipt
            .released
            .iter()
            .all(|released| claims.iter().any(|claim| claim.as_str() == released)),
        (
            Ask::Payment { .. } | Ask::PaymentMethod { .. } | Ask::Identity { .. },
            Fulfillment::Payment(_) | Fulfillment::Card { .. } | Fulfillment::Claims { .. },
        ) => false,
    }
}
