//! The operations on Checkout Sessions.

use std::time::Duration;

use domain::values::time::Timestamp;
use serde_json::Value;

use super::StandIn;
use crate::calls::{ApiCall, ApiError, ApiReply, Form};
use crate::cards::CardResult;
use crate::ids::id;
use crate::ledger::{Entry, SandboxObject};
use crate::objects::intent::{self, PaymentIntent};
use crate::objects::method::{Customer, PaymentMethod};
use crate::objects::session::{CheckoutSession, SessionState};
use crate::objects::setup::{SetupIntent, SetupState};

/// Stripe's minimum and maximum for the time until a page closes.
///
/// <https://github.com/stripe/openapi>, version `2026-10-28.endive`, read 2026-11-23.
const OPEN_MIN: Duration = Duration::from_secs(30 * 60);
const OPEN_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The result of a card that a customer gave on the page.
pub(crate) struct PageResult {
    /// The session from now on.
    pub(crate) session: CheckoutSession,
    /// The objects that the card creates.
    pub(crate) created: Vec<SandboxObject>,
}

/// Applies a card that the customer gave on the page.
pub(crate) fn enter_card(session: &CheckoutSession, card: &str, now: Timestamp) -> PageResult {
    let result = session.result(card);
    if let CardResult::Refused(refusal) = result {
        let refusals = session.refusals.saturating_add(1);
        let session = CheckoutSession { refusals, refused: Some(refusal), ..session.clone() };
        return PageResult { session, created: Vec::new() };
    }
    let (made, created) = match &session.price {
        Some((amount, currency)) => {
            let intent = PaymentIntent {
                id: id("pi_", &session.id),
                amount: *amount,
                currency: currency.clone(),
                payment_method: id("pm_", &session.id),
                card: Some(card.to_owned()),
                wallet: None,
                request_id: session.request_id.clone(),
                attempt: session.attempt,
                return_url: None,
                state: intent::state(result, now),
                refunds: Vec::new(),
            };
            (intent.id.clone(), vec![SandboxObject::Intent(intent)])
        }
        None => keeping(session, card),
    };
    let session = CheckoutSession { state: SessionState::Complete { made }, ..session.clone() };
    PageResult { session, created }
}

fn keeping(session: &CheckoutSession, card: &str) -> (String, Vec<SandboxObject>) {
    let customer = id("cus_", &session.id);
    let method = PaymentMethod {
        id: id("pm_", &session.id),
        card: card.to_owned(),
        wallet: None,
        customer: Some(customer.clone()),
    };
    let customer = Customer::new(customer, Some(&method.id));
    let setup = SetupIntent {
        id: id("seti_", &session.id),
        customer: customer.id.clone(),
        method: method.id.clone(),
        request_id: session.request_id.clone(),
        attempt: session.attempt,
        return_url: None,
        state: SetupState::Succeeded,
    };
    let made = setup.id.clone();
    (
        made,
        vec![
            SandboxObject::Setup(setup),
            SandboxObject::Method(method),
            SandboxObject::Customer(customer),
        ],
    )
}

impl StandIn {
    /// Reads a session with its entry.
    pub(crate) async fn session(
        &self,
        id: &str,
    ) -> Result<Option<(Entry, CheckoutSession)>, ApiError> {
        let entry = self.ledger.find(id).await?;
        Ok(entry.and_then(|entry| match &entry.object {
            SandboxObject::Session(session) => {
                let session = session.clone();
                Some((entry, session))
            }
            SandboxObject::Intent(_)
            | SandboxObject::Setup(_)
            | SandboxObject::Method(_)
            | SandboxObject::Customer(_)
            | SandboxObject::Token(_) => None,
        }))
    }

    /// Returns Stripe's JSON of a session with its intent expanded.
    pub(crate) async fn session_json(
        &self,
        session: &CheckoutSession,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let made = match &session.state {
            SessionState::Complete { made } if made.starts_with("pi_") => {
                self.intent(made).await?.map(|(_, intent)| intent.to_json(now))
            }
            SessionState::Complete { made } => match self.setup(made).await? {
                Some((_, setup)) => {
                    let method = self.method(&setup.method).await?;
                    Some(setup.to_json(method.as_ref()))
                }
                None => None,
            },
            SessionState::Open | SessionState::Expired => None,
        };
        Ok(session.to_json(made.as_ref(), now))
    }

    /// Serves `POST /v1/checkout/sessions`.
    pub(crate) async fn make_session(&self, call: &ApiCall<'_>) -> Result<ApiReply, ApiError> {
        let (form, now) = (Form::of(call.body), self.now());
        self.creates(call, "cs_test_", |id| session_of(id, &form, now).map(SandboxObject::Session))
            .await
    }

    /// Serves `POST /v1/checkout/sessions/{id}/expire`.
    pub(crate) async fn expire_session(&self, id: &str) -> Result<ApiReply, ApiError> {
        let Some((entry, session)) = self.session(id).await? else {
            return Ok(ApiReply::missing());
        };
        let now = self.now();
        match session.at(now) {
            SessionState::Complete { .. } | SessionState::Expired => {
                Ok(ApiReply::invalid(400, "checkout_session_not_open"))
            }
            SessionState::Open => {
                let session = CheckoutSession { state: SessionState::Expired, ..session };
                let answer = ApiReply::new(200, &session.to_json(None, now));
                self.ledger
                    .write(&[&Entry { object: SandboxObject::Session(session), ..entry }])
                    .await?;
                Ok(answer)
            }
        }
    }
}

/// Reads a new session from a form.
fn session_of(id: String, form: &Form, now: Timestamp) -> Result<CheckoutSession, ApiReply> {
    let wrong = |code| Err(ApiReply::invalid(400, code));
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
    // `expires_at` has whole seconds, so a second that has begun counts as whole.
    let soonest = now.after(OPEN_MIN.saturating_sub(Duration::from_secs(1)));
    if closes_at < soonest || closes_at > now.after(OPEN_MAX) {
        return wrong("parameter_invalid_integer");
    }
    let described = ["payment_intent_data[description]", "setup_intent_data[description]"];
    Ok(CheckoutSession {
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
        state: SessionState::Open,
    })
}
