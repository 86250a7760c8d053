//! Problem details (RFC 9457), each with a stable code.

use std::fmt;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use serde::Serialize;

use crate::rate_limits::RateLimits;
use crate::values::id::RequestId;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $text:literal $status:literal $title:literal $remedy:literal;)*) => {
        /// The stable codes. A code never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the code's text, its HTTP status, its title and the remedy.
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
    /// A field, header or parameter is invalid.
    InvalidRequest "invalid-request" 400
        "The call is invalid"
        "Correct the fields that `errors` names and repeat the call.";
    /// The body is of another media type than JSON.
    UnsupportedMediaType "unsupported-media-type" 415
        "The body is not JSON"
        "Send the body as `Content-Type: application/json`, in UTF-8 and without a `Content-Encoding`.";
    /// The body exceeds 64 KiB.
    PayloadTooLarge "payload-too-large" 413
        "The body is too large"
        "Send a body of at most 64 KiB.";
    /// The API key is missing or not valid.
    Unauthenticated "unauthenticated" 401
        "The API key is missing or not valid"
        "Send `Authorization: Bearer sk_…` with one of the brand's keys.";
    /// The resource does not exist for this caller.
    NotFound "not-found" 404
        "Not found"
        "Check the id and the path. A key sees only its own brand and mode.";
    /// The path does not support the method.
    MethodNotAllowed "method-not-allowed" 405
        "Method not allowed"
        "Use a method that the `Allow` header lists.";
    /// The request's state does not allow the operation.
    ConflictState "conflict-state" 409
        "The request's state does not allow this"
        "Read the request. A terminal state never changes, and an approved request cannot be cancelled.";
    /// The same is asked of the same customer already.
    DuplicateOpenRequest "duplicate-open-request" 409
        "The customer is already asked for the same"
        "Read or cancel the open request that `request` names. To ask twice, send `allow_duplicate: true`.";
    /// The customer denied a request of the session, and an AI agent asks again.
    DeniedInSession "denied-in-session" 409
        "The customer said no in this session"
        "Do not ask again. Only if the customer asks for it, name the request of `request` in `metadata.retry_of`.";
    /// The `Idempotency-Key` header is missing.
    IdempotencyKeyMissing "idempotency-key-missing" 400
        "The Idempotency-Key header is missing"
        "Send 1 to 255 printable characters, new for each request that you create.";
    /// The key was used for another body.
    IdempotencyKeyReused "idempotency-key-reused" 422
        "The Idempotency-Key was used for another body"
        "Use a new key for a new request.";
    /// The customer opted out of this brand's messages.
    AddressOptedOut "address-opted-out" 403
        "The customer opted out of this brand's messages"
        "Agree on another way; the customer can write START to take it back.";
    /// The brand's policy does not allow the customer's number.
    NumberNotAllowed "number-not-allowed" 403
        "The brand's policy does not allow this number"
        "Ask another number, or change `countries` or `service_numbers` in the policy of the brand's secret.";
    /// The key's settings do not allow the call.
    NotAllowedForKey "not-allowed-for-key" 403
        "The key may not do this"
        "Use a key with the right or limit that `limit` names, or change the key in the brand's secret.";
    /// The key has reached one of its ceilings.
    CeilingReached "ceiling-reached" 403
        "The key has reached a ceiling"
        "Ask for less, wait for the seconds in `Retry-After` if there are any, or raise the key's `limit`.";
    /// The customer reported a request as not theirs.
    AddressReported "address-reported" 429
        "The customer reported a request"
        "Check whom you are talking to. Ask again after the seconds in `Retry-After`.";
    /// The customer denied several requests.
    AddressInCooldown "address-in-cooldown" 429
        "The customer denied several requests"
        "Agree on another way, or ask again after the seconds in `Retry-After`.";
    /// The customer was asked too often.
    TooManyRequestsForAddress "too-many-requests-for-address" 429
        "Too many requests for this customer"
        "Retry after the seconds in `Retry-After`.";
    /// The brand's prompts of this hour are used up.
    BrandLimitReached "brand-limit-reached" 429
        "The brand's prompts of this hour are used up"
        "Retry after the seconds in `Retry-After`, or raise `prompts_per_hour` in the policy of the brand's secret.";
    /// None of the brand's processors supports the ask.
    AskNotSupported "ask-not-supported" 422
        "None of the brand's processors supports this ask"
        "Ask for something else, or add a processor to the brand's secret.";
    /// The customer has no such saved card.
    PaymentMethodUnknown "payment-method-unknown" 422
        "The customer has no such saved card"
        "Name a card that this customer saved with this brand in this mode, or omit `payment_method`.";
    /// The processor no longer keeps the saved card.
    PaymentMethodGone "payment-method-gone" 422
        "The processor no longer keeps the saved card"
        "Ask for a new card with `payment_method`, or omit `payment_method` to let the customer choose.";
    /// An open request of the customer names the saved card.
    PaymentMethodInUse "payment-method-in-use" 409
        "An open request names this saved card"
        "Wait until the request ends, or cancel it. Then repeat the call.";
    /// A request of the customer is open.
    CustomerHasOpenRequests "customer-has-open-requests" 409
        "A request of this customer is open"
        "Wait until the request that `detail` names ends, or cancel it. Then repeat the call.";
    /// The customer's data is being erased.
    CustomerBeingErased "customer-being-erased" 409
        "This customer's data is being erased"
        "Read `GET /v1/customers/{phone}` until `erasure.state` is `done`, then repeat the call.";
    /// The refund exceeds what is left of the charge.
    RefundTooLarge "refund-too-large" 422
        "The refund exceeds what is left of the charge"
        "Read `refunds` of the request, and refund at most what is left.";
    /// The amount is out of range.
    AmountOutOfRange "amount-out-of-range" 400
        "The amount is out of range"
        "Send 1 to 999999999999999 in the currency's minor unit.";
    /// None of the brand's processors takes the amount.
    AmountNotSupported "amount-not-supported" 422
        "None of the brand's processors takes this amount"
        "Send an amount that `errors` allows, another currency, or add a processor to the brand's secret.";
    /// None of the brand's processors takes a label of the request, which its settings send there.
    LabelNotSupported "label-not-supported" 422
        "No processor of the brand takes this metadata or session"
        "Send a value that `errors` allows. The brand's settings send it to the processor.";
    /// The brand has no such channel.
    ChannelNotConfigured "channel-not-configured" 422
        "The brand has no such channel in this mode"
        "Name channels of the brand's secret, or omit `channels`.";
    /// The brand has no webhook endpoint in this mode.
    WebhooksNotConfigured "webhooks-not-configured" 422
        "The brand has no webhook endpoint in this mode"
        "Set `webhooks` of this mode in the brand's secret.";
    /// The brand has no processor in this mode.
    ProcessorNotConfigured "processor-not-configured" 422
        "The brand has no processor in this mode"
        "Add one to the brand's secret.";
    /// The deadline has passed.
    DeadlinePassed "deadline-passed" 409
        "The deadline has passed"
        "Create a new request.";
    /// The session code is missing.
    SessionCodeMissing "session-code-missing" 422
        "The session code is missing"
        "Send the two digits the agent reads out.";
    /// The signature of a webhook does not verify.
    CallbackForged "callback-forged" 403
        "The signature does not verify"
        "Check the signing secret on both sides.";
    /// A setting of the channel or processor that a webhook is for is not valid.
    SettingsInvalid "settings-invalid" 503
        "A setting of the channel or processor is not valid"
        "Correct the setting that the log names. The webhook may be repeated.";
    /// The processor rejects the brand's credentials, and no other supports the ask.
    ProcessorUnavailable "processor-unavailable" 503
        "The processor is unavailable"
        "Repeat the call after the seconds in `Retry-After`. The operator is alerted.";
    /// A dependency did not answer.
    TemporaryReducedCapacity "temporary-reduced-capacity" 503
        "A dependency is unavailable"
        "Repeat the same call in a moment. Repeats are safe.";
    /// An internal error.
    Internal "internal" 500
        "Internal error"
        "Repeat the same call later. Repeats are safe.";
}

