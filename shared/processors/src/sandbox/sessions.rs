//! Checkout Sessions of the sandbox: a page where a customer pays or leaves a card.

use std::time::Duration;

use domain::values::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cards::{self, CardResult, Refusal};
use super::intents::{self, Intent};
use super::ledger::{Entry, Object, id};
use super::methods::{Customer, Method};
use super::setups::{self, Setup};
use super::standin::{Answer, Call, Form, StandIn, Stop, page};

/// How soon and how late a page may close, as Stripe has it.
const OPEN_MIN: Duration = Duration::from_secs(30 * 60);
const OPEN_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A Checkout Session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) id: String,
    /// How much, for a payment: as Stripe counts it, and in small letters. None where a card is to be kept.
    pub(super) price: Option<(u64, String)>,
    /// What for.
    pub(super) description: String,
    pub(super) success_url: String,
    pub(super) cancel_url: String,
    pub(super) closes_at: Timestamp,
    request_id: String,
    attempt: u32,
    /// How often the customer was refused on the page, and how the last time.
    refusals: u32,
    pub(super) refused: Option<Refusal>,
    state: State,
}

/// Where a session stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(super) enum State {
    Open,
    /// The customer has been there; what came of it has this id.
    Complete {
        made: String,
    },
    Expired,
}

impl Session {
    /// As it was when it was created.
    pub(super) fn at_first(self) -> Self {
        Self { state: State::Open, refusals: 0, refused: None, ..self }
    }

    /// The state once time has had its say.
    pub(super) fn at(&self, now: Timestamp) -> State {
        match &self.state {
            State::Open if self.closes_at <= now => State::Expired,
            State::Open | State::Complete { .. } | State::Expired => self.state.clone(),
        }
    }

