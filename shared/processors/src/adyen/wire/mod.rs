//! Adyen's own words: calls as JSON, and what its answers mean.

use std::time::Duration;

use bytes::Bytes;
use domain::ports::Reference;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::amounts;
use super::reference::is_psp;

pub(super) mod hooks;
pub(super) mod links;
pub(super) mod payments;
pub(super) mod refunds;
pub(super) mod stored;

/// A call: everything that differs between one and another.
pub(super) struct Request {
    pub(super) method: Method,
    /// After the base address, with its slash.
    pub(super) path: String,
    pub(super) key: Option<String>,
    pub(super) body: Option<Value>,
    pub(super) timeout: Duration,
}

/// Nobody waits longer where nothing moves.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Issuers take their time.
const TIMEOUT_MONEY: Duration = Duration::from_secs(25);

impl Request {
    fn post(path: String, key: String, body: Value) -> Self {
        Self { method: Method::POST, path, key: Some(key), body: Some(body), timeout: TIMEOUT }
    }

    /// The call for Apple Pay's merchant session. It has no key: each is good for one sheet.
    pub(super) fn session(body: Value) -> Self {
        let path = "/applePay/sessions".to_owned();
        Self { method: Method::POST, path, key: None, body: Some(body), timeout: TIMEOUT }
    }

    fn get(path: String) -> Self {
        Self { method: Method::GET, path, key: None, body: None, timeout: TIMEOUT }
    }
}

/// An answer, as far as it is looked at.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// `transient-error: true`: nothing was done, and nothing is kept for the key.
    pub(super) transient: bool,
    pub(super) body: Bytes,
}

impl From<http::Response<Bytes>> for Reply {
    fn from(response: http::Response<Bytes>) -> Self {
        let transient = response.headers().get("transient-error");
        let transient = transient.is_some_and(|value| value.as_bytes() == b"true");
        Self { status: response.status(), transient, body: response.into_body() }
    }
}

/// An amount, as Adyen counts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Amount {
    pub(super) value: u64,
    pub(super) currency: String,
}

impl Amount {
    /// In minor units of ISO 4217, and the code. What does not convert is nobody's amount: never what was asked for.
    pub(super) fn iso(&self) -> Option<(u64, String)> {
        let (amount, currency) = amounts::from_adyen(self.value, &self.currency)?;
        Some((amount, currency.code().to_owned()))
    }

    fn json(&self) -> Value {
        json!({ "value": self.value, "currency": self.currency })
    }
}

/// What Adyen acknowledges, to tell later what became of it.
#[derive(Deserialize)]
struct Acknowledged {
    #[serde(rename = "pspReference")]
    psp: String,
    status: String,
}

/// Adyen's own id of a cancellation, a reversal or a refund that it took; `None` for every other answer.
pub(super) fn received(reply: &Reply) -> Option<Reference> {
    let taken: Acknowledged = serde_json::from_slice(&reply.body).ok()?;
    let fits = reply.status.is_success() && taken.status == "received" && is_psp(&taken.psp);
    fits.then_some(Reference(taken.psp))
}
