//! Stripe's own words: the calls we make of a charge, and what its objects mean to us.

use std::time::Duration;

use bytes::Bytes;
use domain::ports::{Answer, Fetched, Receipt, Reference, Use};
use domain::values::money::Money;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::amounts;
use super::errors::{self, Call, ErrorBody, Failure};
use super::form::Form;
use super::keys::{self, Step};
use super::settings::{Dialect, Parameter};
use super::wallets::ApplePay;

/// How long the money call may take: under the function's own timeout, over what Stripe needs.
const MONEY_TIMEOUT: Duration = Duration::from_secs(25);
/// How long any other call may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One call to Stripe. It may hold a token, and so has no `Debug`.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) key: Option<String>,
    pub(super) body: String,
    pub(super) timeout: Duration,
}

impl Request {
    fn post(path: String, key: Option<String>, form: Form) -> Self {
        Self { method: Method::POST, path, key, body: form.into_body(), timeout: TIMEOUT }
    }
}

fn key(charge: &Use<'_>, step: Step) -> Option<String> {
    Some(keys::key(charge.request, step, charge.generation))
}

/// An Apple Pay token becomes a Stripe token.
pub(super) fn token(charge: &Use<'_>, apple: &ApplePay<'_>) -> Request {
    let card = &apple.payment_method;
    let form = Form::default()
        .field(&["pk_token"], apple.payment_data())
        .field_if_some(&["pk_token_instrument_name"], card.display_name.as_deref())
        .field_if_some(&["pk_token_payment_network"], card.network.as_deref())
        .field(&["pk_token_transaction_id"], &apple.transaction_identifier);
    Request::post("/v1/tokens".to_owned(), key(charge, Step::Token), form)
}

/// A Stripe token becomes a payment method.
pub(super) fn payment_method(charge: &Use<'_>, token: &str) -> Request {
    let form = Form::default().field(&["type"], "card").field(&["card", "token"], token);
    Request::post("/v1/payment_methods".to_owned(), key(charge, Step::PaymentMethod), form)
}

/// The PaymentIntent is created, and not confirmed: if this answer is lost, what is lost is an orphan.
pub(super) fn create(
    charge: &Use<'_>,
    (amount, money): (u64, Money),
    method: &str,
    dialect: &Dialect,
) -> Request {
    let mut form = Form::default()
        .field(&["amount"], amount)
        .field(&["currency"], money.currency().code().to_ascii_lowercase())
        .field(&["payment_method"], method);
    if dialect.takes(Parameter::PaymentMethodTypes) {
        form = form.field(&[dialect.payment_method_types.as_str(), "0"], "card");
    }
    form = form
        .field(&["confirm"], false)
        .field(&["metadata", "request_id"], charge.request)
        .field(&["metadata", "attempt"], charge.generation);
    if dialect.takes(Parameter::Description) {
        form = form.field(&["description"], charge.ask.description());
    }
    Request::post("/v1/payment_intents".to_owned(), key(charge, Step::Create), form)
}

/// The money call.
pub(super) fn confirm(charge: &Use<'_>, id: &str, dialect: &Dialect) -> Request {
    let mut form = Form::default();
    if dialect.takes(Parameter::Expand) {
        form = form.field(&["expand", "0"], "latest_charge");
    }
    if dialect.takes(Parameter::ErrorOnRequiresAction) {
        form = form.field(&["error_on_requires_action"], true);
    }
    let path = format!("/v1/payment_intents/{id}/confirm");
    let post = Request::post(path, key(charge, Step::Confirm), form);
    Request { timeout: MONEY_TIMEOUT, ..post }
}

/// Makes the money call impossible. No key: see [`Step`].
pub(super) fn cancel(id: &str) -> Request {
    Request::post(format!("/v1/payment_intents/{id}/cancel"), None, Form::default())
}

/// What became of it.
pub(super) fn read(id: &str, dialect: &Dialect) -> Request {
    let query = if dialect.takes(Parameter::Expand) { "?expand%5B0%5D=latest_charge" } else { "" };
    Request {
        method: Method::GET,
        path: format!("/v1/payment_intents/{id}{query}"),
        key: None,
        body: String::new(),
        timeout: TIMEOUT,
    }
}

/// Whether a text is an id of Stripe's of that kind; it goes into a path, so nothing else may.
pub(super) fn is_id(text: &str, prefix: &str) -> bool {
    text.len() <= 255
        && text.len() > prefix.len()
        && text.starts_with(prefix)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What Stripe answered, as far as it is looked at.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// Stripe's own word on whether the same call is worth repeating.
    pub(super) should_retry: Option<bool>,
    pub(super) body: Bytes,
}

