//! Stripe's own words: calls and answers as such, and what is read of a card. Each object has a file of its own.

use std::time::Duration;

use bytes::Bytes;
use domain::ports::{RedirectUrl, Use};
use http::{Method, StatusCode, Uri};
use serde::Deserialize;
use serde_json::Value;

use super::errors::{self, Call, Failure};
use super::form::Form;
use super::keys::{self, Step};

pub(super) mod checkout;
pub(super) mod events;
pub(super) mod intents;
pub(super) mod methods;
pub(super) mod refunds;
pub(super) mod setups;

/// How long the call that moves money may take: under the function's own timeout, over what Stripe needs.
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
    fn post(path: impl Into<String>, key: Option<String>, form: Form) -> Self {
        let path = path.into();
        Self { method: Method::POST, path, key, body: form.into_body(), timeout: TIMEOUT }
    }

    fn get(path: impl Into<String>, query: Form) -> Self {
        let (mut path, query) = (path.into(), query.into_body());
        if !query.is_empty() {
            path.push('?');
            // Brackets are written out here, as a query takes none.
            path.push_str(&query.replace('[', "%5B").replace(']', "%5D"));
        }
        Self { method: Method::GET, path, key: None, body: String::new(), timeout: TIMEOUT }
    }

    fn that_moves_money(self) -> Self {
        Self { timeout: MONEY_TIMEOUT, ..self }
    }
}

fn key(what: &Use<'_>, step: Step) -> Option<String> {
    Some(keys::key(what.request, step, what.attempt_no))
}

/// Which request and attempt an object is for. Webhooks are told by it, and whoever looks at Stripe's books finds ours.
fn labelled(form: Form, within: &[&str], what: &Use<'_>) -> Form {
    let path = |name| [within, &["metadata", name]].concat();
    form.field(&path("request_id"), what.request).field(&path("attempt"), what.attempt_no)
}

/// Where a customer comes back to who did what was wanted: our page then waits for what is heard of it.
fn done(what: &Use<'_>) -> String {
    format!("{}?done=1", what.page)
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
        return Err(errors::failure(Call::Create, reply, None));
    }
    match serde_json::from_slice::<Named>(&reply.body) {
        Ok(named) if named.object == object && is_id(&named.id, prefix) => Ok(named.id),
        // Whatever was made is made again by the same key.
        Ok(_) | Err(_) => Err(Failure::Again),
    }
}

/// What may be kept of a card.
pub(super) struct Card {
    pub(super) wallet: Option<String>,
    pub(super) brand: Option<String>,
    pub(super) last4: Option<String>,
    pub(super) exp_month: Option<u8>,
    pub(super) exp_year: Option<u16>,
}

impl Card {
    /// Reads a `card` object, of a charge or of a payment method.
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

/// One of Stripe's words, such as `visa` or `apple_pay`: nothing else is kept of a card.
fn word(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?.to_ascii_lowercase();
    let fits = (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    fits.then_some(text)
}

/// An id, or the object where it was asked for.
fn id_of<'a>(value: &'a Value, prefix: &str) -> Option<&'a str> {
    let id = value.as_str().or_else(|| value.get("id")?.as_str());
    id.filter(|id| is_id(id, prefix))
}

/// An address that a browser may be sent to.
fn redirect(value: Option<&Value>) -> Option<RedirectUrl> {
    let text = value?.as_str()?;
    let fits = text.len() <= 4096
        && text.parse::<Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("https" | "http")) && uri.host().is_some()
        });
    fits.then(|| RedirectUrl(text.to_owned()))
}

/// Where a customer authenticates, where Stripe wants them to by a page of its own.
fn next_action(action: &Value) -> Option<RedirectUrl> {
    redirect(action.pointer("/redirect_to_url/url"))
}
