//! Calls to Adyen and their replies, before any of their content is interpreted.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Map, Value};

/// One call to Adyen, without what every call has in common.
pub(super) struct AdyenRequest {
    pub(super) method: Method,
    /// The path after the base address, with its leading slash.
    pub(super) path: String,
    pub(super) key: Option<String>,
    pub(super) body: Option<Value>,
    pub(super) timeout: Duration,
}

/// The time limit of a call that moves no money.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit of a call that moves money, since issuers take longer.
pub(super) const TIMEOUT_MONEY: Duration = Duration::from_secs(25);

impl AdyenRequest {
    pub(super) fn post(path: String, key: String, body: Value) -> Self {
        Self { method: Method::POST, path, key: Some(key), body: Some(body), timeout: TIMEOUT }
    }

    /// Returns the call for Apple Pay's merchant session. It has no key, since each session serves one sheet.
    pub(super) fn session(body: Value) -> Self {
        let path = "/applePay/sessions".to_owned();
        Self { method: Method::POST, path, key: None, body: Some(body), timeout: TIMEOUT }
    }

    /// Returns a call that deletes. It has no key, since a repeat changes nothing.
    pub(super) fn delete(path: String) -> Self {
        Self { method: Method::DELETE, path, key: None, body: None, timeout: TIMEOUT }
    }

    pub(super) fn get(path: String) -> Self {
        Self { method: Method::GET, path, key: None, body: None, timeout: TIMEOUT }
    }
}

/// The parts of a reply that are read.
pub(super) struct AdyenReply {
    pub(super) status: StatusCode,
    /// Whether `transient-error` is `true`. Nothing was done then, and nothing is stored under the key.
    ///
    /// UNVERIFIED: the header's meaning beyond the test scenario `NO_CONNECTION_AVAILABLE`. Send that as
    /// `additionalData.RequestedTestErrorResponseCode` and repeat the call with the same key.
    pub(super) transient: bool,
    pub(super) body: Bytes,
}

impl From<http::Response<Bytes>> for AdyenReply {
    fn from(response: http::Response<Bytes>) -> Self {
        let transient = response.headers().get("transient-error");
        let transient = transient.is_some_and(|value| value.as_bytes() == b"true");
        Self { status: response.status(), transient, body: response.into_body() }
    }
}

impl AdyenReply {
    /// Reads the merchant session for Safari: a JSON object in base64.
    pub(super) fn merchant_session(&self) -> Option<String> {
        let body: Map<String, Value> = serde_json::from_slice(&self.body).ok()?;
        let data = body.get("data").and_then(Value::as_str)?;
        let text = String::from_utf8(STANDARD.decode(data).ok()?).ok()?;
        let is_object = serde_json::from_str::<Map<String, Value>>(&text).is_ok();
        (self.status.is_success() && is_object).then_some(text)
    }
}