impl From<http::Response<Bytes>> for Reply {
    fn from(response: http::Response<Bytes>) -> Self {
        let header = response.headers().get("stripe-should-retry").map(http::HeaderValue::as_bytes);
        let should_retry = match header {
            Some(b"true") => Some(true),
            Some(b"false") => Some(false),
            Some(_) | None => None,
        };
        Self { status: response.status(), should_retry, body: response.into_body() }
    }
}

#[derive(Deserialize)]
struct Named {
    id: String,
    object: String,
}

/// The id of the object that preparing made.
pub(super) fn made(reply: &Reply, object: &str, prefix: &str) -> Result<String, Failure> {
    if !reply.status.is_success() {
        return Err(errors::failure(Call::Prepare, reply, None));
    }
    match serde_json::from_slice::<Named>(&reply.body) {
        Ok(named) if named.object == object && is_id(&named.id, prefix) => Ok(named.id),
        // Whatever was made is made again by the same key.
        Ok(_) | Err(_) => Err(Failure::Again),
    }
}

#[derive(Deserialize)]
struct PaymentIntent {
    id: String,
    object: String,
    status: String,
    amount: Option<u64>,
    amount_received: Option<u64>,
    currency: Option<String>,
    last_payment_error: Option<ErrorBody>,
    /// An id, or the object where it was asked for.
    #[serde(default)]
    latest_charge: Value,
}

/// The PaymentIntent that creating made, if it is for what was asked.
pub(super) fn created(reply: &Reply, amount: u64, code: &str) -> Result<Reference, Failure> {
    let id = made(reply, "payment_intent", "pi_")?;
    let Ok(intent) = serde_json::from_slice::<PaymentIntent>(&reply.body) else {
        return Err(Failure::Again);
    };
    let currency = intent.currency.unwrap_or_default();
    if intent.amount != Some(amount) || !currency.eq_ignore_ascii_case(code) {
        return Err(Failure::Invalid("amount_mismatch"));
    }
    Ok(Reference(id))
}

/// What an answer about one PaymentIntent means.
pub(super) fn outcome(call: Call, reply: &Reply, reference: &str) -> Answer {
    if !reply.status.is_success() {
        return errors::failure(call, reply, Some(reference)).into();
    }
    let Ok(intent) = serde_json::from_slice::<PaymentIntent>(&reply.body) else {
        return Answer::Unknown;
    };
    if intent.object != "payment_intent" || intent.id != reference {
        return Answer::Unknown;
    }
    match intent.status.as_str() {
        "succeeded" => {
            let receipt = receipt(intent).map(Fetched::Payment);
            receipt.map_or(Answer::Unknown, Answer::Done)
        }
        // Capture is automatic here, so that this is on its way to one of the others.
        "processing" | "requires_capture" => Answer::Working,
        "requires_action" => Answer::NeedsCustomer { onward: None },
        "requires_confirmation" => Answer::NotExecuted,
        "requires_payment_method" => match &intent.last_payment_error {
            Some(error) => errors::declined(error).into(),
            None => Answer::Invalid { code: "payment_method_missing" },
        },
        "canceled" => Answer::Fenced,
        _ => Answer::Unknown,
    }
}

fn receipt(intent: PaymentIntent) -> Option<Receipt> {
    let amount = intent.amount_received.or(intent.amount)?;
    let (amount, currency) = amounts::from_stripe(amount, &intent.currency?)?;
    let details = intent.latest_charge.get("payment_method_details");
    let details = details.unwrap_or(&Value::Null);
    let card = details.get("card").unwrap_or(&Value::Null);
    let last4 = card.get("last4").and_then(Value::as_str);
    let last4 = last4.filter(|text| text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()));
    Some(Receipt {
        reference: Reference(intent.id),
        amount,
        currency: currency.code().to_owned(),
        method: word(details.get("type")).unwrap_or_else(|| "card".to_owned()),
        wallet: word(card.get("wallet").and_then(|wallet| wallet.get("type"))),
        card_brand: word(card.get("brand")),
        last4: last4.map(str::to_owned),
    })
}

/// One of Stripe's words, such as `visa` or `apple_pay`: nothing else is kept of a card.
fn word(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?.to_ascii_lowercase();
    let fits = (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    fits.then_some(text)
}
