//! Problem details (RFC 9457): what a caller is told when something is wrong, by a stable code.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use serde::Serialize;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $text:literal $status:literal $title:literal $remedy:literal;)*) => {
        /// The codes. They never change their meaning; new ones may come.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// All of them, for documentation.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code's text, its HTTP status, its title, and what to do about it.
            #[must_use]
            pub const fn facts(self) -> (&'static str, u16, &'static str, &'static str) {
                match self {
                    $(Self::$name => ($text, $status, $title, $remedy),)*
                }
            }
        }
    };
}

codes! {
    /// The call is not what the API documents.
    InvalidRequest "invalid-request" 400
        "The call is not what the API documents"
        "Mend the fields that `errors` names and send the call again.";
    /// The body is larger than the API takes.
    PayloadTooLarge "payload-too-large" 413
        "The body is too large"
        "Send at most 64 KiB.";
    /// No key, or not one in force.
    Unauthenticated "unauthenticated" 401
        "The key is missing or not in force"
        "Send `Authorization: Bearer sk_…` with one of the brand's keys.";
    /// There is no such thing for this caller.
    NotFound "not-found" 404
        "There is no such thing"
        "Check the address; a key sees only what belongs to its brand and mode.";
    /// The address exists and does not take this method.
    MethodNotAllowed "method-not-allowed" 405
        "The address does not take this method"
        "See the `Allow` header.";
    /// The thing is not in a state that allows it.
    ConflictState "conflict-state" 409
        "The request is not in a state that allows this"
        "Read the request; a terminal state never changes, and a yes cannot be cancelled.";
    /// A call that creates has no `Idempotency-Key`.
    IdempotencyKeyMissing "idempotency-key-missing" 400
        "The call needs an Idempotency-Key"
        "Send a key of 1 to 255 printable characters that is new for each request you mean to make.";
    /// The key was used for another body.
    IdempotencyKeyReused "idempotency-key-reused" 422
        "The Idempotency-Key was used for another body"
        "Use a new key for a new request.";
    /// The customer opted out of this brand's messages.
    AddressOptedOut "address-opted-out" 403
        "The customer opted out of this brand's messages"
        "Agree on another way; the customer can write START to take it back.";
    /// The customer has been asked too often, or said no a short while ago.
    TooManyRequestsForAddress "too-many-requests-for-address" 429
        "The customer has been asked too often"
        "Wait as `Retry-After` says.";
    /// No processor of the brand's takes this ask.
    AskNotSupported "ask-not-supported" 422
        "No processor of the brand takes this ask"
        "Ask for what the brand's processors take.";
    /// The customer has no such card on file.
    PaymentMethodUnknown "payment-method-unknown" 422
        "The customer has no such card on file"
        "Name a card that this customer put on file with this brand in this mode, or none.";
    /// More is to be given back than is left of the charge.
    RefundTooLarge "refund-too-large" 422
        "More is to be given back than is left of the charge"
        "Read the request's refunds, and give back at most what is left.";
    /// The amount is outside what can be charged.
    AmountOutOfRange "amount-out-of-range" 400
        "The amount is outside what can be charged"
        "Send 1 to 99999999 in the currency's minor unit.";
    /// The brand has no such channel.
    ChannelNotConfigured "channel-not-configured" 422
        "The brand has no such channel in this mode"
        "Name channels from the brand's settings, or none.";
    /// The brand has no processor in this mode.
    ProcessorNotConfigured "processor-not-configured" 422
        "The brand has no processor in this mode"
        "Add one to the brand's secret.";
    /// The deadline has passed.
    DeadlinePassed "deadline-passed" 409
        "The deadline has passed"
        "Make a new request.";
    /// The session code is missing.
    SessionCodeMissing "session-code-missing" 422
        "The session code is missing"
        "Send the two digits the agent reads out.";
    /// A callback whose sender is not proven.
    CallbackForged "callback-forged" 403
        "The callback's sender is not proven"
        "Check the credentials both sides sign with.";
    /// The brand's settings of the channel or processor that a webhook is for are wrong.
    SettingsInvalid "settings-invalid" 503
        "The brand's settings of this channel or processor are wrong"
        "Mend the setting that the log names; the same call may then be repeated.";
    /// The processor refuses the brand's account, and no other takes the ask.
    ProcessorUnavailable "processor-unavailable" 503
        "The processor does not take our calls at the moment"
        "Send the same call again as `Retry-After` says; whoever runs this installation was told.";
    /// Something outside did not answer; the same call may work in a moment.
    TemporaryReducedCapacity "temporary-reduced-capacity" 503
        "Something outside did not answer"
        "Send the same call again in a moment; it is safe to repeat.";
    /// Our fault.
    Internal "internal" 500
        "Something is wrong on our side"
        "Send the same call again later; it is safe to repeat.";
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which.
    pub code: Code,
    /// What about this occurrence; never a secret, an address, or what belongs to somebody else.
    pub detail: String,
    /// The fields that are wrong.
    pub errors: Vec<FieldError>,
    /// After how many seconds a repeat makes sense.
    pub retry_after: Option<u64>,
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// A JSON Pointer into the body, or the name of a header or query parameter.
    pub pointer: String,
    /// A stable word: `missing`, `unknown`, `type`, `value`, `length`.
    pub code: &'static str,
    /// For a human.
    pub detail: String,
}

