//! The calls of Stripe's API, and what can go wrong with one.

use std::time::Duration;

use http::Method;

/// A call of Stripe's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// `POST /v1/tokens`.
    Token,
    /// `POST /v1/payment_methods`.
    PaymentMethod,
    /// `POST /v1/payment_intents`.
    Create,
    /// `POST /v1/payment_intents/{id}/confirm`.
    Confirm,
    /// `GET /v1/payment_intents/{id}`.
    Read,
    /// `POST /v1/payment_intents/{id}/cancel`.
    Cancel,
    /// Anything else.
    Other,
}

impl Call {
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let path: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method.as_str(), path.as_slice()) {
            ("POST", ["v1", "tokens"]) => Self::Token,
            ("POST", ["v1", "payment_methods"]) => Self::PaymentMethod,
            ("POST", ["v1", "payment_intents"]) => Self::Create,
            ("POST", ["v1", "payment_intents", _, "confirm"]) => Self::Confirm,
            ("GET", ["v1", "payment_intents", _]) => Self::Read,
            ("POST", ["v1", "payment_intents", _, "cancel"]) => Self::Cancel,
            _ => Self::Other,
        }
    }
}

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection breaks before anything is done.
    DropBefore,
    /// It is done, and the connection breaks.
    DropAfter,
    /// It is done, and no answer comes for as long as anybody waits.
    Silent,
    /// It is done, and answered after a while.
    Slow(Duration),
    /// It is done only after [`super::Proxy::release`], when nobody waits any more.
    Late,
    /// It is done, and a gateway answers 502; a repeat is told the truth.
    GatewayAfter,
    /// It is done, and the answer is a 500 that is kept: every repeat is told so again.
    FailedAfter,
    /// Nothing is done: 409, another holds the lock.
    Locked,
    /// Nothing is done: 429.
    Throttled,
    /// The call arrives twice; the second answer is the one that comes back.
    Twice,
}
