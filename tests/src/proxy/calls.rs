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
    /// `POST /v1/payment_methods/{id}/detach`.
    Detach,
    /// `GET /v1/payment_methods/{id}`.
    MethodRead,
    /// `POST /v1/customers`.
    Customer,
    /// `POST /v1/payment_intents`.
    Create,
    /// `POST /v1/payment_intents/{id}/confirm`.
    Confirm,
    /// `GET /v1/payment_intents/{id}`.
    Read,
    /// `POST /v1/payment_intents/{id}/cancel`.
    Cancel,
    /// `POST /v1/setup_intents`.
    SetupCreate,
    /// `POST /v1/setup_intents/{id}/confirm`.
    SetupConfirm,
    /// `GET /v1/setup_intents/{id}`.
    SetupRead,
    /// `POST /v1/setup_intents/{id}/cancel`.
    SetupCancel,
    /// `POST /v1/checkout/sessions`.
    Session,
    /// `GET /v1/checkout/sessions/{id}`.
    SessionRead,
    /// `POST /v1/checkout/sessions/{id}/expire`.
    SessionExpire,
    /// `POST /v1/refunds`.
    Refund,
    /// `GET /v1/refunds`.
    Refunds,
    /// Anything else.
    Other,
}

impl Call {
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let path: Vec<&str> = path.trim_matches('/').split('/').collect();
        let Some(path) = path.strip_prefix(&["v1"]) else { return Self::Other };
        match (method.as_str(), path) {
            ("POST", ["tokens"]) => Self::Token,
            ("POST", ["payment_methods"]) => Self::PaymentMethod,
            ("POST", ["payment_methods", _, "detach"]) => Self::Detach,
            ("GET", ["payment_methods", _]) => Self::MethodRead,
            ("POST", ["customers"]) => Self::Customer,
            ("POST", ["payment_intents"]) => Self::Create,
            ("POST", ["payment_intents", _, "confirm"]) => Self::Confirm,
            ("GET", ["payment_intents", _]) => Self::Read,
            ("POST", ["payment_intents", _, "cancel"]) => Self::Cancel,
            ("POST", ["setup_intents"]) => Self::SetupCreate,
            ("POST", ["setup_intents", _, "confirm"]) => Self::SetupConfirm,
            ("GET", ["setup_intents", _]) => Self::SetupRead,
            ("POST", ["setup_intents", _, "cancel"]) => Self::SetupCancel,
            ("POST", ["checkout", "sessions"]) => Self::Session,
            ("GET", ["checkout", "sessions", _]) => Self::SessionRead,
            ("POST", ["checkout", "sessions", _, "expire"]) => Self::SessionExpire,
            ("POST", ["refunds"]) => Self::Refund,
            ("GET", ["refunds"]) => Self::Refunds,
            _ => Self::Other,
        }
    }
}

/// A fault of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    /// The connection breaks before anything is done.
    DropBefore,
    /// It is done, and the connection breaks.
    DropAfter,
    /// It is done, and no answer comes before the caller gives up.
    Silent,
    /// It is done, and answered after a while.
    Slow(Duration),
    /// It is done only after [`super::Proxy::release`], after the caller gave up.
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
