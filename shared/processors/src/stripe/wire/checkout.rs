//! Checkout Sessions, in which the customer enters a card on Stripe's own page.

use std::time::Duration;

use domain::ask::Ask;
use domain::processor_result::{Receipt, Reference};
use ports::{AttemptContext, Fulfillment};
use serde::Deserialize;
use serde_json::Value;

use super::{done, id_of, intents, key, labelled, made, redirect, setups, with_statement};
use crate::object_state::ObjectState;
use crate::stripe::amounts::{self, StripeAmount};
use crate::stripe::errors::{self, StripeCall};
use crate::stripe::failure::StripeFailure;
use crate::stripe::form::Form;
use crate::stripe::keys::StripeStep;
use crate::stripe::settings::{Dialect, Parameter};
use crate::stripe::transport::{StripeReply, StripeRequest};

/// The time from an attempt's begin until its page closes by itself.
///
/// Counting from the begin keeps a repeat byte for byte the same. Stripe's minimum is 30 minutes from the call
/// (<https://github.com/stripe/openapi>, read 2026-11-23), and repeats come for ten minutes.
const OPEN: Duration = Duration::from_secs(45 * 60);

/// Returns the call that creates a session. No money moves until the customer pays on the page.
pub(in crate::stripe) fn create(
    attempt: &AttemptContext<'_>,
    amount: Option<StripeAmount>,
    dialect: &Dialect,
) -> StripeRequest {
    let closes_at = attempt.begun_at.after(OPEN).as_millis().div_euclid(1000);
    let mode = if amount.is_some() { "payment" } else { "setup" };
    let mut form = Form::default()
        .field(&["mode"], mode)
        .field(&["success_url"], done(attempt))
        // A customer who returns this way may choose another payment option.
        .field(&["cancel_url"], format_args!("{}?back=1", attempt.page))
        .field(&["client_reference_id"], attempt.request)
        .field(&["expires_at"], closes_at);
    form = labelled(form, &[], attempt, dialect);
    if dialect.takes(Parameter::PaymentMethodTypes) {
        form = form.field(&[dialect.payment_method_types.as_str(), "0"], "card");
    }
    form = match amount {
        Some(amount) => paying(form, attempt, amount, dialect),
        None => {
            let form = form.field(&["customer_creation"], "always");
            let form = labelled(form, &["setup_intent_data"], attempt, dialect);
            described(form, "setup_intent_data", attempt)
        }
    };
    StripeRequest::post("/v1/checkout/sessions", key(attempt, StripeStep::Checkout), form)
}

fn paying(
    form: Form,
    attempt: &AttemptContext<'_>,
    amount: StripeAmount,
    dialect: &Dialect,
) -> Form {
    let price = |name| ["line_items", "0", "price_data", name];
    let mut form = form;
    if dialect.takes(Parameter::AdaptivePricing) {
        // The customer approved this amount in this currency, and no other.
        form = form.field(&["adaptive_pricing", "enabled"], false);
    }
    let form = form
        .field(&["line_items", "0", "quantity"], 1)
        .field(&price("currency"), amount.currency.code().to_ascii_lowercase())
        .field(&price("unit_amount"), amount.minor_units)
        .field(
            &["line_items", "0", "price_data", "product_data", "name"],
            attempt.ask.description(),
        );
    let within = "payment_intent_data";
    let form = labelled(form, &[within], attempt, dialect);
    described(with_statement(form, &[within], attempt, dialect), within, attempt)
}

fn described(form: Form, within: &str, attempt: &AttemptContext<'_>) -> Form {
    form.field(&[within, "description"], attempt.ask.description())
}

/// Returns the created session, if its amount is the asked one.
pub(in crate::stripe) fn created(
    reply: &StripeReply,
    amount: Option<StripeAmount>,
) -> Result<Reference, StripeFailure> {
    let id = made(reply, "checkout.session", "cs_")?;
    let Ok(session) = serde_json::from_slice::<StripeCheckoutSession>(&reply.body) else {
        return Err(StripeFailure::Again);
    };
    let Some(amount) = amount else { return Ok(Reference(id)) };
    let other = |reported: &String| !reported.eq_ignore_ascii_case(amount.currency.code());
    let other_currency = session.currency.as_ref().is_some_and(other);
    if session.amount_total.is_some_and(|reported| reported != amount.minor_units) || other_currency
    {
        return Err(StripeFailure::Invalid("amount_mismatch"));
    }
    Ok(Reference(id))
}

/// Returns the call that closes the page. It has no key: see [`StripeStep`].
pub(in crate::stripe) fn expire(id: &str) -> StripeRequest {
    StripeRequest::post(format!("/v1/checkout/sessions/{id}/expire"), None, Form::default())
}

