//! A PaymentIntent of the sandbox: its states, and how it looks in JSON.

use std::time::Duration;

use domain::values::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cards::{self, Refusal, Verdict};
use crate::stripe::amounts;

/// How long `processing` takes.
const PROCESSING: Duration = Duration::from_secs(3);

/// A PaymentIntent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    /// As Stripe counts it.
    pub(super) amount: u64,
    /// In small letters, as Stripe writes it.
    pub(super) currency: String,
    pub(super) payment_method: String,
    pub(super) request_id: String,
    pub(super) attempt: u32,
    pub(super) state: State,
}

/// Where a PaymentIntent stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(super) enum State {
    RequiresConfirmation,
    Processing { until: Timestamp },
    Succeeded,
    RequiresPaymentMethod { refusal: Refusal },
    Canceled,
}

impl Intent {
    /// Whether the money has moved, or is on its way and nothing can stop it.
    pub(super) fn is_charged(&self, now: Timestamp) -> bool {
        matches!(self.at(now), State::Succeeded)
    }

    /// The state once time has had its say.
    pub(super) fn at(&self, now: Timestamp) -> State {
        match &self.state {
            State::Processing { until } if *until <= now => State::Succeeded,
            State::RequiresConfirmation
            | State::Processing { .. }
            | State::Succeeded
            | State::RequiresPaymentMethod { .. }
            | State::Canceled => self.state.clone(),
        }
    }

    /// What confirming it comes to.
    pub(super) fn verdict(&self) -> Verdict {
        let Some(card) = cards::card(&self.payment_method) else {
            return Verdict::Refused(Refusal::Generic);
        };
        // Magic is in the digits the requester wrote, not in Stripe's.
        let asked = amounts::from_stripe(self.amount, &self.currency);
        cards::verdict(card, asked.map_or(self.amount, |(amount, _)| amount), self.attempt)
    }

    /// The intent once confirmed.
    pub(super) fn confirmed(&self, verdict: Verdict, now: Timestamp) -> Self {
        let state = match verdict {
            Verdict::Approved | Verdict::ApprovedAndLost => State::Succeeded,
            Verdict::ApprovedLater => State::Processing { until: now.after(PROCESSING) },
            Verdict::Refused(refusal) => State::RequiresPaymentMethod { refusal },
        };
        Self { state, ..self.clone() }
    }

    /// As Stripe writes it, with its charge expanded.
    pub(super) fn to_json(&self, now: Timestamp) -> Value {
        let (status, received, error) = match self.at(now) {
            State::RequiresConfirmation => ("requires_confirmation", 0, Value::Null),
            State::Processing { .. } => ("processing", 0, Value::Null),
            State::Succeeded => ("succeeded", self.amount, Value::Null),
            State::RequiresPaymentMethod { refusal } => {
                ("requires_payment_method", 0, error(refusal))
            }
            State::Canceled => ("canceled", 0, Value::Null),
        };
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
            "latest_charge": self.charge(now),
        })
    }

    fn charge(&self, now: Timestamp) -> Value {
        let card = cards::card(&self.payment_method);
        let (Some(card), true) = (card, self.is_charged(now)) else { return Value::Null };
        json!({
            "id": self.id.replacen("pi_", "ch_", 1),
            "object": "charge",
            "status": "succeeded",
            "captured": true,
            "payment_method_details": {
                "type": "card",
                "card": { "brand": card.brand, "last4": card.last4, "wallet": null },
            },
        })
    }
}

/// A card error as Stripe writes it.
pub(super) fn error(refusal: Refusal) -> Value {
    let (code, decline_code) = refusal.codes();
    json!({
        "type": "card_error",
        "code": code,
        "decline_code": decline_code,
        "message": "Your card was declined.",
    })
}
