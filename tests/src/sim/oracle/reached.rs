//! The points that runs should reach, so that a simulation that got narrow is noticed.

use domain::ask::Ask;
use domain::journal::EntryKind;
use domain::request::{CancelRedirect, Request};

/// Returns the point that an event of a request reaches, if runs should reach it.
pub(super) fn reached(after: &Request, what: &EntryKind) -> Option<&'static str> {
    if let EntryKind::Fulfilled { .. } = what {
        return Some(match &after.ask {
            Ask::Payment { card: None, .. } => "paid",
            Ask::Payment { card: Some(_), .. } => "paid by a saved card",
            Ask::PaymentMethod { .. } => "saved a card",
            Ask::Identity { .. } => "released claims",
        });
    }
    let points = [
        (matches!(what, EntryKind::Redirected { .. }), "redirected"),
        (matches!(what, EntryKind::Returned { .. }), "returned"),
        (
            matches!(what, EntryKind::RedirectCancelled { by: CancelRedirect::Customer, .. }),
            "abandoned by the customer",
        ),
        (
            matches!(what, EntryKind::RedirectCancelled { by: CancelRedirect::Requester, .. }),
            "abandoned by the requester",
        ),
        (matches!(what, EntryKind::AttemptReported { .. }), "reported by webhook"),
        (matches!(what, EntryKind::Refunded { .. }), "refunded"),
        (matches!(what, EntryKind::RefundFailed { .. }), "failed to refund"),
        (
            matches!(what, EntryKind::AttemptFailed { code, .. } if code == "authentication_lost"),
            "lost a code",
        ),
        (
            matches!(what, EntryKind::AttemptFailed { code, .. } if code == "customer_left"),
            "left the processor's page",
        ),
    ];
    points.into_iter().find_map(|(is_there, point)| is_there.then_some(point))
}
