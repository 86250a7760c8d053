//! Stripe's wire format: one file for each object, and here what they share.
//!
//! <https://github.com/stripe/openapi>, version `2026-10-28.endive`, read 2026-11-23.
//!
//! UNVERIFIED: a session's metadata is not copied to its PaymentIntent, so both are labelled. Label only the session in
//! Stripe's test mode, pay, and read the PaymentIntent.

use http::Uri;
use ports::{AttemptContext, RedirectUrl};
use serde::Deserialize;
use serde_json::Value;

use super::errors::{self, StripeCall};
use super::failure::StripeFailure;
use super::form::Form;
use super::ids::is_id;
use super::keys::{self, StripeStep};
use super::settings::Dialect;
use super::transport::StripeReply;
use crate::labels::SESSION_ID;

pub(super) mod checkout;
pub(super) mod events;
pub(super) mod intents;
pub(super) mod methods;
pub(super) mod refunds;
pub(super) mod setups;

fn key(attempt: &AttemptContext<'_>, step: StripeStep) -> Option<String> {
    Some(keys::key(attempt.request, step, attempt.attempt_no))
}

/// Adds the request's id and the attempt to the metadata, and what the settings name. Webhooks carry it, and Stripe's
/// dashboard shows it.
fn labelled(form: Form, within: &[&str], attempt: &AttemptContext<'_>, dialect: &Dialect) -> Form {
    let mut form = form
        .field(&[within, &["metadata", "request_id"]].concat(), attempt.request)
        .field(&[within, &["metadata", "attempt"]].concat(), attempt.attempt_no);
    let labels = &dialect.labels;
    for (name, value) in labels.metadata(attempt.labels) {
        form = form.field(&[within, &["metadata", name]].concat(), value);
    }
    form.field_if_some(
        &[within, &["metadata", SESSION_ID]].concat(),
        labels.session(attempt.labels),
    )
}

/// Adds the text on the customer's statement, which follows the account's own prefix.
fn with_statement(
    form: Form,
    within: &[&str],
    attempt: &AttemptContext<'_>,
    dialect: &Dialect,
) -> Form {
    let path = [within, &["statement_descriptor_suffix"]].concat();
    form.field_if_some(&path, dialect.labels.statement(attempt.labels))
}

/// Returns the page for a customer who finished. It then waits for the result.
fn done(attempt: &AttemptContext<'_>) -> String {
    format!("{}?done=1", attempt.page)
}

#[derive(Deserialize)]
struct CreatedObject {
    id: String,
    object: String,
}

/// Returns the id of the object that a call created.
pub(super) fn made(
    reply: &StripeReply,
    object: &str,
    prefix: &str,
) -> Result<String, StripeFailure> {
    if !reply.status.is_success() {
        return Err(errors::failure(StripeCall::Create, reply, None));
    }
    match serde_json::from_slice::<CreatedObject>(&reply.body) {
        Ok(created) if created.object == object && is_id(&created.id, prefix) => Ok(created.id),
        // A repeat with the same key returns the object that was created.
        Ok(_) | Err(_) => Err(StripeFailure::Again),
    }
}

/// The details of a card that may be stored.
pub(super) struct StripeCard {
    pub(super) wallet: Option<String>,
    pub(super) brand: Option<String>,
    pub(super) last4: Option<String>,
    pub(super) exp_month: Option<u8>,
    pub(super) exp_year: Option<u16>,
}

impl StripeCard {
    /// Reads the `card` object of a charge or of a payment method.
    fn read(card: &Value) -> Self {
        let last4 = card.get("last4").and_then(Value::as_str);
        let last4 =
            last4.filter(|text| text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()));
        let number = |name: &str| card.get(name).and_then(Value::as_u64);
        Self {
            wallet: word(card.get("wallet").and_then(|wallet| wallet.get("type"))),
            brand: word(card.get("brand")),
            last4: last4.map(str::to_owned),
            exp_month: number("exp_month")
                .and_then(|month| u8::try_from(month).ok())
                .filter(|month| (1..=12).contains(month)),
            exp_year: number("exp_year")
                .and_then(|year| u16::try_from(year).ok())
                .filter(|year| (2000..=9999).contains(year)),
        }
    }
}

/// Reads one of Stripe's words, such as `visa` or `apple_pay`; `None` for any other text.
fn word(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?.to_ascii_lowercase();
    let fits = (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    fits.then_some(text)
}

/// Returns the id of a field that holds an id or an expanded object.
fn id_of<'a>(value: &'a Value, prefix: &str) -> Option<&'a str> {
    let id = value.as_str().or_else(|| value.get("id")?.as_str());
    id.filter(|id| is_id(id, prefix))
}

/// Reads an address to which a browser may be redirected.
fn redirect(value: Option<&Value>) -> Option<RedirectUrl> {
    let text = value?.as_str()?;
    let fits = text.len() <= 4096
        && text.parse::<Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("https" | "http")) && uri.host().is_some()
        });
    fits.then(|| RedirectUrl(text.to_owned()))
}

/// Reads the address of the bank's page from `next_action`.
fn next_action(action: &Value) -> Option<RedirectUrl> {
    redirect(action.pointer("/redirect_to_url/url"))
}
