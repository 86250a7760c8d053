//! The parts of Stripe that `localstripe` lacks: wallet tokens, SetupIntents created with their card, and their ends.

use http::Method;
use ports::HttpError;
use serde_json::{Value, json};

use super::{Answer, IncomingCall, State, lock};

/// The details of a SetupIntent that the stand-in does not tell.
#[derive(Clone)]
pub(super) struct Setup {
    /// The card it was created with, which the stand-in takes only when it is confirmed.
    method: String,
    /// How it was refused; the stand-in cancels it then.
    refused: Option<Value>,
}

impl State {
    /// A wallet's token, which the stand-in does not know.
    pub(super) fn token(&self) -> Answer {
        let mut tokens = lock(&self.tokens);
        let id = format!("tok_{}", tokens.len());
        let body = json!({ "id": id, "object": "token", "livemode": false });
        tokens.insert(id);
        Answer::success(&body)
    }

    /// A wallet's token becomes a test card; each can be used once.
    pub(super) async fn payment_method(&self, arrived: &IncomingCall) -> Result<Answer, HttpError> {
        let Some(token) = arrived.field("card[token]") else {
            return self.forward(&self.upstream, arrived).await;
        };
        let spent = format!("spent {token}");
        if !lock(&self.tokens).contains(&token) || !lock(&self.tokens).insert(spent) {
            return Ok(Answer::error(400, "invalid_request_error", Some("token_already_used")));
        }
        let card = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2030\
            &card[cvc]=123";
        self.forward(&self.upstream, &IncomingCall { body: card.into(), ..arrived.clone() }).await
    }

    /// A PaymentIntent, which is counted by.
    pub(super) async fn create(&self, arrived: &IncomingCall) -> Result<Answer, HttpError> {
        let answer = self.forward(&self.upstream, arrived).await?;
        let id = answer.json().get("id").and_then(Value::as_str).map(str::to_owned);
        lock(&self.intents).extend(id);
        Ok(answer)
    }

    pub(super) async fn create_setup(&self, arrived: &IncomingCall) -> Result<Answer, HttpError> {
        let Some(method) = arrived.field("payment_method") else {
            return self.forward(&self.upstream, arrived).await;
        };
        let form = arrived.form().into_iter().filter(|(name, _)| name != "payment_method");
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let bare = IncomingCall { body: body.into(), ..arrived.clone() };
        let answer = self.forward(&self.upstream, &bare).await?;
        if let Some(id) = answer.json().get("id").and_then(Value::as_str) {
            lock(&self.setups).insert(id.to_owned(), Setup { method, refused: None });
        }
        Ok(self.as_stripe_tells(answer))
    }

    pub(super) async fn confirm_setup(&self, arrived: &IncomingCall) -> Result<Answer, HttpError> {
        let id = arrived.id();
        let Some(Setup { method, .. }) = lock(&self.setups).get(&id).cloned() else {
            return self.forward(&self.upstream, arrived).await;
        };
        // It confirms as often as it is told.
        if self.setup_status(&id).await? != "requires_payment_method" {
            return Ok(unexpected());
        }
        let mut form = arrived.form();
        form.push(("payment_method".to_owned(), method));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let whole = IncomingCall { body: body.into(), ..arrived.clone() };
        let answer = self.forward(&self.upstream, &whole).await?;
        if answer.status == 402
            && let Some(setup) = lock(&self.setups).get_mut(&id)
        {
            setup.refused = answer.json().get("error").cloned();
        }
        Ok(self.as_stripe_tells(answer))
    }

    pub(super) async fn read_setup(&self, arrived: &IncomingCall) -> Result<Answer, HttpError> {
        let answer = self.forward(&self.upstream, arrived).await?;
        Ok(self.as_stripe_tells(answer))
    }

    pub(super) async fn cancel_setup(&self, arrived: &IncomingCall) -> Result<Answer, HttpError> {
        // It cancels every intent, even one that succeeded.
        if self.setup_status(&arrived.id()).await? == "succeeded" {
            return Ok(unexpected());
        }
        if let Some(setup) = lock(&self.setups).get_mut(&arrived.id()) {
            setup.refused = None;
        }
        self.forward(&self.upstream, arrived).await
    }

    /// Returns where the stand-in has a SetupIntent.
    pub(super) async fn setup_status(&self, id: &str) -> Result<String, HttpError> {
        let read = IncomingCall::own(Method::GET, format!("/v1/setup_intents/{id}"), &[]);
        let setup = self.forward(&self.upstream, &read).await?.json();
        Ok(setup.get("status").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// A SetupIntent with its card waits for its confirmation, and one that was refused for another card.
    fn as_stripe_tells(&self, answer: Answer) -> Answer {
        let mut setup = answer.json();
        let text =
            |setup: &Value, name: &str| setup.get(name).and_then(Value::as_str).map(str::to_owned);
        let known = text(&setup, "id").and_then(|id| lock(&self.setups).get(&id).cloned());
        let (Some(Setup { method, refused }), Some(status), Some(fields)) =
            (known, text(&setup, "status"), setup.as_object_mut())
        else {
            return answer;
        };
        match (status.as_str(), refused) {
            ("requires_payment_method", _) => {
                fields.insert("status".to_owned(), json!("requires_confirmation"));
                fields.insert("payment_method".to_owned(), json!(method));
            }
            ("canceled", Some(refused)) => {
                fields.insert("status".to_owned(), json!("requires_payment_method"));
                fields.insert("last_setup_error".to_owned(), refused);
            }
            _ => return answer,
        }
        Answer { body: setup.to_string().into(), ..answer }
    }
}

fn unexpected() -> Answer {
    Answer::error(400, "invalid_request_error", Some("setup_intent_unexpected_state"))
}
