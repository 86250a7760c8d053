//! Checkout Sessions: their states and their JSON.

use domain::values::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cards::{self, CardResult, Price, Refusal};
use crate::ids::page;

/// A Checkout Session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CheckoutSession {
    pub(crate) id: String,
    /// The amount in Stripe's minor units and the currency in small letters; `None` where a card is saved.
    pub(crate) price: Option<(u64, String)>,
    /// The purpose of the payment.
    pub(crate) description: String,
    pub(crate) success_url: String,
    pub(crate) cancel_url: String,
    pub(crate) closes_at: Timestamp,
    pub(crate) request_id: String,
    pub(crate) attempt: u32,
    /// The number of refusals on the page; the next field has the last one.
    pub(crate) refusals: u32,
    pub(crate) refused: Option<Refusal>,
    pub(crate) state: SessionState,
}

/// The status of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum SessionState {
    Open,
    /// The customer finished; `made` is the id of the created intent.
    Complete {
        made: String,
    },
    Expired,
}

impl CheckoutSession {
    /// Returns the session as it was created.
    pub(crate) fn at_first(self) -> Self {
        Self { state: SessionState::Open, refusals: 0, refused: None, ..self }
    }

    /// Returns the status at a time.
    pub(crate) fn at(&self, now: Timestamp) -> SessionState {
        match &self.state {
            SessionState::Open if self.closes_at <= now => SessionState::Expired,
            SessionState::Open | SessionState::Complete { .. } | SessionState::Expired => {
                self.state.clone()
            }
        }
    }

    /// Returns Stripe's JSON. `made` is the expanded intent.
    pub(crate) fn to_json(&self, made: Option<&Value>, now: Timestamp) -> Value {
        let (status, url) = match self.at(now) {
            SessionState::Open => ("open", Some(page(&self.success_url, &self.id))),
            SessionState::Complete { .. } => ("complete", None),
            SessionState::Expired => ("expired", None),
        };
        let price = self.price.as_ref();
        let succeeded = |made: &Value| made.get("status") == Some(&json!("succeeded"));
        let payment_status = match price {
            Some(_) if made.is_some_and(succeeded) => "paid",
            Some(_) => "unpaid",
            None => "no_payment_required",
        };
        json!({
            "id": self.id,
            "object": "checkout.session",
            "livemode": false,
            "mode": if price.is_some() { "payment" } else { "setup" },
            "status": status,
            "payment_status": payment_status,
            "url": url,
            "amount_total": price.map(|(amount, _)| amount),
            "currency": price.map(|(_, currency)| currency),
            "client_reference_id": self.request_id,
            "expires_at": self.closes_at.as_millis().div_euclid(1000),
            "metadata": { "request_id": self.request_id, "attempt": self.attempt.to_string() },
            "payment_intent": made.filter(|_| price.is_some()),
            "setup_intent": made.filter(|_| price.is_none()),
        })
    }

    /// Returns the result on a card on the page. A card that asks for 3-D Secure passes it there.
    pub(crate) fn result(&self, card: &str) -> CardResult {
        let Some(card) = cards::card(card) else { return CardResult::Refused(Refusal::Generic) };
        match (card.refusal(), &self.price) {
            (Some(Refusal::AuthenticationRequired) | None, Some((amount, currency))) => {
                let tries = self.refusals.saturating_add(1);
                match cards::by_amount(Price { amount: *amount, currency }, tries) {
                    // A page has no reply that could be lost.
                    CardResult::ApprovedAndLost => CardResult::Approved,
                    result @ (CardResult::Approved
                    | CardResult::ApprovedLater
                    | CardResult::Refused(_)) => result,
                }
            }
            (Some(Refusal::AuthenticationRequired) | None, None) => CardResult::Approved,
            (Some(refusal), _) => CardResult::Refused(refusal),
        }
    }
}
