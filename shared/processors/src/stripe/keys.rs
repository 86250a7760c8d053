//! Idempotency keys, derived from the attempt and the step, so that every repeat carries the same key.
//!
//! Stripe may forget a key after 24 hours; then the same key is a new request.
//! <https://docs.stripe.com/error-low-level>, read 2026-11-23.

use domain::digest::digest_hex;
use domain::values::id::RequestId;

/// The calls of an attempt that carry a key.
///
/// Cancelling and expiring carry none, since a repeat changes nothing. A stored answer would hide the payment's later state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StripeStep {
    /// Turns an Apple Pay token into a Stripe token.
    Token,
    /// Turns a Stripe token into a payment method.
    PaymentMethod,
    /// Creates the PaymentIntent.
    Create,
    /// Confirms the PaymentIntent, which moves the money.
    Confirm,
    /// Creates the customer for whom a card is saved.
    Customer,
    /// Creates the SetupIntent.
    SetupCreate,
    /// Confirms the SetupIntent, which saves the card.
    SetupConfirm,
    /// Creates the Checkout Session.
    Checkout,
}

impl StripeStep {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::PaymentMethod => "pm_create",
            Self::Create => "pi_create",
            Self::Confirm => "pi_confirm",
            Self::Customer => "cus_create",
            Self::SetupCreate => "seti_create",
            Self::SetupConfirm => "seti_confirm",
            Self::Checkout => "cs_create",
        }
    }
}

/// Returns the key of a step of an attempt.
pub(crate) fn key(request: RequestId, step: StripeStep, attempt_no: u32) -> String {
    derive(&request.to_string(), step.as_str(), attempt_no)
}

/// Returns the key of a refund.
pub(crate) fn refund_key(request: RequestId, seq: u32) -> String {
    derive(&request.to_string(), "refund", seq)
}

fn derive(request: &str, step: &str, attempt_no: u32) -> String {
    let name = format!("pay-by-phone/v1|{request}|{step}|{attempt_no}");
    let mut text = digest_hex(name.as_bytes());
    text.truncate(32);
    format!("{step}-{attempt_no}-{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_match_the_reference_vectors() {
        let file = include_str!("fixtures/vectors-idempotency-keys.json");
        let file: serde_json::Value = serde_json::from_str(file).unwrap();
        for vector in file["vectors"].as_array().unwrap() {
            let text = |name: &str| vector[name].as_str().unwrap();
            let attempt_no = u32::try_from(vector["generation"].as_u64().unwrap()).unwrap();
            assert_eq!(derive(text("request_id"), text("step"), attempt_no), text("key"));
        }
    }

    #[test]
    fn step_names_are_unique() {
        let steps = [
            StripeStep::Token,
            StripeStep::PaymentMethod,
            StripeStep::Create,
            StripeStep::Confirm,
            StripeStep::Customer,
            StripeStep::SetupCreate,
            StripeStep::SetupConfirm,
            StripeStep::Checkout,
        ];
        let mut names: std::collections::BTreeSet<_> = steps.map(StripeStep::as_str).into();
        assert!(names.insert("refund"));
        assert_eq!(names.len(), steps.len() + 1);
    }
}
