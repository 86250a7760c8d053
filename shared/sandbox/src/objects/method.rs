//! Wallet tokens, payment methods and customers of the sandbox.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cards;

/// A wallet's token. Whose card is behind it nobody knows: a good one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) wallet: String,
    /// The payment method that was made of it.
    pub(crate) spent_by: Option<String>,
}

impl Token {
    pub(crate) fn to_json(&self) -> Value {
        json!({ "id": self.id, "object": "token", "type": "card", "livemode": false })
    }
}

/// A payment method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PaymentMethod {
    pub(crate) id: String,
    /// The test card behind it.
    pub(crate) card: String,
    pub(crate) wallet: Option<String>,
}

impl PaymentMethod {
    /// As Stripe writes it.
    pub(crate) fn to_json(&self, customer: Option<&str>) -> Value {
        let card = cards::card(&self.card).map(|card| card.to_json(self.wallet.as_deref()));
        json!({
            "id": self.id,
            "object": "payment_method",
            "livemode": false,
            "type": "card",
            "card": card,
            "customer": customer,
        })
    }
}

/// Somebody whose card is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) id: String,
    /// The payment methods that are kept.
    methods: Vec<String>,
}

impl Customer {
    /// A customer with a card, or with none yet.
    pub(crate) fn new(id: String, method: Option<&str>) -> Self {
        Self { id, methods: method.map(str::to_owned).into_iter().collect() }
    }

    /// Whether a payment method is kept for them.
    pub(crate) fn keeps(&self, method: &str) -> bool {
        self.methods.iter().any(|kept| kept == method)
    }

    /// Keeps a payment method for them.
    pub(crate) fn keep(&mut self, method: &str) {
        if !self.keeps(method) {
            self.methods.push(method.to_owned());
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "id": self.id, "object": "customer", "livemode": false })
    }
}
