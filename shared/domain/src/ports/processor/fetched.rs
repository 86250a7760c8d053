//! What a processor returned, and the receipts that are stored.

use serde::{Deserialize, Serialize};

use super::Reference;
use crate::authorization::Authorization;

/// What the use of an authorization brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The money moved.
    Payment(Receipt),
    /// The processor saved the card.
    Card {
        /// What the requester may know of it.
        receipt: CardReceipt,
        /// What the processor charges it by. It is stored sealed.
        saved: Authorization,
    },
    /// The provider released claims about the customer.
    Claims {
        /// What the requester may know besides the claims themselves.
        receipt: ClaimsReceipt,
        /// A JSON object of the claims that the customer consented to, and no others. Stored sealed, and briefly.
        claims: Authorization,
    },
}

/// The receipt of a saved card. Nothing in it is sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardReceipt {
    /// The processor's own id for the requester's books.
    pub reference: Reference,
    /// The wallet, where one was used.
    pub wallet: Option<String>,
    /// The card's brand, such as `visa`.
    pub card_brand: Option<String>,
    /// The card's last four digits.
    pub last4: Option<String>,
    /// The month it expires, from 1.
    pub exp_month: Option<u8>,
    /// The year it expires, four digits.
    pub exp_year: Option<u16>,
}

/// The receipt of claims, without the claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsReceipt {
    /// A keyed hash of the provider's own id for the customer. For one brand, one customer has one hash.
    pub subject: String,
    /// The names of the claims that were released.
    pub released: Vec<String>,
}

/// The receipt of a charge that succeeded. Nothing in it is sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The processor's own id for the requester's books.
    pub reference: Reference,
    /// What was charged, as the processor reports it; compared with the ask.
    pub amount: u64,
    /// The currency's code, as the processor reports it, in capitals.
    pub currency: String,
    /// `card`, or the processor's word for another method.
    pub method: String,
    /// The wallet, where one was used: `apple_pay`, `google_pay`.
    pub wallet: Option<String>,
    /// The card's brand, such as `visa`.
    pub card_brand: Option<String>,
    /// The card's last four digits.
    pub last4: Option<String>,
}
