//! SetupIntents of the sandbox: a card that is kept for a customer.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cards::{self, Refusal};
use super::intents::next_action;
use super::ledger::{Entry, Object, id};
use super::methods::Method;
use super::standin::{Answer, Call, Form, StandIn, Stop};

/// A SetupIntent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Setup {
    pub(super) id: String,
    pub(super) customer: String,
    /// The payment method, which is kept once this succeeds.
    pub(super) method: String,
    pub(super) request_id: String,
    pub(super) attempt: u32,
    /// Where the customer comes back to from 3-D Secure.
    pub(super) return_url: Option<String>,
    pub(super) state: State,
}

/// Where a SetupIntent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(super) enum State {
    RequiresConfirmation,
    RequiresAction,
    Succeeded,
    RequiresPaymentMethod { refusal: Refusal },
    Canceled,
}

impl Setup {
    /// As it was when it was created.
    pub(super) fn at_first(self) -> Self {
        Self { state: State::RequiresConfirmation, return_url: None, ..self }
    }

    pub(super) const fn is_kept(&self) -> bool {
        matches!(self.state, State::Succeeded)
    }

    /// The intent once its customer was at the bank's page.
    pub(super) fn authenticated(&self, is_them: bool) -> Self {
        let refusal = Refusal::AuthenticationFailed;
        let state =
            if is_them { State::Succeeded } else { State::RequiresPaymentMethod { refusal } };
        Self { state, ..self.clone() }
    }

    /// As Stripe writes it, with its payment method expanded.
    pub(super) fn to_json(&self, method: Option<&Method>) -> Value {
        let (status, error) = match self.state {
            State::RequiresConfirmation => ("requires_confirmation", Value::Null),
            State::RequiresAction => ("requires_action", Value::Null),
            State::Succeeded => ("succeeded", Value::Null),
            State::RequiresPaymentMethod { refusal } => ("requires_payment_method", error(refusal)),
            State::Canceled => ("canceled", Value::Null),
        };
        let back = self.return_url.as_deref().filter(|_| self.state == State::RequiresAction);
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

/// What went wrong, in the words of a SetupIntent.
fn error(refusal: Refusal) -> Value {
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

impl StandIn {
    /// The SetupIntent of that id, with its entry.
    pub(super) async fn setup(&self, id: &str) -> Result<Option<(Entry, Setup)>, Stop> {
        let entry = self.ledger.find(id).await?;
        Ok(entry.and_then(|entry| match &entry.object {
            Object::Setup(setup) => {
                let setup = setup.clone();
                Some((entry, setup))
            }
            Object::Intent(_)
            | Object::Session(_)
            | Object::Method(_)
            | Object::Customer(_)
            | Object::Token(_) => None,
        }))
    }

    /// Whether a card is kept for that customer.
    pub(super) async fn keeps(&self, customer: &str, method: &str) -> Result<bool, Stop> {
        let entry = self.ledger.find(customer).await?;
        Ok(entry.is_some_and(|entry| match entry.object {
            Object::Customer(customer) => customer.keeps(method),
            Object::Intent(_)
            | Object::Setup(_)
            | Object::Session(_)
            | Object::Method(_)
            | Object::Token(_) => false,
        }))
    }

    /// `POST /v1/setup_intents`. A test card becomes a payment method of its own.
    pub(super) async fn make_setup(&self, call: &Call<'_>) -> Result<Answer, Stop> {
        let form = Form::of(call.body);
        let customer = self.ledger.find(&form.text("customer")).await?;
        let method = self.method(&form.text("payment_method")).await?;
        let (Some(customer), Some(method)) = (customer, method) else {
            return Ok(Answer::invalid(400, "resource_missing"));
        };
        let own = Method { id: id("pm_", &format!("{}|method", call.key)), ..method };
        let known = self.ledger.read(&own.id).await?;
        let entry = self.entry(Object::Method(own.clone()));
        let also = known.is_none().then_some(entry);
        self.creates_with(call, "seti_", also, |id| {
            Ok(Object::Setup(Setup {
                id,
                customer: customer.object.id().to_owned(),
                method: own.id,
                request_id: form.text("metadata[request_id]"),
                attempt: form.attempt(),
                return_url: None,
                state: State::RequiresConfirmation,
            }))
        })
        .await
    }

    /// `POST /v1/setup_intents/{id}/confirm`: the call that keeps the card.
    pub(super) async fn confirm_setup(&self, call: &Call<'_>, id: &str) -> Result<Answer, Stop> {
        let Some((entry, setup)) = self.setup(id).await? else { return Ok(Answer::missing()) };
        let method = self.method(&setup.method).await?;
        let refusal = method.as_ref().and_then(|method| cards::card(&method.card)?.refusal());
        let state = match refusal {
            None => State::Succeeded,
            Some(Refusal::AuthenticationRequired) => State::RequiresAction,
            Some(refusal) => State::RequiresPaymentMethod { refusal },
        };
        let return_url = Form::of(call.body).some("return_url");
        let next = Setup { state, return_url, ..setup.clone() };
        let kept = if next.is_kept() { self.customer_keeping(&next).await? } else { None };
        self.confirms(call, entry, kept, |_| {
            if setup.state != State::RequiresConfirmation {
                return (None, Answer::invalid(400, "setup_intent_unexpected_state"));
            }
            let object = next.to_json(method.as_ref());
            let answer = match next.state {
                State::RequiresPaymentMethod { refusal } => {
                    let mut error = error(refusal);
                    if let Some(map) = error.as_object_mut() {
                        map.insert("setup_intent".to_owned(), object);
                    }
                    Answer::new(402, &json!({ "error": error }))
                }
                State::RequiresConfirmation
                | State::RequiresAction
                | State::Succeeded
                | State::Canceled => Answer::new(200, &object),
            };
            (Some(Object::Setup(next)), answer)
        })
        .await
    }

    /// The customer of a SetupIntent, with its card.
    pub(super) async fn customer_keeping(&self, setup: &Setup) -> Result<Option<Entry>, Stop> {
        let entry = self.ledger.find(&setup.customer).await?;
        Ok(entry.map(|mut entry| {
            if let Object::Customer(customer) = &mut entry.object {
                customer.keep(&setup.method);
            }
            entry
        }))
    }

    /// `POST /v1/setup_intents/{id}/cancel`.
    pub(super) async fn cancel_setup(&self, id: &str) -> Result<Answer, Stop> {
        let Some((entry, setup)) = self.setup(id).await? else { return Ok(Answer::missing()) };
        match setup.state {
            State::Succeeded | State::Canceled => {
                Ok(Answer::invalid(400, "setup_intent_unexpected_state"))
            }
            State::RequiresConfirmation
            | State::RequiresAction
            | State::RequiresPaymentMethod { .. } => {
                let setup = Setup { state: State::Canceled, ..setup };
                let method = self.method(&setup.method).await?;
                let answer = Answer::new(200, &setup.to_json(method.as_ref()));
                self.ledger.write(&[&Entry { object: Object::Setup(setup), ..entry }]).await?;
                Ok(answer)
            }
        }
    }
}
