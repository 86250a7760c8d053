//! PaymentIntents: their states and their JSON.

use std::time::Duration;

use domain::values::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refund::StoredRefund;
use crate::cards::{self, Card, CardResult, Price, Refusal};
use crate::ids::page;

/// The duration of the status `processing`.
const PROCESSING: Duration = Duration::from_secs(3);

/// A PaymentIntent, as the ledger stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PaymentIntent {
    pub(crate) id: String,
    /// The amount in Stripe's minor units.
    pub(crate) amount: u64,
    /// The currency's code in small letters.
    pub(crate) currency: String,
    pub(crate) payment_method: String,
    /// The test card behind the payment method; `None` where the payment method is the test card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) card: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wallet: Option<String>,
    pub(crate) request_id: String,
    pub(crate) attempt: u32,
    /// The page to which the customer returns from 3-D Secure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) return_url: Option<String>,
    pub(crate) state: IntentState,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) refunds: Vec<StoredRefund>,
}

/// The status of a PaymentIntent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum IntentState {
    RequiresConfirmation,
    RequiresAction,
    Processing { until: Timestamp },
    Succeeded,
    RequiresPaymentMethod { refusal: Refusal },
    Canceled,
}

/// Returns the status that a result leads to.
pub(crate) fn state(result: CardResult, now: Timestamp) -> IntentState {
    match result {
        CardResult::Approved | CardResult::ApprovedAndLost => IntentState::Succeeded,
        CardResult::ApprovedLater => IntentState::Processing { until: now.after(PROCESSING) },
        CardResult::Refused(refusal) => IntentState::RequiresPaymentMethod { refusal },
    }
}

impl PaymentIntent {
    /// Returns the PaymentIntent as it was created.
    pub(crate) fn at_first(self) -> Self {
        let (return_url, refunds) = (None, Vec::new());
        Self { state: IntentState::RequiresConfirmation, return_url, refunds, ..self }
    }

    pub(crate) fn card(&self) -> Option<Card> {
        cards::card(self.card.as_ref().unwrap_or(&self.payment_method))
    }

    /// Returns whether the money has moved.
    pub(crate) fn is_charged(&self, now: Timestamp) -> bool {
        matches!(self.at(now), IntentState::Succeeded)
    }

    /// Returns the status at a time.
    pub(crate) fn at(&self, now: Timestamp) -> IntentState {
        match &self.state {
            IntentState::Processing { until } if *until <= now => IntentState::Succeeded,
            IntentState::RequiresConfirmation
            | IntentState::RequiresAction
            | IntentState::Processing { .. }
            | IntentState::Succeeded
            | IntentState::RequiresPaymentMethod { .. }
            | IntentState::Canceled => self.state.clone(),
        }
    }

    /// Returns the PaymentIntent after the customer's answer on the bank's page.
    pub(crate) fn authenticated(&self, is_them: bool, now: Timestamp) -> Self {
        let result = if is_them {
            let price = Price { amount: self.amount, currency: &self.currency };
            cards::by_amount(price, self.attempt)
        } else {
            CardResult::Refused(Refusal::AuthenticationFailed)
        };
        Self { state: state(result, now), ..self.clone() }
    }

    /// Returns Stripe's JSON with the charge expanded.
    pub(crate) fn to_json(&self, now: Timestamp) -> Value {
        let (status, received, error) = match self.at(now) {
            IntentState::RequiresConfirmation => ("requires_confirmation", 0, Value::Null),
            IntentState::RequiresAction => ("requires_action", 0, Value::Null),
            IntentState::Processing { .. } => ("processing", 0, Value::Null),
            IntentState::Succeeded => ("succeeded", self.amount, Value::Null),
            IntentState::RequiresPaymentMethod { refusal } => {
                ("requires_payment_method", 0, refusal.to_json())
            }
            IntentState::Canceled => ("canceled", 0, Value::Null),
        };
        let back = self.return_url.as_deref().filter(|_| self.state == IntentState::RequiresAction);
        json!({
            "id": self.id,
            "object": "payment_intent",
            "livemode": false,
            "status": status,
            "amount": self.amount,
            "amount_received": received,
            "currency": self.currency,
            "payment_method": self.payment_method,
            "metadata": { "request_id": self.request_id, "attempt": self.attempt.to_string() },
            "last_payment_error": error,
            "next_action": back.map(|back| next_action(back, &self.id)),
            "latest_charge": self.charge(now),
        })
    }

    fn charge(&self, now: Timestamp) -> Value {
        let (Some(card), true) = (self.card(), self.is_charged(now)) else { return Value::Null };
        json!({
            "id": self.id.replacen("pi_", "ch_", 1),
            "object": "charge",
            "status": "succeeded",
            "captured": true,
            "payment_method_details": {
                "type": "card",
                "card": card.to_json(self.wallet.as_deref()),
            },
        })
    }
}

impl PaymentIntent {
    /// Returns the amount that was refunded or is pending.
    pub(crate) fn refunded(&self, now: Timestamp) -> u64 {
        let counted = self.refunds.iter().filter(|refund| refund.counts(now));
        counted.map(|refund| refund.amount).fold(0, u64::saturating_add)
    }
}

/// Returns the redirect to the bank's page of 3-D Secure.
pub(crate) fn next_action(back: &str, id: &str) -> Value {
    let to = json!({ "return_url": back, "url": page(back, id) });
    json!({ "type": "redirect_to_url", "redirect_to_url": to })
}
