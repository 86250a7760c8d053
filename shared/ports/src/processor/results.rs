//! The results of each operation of a processor.
//!
//! Each operation has a type of its own, so that a reaction lists what can happen and nothing else. A `code` is a stable
//! word without detail.

use super::{Fulfillment, RedirectUrl, Reference, Rejection};
use domain::authorization::Grant;

/// The code of a decline because the processor no longer keeps the saved card.
pub const CARD_NOT_KEPT: &str = "card_not_kept";

/// The result of [`create`](super::Processor::create). No money has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// The object exists. A worker stores its reference before it calls [`confirm`](super::Processor::confirm).
    Ready(Reference),
    /// The issuer declined; another card may work.
    SoftDeclined {
        /// Such as `insufficient_funds` or `card_declined`.
        code: &'static str,
    },
    /// The issuer declined, and no other try will mend it. The code never says why, since the card may be stolen.
    HardDeclined {
        /// Such as `card_declined`.
        code: &'static str,
    },
    /// The attempt itself is wrong, and a repeat cannot help.
    Invalid {
        /// Such as `token_already_used` or `amount_too_small`.
        code: &'static str,
    },
    /// The processor rejected our account or credentials.
    Blocked {
        /// Why, and whether it concerns all calls.
        by: Rejection,
    },
    /// The same call with the same key is safe.
    Again,
}

/// The result of [`confirm`](super::Processor::confirm), the call that moves money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// The money moved, the card is saved, or the claims are here.
    Done(Fulfillment),
    /// The issuer declined; another card may work.
    SoftDeclined {
        /// Such as `insufficient_funds` or `card_declined`.
        code: &'static str,
    },
    /// The issuer declined, and no other try will mend it. The code never says why, since the card may be stolen.
    HardDeclined {
        /// Such as `card_declined`.
        code: &'static str,
    },
    /// The customer has to act, with 3-D Secure or on the processor's page. Nothing moved.
    RequiresAction {
        /// Where the customer goes; `None` where the customer cannot be sent there.
        redirect: Option<RedirectUrl>,
    },
    /// The grant was exchanged for this one. A worker stores it in its place, then makes the same call again.
    Exchanged(Grant),
    /// The attempt itself is wrong. Nothing moved, and a repeat cannot help.
    Invalid {
        /// Such as `token_already_used` or `amount_too_small`.
        code: &'static str,
    },
    /// The processor rejected our account or credentials. This call moved nothing.
    Blocked {
        /// Why, and whether it concerns all calls.
        by: Rejection,
    },
    /// Nothing moved yet, and the same call with the same key is safe.
    Again,
    /// The processor is working on it: retrieve it in a moment.
    Processing,
    /// The money may have moved: retrieve it.
    Unknown,
    /// The object was voided or expired before. It can never move money.
    Voided,
}

/// The result of [`retrieve`](super::Processor::retrieve).
///
/// A read that failed says nothing about the money: it is [`Unknown`](Self::Unknown) or [`Blocked`](Self::Blocked).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retrieved {
    /// The money moved, the card is saved, or the claims are here.
    Done(Fulfillment),
    /// The issuer declined; another card may work.
    SoftDeclined {
        /// Such as `insufficient_funds` or `card_declined`.
        code: &'static str,
    },
    /// The issuer declined, and no other try will mend it. The code never says why, since the card may be stolen.
    HardDeclined {
        /// Such as `card_declined`.
        code: &'static str,
    },
    /// The customer has to act, with 3-D Secure or on the processor's page. Nothing moved.
    RequiresAction {
        /// Where the customer goes; `None` where the customer cannot be sent there.
        redirect: Option<RedirectUrl>,
    },
    /// The attempt itself is wrong. Nothing moved, and a repeat cannot help.
    Invalid {
        /// Such as `payment_method_missing`.
        code: &'static str,
    },
    /// The processor rejected our account or credentials, which says nothing about the money.
    Blocked {
        /// Why, and whether it concerns all calls.
        by: Rejection,
    },
    /// The money has not moved, and the same [`confirm`](super::Processor::confirm) with the same key may be made.
    NotConfirmed,
    /// The processor is working on it: retrieve it again in a moment.
    Processing,
    /// The money may have moved.
    Unknown,
    /// The object was voided or expired. It can never move money.
    Voided,
}

/// The result of [`void`](super::Processor::void).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VoidResult {
    /// From now on the attempt can never move money.
    Voided,
    /// The attempt had succeeded before.
    Done(Fulfillment),
    /// The issuer had declined before; another card may work.
    SoftDeclined {
        /// Such as `insufficient_funds` or `card_declined`.
        code: &'static str,
    },
    /// The issuer had declined before, and no other try will mend it.
    HardDeclined {
        /// Such as `card_declined`.
        code: &'static str,
    },
    /// The attempt itself is wrong. Nothing moved, and a repeat cannot help.
    Invalid {
        /// Such as `payment_method_missing`.
        code: &'static str,
    },
    /// The processor rejected our account or credentials. This call voided nothing.
    Blocked {
        /// Why, and whether it concerns all calls.
        by: Rejection,
    },
    /// Nothing was voided yet, and the same call is safe.
    Again,
    /// The processor is working on it.
    Processing,
    /// The money may have moved, or may still move.
    Unknown,
}
