//! A Checkout Session, where the customer types a card on Stripe's own page: created, expired, read.

use std::time::Duration;

use domain::ask::Ask;
use domain::ports::{Fetched, Receipt, Reference, Use};
use domain::values::money::Money;
use serde::Deserialize;
use serde_json::Value;

use super::{Reply, Request, done, id_of, intents, key, labelled, made, redirect, setups};
use crate::object_state::ObjectState;
use crate::stripe::amounts;
use crate::stripe::errors::{self, Call, Failure};
use crate::stripe::form::Form;
use crate::stripe::keys::Step;
use crate::stripe::settings::{Dialect, Parameter};

/// How long after an attempt was begun its page closes by itself. It is counted from there, so that a repeat is the same
/// call byte for byte; Stripe takes no less than 30 minutes from when the call reaches it, and repeats come for ten.
const OPEN: Duration = Duration::from_secs(45 * 60);

/// The page is made; nothing moves until the customer has been there.
pub(in crate::stripe) fn create(
    what: &Use<'_>,
    money: Option<(u64, Money)>,
    dialect: &Dialect,
) -> Request {
    let closes_at = what.begun_at.after(OPEN).as_millis().div_euclid(1000);
    let mode = if money.is_some() { "payment" } else { "setup" };
    let mut form = Form::default()
        .field(&["mode"], mode)
        .field(&["success_url"], done(what))
        // Whoever comes back this way may want another way to pay.
        .field(&["cancel_url"], format_args!("{}?back=1", what.page))
        .field(&["client_reference_id"], what.request)
        .field(&["expires_at"], closes_at);
    form = labelled(form, &[], what);
    if dialect.takes(Parameter::PaymentMethodTypes) {
        form = form.field(&[dialect.payment_method_types.as_str(), "0"], "card");
    }
    form = match money {
        Some(money) => paying(form, what, money, dialect),
        None => {
            let form = form.field(&["customer_creation"], "always");
            described(labelled(form, &["setup_intent_data"], what), "setup_intent_data", what)
        }
    };
    Request::post("/v1/checkout/sessions", key(what, Step::Checkout), form)
}

fn paying(form: Form, what: &Use<'_>, (amount, money): (u64, Money), dialect: &Dialect) -> Form {
    let price = |name| ["line_items", "0", "price_data", name];
    let mut form = form;
    if dialect.takes(Parameter::AdaptivePricing) {
        // The customer said yes to this amount in this currency, and to no other.
        form = form.field(&["adaptive_pricing", "enabled"], false);
    }
    let form = form
        .field(&["line_items", "0", "quantity"], 1)
        .field(&price("currency"), money.currency().code().to_ascii_lowercase())
        .field(&price("unit_amount"), amount)
        .field(&["line_items", "0", "price_data", "product_data", "name"], what.ask.description());
    described(labelled(form, &["payment_intent_data"], what), "payment_intent_data", what)
}

fn described(form: Form, within: &str, what: &Use<'_>) -> Form {
    form.field(&[within, "description"], what.ask.description())
}

/// The session that creating made, if it is for what was asked.
pub(in crate::stripe) fn created(
    reply: &Reply,
    money: Option<(u64, Money)>,
) -> Result<Reference, Failure> {
    let id = made(reply, "checkout.session", "cs_")?;
    let Ok(session) = serde_json::from_slice::<Session>(&reply.body) else {
        return Err(Failure::Again);
    };
    let Some((amount, money)) = money else { return Ok(Reference(id)) };
    let currency = money.currency();
    let other = |reported: &String| !reported.eq_ignore_ascii_case(currency.code());
    let other_currency = session.currency.as_ref().is_some_and(other);
    if session.amount_total.is_some_and(|reported| reported != amount) || other_currency {
        return Err(Failure::Invalid("amount_mismatch"));
    }
    Ok(Reference(id))
}

/// Closes the page. No key: see [`Step`].
pub(in crate::stripe) fn expire(id: &str) -> Request {
    Request::post(format!("/v1/checkout/sessions/{id}/expire"), None, Form::default())
}

/// What became of it.
pub(in crate::stripe) fn read(what: &Use<'_>, id: &str, dialect: &Dialect) -> Request {
    let mut query = Form::default();
    if dialect.takes(Parameter::Expand) {
        let whole = match what.ask {
            Ask::Payment { .. } => "payment_intent.latest_charge",
            Ask::PaymentMethod { .. } | Ask::Identity { .. } => "setup_intent.payment_method",
        };
        query = query.field(&["expand", "0"], whole);
    }
    Request::get(format!("/v1/checkout/sessions/{id}"), query)
}

#[derive(Deserialize)]
struct Session {
    id: String,
    object: String,
    status: Option<String>,
    payment_status: Option<String>,
    #[serde(default)]
    url: Value,
    amount_total: Option<u64>,
    currency: Option<String>,
    /// An id, or the object where it was asked for.
    #[serde(default)]
    payment_intent: Value,
    /// An id, or the object where it was asked for.
    #[serde(default)]
    setup_intent: Value,
}

/// What an answer about one session came to.
pub(in crate::stripe) enum Stands {
    /// This.
    State(ObjectState),
    /// The card was kept by this SetupIntent, which the answer does not show.
    KeptBy(String),
}

impl From<ObjectState> for Stands {
    fn from(state: ObjectState) -> Self {
        Self::State(state)
    }
}

/// What an answer about one session means. That the customer came back to us proves nothing.
pub(in crate::stripe) fn outcome(call: Call, reply: &Reply, reference: &str) -> Stands {
    if !reply.status.is_success() {
        return ObjectState::from(errors::failure(call, reply, Some(reference))).into();
    }
    let Ok(session) = serde_json::from_slice::<Session>(&reply.body) else {
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

fn complete(session: Session) -> Stands {
    match (session.payment_status.as_deref(), &session.setup_intent) {
        // A card was kept: nothing was to be paid.
        (_, Value::String(id)) if super::is_id(id, "seti_") => Stands::KeptBy(id.clone()),
        (_, setup @ Value::Object(_)) => {
            let setup = serde_json::from_value(setup.clone());
            setup.map_or(ObjectState::Unknown, |setup| sure(setups::stands(&setup))).into()
        }
        (Some("paid"), _) => paid(session).into(),
        // Some ways to pay take days; cards do not.
        (Some("unpaid"), _) => ObjectState::Processing.into(),
        (Some(_) | None, _) => ObjectState::Unknown.into(),
    }
}

fn paid(session: Session) -> ObjectState {
    if session.payment_intent.is_object() {
        let intent = serde_json::from_value(session.payment_intent);
        return intent.map_or(ObjectState::Unknown, |intent| sure(intents::stands(intent)));
    }
    let amount = session.amount_total.zip(session.currency);
    let Some((amount, currency)) = amount.and_then(|(a, c)| amounts::from_stripe(a, &c)) else {
        return ObjectState::Unknown;
    };
    // Where the payment is not shown, the session says what was paid, and stands for the payment where it names none.
    let reference = id_of(&session.payment_intent, "pi_").unwrap_or(&session.id);
    ObjectState::Done(Fetched::Payment(Receipt {
        reference: Reference(reference.to_owned()),
        amount,
        currency: currency.code().to_owned(),
        method: "card".to_owned(),
        wallet: None,
        card_brand: None,
        last4: None,
    }))
}

/// A session that is complete was not refused: whatever else is said of what it came to contradicts it.
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
        | ObjectState::NotConfirmed
        | ObjectState::Voided => ObjectState::Unknown,
    }
}