    /// As Stripe writes it. `made` is what came of it, expanded.
    fn to_json(&self, made: Option<&Value>, now: Timestamp) -> Value {
        let (status, url) = match self.at(now) {
            State::Open => ("open", Some(page(&self.success_url, &self.id))),
            State::Complete { .. } => ("complete", None),
            State::Expired => ("expired", None),
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

    /// What the customer's card comes to on the page. A card that wants 3-D Secure has it there and then.
    fn result(&self, card: &str) -> CardResult {
        let Some(card) = cards::card(card) else { return CardResult::Refused(Refusal::Generic) };
        match (card.refusal(), &self.price) {
            (Some(Refusal::AuthenticationRequired) | None, Some((amount, currency))) => {
                let tries = self.refusals.saturating_add(1);
                match cards::by_amount((*amount, currency), tries) {
                    // No answer of ours can be lost on a page.
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

    /// What a card given on the page makes: the session from now on, and what else is written.
    pub(super) fn given(&self, card: &str, now: Timestamp) -> (Self, Vec<Object>) {
        let result = self.result(card);
        if let CardResult::Refused(refusal) = result {
            let refusals = self.refusals.saturating_add(1);
            return (Self { refusals, refused: Some(refusal), ..self.clone() }, Vec::new());
        }
        let (made, objects) = match &self.price {
            Some((amount, currency)) => {
                let intent = Intent {
                    id: id("pi_", &self.id),
                    amount: *amount,
                    currency: currency.clone(),
                    payment_method: id("pm_", &self.id),
                    card: Some(card.to_owned()),
                    wallet: None,
                    request_id: self.request_id.clone(),
                    attempt: self.attempt,
                    return_url: None,
                    state: intents::state(result, now),
                    refunds: Vec::new(),
                };
                (intent.id.clone(), vec![Object::Intent(intent)])
            }
            None => self.keeping(card),
        };
        (Self { state: State::Complete { made }, ..self.clone() }, objects)
    }

    fn keeping(&self, card: &str) -> (String, Vec<Object>) {
        let method = Method { id: id("pm_", &self.id), card: card.to_owned(), wallet: None };
        let customer = Customer::new(id("cus_", &self.id), Some(&method.id));
        let setup = Setup {
            id: id("seti_", &self.id),
            customer: customer.id.clone(),
            method: method.id.clone(),
            request_id: self.request_id.clone(),
            attempt: self.attempt,
            return_url: None,
            state: setups::State::Succeeded,
        };
        let made = setup.id.clone();
        (made, vec![Object::Setup(setup), Object::Method(method), Object::Customer(customer)])
    }
}

impl StandIn {
    /// The session of that id, with its entry.
    pub(super) async fn session(&self, id: &str) -> Result<Option<(Entry, Session)>, Stop> {
        let entry = self.ledger.find(id).await?;
        Ok(entry.and_then(|entry| match &entry.object {
            Object::Session(session) => {
                let session = session.clone();
                Some((entry, session))
            }
            Object::Intent(_)
            | Object::Setup(_)
            | Object::Method(_)
            | Object::Customer(_)
            | Object::Token(_) => None,
        }))
    }

    /// A session with what came of it.
    pub(super) async fn session_json(
        &self,
        session: &Session,
        now: Timestamp,
    ) -> Result<Value, Stop> {
        let made = match &session.state {
            State::Complete { made } if made.starts_with("pi_") => {
                self.intent(made).await?.map(|(_, intent)| intent.to_json(now))
            }
            State::Complete { made } => match self.setup(made).await? {
                Some((_, setup)) => {
                    let method = self.method(&setup.method).await?;
                    Some(setup.to_json(method.as_ref()))
                }
                None => None,
            },
            State::Open | State::Expired => None,
        };
        Ok(session.to_json(made.as_ref(), now))
    }

    /// `POST /v1/checkout/sessions`.
    pub(super) async fn make_session(&self, call: &Call<'_>) -> Result<Answer, Stop> {
        let (form, now) = (Form::of(call.body), self.now());
        self.creates(call, "cs_test_", |id| session_of(id, &form, now).map(Object::Session)).await
    }

    /// `POST /v1/checkout/sessions/{id}/expire`.
    pub(super) async fn expire_session(&self, id: &str) -> Result<Answer, Stop> {
        let Some((entry, session)) = self.session(id).await? else { return Ok(Answer::missing()) };
        let now = self.now();
        match session.at(now) {
            State::Complete { .. } | State::Expired => {
                Ok(Answer::invalid(400, "checkout_session_not_open"))
            }
            State::Open => {
                let session = Session { state: State::Expired, ..session };
                let answer = Answer::new(200, &session.to_json(None, now));
                self.ledger.write(&[&Entry { object: Object::Session(session), ..entry }]).await?;
                Ok(answer)
            }
        }
    }
}

/// The session that a form asks for.
fn session_of(id: String, form: &Form, now: Timestamp) -> Result<Session, Answer> {
    let wrong = |code| Err(Answer::invalid(400, code));
    let (success_url, cancel_url) = (form.text("success_url"), form.text("cancel_url"));
    if success_url.is_empty() {
        return wrong("parameter_missing");
    }
    let item = |name: &str| format!("line_items[0]{name}");
    let price = match form.text("mode").as_str() {
        "setup" => None,
        "payment" => {
            let amount = form.number(&item("[price_data][unit_amount]"));
            let currency = form.text(&item("[price_data][currency]"));
            let quantity = form.number(&item("[quantity]"));
            match amount.filter(|_| currency.len() == 3 && quantity == Some(1)) {
                Some(amount) => Some((amount, currency)),
                None => return wrong("parameter_missing"),
            }
        }
        _ => return wrong("parameter_missing"),
    };
    let seconds = form.number("expires_at").and_then(|at| i64::try_from(at).ok());
    let closes_at = match seconds {
        Some(seconds) => Timestamp::from_millis(seconds.saturating_mul(1000)),
        None => now.after(OPEN_MAX),
    };
    // Whole seconds: what began within one is counted from its beginning.
    let soonest = now.after(OPEN_MIN.saturating_sub(Duration::from_secs(1)));
    if closes_at < soonest || closes_at > now.after(OPEN_MAX) {
        return wrong("parameter_invalid_integer");
    }
    let described = ["payment_intent_data[description]", "setup_intent_data[description]"];
    Ok(Session {
        id,
        price,
        description: described.into_iter().find_map(|name| form.some(name)).unwrap_or_default(),
        success_url,
        cancel_url,
        closes_at,
        request_id: form.text("metadata[request_id]"),
        attempt: form.attempt(),
        refusals: 0,
        refused: None,
        state: State::Open,
    })
}
