//! Idempotency keys: a function of the attempt and the step, so that every repeat carries the same one.

use domain::values::id::RequestId;
use sha2::{Digest, Sha256};

/// The calls of an attempt that carry a key.
///
/// Cancelling and expiring carry none: done twice it is the same, and a stored answer would hide what became of
/// the payment since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// An Apple Pay token becomes a Stripe token.
    Token,
    /// A Stripe token becomes a payment method.
    PaymentMethod,
    /// The PaymentIntent is created.
    Create,
    /// The PaymentIntent is confirmed: the money moves.
    Confirm,
    /// A customer is made, to keep a card for.
    Customer,
    /// The SetupIntent is created.
    SetupCreate,
    /// The SetupIntent is confirmed: the card is kept.
    SetupConfirm,
    /// The Checkout Session is created.
    Checkout,
}

impl Step {
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

/// The key of a step of an attempt.
pub(crate) fn key(request: RequestId, step: Step, attempt_no: u32) -> String {
    derive(&request.to_string(), step.as_str(), attempt_no)
}

/// The key of a refund.
pub(crate) fn refund_key(request: RequestId, seq: u32) -> String {
    derive(&request.to_string(), "refund", seq)
}

fn derive(request: &str, step: &str, attempt_no: u32) -> String {
    let digest = Sha256::digest(format!("pay-by-phone/v1|{request}|{step}|{attempt_no}"));
    let mut text = hex::encode(digest);
    text.truncate(32);
    format!("{step}-{attempt_no}-{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_reference() {
        let file = include_str!("fixtures/vectors-idempotency-keys.json");
        let file: serde_json::Value = serde_json::from_str(file).unwrap();
        for vector in file["vectors"].as_array().unwrap() {
            let text = |name: &str| vector[name].as_str().unwrap();
            let attempt_no = u32::try_from(vector["generation"].as_u64().unwrap()).unwrap();
            assert_eq!(derive(text("request_id"), text("step"), attempt_no), text("key"));
        }
    }

    #[test]
    fn no_two_steps_share_a_name() {
        let steps = [
            Step::Token,
            Step::PaymentMethod,
            Step::Create,
            Step::Confirm,
            Step::Customer,
            Step::SetupCreate,
            Step::SetupConfirm,
            Step::Checkout,
        ];
        let mut names: std::collections::BTreeSet<_> = steps.map(Step::as_str).into();
        assert!(names.insert("refund"));
        assert_eq!(names.len(), steps.len() + 1);
    }
}
