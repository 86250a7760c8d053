//! SetupIntents: their states and their JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::intent::next_action;
use super::method::PaymentMethod;
use crate::cards::Refusal;

/// A SetupIntent, as the ledger stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SetupIntent {
    pub(crate) id: String,
    pub(crate) customer: String,
    /// The payment method, which is saved once the SetupIntent succeeds.
    pub(crate) method: String,
    pub(crate) request_id: String,
    pub(crate) attempt: u32,
    /// The page to which the customer returns from 3-D Secure.
    pub(crate) return_url: Option<String>,
    pub(crate) state: SetupState,
}

/// The status of a SetupIntent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum SetupState {
    RequiresConfirmation,
    RequiresAction,
    Succeeded,
    RequiresPaymentMethod { refusal: Refusal },
    Canceled,
}

impl SetupIntent {
    /// Returns the SetupIntent as it was created.
    pub(crate) fn at_first(self) -> Self {
        Self { state: SetupState::RequiresConfirmation, return_url: None, ..self }
    }

    pub(crate) const fn is_kept(&self) -> bool {
        matches!(self.state, SetupState::Succeeded)
    }

    /// Returns the SetupIntent after the customer's answer on the bank's page.
    pub(crate) fn authenticated(&self, is_them: bool) -> Self {
        let refusal = Refusal::AuthenticationFailed;
        let state = if is_them {
            SetupState::Succeeded
        } else {
            SetupState::RequiresPaymentMethod { refusal }
        };
        Self { state, ..self.clone() }
    }

    /// Returns Stripe's JSON with the payment method expanded.
    pub(crate) fn to_json(&self, method: Option<&PaymentMethod>) -> Value {
        let (status, error) = match self.state {
            SetupState::RequiresConfirmation => ("requires_confirmation", Value::Null),
            SetupState::RequiresAction => ("requires_action", Value::Null),
            SetupState::Succeeded => ("succeeded", Value::Null),
            SetupState::RequiresPaymentMethod { refusal } => {
                ("requires_payment_method", error(refusal))
            }
            SetupState::Canceled => ("canceled", Value::Null),
        };
        let back = self.return_url.as_deref().filter(|_| self.state == SetupState::RequiresAction);
        let kept = self.is_kept().then_some(self.customer.as_str());
        json!({
            "id": self.id,
            "object": "setup_intent",
            "livemode": false,
            "status": status,
            "customer": self.customer,
            "usage": "off_session",
            "payment_method": method.map(|method| method.to_json(kept)),
            "metadata": { "request_id": self.request_id, "attempt": self.attempt.to_string() },
            "last_setup_error": error,
            "next_action": back.map(|back| next_action(back, &self.id)),
        })
    }
}

/// Returns Stripe's error object for a refusal.
pub(crate) fn error(refusal: Refusal) -> Value {
    match refusal {
        Refusal::AuthenticationFailed => json!({ "code": "setup_intent_authentication_failure" }),
        Refusal::AuthenticationRequired
        | Refusal::Generic
        | Refusal::ExpiredCard
        | Refusal::Fraudulent
        | Refusal::IncorrectCvc
        | Refusal::InsufficientFunds
        | Refusal::LostCard
        | Refusal::ProcessingError
        | Refusal::StolenCard => refusal.to_json(),
    }
}