impl Code {
    /// Returns whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        let (_, status, ..) = self.facts();
        matches!(status, 429 | 500 | 503)
    }
}

/// A problem, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// The detail of this occurrence. It holds no secret, no address and no data of another brand.
    pub detail: String,
    /// The invalid fields.
    pub errors: Vec<FieldError>,
    /// The seconds to wait before a repeat; `None` where the status decides.
    pub retry_after: Option<u64>,
    /// The limits that the call counts against; `None` where none was read.
    pub rate_limits: Option<RateLimits>,
    /// The setting of the key that the call exceeds; `None` for other problems.
    pub limit: Option<&'static str>,
    /// The request that stands against the call, which is open or was denied; `None` for other problems. Boxed, since a problem is an error's body.
    pub request: Option<Box<RequestId>>,
}

/// The place of a fault in a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A JSON Pointer into the body (RFC 6901); the empty one is the whole body.
    Pointer(String),
    /// The name of a parameter of the query or the path.
    Parameter(String),
    /// The name of a header.
    Header(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pointer(pointer) if pointer.is_empty() => "the body",
            Self::Pointer(text) | Self::Parameter(text) => text,
            Self::Header(name) => name,
        })
    }
}

/// An invalid field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's place: one of the members `pointer`, `parameter` and `header`.
    #[serde(flatten)]
    pub place: Place,
    /// A stable code, such as `missing`, `unknown`, `repeated`, `syntax`, `type`, `value`, `length` or `range`.
    pub code: &'static str,
    /// The explanation for a person.
    pub detail: String,
}

