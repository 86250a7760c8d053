//! PaymentIntents of the sandbox: their states, how they look in JSON, and the calls that move them.

use std::time::Duration;

use domain::values::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cards::{self, Card, CardResult, Refusal};
use super::ledger::{Entry, Object};
use super::methods::Method;
use super::refunds::Refund;
use super::standin::{Answer, Call, Form, StandIn, Stop, lost, page};

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
    /// The test card behind the payment method, where that is not named after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) card: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) wallet: Option<String>,
    pub(super) request_id: String,
    pub(super) attempt: u32,
    /// Where the customer comes back to from 3-D Secure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) return_url: Option<String>,
    pub(super) state: State,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) refunds: Vec<Refund>,
}

/// Where a PaymentIntent stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(super) enum State {
    RequiresConfirmation,
    RequiresAction,
    Processing { until: Timestamp },
    Succeeded,
    RequiresPaymentMethod { refusal: Refusal },
    Canceled,
}

/// The state that a verdict leads to.
pub(super) fn state(result: CardResult, now: Timestamp) -> State {
    match result {
        CardResult::Approved | CardResult::ApprovedAndLost => State::Succeeded,
        CardResult::ApprovedLater => State::Processing { until: now.after(PROCESSING) },
        CardResult::Refused(refusal) => State::RequiresPaymentMethod { refusal },
    }
}

impl Intent {
    /// As it was when it was created.
    pub(super) fn at_first(self) -> Self {
        let (return_url, refunds) = (None, Vec::new());
        Self { state: State::RequiresConfirmation, return_url, refunds, ..self }
    }

    fn card(&self) -> Option<Card> {
        cards::card(self.card.as_ref().unwrap_or(&self.payment_method))
    }

    /// Whether the money has moved.
    pub(super) fn is_charged(&self, now: Timestamp) -> bool {
        matches!(self.at(now), State::Succeeded)
    }

    /// The state once time has had its say.
    pub(super) fn at(&self, now: Timestamp) -> State {
        match &self.state {
            State::Processing { until } if *until <= now => State::Succeeded,
            State::RequiresConfirmation
            | State::RequiresAction
            | State::Processing { .. }
            | State::Succeeded
            | State::RequiresPaymentMethod { .. }
            | State::Canceled => self.state.clone(),
        }
    }

    /// The intent once its customer was at the bank's page.
    pub(super) fn authenticated(&self, is_them: bool, now: Timestamp) -> Self {
        let result = if is_them {
            cards::by_amount((self.amount, &self.currency), self.attempt)
        } else {
            CardResult::Refused(Refusal::AuthenticationFailed)
        };
        Self { state: state(result, now), ..self.clone() }
    }

