//! A processor's result, and the receipts that are stored.

use domain::authorization::Credential;
use domain::processor_result::{CardReceipt, ClaimsReceipt, Receipt};
use domain::released_claims::ReleasedClaims;

/// The result of a successful attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fulfillment {
    /// The money moved.
    Payment(Receipt),
    /// The processor saved the card.
    Card {
        /// What the requester may know of it.
        receipt: CardReceipt,
        /// What the processor charges it by. It is stored sealed.
        saved: Credential,
    },
    /// The provider released claims about the customer.
    Claims {
        /// What the requester may know besides the claims themselves.
        receipt: ClaimsReceipt,
        /// A JSON object of the claims that the customer consented to, and no others. Stored sealed, and briefly.
        claims: ReleasedClaims,
    },
}
