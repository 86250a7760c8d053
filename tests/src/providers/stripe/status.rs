//! The states of a PaymentIntent or a SetupIntent, and how cards and amounts choose them.

use domain::values::time::Timestamp;
use serde_json::{Value, json};

use super::checkout::{PROCESSING, page};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    RequiresConfirmation,
    RequiresAction,
    Processing { until: Timestamp },
    Succeeded,
    RequiresPaymentMethod { code: &'static str, decline_code: Option<&'static str> },
    Canceled,
}

/// Returns the result of a confirmation: by the test card, or for a good card by the amount's last digits.
pub(super) fn verdict(method: &str, amount: u64, now: Timestamp) -> Status {
    let refused = |code, decline_code| Status::RequiresPaymentMethod { code, decline_code };
    match method {
        "pm_card_visa_chargeDeclinedInsufficientFunds" => {
            refused("card_declined", Some("insufficient_funds"))
        }
        "pm_card_visa_chargeDeclinedStolenCard" => refused("card_declined", Some("stolen_card")),
        "pm_card_authenticationRequired" => {
            refused("authentication_required", Some("authentication_required"))
        }
        _ if amount % 100 == 4 => Status::Processing { until: now.after(PROCESSING) },
        _ => Status::Succeeded,
    }
}

pub(super) fn refusal(code: &str, decline_code: Option<&str>) -> Value {
    json!({ "type": "card_error", "code": code, "decline_code": decline_code })
}

/// Returns the redirect for 3-D Secure.
pub(super) fn next_action(status: &Status, id: &str) -> Value {
    match status {
        Status::RequiresAction => {
            json!({ "type": "redirect_to_url", "redirect_to_url": { "url": page(id) } })
        }
        Status::RequiresConfirmation
        | Status::Processing { .. }
        | Status::Succeeded
        | Status::RequiresPaymentMethod { .. }
        | Status::Canceled => Value::Null,
    }
}

impl Status {
    /// Returns whether the card was refused for want of 3-D Secure.
    pub(crate) fn wants_3ds(&self) -> bool {
        matches!(self, Self::RequiresPaymentMethod { code, .. } if *code == "authentication_required")
    }

    /// Stripe's word, and its error where there is one.
    pub(crate) fn as_stripe_status(&self) -> (&'static str, Value) {
        match self {
            Self::RequiresConfirmation => ("requires_confirmation", Value::Null),
            Self::RequiresAction => ("requires_action", Value::Null),
            Self::Processing { .. } => ("processing", Value::Null),
            Self::Succeeded => ("succeeded", Value::Null),
            Self::RequiresPaymentMethod { code, decline_code } => {
                ("requires_payment_method", refusal(code, *decline_code))
            }
            Self::Canceled => ("canceled", Value::Null),
        }
    }
}