/// Returns the call that reads a session.
pub(in crate::stripe) fn read(
    attempt: &AttemptContext<'_>,
    id: &str,
    dialect: &Dialect,
) -> StripeRequest {
    let mut query = Form::default();
    if dialect.takes(Parameter::Expand) {
        let whole = match attempt.ask {
            Ask::Payment { .. } => "payment_intent.latest_charge",
            Ask::PaymentMethod { .. } | Ask::Identity { .. } => "setup_intent.payment_method",
        };
        query = query.field(&["expand", "0"], whole);
    }
    StripeRequest::get(format!("/v1/checkout/sessions/{id}"), query)
}

#[derive(Deserialize)]
struct StripeCheckoutSession {
    id: String,
    object: String,
    status: Option<String>,
    payment_status: Option<String>,
    #[serde(default)]
    url: Value,
    amount_total: Option<u64>,
    currency: Option<String>,
    /// An id, or the expanded object.
    #[serde(default)]
    payment_intent: Value,
    /// An id, or the expanded object.
    #[serde(default)]
    setup_intent: Value,
}

/// The result of a reply about one session.
pub(in crate::stripe) enum SessionResult {
    /// The reply gives the answer.
    State(ObjectState),
    /// This SetupIntent saved the card; it must be read too.
    KeptBy(String),
}

impl From<ObjectState> for SessionResult {
    fn from(state: ObjectState) -> Self {
        Self::State(state)
    }
}

/// Interprets a reply about one session. The customer's return to our page proves nothing.
pub(in crate::stripe) fn outcome(
    call: StripeCall,
    reply: &StripeReply,
    reference: &str,
) -> SessionResult {
    if !reply.status.is_success() {
        return ObjectState::from(errors::failure(call, reply, Some(reference))).into();
    }
    let Ok(session) = serde_json::from_slice::<StripeCheckoutSession>(&reply.body) else {
        return ObjectState::Unknown.into();
    };
    if session.object != "checkout.session" || session.id != reference {
        return ObjectState::Unknown.into();
    }
    match session.status.as_deref() {
        Some("open") => {
            ObjectState::RequiresAction { redirect: redirect(Some(&session.url)) }.into()
        }
        Some("expired") => ObjectState::Voided.into(),
        Some("complete") => complete(session),
        Some(_) | None => ObjectState::Unknown.into(),
    }
}

fn complete(session: StripeCheckoutSession) -> SessionResult {
    match (session.payment_status.as_deref(), &session.setup_intent) {
        // A card was saved; there was nothing to pay.
        (_, Value::String(id)) if super::is_id(id, "seti_") => SessionResult::KeptBy(id.clone()),
        (_, setup @ Value::Object(_)) => {
            let setup = serde_json::from_value(setup.clone());
            setup
                .map_or(ObjectState::Unknown, |setup| sure(setups::interpret_status(&setup)))
                .into()
        }
        (Some("paid"), _) => paid(session).into(),
        // Some payment methods take days. Cards do not.
        (Some("unpaid"), _) => ObjectState::Processing.into(),
        (Some(_) | None, _) => ObjectState::Unknown.into(),
    }
}

fn paid(session: StripeCheckoutSession) -> ObjectState {
    if session.payment_intent.is_object() {
        let intent = serde_json::from_value(session.payment_intent);
        return intent
            .map_or(ObjectState::Unknown, |intent| sure(intents::interpret_status(intent)));
    }
    let amount = session.amount_total.zip(session.currency);
    let Some((amount, currency)) = amount.and_then(|(a, c)| amounts::from_stripe(a, &c)) else {
        return ObjectState::Unknown;
    };
    // Without the expanded payment, the session has the amount. Its own id is the reference where it names no payment.
    let reference = id_of(&session.payment_intent, "pi_").unwrap_or(&session.id);
    ObjectState::Done(Fulfillment::Payment(Receipt {
        reference: Reference(reference.to_owned()),
        amount,
        currency: currency.code().to_owned(),
        method: "card".to_owned(),
        wallet: None,
        card_brand: None,
        last4: None,
    }))
}

/// Returns `Unknown` for an answer that contradicts the session's status `complete`.
fn sure(state: ObjectState) -> ObjectState {
    match state {
        ObjectState::Done(_) | ObjectState::Processing => state,
        ObjectState::SoftDeclined { .. }
        | ObjectState::HardDeclined { .. }
        | ObjectState::RequiresAction { .. }
        | ObjectState::Invalid { .. }
        | ObjectState::Blocked { .. }
        | ObjectState::Again
        | ObjectState::Unknown
        | ObjectState::FailedForGood
        | ObjectState::NotConfirmed
        | ObjectState::Voided => ObjectState::Unknown,
    }
}
