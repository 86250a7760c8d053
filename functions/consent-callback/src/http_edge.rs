//! The router: addresses and methods, limits, time-outs and headers. It decides nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use domain::problem::{Code, Problem};
use http::Method;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use serde::de::DeserializeOwned;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::ConsentCallback;

/// The largest body a provider sends, with room.
const BODY_MAX: usize = 1024 * 1024;
/// Providers hang up after 15 seconds.
const TIME_MAX: Duration = Duration::from_secs(14);

/// Headers of every answer: pages show an ask that belongs to one person, and are kept by nobody.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000"),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin-allow-popups"),
    (
        HeaderName::from_static("permissions-policy"),
        "payment=(self), publickey-credentials-get=(self)",
    ),
];

const NOWHERE: &str = "there is nothing at this address";

/// The addresses of the consent page, the providers' callbacks and the sandbox phone, to be mounted as they are.
pub fn router(consent: Arc<ConsentCallback>) -> Router {
    let mut router = Router::new()
        .route("/c/{token}", get(open_page).post(answer_page))
        .route("/callbacks/{brand}/{channel}", get(receive).post(receive))
        // Apple puts the word behind the address it is given.
        .route("/callbacks/{brand}/{channel}/message", post(receive))
        .route("/sandbox/checkout/{id}", get(see_checkout).post(use_checkout))
        .route("/sandbox/phones/{phone}/messages", get(messages))
        .route("/sandbox/phones/{phone}/messages/{id}/tap", post(tap))
        .method_not_allowed_fallback(wrong_method)
        .fallback(nowhere)
        .layer(TimeoutLayer::with_status_code(http::StatusCode::SERVICE_UNAVAILABLE, TIME_MAX));
    for (name, value) in HEADERS {
        router = router
            .layer(SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)));
    }
    router.with_state(consent)
}

/// A call with its body read.
struct Call {
    parts: Parts,
    body: Bytes,
}

impl FromRequest<Arc<ConsentCallback>> for Call {
    type Rejection = Response;

    async fn from_request(
        request: Request,
        consent: &Arc<ConsentCallback>,
    ) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        match to_bytes(body, BODY_MAX).await {
            Ok(body) => Ok(Self { parts, body }),
            Err(_) => {
                let problem = Problem::new(Code::PayloadTooLarge, "the body is larger than 1 MiB");
                Err(Self { parts, body: Bytes::new() }.answer(consent, Err(problem)))
            }
        }
    }
}

impl Call {
    fn answer(
        &self,
        consent: &ConsentCallback,
        answer: Result<http::Response<Bytes>, Problem>,
    ) -> Response {
        let answer = answer.unwrap_or_else(|problem| {
            let (code, status, ..) = problem.code.facts();
            tracing::info!(problem.code = code, http.status = status, "refused a call");
            // The path of a consent page is a secret of its customer's.
            let path = self.parts.uri.path();
            let path = if path.starts_with("/c/") { "/c/" } else { path };
            problem.answer(&consent.public_base, path)
        });
        answer.map(Body::from)
    }
}

/// What the address names. An address that is not UTF-8 once decoded names nothing.
struct Named<T>(T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<ConsentCallback>> for Named<T> {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        consent: &Arc<ConsentCallback>,
    ) -> Result<Self, Response> {
        if let Ok(Path(named)) = Path::from_request_parts(parts, consent).await {
            return Ok(Self(named));
        }
        let call = Call { parts: parts.clone(), body: Bytes::new() };
        Err(call.answer(consent, Err(Problem::new(Code::NotFound, NOWHERE))))
    }
}

type Here = State<Arc<ConsentCallback>>;

async fn open_page(State(consent): Here, Named(token): Named<String>, call: Call) -> Response {
    let shown = if call.parts.method == Method::HEAD {
        consent.show_page(&token).await
    } else {
        let query = call.parts.uri.query().unwrap_or_default();
        consent.open_page(&token, query, &call.parts.headers).await
    };
    call.answer(&consent, shown)
}

async fn answer_page(State(consent): Here, Named(token): Named<String>, call: Call) -> Response {
    call.answer(&consent, consent.answer_page(&token, &call.parts.headers, &call.body).await)
}

async fn receive(State(consent): Here, Named(to): Named<(String, String)>, call: Call) -> Response {
    let received = consent.receive(&to.0, &to.1, &call.parts, call.body.clone()).await;
    call.answer(&consent, received)
}

async fn see_checkout(State(consent): Here, Named(id): Named<String>, call: Call) -> Response {
    call.answer(&consent, consent.checkout(&id, None).await)
}

async fn use_checkout(State(consent): Here, Named(id): Named<String>, call: Call) -> Response {
    call.answer(&consent, consent.checkout(&id, Some(&call.body)).await)
}

async fn messages(State(consent): Here, Named(phone): Named<String>, call: Call) -> Response {
    call.answer(&consent, consent.phone_messages(&call.parts.headers, &phone).await)
}

async fn tap(State(consent): Here, Named(place): Named<(String, String)>, call: Call) -> Response {
    let place = (place.0.as_str(), place.1.as_str());
    call.answer(&consent, consent.tap(&call.parts.headers, place, &call.body).await)
}

async fn wrong_method(State(consent): Here, call: Call) -> Response {
    let detail = "the address does not take this method";
    call.answer(&consent, Err(Problem::new(Code::MethodNotAllowed, detail)))
}

async fn nowhere(State(consent): Here, call: Call) -> Response {
    call.answer(&consent, Err(Problem::new(Code::NotFound, NOWHERE)))
}
