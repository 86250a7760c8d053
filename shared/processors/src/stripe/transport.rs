//! Calls to Stripe and their replies, before any of their content is interpreted.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};

use super::form::Form;

/// The time limit of the call that moves money: below the function's timeout, above what Stripe needs.
const MONEY_TIMEOUT: Duration = Duration::from_secs(25);
/// The time limit of every other call.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One call to Stripe. It may hold a token, so it has no `Debug`.
pub(super) struct StripeRequest {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) key: Option<String>,
    pub(super) body: String,
    pub(super) timeout: Duration,
}

impl StripeRequest {
    pub(super) fn post(path: impl Into<String>, key: Option<String>, form: Form) -> Self {
        let path = path.into();
        Self { method: Method::POST, path, key, body: form.into_body(), timeout: TIMEOUT }
    }

    pub(super) fn get(path: impl Into<String>, query: Form) -> Self {
        let (mut path, query) = (path.into(), query.into_body());
        if !query.is_empty() {
            path.push('?');
            // A query may not have literal brackets.
            path.push_str(&query.replace('[', "%5B").replace(']', "%5D"));
        }
        Self { method: Method::GET, path, key: None, body: String::new(), timeout: TIMEOUT }
    }

    /// Raises the time limit to that of the call that moves money.
    pub(super) fn that_moves_money(self) -> Self {
        Self { timeout: MONEY_TIMEOUT, ..self }
    }
}

/// The parts of a reply that are read.
pub(super) struct StripeReply {
    pub(super) status: StatusCode,
    /// The header `Stripe-Should-Retry`: whether a repeat of the same call can help.
    ///
    /// <https://github.com/stripe/stripe-node>, 23.1.0, read 2026-11-23.
    pub(super) should_retry: Option<bool>,
    /// The header `Idempotent-Replayed`: whether the reply is one that Stripe keeps under the idempotency key.
    ///
    /// <https://docs.stripe.com/error-low-level>, read 2026-11-26: a 500 is kept too.
    pub(super) replayed: bool,
    pub(super) body: Bytes,
}

impl From<http::Response<Bytes>> for StripeReply {
    fn from(response: http::Response<Bytes>) -> Self {
        let header = response.headers().get("stripe-should-retry").map(http::HeaderValue::as_bytes);
        let should_retry = match header {
            Some(b"true") => Some(true),
            Some(b"false") => Some(false),
            Some(_) | None => None,
        };
        let replayed = response.headers().get("idempotent-replayed");
        let replayed = replayed.is_some_and(|value| value.as_bytes() == b"true");
        Self { status: response.status(), should_retry, replayed, body: response.into_body() }
    }
}
