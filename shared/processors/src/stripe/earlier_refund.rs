//! The search for a refund that an earlier call may have made.

use ports::Refund;

use super::Stripe;
use super::wire::refunds::{self, RefundSearch};

/// The number of pages of a charge's refunds that are searched: more than any charge has.
const PAGES_MAX: u32 = 20;

impl Stripe {
    /// Looks for a refund that an earlier call may have made.
    pub(super) async fn refunded_before(
        &self,
        refund: &Refund<'_>,
        charge: &str,
        amount: u64,
    ) -> RefundSearch {
        let mut after = None;
        for _ in 0..PAGES_MAX {
            let Ok(reply) = self.send(refunds::list(charge, after.as_deref())).await else {
                return RefundSearch::Unknown;
            };
            match refunds::found(&reply, refund, amount) {
                RefundSearch::NotYet(last) => after = Some(last),
                found @ (RefundSearch::There(_) | RefundSearch::No | RefundSearch::Unknown) => {
                    return found;
                }
            }
        }
        RefundSearch::Unknown
    }
}
