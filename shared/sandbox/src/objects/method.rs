//! Wallet tokens, payment methods and customers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cards;

/// A wallet's token. The card behind it is always a good one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) wallet: String,
    /// The payment method that was created from it.
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
    /// The customer for whom it was created, whether it is saved or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) customer: Option<String>,
}

impl PaymentMethod {
    /// Returns Stripe's JSON.
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

/// A customer with saved cards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) id: String,
    /// The ids of the saved payment methods.
    methods: Vec<String>,
}

impl Customer {
    /// Creates a customer with one saved card, or with none yet.
    pub(crate) fn new(id: String, method: Option<&str>) -> Self {
        Self { id, methods: method.map(str::to_owned).into_iter().collect() }
    }

    /// Returns whether a payment method is saved for this customer.
    pub(crate) fn keeps(&self, method: &str) -> bool {
        self.methods.iter().any(|kept| kept == method)
    }

    /// Saves a payment method for this customer.
    pub(crate) fn keep(&mut self, method: &str) {
        if !self.keeps(method) {
            self.methods.push(method.to_owned());
        }
    }

    /// Saves a payment method no longer. Returns whether it was saved.
    pub(crate) fn detach(&mut self, method: &str) -> bool {
        let saved = self.keeps(method);
        self.methods.retain(|kept| kept != method);
        saved
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "id": self.id, "object": "customer", "livemode": false })
    }
}
