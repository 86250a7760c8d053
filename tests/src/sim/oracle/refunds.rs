//! The rules on refunds.

use domain::journal::{EntryKind, JournalEntry};
use domain::request::Request;
use domain::values::time::Timestamp;

use super::{FakeStates, Oracle, RequestRecord};
use crate::providers::stripe::{RefundEntry, Stripe};

/// Returns our name for a refund at the processor.
fn label(request: &Request, seq: u32) -> String {
    format!("{}-{seq}", request.id)
}

impl Oracle {
    /// Checks a refund at the moment it happens.
    pub(in crate::sim) fn check_refund(
        &mut self,
        refund: &RefundEntry,
        stripe: &Stripe,
        now: Timestamp,
    ) {
        let mut wrong = Vec::new();
        let asked = self.requests.values().find_map(|RequestRecord { request, .. }| {
            let known = |seq: u32| label(request, seq) == refund.label;
            Some((request, request.refunds.iter().find(|asked| known(asked.seq))?))
        });
        match asked {
            None => wrong.push("C1: a refund without a request for it"),
            Some((request, asked)) => {
                let begun = asked.started_at.is_some_and(|at| at <= now) && asked.end.is_none();
                if !begun {
                    wrong.push("C5: a refund before or after its time");
                }
                let charge = request.charge().map(|charge| charge.reference.0.as_str());
                if charge != Some(&refund.charge) || asked.amount != refund.amount {
                    wrong.push("C1: another amount or charge is refunded");
                }
            }
        }
        if stripe.times_refunded(&refund.label, now) > 1 {
            wrong.push("C2: refunded twice");
        }
        for what in wrong {
            self.broken.push(format!("{what}: {}", refund.label));
        }
    }
}

/// Returns the message when a refund that ends now differs from the processor's books.
pub(super) fn misreported(
    after: &Request,
    events: &[JournalEntry],
    fakes: &FakeStates<'_>,
) -> Option<String> {
    let FakeStates { stripe, now, .. } = fakes;
    let wrong = |seq: u32, gone: bool| {
        let label = label(after, seq);
        let of = |refund: &&RefundEntry| refund.label == label;
        let stands: Vec<&str> =
            stripe.refunds.iter().filter(of).map(|refund| refund.status(*now)).collect();
        let right = if gone {
            stands == ["succeeded"]
        } else {
            stands.iter().all(|status| *status == "failed")
        };
        (!right).then(|| format!("C2: refund {seq} gone {gone}, and at the processor {stands:?}"))
    };
    events.iter().find_map(|event| {
        if let EntryKind::Refunded { refund } = event.what {
            wrong(refund, true)
        } else if let EntryKind::RefundFailed { refund, .. } = event.what {
            wrong(refund, false)
        } else {
            None
        }
    })
}