impl Problem {
    /// A problem with its detail.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// Somebody else committed first, again and again: the call may be made once more.
    #[must_use]
    pub fn overtaken() -> Self {
        Self::new(Code::TemporaryReducedCapacity, "the request is changing too fast")
    }

    /// A webhook met settings that an operator must mend: its sender repeats it.
    #[must_use]
    pub fn invalid_settings() -> Self {
        let detail = "the brand's settings of this channel or processor cannot be used yet";
        Self { retry_after: Some(60), ..Self::new(Code::SettingsInvalid, detail) }
    }

    /// A problem of fields.
    #[must_use]
    pub fn fields(errors: Vec<FieldError>) -> Self {
        // One wrong amount has a code of its own, so that a till can tell it from a mistake in its program.
        let amount_alone = matches!(errors.as_slice(), [one] if one.pointer == "/ask/amount" && one.code == "range");
        let code = if amount_alone { Code::AmountOutOfRange } else { Code::InvalidRequest };
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.pointer, one.detail),
            _ => format!("{} fields are wrong", errors.len()),
        };
        Self { code, detail, errors, retry_after: None }
    }

    /// Returns the answer. `public_base` is the address whose `/problems/<code>` pages explain the codes; `instance` is the
    /// path that was called.
    #[must_use]
    pub fn answer(&self, public_base: &str, instance: &str) -> http::Response<Bytes> {
        let (code, status, title, _) = self.code.facts();
        let mut body = serde_json::json!({
            "type": format!("{public_base}/problems/{code}"),
            "title": title,
            "status": status,
            "code": code,
            "detail": self.detail,
            "instance": instance,
            "retryable": matches!(status, 429 | 500 | 503),
        });
        if let Some(fields) = body.as_object_mut().filter(|_| !self.errors.is_empty()) {
            fields.insert("errors".to_owned(), serde_json::json!(self.errors));
        }
        let mut answer = http::Response::new(Bytes::from(body.to_string()));
        *answer.status_mut() =
            http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after.or((status == 503).then_some(1)) {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == 401 {
            headers.insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        answer
    }
}

impl From<crate::ports::StoreError> for Problem {
    fn from(error: crate::ports::StoreError) -> Self {
        use crate::ports::StoreError;
        match error {
            StoreError::Conflict | StoreError::Unavailable(_) => {
                Self::new(Code::TemporaryReducedCapacity, "the store is busy")
            }
            StoreError::Damaged(_) => Self::new(Code::Internal, "what is stored cannot be read"),
        }
    }
}

impl From<crate::ports::QueueError> for Problem {
    fn from(_: crate::ports::QueueError) -> Self {
        Self::new(Code::TemporaryReducedCapacity, "the queue is busy")
    }
}

impl From<crate::ports::SecretsError> for Problem {
    fn from(error: crate::ports::SecretsError) -> Self {
        use crate::ports::SecretsError;
        match error {
            SecretsError::Unknown => Self::new(Code::Unauthenticated, "the key is not in force"),
            SecretsError::Damaged(_) => {
                Self::new(Code::Internal, "the brand's settings cannot be read")
            }
            SecretsError::Unavailable(_) => {
                Self::new(Code::TemporaryReducedCapacity, "the brand's settings are out of reach")
            }
        }
    }
}
