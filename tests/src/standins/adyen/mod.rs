//! A stand-in for Adyen Checkout that fails at random.
//!
//! It is strict about what it takes, keeps answers by their keys, and reports by webhook. Cancelling and reversing
//! are asked for and happen later. A lost answer of the acquirer leaves an error as the answer of the key, while the
//! card was charged. Only the webhook reports that charge.

mod book;
mod words;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::values::time::Timestamp;
use http::{Method, Request, Response};
use ports::{Clock, Http, HttpError, Reach};
use serde_json::{Value, json};

use self::book::Book;
pub use self::book::{Charge, Visitor};
use crate::doubles::ManualClock;
use crate::sim::Rng;

/// The merchant account there is.
pub const ACCOUNT: &str = "AcmeECOM";
/// The key that is taken.
pub const API_KEY: &str = "AQE_stand_in";
/// What webhooks are signed with, in hexadecimal.
pub const HMAC_KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";

/// How often things go wrong, in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// No connection.
    pub not_sent: u64,
    /// The call never arrives, and its caller does not learn it.
    pub lost_before: u64,
    /// The answer never arrives.
    pub lost_after: u64,
    /// Something in between fails, after the call arrived.
    pub gateway: u64,
    /// Not now, with `transient-error: true`.
    pub transient: u64,
    /// Too many calls.
    pub throttled: u64,
    /// The answer of a key is an error, regardless of the result, since the acquirer was not heard.
    pub unheard: u64,
    /// A webhook takes hours.
    pub late_hooks: u64,
    /// A webhook comes twice.
    pub twice: u64,
}

/// What does not work.
#[derive(Debug, thiserror::Error)]
#[error("the stand-in broke it")]
struct Broken;

/// Adyen, with one merchant account.
pub struct Adyen {
    book: Mutex<Book>,
    clock: Arc<ManualClock>,
}

impl Adyen {
    /// Fails by these random numbers.
    #[must_use]
    pub fn new(rng: Rng, faults: Faults, clock: Arc<ManualClock>) -> Self {
        Self { book: Mutex::new(Book::new(rng, faults)), clock }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When something happens next of itself.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.book().next()
    }

    /// Lets happen what is due, and gives the webhooks that are due: bodies, as Adyen sends them.
    #[must_use]
    pub fn passes(&self) -> Vec<Value> {
        self.book().passes(self.clock.now())
    }

    /// Everything that was ever charged for that name, and was not taken back.
    #[must_use]
    pub fn charges(&self, reference: &str) -> Vec<Charge> {
        self.book().charges(reference)
    }

    /// Does on Adyen's side what the customer was redirected for. Returns the address they go back to, if they do.
    #[must_use]
    pub fn visited(&self, reference: &str, visitor: Visitor) -> Option<String> {
        self.book().visited(reference, visitor, self.clock.now())
    }

    /// What was sent that Adyen does not take: nothing, where the adapter is right.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        self.book().complaints.clone()
    }

    fn taken(&self, request: &Request<Bytes>) -> (u16, Value) {
        let now = self.clock.now();
        let mut book = self.book();
        if request.headers().get("x-api-key").map(http::HeaderValue::as_bytes)
            != Some(API_KEY.as_bytes())
        {
            return (401, words::error(401, "000", "security"));
        }
        let path = request.uri().path().to_owned();
        let body: Value = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
        if let Err(complaint) = words::check(request, &path, &body) {
            book.complaints.push(format!("{complaint}: {} {path} {body}", request.method()));
            return (422, words::error(422, "702", "validation"));
        }
        let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok());
        let Some(key) = key.map(str::to_owned) else {
            return book.answers((request.method(), &path), &body, now);
        };
        if let Some((of, kept)) = book.kept.get(&key).cloned() {
            if of != (path, request.body().clone()) {
                book.complaints.push("a key was used for another call".to_owned());
            }
            return kept;
        }
        let mut answer = book.answers((&Method::POST, &path), &body, now);
        let unheard = book.faults.unheard;
        if path.starts_with("/payments") && path.len() < 20 && book.rng.happens(unheard) {
            answer = if book.rng.happens(500) {
                (500, words::error(500, "905", "internal"))
            } else {
                (200, json!({ "resultCode": "Error", "refusalReasonCode": "4" }))
            };
        }
        book.kept.insert(key, ((path, request.body().clone()), answer.clone()));
        answer
    }
}

#[async_trait]
impl Http for Adyen {
    async fn call(
        &self,
        request: Request<Bytes>,
        _reach: Reach,
        _timeout: Duration,
    ) -> Result<Response<Bytes>, HttpError> {
        let said = |status: u16, body: &Value| {
            Response::builder().status(status).body(body.to_string().into()).expect("an answer")
        };
        {
            let mut book = self.book();
            let faults = book.faults;
            if book.rng.happens(faults.not_sent) {
                return Err(HttpError::NotSent(Broken.into()));
            }
            if book.rng.happens(faults.lost_before) {
                return Err(HttpError::Lost(Broken.into()));
            }
            if book.rng.happens(faults.throttled) {
                return Ok(said(429, &json!({})));
            }
            if book.rng.happens(faults.transient) {
                let mut busy = said(503, &words::error(503, "905", "internal"));
                busy.headers_mut()
                    .insert("transient-error", http::HeaderValue::from_static("true"));
                return Ok(busy);
            }
        }
        let (status, body) = self.taken(&request);
        let mut book = self.book();
        let faults = book.faults;
        if book.rng.happens(faults.lost_after) {
            return Err(HttpError::Lost(Broken.into()));
        }
        if book.rng.happens(faults.gateway) {
            return Ok(said(502, &Value::Null));
        }
        Ok(said(status, &body))
    }
}
