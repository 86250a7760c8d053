//! Wallet tokens, payment methods and customers of the sandbox.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cards;
use super::ledger::{Entry, Object, id};
use super::standin::{Answer, Call, Form, StandIn, Stop};

/// A wallet's token. Whose card is behind it nobody knows: a good one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) id: String,
    wallet: String,
    /// The payment method that was made of it.
    spent_by: Option<String>,
}

impl Token {
    pub(super) fn to_json(&self) -> Value {
        json!({ "id": self.id, "object": "token", "type": "card", "livemode": false })
    }
}

/// A payment method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Method {
    pub(super) id: String,
    /// The test card behind it.
    pub(super) card: String,
    pub(super) wallet: Option<String>,
}

impl Method {
    /// As Stripe writes it.
    pub(super) fn to_json(&self, customer: Option<&str>) -> Value {
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
pub(super) struct Customer {
    pub(super) id: String,
    /// The payment methods that are kept.
    methods: Vec<String>,
}

impl Customer {
    /// A customer with a card, or with none yet.
    pub(super) fn new(id: String, method: Option<&str>) -> Self {
        Self { id, methods: method.map(str::to_owned).into_iter().collect() }
    }

    /// Whether a payment method is kept for them.
    pub(super) fn keeps(&self, method: &str) -> bool {
        self.methods.iter().any(|kept| kept == method)
    }

    /// Keeps a payment method for them.
    pub(super) fn keep(&mut self, method: &str) {
        if !self.keeps(method) {
            self.methods.push(method.to_owned());
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "id": self.id, "object": "customer", "livemode": false })
    }
}

/// The test card behind a token of Stripe's own; any other token has a good one.
fn card_of(token: &str) -> String {
    let named = token.strip_prefix("tok_").map(|name| format!("pm_card_{name}"));
    let named = named.filter(|name| cards::card(name).is_some());
    named.unwrap_or_else(|| "pm_card_visa".to_owned())
}

impl StandIn {
    /// `POST /v1/tokens`: what Apple encrypted is taken for a card.
    pub(super) async fn make_token(&self, call: &Call<'_>) -> Result<Answer, Stop> {
        let form = Form::of(call.body);
        self.creates(call, "tok_", |id| {
            if form.text("pk_token_transaction_id").is_empty() {
                return Err(Answer::invalid(400, "parameter_missing"));
            }
            Ok(Object::Token(Token { id, wallet: "apple_pay".to_owned(), spent_by: None }))
        })
        .await
    }

    /// `POST /v1/payment_methods`. A token can be used once, except those that are for tests.
    pub(super) async fn make_method(&self, call: &Call<'_>) -> Result<Answer, Stop> {
        let token = Form::of(call.body).text("card[token]");
        if !token.starts_with("tok_") {
            return Ok(Answer::invalid(400, "parameter_missing"));
        }
        let method = id("pm_", call.key);
        let entry = self.ledger.read(&token).await?;
        let known = match &entry {
            Some(Entry { object: Object::Token(token), .. }) => Some(token),
            Some(_) | None => None,
        };
        if known.and_then(|token| token.spent_by.as_ref()).is_some_and(|by| *by != method) {
            return Ok(Answer::invalid(400, "token_already_used"));
        }
        let for_tests = cards::card(&token.replacen("tok_", "pm_card_", 1)).is_some();
        let wallet = match known {
            Some(token) => Some(token.wallet.clone()),
            None if for_tests => None,
            None => Some("google_pay".to_owned()),
        };
        let spent = wallet.clone().map(|wallet| {
            let spent_by = Some(method);
            let object = Object::Token(Token { id: token.clone(), wallet, spent_by });
            match entry {
                Some(entry) => Entry { object, ..entry },
                None => self.entry(object),
            }
        });
        self.creates_with(call, "pm_", spent, |id| {
            Ok(Object::Method(Method { id, card: card_of(&token), wallet }))
        })
        .await
    }

    /// `POST /v1/customers`.
    pub(super) async fn make_customer(&self, call: &Call<'_>) -> Result<Answer, Stop> {
        self.creates(call, "cus_", |id| Ok(Object::Customer(Customer::new(id, None)))).await
    }

    /// The payment method of that id; test cards have theirs.
    pub(super) async fn method(&self, id: &str) -> Result<Option<Method>, Stop> {
        if cards::card(id).is_some() {
            let (id, card) = (id.to_owned(), id.to_owned());
            return Ok(Some(Method { id, card, wallet: None }));
        }
        Ok(match self.ledger.find(id).await?.map(|entry| entry.object) {
            Some(Object::Method(method)) => Some(method),
            Some(
                Object::Intent(_)
                | Object::Setup(_)
                | Object::Session(_)
                | Object::Customer(_)
                | Object::Token(_),
            )
            | None => None,
        })
    }
}
