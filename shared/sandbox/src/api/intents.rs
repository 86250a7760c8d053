//! The operations on PaymentIntents.

use domain::values::time::Timestamp;
use serde_json::json;

use super::StandIn;
use crate::calls::{ApiCall, ApiError, ApiReply, Form, lost};
use crate::cards::{self, CardResult, Price, Refusal};
use crate::ledger::{Entry, SandboxObject};
use crate::objects::intent::{IntentState, PaymentIntent, state};
use crate::objects::method::PaymentMethod;

impl StandIn {
    /// Reads a PaymentIntent with its entry.
    pub(crate) async fn intent(
        &self,
        id: &str,
    ) -> Result<Option<(Entry, PaymentIntent)>, ApiError> {
        let entry = self.ledger.find(id).await?;
        Ok(entry.and_then(|entry| match &entry.object {
            SandboxObject::Intent(intent) => {
                let intent = intent.clone();
                Some((entry, intent))
            }
            SandboxObject::Setup(_)
            | SandboxObject::Session(_)
            | SandboxObject::Method(_)
            | SandboxObject::Customer(_)
            | SandboxObject::Token(_) => None,
        }))
    }

    /// Serves `POST /v1/payment_intents`.
    pub(crate) async fn make_intent(&self, call: &ApiCall<'_>) -> Result<ApiReply, ApiError> {
        let form = Form::of(call.body);
        let method = self.method(&form.text("payment_method")).await?;
        let customer = form.some("customer");
        let kept = match (&customer, &method) {
            (Some(customer), Some(method)) => self.keeps(customer, &method.id).await?,
            (Some(_), None) => false,
            (None, _) => true,
        };
        self.creates(call, "pi_", |id| {
            intent_of(id, &form, method.filter(|_| kept)).map(SandboxObject::Intent)
        })
        .await
    }

    /// Serves `POST /v1/payment_intents/{id}/confirm`, which moves the money.
    pub(crate) async fn confirm_intent(
        &self,
        call: &ApiCall<'_>,
        id: &str,
    ) -> Result<ApiReply, ApiError> {
        let Some((entry, _)) = self.intent(id).await? else { return Ok(ApiReply::missing()) };
        let (form, now) = (Form::of(call.body), self.now());
        let repeated = entry.confirmed.is_some();
        let mut is_lost = false;
        let answer = self
            .confirms(call, entry, None, |object| match object {
                SandboxObject::Intent(intent)
                    if intent.state == IntentState::RequiresConfirmation =>
                {
                    let (intent, result) = confirmed(intent, &form, now);
                    is_lost = result == Some(CardResult::ApprovedAndLost);
                    let answer = answer(&intent, now);
                    (Some(SandboxObject::Intent(intent)), answer)
                }
                SandboxObject::Intent(_)
                | SandboxObject::Setup(_)
                | SandboxObject::Session(_)
                | SandboxObject::Method(_)
                | SandboxObject::Customer(_)
                | SandboxObject::Token(_) => {
                    (None, ApiReply::invalid(400, "payment_intent_unexpected_state"))
                }
            })
            .await?;
        if is_lost && !repeated { Err(lost()) } else { Ok(answer) }
    }

    /// Serves `POST /v1/payment_intents/{id}/cancel`.
    pub(crate) async fn cancel_intent(&self, id: &str) -> Result<ApiReply, ApiError> {
        let Some((entry, intent)) = self.intent(id).await? else { return Ok(ApiReply::missing()) };
        let now = self.now();
        match intent.at(now) {
            IntentState::Processing { .. } | IntentState::Succeeded | IntentState::Canceled => {
                Ok(ApiReply::invalid(400, "payment_intent_unexpected_state"))
            }
            IntentState::RequiresConfirmation
            | IntentState::RequiresAction
            | IntentState::RequiresPaymentMethod { .. } => {
                let intent = PaymentIntent { state: IntentState::Canceled, ..intent };
                let answer = ApiReply::new(200, &intent.to_json(now));
                let object = SandboxObject::Intent(intent);
                self.ledger.write(&[&Entry { object, ..entry }]).await?;
                Ok(answer)
            }
        }
    }
}

/// Confirms a PaymentIntent; the result is `None` while 3-D Secure is open.
fn confirmed(
    intent: &PaymentIntent,
    form: &Form,
    now: Timestamp,
) -> (PaymentIntent, Option<CardResult>) {
    let Some(card) = intent.card() else {
        let result = CardResult::Refused(Refusal::Generic);
        return (PaymentIntent { state: state(result, now), ..intent.clone() }, Some(result));
    };
    let price = Price { amount: intent.amount, currency: &intent.currency };
    let result = cards::result(card, price, intent.attempt);
    let refused_at_once = form.text("error_on_requires_action") == "true";
    if result == CardResult::Refused(Refusal::AuthenticationRequired) && !refused_at_once {
        let return_url = form.some("return_url");
        let state = IntentState::RequiresAction;
        return (PaymentIntent { state, return_url, ..intent.clone() }, None);
    }
    (PaymentIntent { state: state(result, now), ..intent.clone() }, Some(result))
}

/// Returns the reply to a confirmation. A refusal embeds the PaymentIntent.
fn answer(intent: &PaymentIntent, now: Timestamp) -> ApiReply {
    let object = intent.to_json(now);
    match intent.state {
        IntentState::RequiresPaymentMethod { refusal } => {
            let mut error = refusal.to_json();
            if let Some(map) = error.as_object_mut() {
                map.insert("payment_intent".to_owned(), object);
            }
            ApiReply::new(402, &json!({ "error": error }))
        }
        IntentState::RequiresConfirmation
        | IntentState::RequiresAction
        | IntentState::Processing { .. }
        | IntentState::Succeeded
        | IntentState::Canceled => ApiReply::new(200, &object),
    }
}

/// Reads a new PaymentIntent from a form.
fn intent_of(
    id: String,
    form: &Form,
    method: Option<PaymentMethod>,
) -> Result<PaymentIntent, ApiReply> {
    let Some(amount) = form.number("amount") else {
        return Err(ApiReply::invalid(400, "parameter_invalid_integer"));
    };
    if form.text("currency").len() != 3 || form.text("confirm") != "false" {
        return Err(ApiReply::invalid(400, "parameter_missing"));
    }
    let Some(PaymentMethod { id: payment_method, card, wallet, customer: _ }) = method else {
        return Err(ApiReply::invalid(400, "resource_missing"));
    };
    Ok(PaymentIntent {
        id,
        amount,
        currency: form.text("currency"),
        card: (payment_method != card).then_some(card),
        payment_method,
        wallet,
        request_id: form.text("metadata[request_id]"),
        attempt: form.attempt(),
        return_url: None,
        state: IntentState::RequiresConfirmation,
        refunds: Vec::new(),
    })
}
