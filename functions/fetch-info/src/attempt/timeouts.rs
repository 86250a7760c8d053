//! The time limits of an attempt, and of the wait for a customer.

use std::time::Duration;

use domain::guards;
use domain::guards::Guard;
use domain::request::{Attempt, Request};
use domain::values::time::Timestamp;

/// How long an attempt that has moved nothing is tried: the customer is on the line and waits.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(600);
/// How long a result in doubt is retrieved before the attempt is voided.
const IN_DOUBT_TIMEOUT: Duration = Duration::from_secs(1_800);
/// How long an approval can be used by itself. A writer of the table may put a used one back when the processor has
/// forgotten the attempt's idempotency key. Stripe forgets it after 24 hours at the earliest, and Adyen after 7 days.
const APPROVAL_MAX: Duration = Duration::from_secs(23 * 3_600);
/// The least time on the hosted page of a customer who was redirected just before the deadline.
const HOSTED_PAGE_MIN: Duration = Duration::from_secs(120);

/// Returns whether an attempt has been tried long enough: longer where the money may have moved.
pub(super) fn is_timed_out(request: &Request, attempt: &Attempt, now: Timestamp) -> bool {
    if is_approval_too_old(request, attempt, now) && !guards::is_disabled(Guard::ApprovalAge) {
        return true;
    }
    let mut started_at = attempt.started_at();
    if let Some(redirect) = &attempt.redirect {
        let Some(returned_at) = redirect.returned_at() else {
            // A customer on the hosted page has until the deadline, and a moment in any case.
            let until = request.expires_at.max(redirect.at.after(HOSTED_PAGE_MIN));
            return redirect.abandoned_by().is_some() || now > until;
        };
        // However long the customer was there: the use of what they returned with has just begun.
        started_at = Some(returned_at);
    }
    let (since, timeout) = match started_at {
        Some(started_at) if attempt.is_in_doubt() => (started_at, IN_DOUBT_TIMEOUT),
        Some(_) | None => (attempt.begun_at, ATTEMPT_TIMEOUT),
    };
    now > since.after(timeout)
}

/// Returns whether an approval is too old to be used. One that led to a hosted page has the deadline of that page.
fn is_approval_too_old(request: &Request, attempt: &Attempt, now: Timestamp) -> bool {
    let approved_at = request.approval().map(|(consent, _)| consent.at);
    attempt.redirect.is_none() && approved_at.is_some_and(|at| now > at.after(APPROVAL_MAX))
}

/// Returns whether a webhook or the customer changed something while the worker was at the processor.
pub(super) fn is_overtaken(before: &Attempt, request: &Request) -> bool {
    let facts = |attempt: &Attempt| {
        let redirect = attempt.redirect.as_ref();
        let state = redirect
            .map(|redirect| (redirect.returned_at(), redirect.abandoned_by(), redirect.browser));
        (attempt.reported.clone(), state.unwrap_or_default())
    };
    request.open_attempt().is_some_and(|now| facts(before) != facts(now))
}

/// Returns a quarter of the customer's time on the page so far, 2 to 15 seconds. After 15 minutes it is longer.
pub(super) fn hosted_page_wait(on_page: Duration) -> Duration {
    let seconds = on_page.as_secs();
    Duration::from_secs(if seconds < 900 {
        (seconds / 4).clamp(2, 15)
    } else {
        (seconds / 15).min(300)
    })
}
