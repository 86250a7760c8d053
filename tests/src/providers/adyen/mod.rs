//! A fake of Adyen Checkout: strict about each call, keeps answers by their keys, and reports by webhook.
//!
//! A cancel and a reversal are accepted at once and happen later. When the acquirer's answer is lost, the key's
//! answer is an error although the card was charged. Only the webhook reports it.

mod ledger;
mod wire;

use bytes::Bytes;
use domain::values::time::Timestamp;
use http::{Method, Request};
use serde_json::{Value, json};

use self::ledger::Ledger;
pub use self::ledger::{Charge, ShopperAction};
pub use self::wire::{Notification, signature, webhook};
use crate::rng::Rng;

/// The host that the fake answers at.
pub const ADYEN_HOST: &str = "adyen.test";
/// The merchant account.
pub const ACCOUNT: &str = "AcmeECOM";
/// The API key that the fake accepts.
pub const API_KEY: &str = "AQE_stand_in";
/// The key that signs webhooks, in hexadecimal.
pub const HMAC_KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";

/// The rates of faults within Adyen, in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct AdyenFaults {
    /// The key's answer is an error although the call was carried out: the acquirer's answer was lost.
    pub acquirer_silent: u64,
    /// A webhook takes hours.
    pub late_webhooks: u64,
    /// A webhook comes twice.
    pub webhooks_twice: u64,
}

/// Adyen with one merchant account.
pub struct Adyen(Ledger);

impl Adyen {
    /// An account without payments.
    #[must_use]
    pub const fn new(rng: Rng) -> Self {
        Self(Ledger::new(rng))
    }

    /// Lets these things go wrong from now on.
    pub const fn set_faults(&mut self, faults: AdyenFaults) {
        self.0.faults = faults;
    }

    /// Returns when something happens next without a call.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.0.next()
    }

    /// Does what is due, and returns the bodies of the webhooks that are due.
    #[must_use]
    pub fn due_webhooks(&mut self, now: Timestamp) -> Vec<Value> {
        self.0.passes(now)
    }

    /// Returns each charge of that reference that was not reversed.
    #[must_use]
    pub fn charges(&self, reference: &str) -> Vec<Charge> {
        self.0.charges(reference)
    }

    /// The customer acts on Adyen's page; returns the address that the browser goes back to, if it does.
    #[must_use]
    pub fn visited(
        &mut self,
        reference: &str,
        visitor: ShopperAction,
        now: Timestamp,
    ) -> Option<String> {
        self.0.visited(reference, visitor, now)
    }

    /// Returns the calls that Adyen does not document.
    #[must_use]
    pub fn complaints(&self) -> &[String] {
        &self.0.complaints
    }

    /// Answers one call.
    #[must_use]
    pub fn take(&mut self, request: &Request<Bytes>, now: Timestamp) -> (u16, Value) {
        let book = &mut self.0;
        let given = request.headers().get("x-api-key").map(http::HeaderValue::as_bytes);
        if given != Some(API_KEY.as_bytes()) {
            return (401, wire::error(401, "000", "security"));
        }
        let path = request.uri().path().to_owned();
        let body: Value = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
        if let Err(complaint) = wire::check(request, &path, &body) {
            book.complaints.push(format!("{complaint}: {} {path} {body}", request.method()));
            return (422, wire::error(422, "702", "validation"));
        }
        let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok());
        let Some(key) = key.map(str::to_owned) else {
            return book.answers(request.method(), &path, &body, now);
        };
        if let Some((of, kept)) = book.kept.get(&key).cloned() {
            if of != (path, request.body().clone()) {
                book.complaints.push("a key was used for another call".to_owned());
            }
            return kept;
        }
        let mut answer = book.answers(&Method::POST, &path, &body, now);
        let silent = book.faults.acquirer_silent;
        if path.starts_with("/payments") && path.len() < 20 && book.rng.happens(silent) {
            answer = if book.rng.happens(500) {
                (500, wire::error(500, "905", "internal"))
            } else {
                (200, json!({ "resultCode": "Error", "refusalReasonCode": "4" }))
            };
        }
        book.kept.insert(key, ((path, request.body().clone()), answer.clone()));
        answer
    }
}
