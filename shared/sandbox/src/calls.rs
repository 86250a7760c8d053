//! Calls to the stand-in, its replies, and the reasons why a call goes no further.

use std::collections::BTreeMap;

use http::Method;
use ports::{HttpError, StoreError};
use records::update::Conflict;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ids::BodyDigest;

/// A reply of the stand-in: a status and a JSON body.
pub(crate) struct ApiReply {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) replayed: bool,
}

impl ApiReply {
    pub(crate) fn new(status: u16, body: &Value) -> Self {
        Self { status, body: body.to_string(), replayed: false }
    }

    pub(crate) fn error(status: u16, kind: &str, code: Option<&str>) -> Self {
        Self::new(status, &json!({ "error": { "type": kind, "code": code } }))
    }

    pub(crate) fn invalid(status: u16, code: &str) -> Self {
        Self::error(status, "invalid_request_error", Some(code))
    }

    pub(crate) fn missing() -> Self {
        Self::invalid(404, "resource_missing")
    }

    /// Returns the reply to a key that came before with another body.
    pub(crate) fn key_reused() -> Self {
        Self::error(400, "idempotency_error", None)
    }

    pub(crate) fn stored_reply(&self, call: &ApiCall<'_>) -> StoredReply {
        StoredReply {
            key: call.key.to_owned(),
            body: BodyDigest::of(call.body),
            status: self.status,
            answer: self.body.clone(),
        }
    }
}

/// A reply that is stored for repeats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredReply {
    pub(crate) key: String,
    pub(crate) body: BodyDigest,
    pub(crate) status: u16,
    pub(crate) answer: String,
}

/// The reason why a call goes no further.
pub(crate) enum ApiError {
    /// Another call changed the same object; the call starts again.
    Conflict,
    /// The connection breaks; the change may have been made.
    Lost(HttpError),
}

impl Conflict for ApiError {
    fn is_conflict(&self) -> bool {
        match self {
            Self::Conflict => true,
            Self::Lost(_) => false,
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Conflict,
            StoreError::Unavailable(_) | StoreError::Damaged(_) => {
                Self::Lost(HttpError::Lost(error.into()))
            }
        }
    }
}

/// The lost reply of amount `05`.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox lost its answer, as the amount asks")]
struct SimulatedLoss;

/// The parts of one call.
pub(crate) struct ApiCall<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: Vec<&'a str>,
    pub(crate) query: &'a str,
    pub(crate) key: &'a str,
    pub(crate) body: &'a [u8],
}

/// The fields of a form. Of fields with the same name the last counts.
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    pub(crate) fn of(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// Returns a field; empty where it is missing.
    pub(crate) fn text(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// Returns a field; `None` where it is missing or empty.
    pub(crate) fn some(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|text| !text.is_empty()).cloned()
    }

    /// Returns a number; `None` where it is missing, zero or malformed.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.parse().ok().filter(|number| *number > 0)
    }

    /// Returns the number of the attempt, from 1.
    pub(crate) fn attempt(&self) -> u32 {
        self.text("metadata[attempt]").parse().unwrap_or(1)
    }
}

/// Returns a broken connection after everything was done.
pub(crate) fn lost() -> ApiError {
    ApiError::Lost(HttpError::Lost(SimulatedLoss.into()))
}