impl FieldError {
    /// Makes the error of a field in the body.
    #[must_use]
    pub fn in_body(pointer: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self { place: Place::Pointer(pointer.to_owned()), code, detail: detail.into() }
    }

    /// Makes the error of a parameter of the query or the path.
    #[must_use]
    pub fn in_parameter(name: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self { place: Place::Parameter(name.to_owned()), code, detail: detail.into() }
    }

    /// Makes the error of a header.
    #[must_use]
    pub fn in_header(name: &'static str, code: &'static str, detail: impl Into<String>) -> Self {
        Self { place: Place::Header(name), code, detail: detail.into() }
    }
}

impl Problem {
    /// Makes a problem with its detail.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            rate_limits: None,
            limit: None,
            request: None,
        }
    }

    /// Makes the problem of a call that lost every version conflict. A repeat may succeed.
    #[must_use]
    pub fn overtaken() -> Self {
        Self::new(
            Code::TemporaryReducedCapacity,
            "the request changed too often meanwhile; repeat the call",
        )
    }

    /// Makes the problem of a webhook that met an invalid setting. Its sender repeats it.
    #[must_use]
    pub fn invalid_settings() -> Self {
        let detail = "a setting of this channel or processor is not valid";
        Self { retry_after: Some(60), ..Self::new(Code::SettingsInvalid, detail) }
    }

    /// Adds the place of what is wrong. The error has the problem's own detail.
    #[must_use]
    pub fn at(mut self, error: impl FnOnce(String) -> FieldError) -> Self {
        self.errors.push(error(self.detail.clone()));
        self
    }

    /// Makes the problem of invalid fields.
    #[must_use]
    pub fn fields(errors: Vec<FieldError>) -> Self {
        // A single wrong amount has its own code: it is a mistake of the person, not of the program.
        let amount_alone = matches!(
            errors.as_slice(),
            [FieldError { place: Place::Pointer(pointer), code: "range", .. }]
                if pointer == "/ask/amount"
        );
        let code = if amount_alone { Code::AmountOutOfRange } else { Code::InvalidRequest };
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.place, one.detail),
            _ => format!("{} fields are invalid; see `errors`", errors.len()),
        };
        Self { errors, ..Self::new(code, detail) }
    }

    /// Returns the HTTP response. `base_url` serves the `/problems/<code>` pages; `instance` is the path of the call.
    #[must_use]
    pub fn answer(&self, base_url: &str, instance: &str) -> http::Response<Bytes> {
        let (code, status, title, _) = self.code.facts();
        let mut body = serde_json::json!({
            "type": format!("{base_url}/problems/{code}"),
            "title": title,
            "status": status,
            "code": code,
            "detail": self.detail,
            "instance": instance,
            "retryable": self.code.is_retryable(),
        });
        if let Some(fields) = body.as_object_mut().filter(|_| !self.errors.is_empty()) {
            fields.insert("errors".to_owned(), serde_json::json!(self.errors));
        }
        if let (Some(fields), Some(limit)) = (body.as_object_mut(), self.limit) {
            fields.insert("limit".to_owned(), limit.into());
        }
        if let (Some(fields), Some(request)) = (body.as_object_mut(), &self.request) {
            fields.insert("request".to_owned(), serde_json::json!(request));
        }
        let mut answer = http::Response::new(Bytes::from(body.to_string()));
        *answer.status_mut() =
            http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(limits) = &self.rate_limits {
            limits.write(headers);
        }
        if let Some(seconds) = self.retry_after.or((status == 503).then_some(1)) {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == 415 {
            headers.insert(http::header::ACCEPT, HeaderValue::from_static("application/json"));
        }
        if status == 401 {
            headers.insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        answer
    }
}