    /// As Stripe writes it, with its charge expanded.
    pub(super) fn to_json(&self, now: Timestamp) -> Value {
        let (status, received, error) = match self.at(now) {
            State::RequiresConfirmation => ("requires_confirmation", 0, Value::Null),
            State::RequiresAction => ("requires_action", 0, Value::Null),
            State::Processing { .. } => ("processing", 0, Value::Null),
            State::Succeeded => ("succeeded", self.amount, Value::Null),
            State::RequiresPaymentMethod { refusal } => {
                ("requires_payment_method", 0, refusal.to_json())
            }
            State::Canceled => ("canceled", 0, Value::Null),
        };
        let back = self.return_url.as_deref().filter(|_| self.state == State::RequiresAction);
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

/// Where a customer goes on to for 3-D Secure.
pub(super) fn next_action(back: &str, id: &str) -> Value {
    let to = json!({ "return_url": back, "url": page(back, id) });
    json!({ "type": "redirect_to_url", "redirect_to_url": to })
}

impl StandIn {
    /// The PaymentIntent of that id, with its entry.
    pub(super) async fn intent(&self, id: &str) -> Result<Option<(Entry, Intent)>, Stop> {
        let entry = self.ledger.find(id).await?;
        Ok(entry.and_then(|entry| match &entry.object {
            Object::Intent(intent) => {
                let intent = intent.clone();
                Some((entry, intent))
            }
            Object::Setup(_)
            | Object::Session(_)
            | Object::Method(_)
            | Object::Customer(_)
            | Object::Token(_) => None,
        }))
    }

    /// `POST /v1/payment_intents`.
    pub(super) async fn make_intent(&self, call: &Call<'_>) -> Result<Answer, Stop> {
        let form = Form::of(call.body);
        let method = self.method(&form.text("payment_method")).await?;
        let customer = form.some("customer");
        let kept = match (&customer, &method) {
            (Some(customer), Some(method)) => self.keeps(customer, &method.id).await?,
            (Some(_), None) => false,
            (None, _) => true,
        };
        self.creates(call, "pi_", |id| {
            intent_of(id, &form, method.filter(|_| kept)).map(Object::Intent)
        })
        .await
    }

    /// `POST /v1/payment_intents/{id}/confirm`: the money call.
    pub(super) async fn confirm_intent(&self, call: &Call<'_>, id: &str) -> Result<Answer, Stop> {
        let Some((entry, _)) = self.intent(id).await? else { return Ok(Answer::missing()) };
        let (form, now) = (Form::of(call.body), self.now());
        let repeated = entry.confirmed.is_some();
        let mut is_lost = false;
        let answer = self
            .confirms(call, entry, None, |object| match object {
                Object::Intent(intent) if intent.state == State::RequiresConfirmation => {
                    let (intent, result) = confirmed(intent, &form, now);
                    is_lost = result == Some(CardResult::ApprovedAndLost);
                    let answer = answer(&intent, now);
                    (Some(Object::Intent(intent)), answer)
                }
                Object::Intent(_)
                | Object::Setup(_)
                | Object::Session(_)
                | Object::Method(_)
                | Object::Customer(_)
                | Object::Token(_) => {
                    (None, Answer::invalid(400, "payment_intent_unexpected_state"))
                }
            })
            .await?;
        if is_lost && !repeated { Err(lost()) } else { Ok(answer) }
    }

    /// `POST /v1/payment_intents/{id}/cancel`.
    pub(super) async fn cancel_intent(&self, id: &str) -> Result<Answer, Stop> {
        let Some((entry, intent)) = self.intent(id).await? else { return Ok(Answer::missing()) };
        let now = self.now();
        match intent.at(now) {
            State::Processing { .. } | State::Succeeded | State::Canceled => {
                Ok(Answer::invalid(400, "payment_intent_unexpected_state"))
            }
            State::RequiresConfirmation
            | State::RequiresAction
            | State::RequiresPaymentMethod { .. } => {
                let intent = Intent { state: State::Canceled, ..intent };
                let answer = Answer::new(200, &intent.to_json(now));
                let object = Object::Intent(intent);
                self.ledger.write(&[&Entry { object, ..entry }]).await?;
                Ok(answer)
            }
        }
    }
}

/// An intent once confirmed, and the verdict on it where there is one already.
fn confirmed(intent: &Intent, form: &Form, now: Timestamp) -> (Intent, Option<CardResult>) {
    let Some(card) = intent.card() else {
        let result = CardResult::Refused(Refusal::Generic);
        return (Intent { state: state(result, now), ..intent.clone() }, Some(result));
    };
    let result = cards::result(card, (intent.amount, &intent.currency), intent.attempt);
    let refused_at_once = form.text("error_on_requires_action") == "true";
    if result == CardResult::Refused(Refusal::AuthenticationRequired) && !refused_at_once {
        let return_url = form.some("return_url");
        let state = State::RequiresAction;
        return (Intent { state, return_url, ..intent.clone() }, None);
    }
    (Intent { state: state(result, now), ..intent.clone() }, Some(result))
}

/// What a confirmation is told: a refusal has the intent within it.
fn answer(intent: &Intent, now: Timestamp) -> Answer {
    let object = intent.to_json(now);
    match intent.state {
        State::RequiresPaymentMethod { refusal } => {
            let mut error = refusal.to_json();
            if let Some(map) = error.as_object_mut() {
                map.insert("payment_intent".to_owned(), object);
            }
            Answer::new(402, &json!({ "error": error }))
        }
        State::RequiresConfirmation
        | State::RequiresAction
        | State::Processing { .. }
        | State::Succeeded
        | State::Canceled => Answer::new(200, &object),
    }
}

/// The PaymentIntent that a form asks for.
fn intent_of(id: String, form: &Form, method: Option<Method>) -> Result<Intent, Answer> {
    let Some(amount) = form.number("amount") else {
        return Err(Answer::invalid(400, "parameter_invalid_integer"));
    };
    if form.text("currency").len() != 3 || form.text("confirm") != "false" {
        return Err(Answer::invalid(400, "parameter_missing"));
    }
    let Some(Method { id: payment_method, card, wallet }) = method else {
        return Err(Answer::invalid(400, "resource_missing"));
    };
    Ok(Intent {
        id,
        amount,
        currency: form.text("currency"),
        card: (payment_method != card).then_some(card),
        payment_method,
        wallet,
        request_id: form.text("metadata[request_id]"),
        attempt: form.attempt(),
        return_url: None,
        state: State::RequiresConfirmation,
        refunds: Vec::new(),
    })
}
