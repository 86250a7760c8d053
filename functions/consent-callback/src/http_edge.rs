//! The routes, with their limits, time-outs and headers. It decides nothing.

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
use ports::{IdentityCall, MessagePath};
use records::{audit, caller};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::browser::reports::{self, REPORTS_MAX, ReportLimit};
use crate::compression::compressed;
use crate::{ConsentCallback, page};

/// The largest body that is read, in bytes: Meta sends up to 3 MB, and no other provider more.
const BODY_MAX: usize = 4 * 1024 * 1024;
/// Providers hang up after 15 seconds.
const TIME_MAX: Duration = Duration::from_secs(14);

/// The headers of every response. A page shows one person's request, so no cache may keep it.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000"),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin-allow-popups"),
    (
        HeaderName::from_static("permissions-policy"),
        // What wallets need. A script that got in asks for nothing else of the device.
        "payment=(self), publickey-credentials-get=(self), camera=(), display-capture=(), geolocation=(), microphone=()",
    ),
];

const NOWHERE: &str = "no resource has this path";

/// Returns the routes of the consent page, the providers' callbacks and the sandbox.
pub fn router(consent: Arc<ConsentCallback>) -> Router {
    let limit = Arc::new(ReportLimit::default());
    let mut router = Router::new()
        .route("/c/{token}", get(open_page).post(submit_page))
        // A link that was cut on its way leads to a page, and not to JSON.
        .route("/c", get(cut_link))
        .route("/c/", get(cut_link))
        .route("/u/{token}", get(ask_unsubscribe).post(unsubscribe))
        .route("/callbacks/{brand}/{channel}", get(receive).post(receive))
        // Apple appends the word to the address that it is given.
        .route("/callbacks/{brand}/{channel}/message", post(receive))
        .route("/reports/csp", post(move |root, request| take_reports(root, request, limit)))
        .route("/sandbox/checkout/{id}", get(open_checkout).post(submit_checkout))
        .route("/sandbox/identity/.well-known/openid-configuration", get(identity))
        .route("/sandbox/identity/authorize", get(identity).post(identity))
        .route("/sandbox/identity/jwks", get(identity))
        .route("/sandbox/identity/token", post(identity))
        .route("/sandbox/identity/userinfo", get(identity).post(identity))
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
        let (mut parts, body) = request.into_parts();
        caller::stamp(&mut parts, consent.ports.clock.now());
        match to_bytes(body, BODY_MAX).await {
            Ok(body) => Ok(Self { parts, body }),
            Err(_) => {
                let problem = Problem::new(Code::PayloadTooLarge, "the body is larger than 4 MiB");
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
            tracing::info!(problem.code = code, http.status = status, "call refused");
            audit::refused(&problem, &self.parts.headers);
            // The path of a consent page is the customer's secret, and so is that of a mail's way out.
            let path = self.parts.uri.path();
            let secret = ["/c/", "/u/"].into_iter().find(|start| path.starts_with(start));
            let path = secret.unwrap_or(path);
            problem.answer(&consent.public_base, path)
        });
        let mut answer = compressed(&self.parts, answer).map(Body::from);
        if let Some(id) = self.parts.headers.get(caller::REQUEST_ID) {
            answer.headers_mut().insert(caller::REQUEST_ID, id.clone());
        }
        answer
    }
}

/// The parameters of the path. A path that is not UTF-8 once decoded is not found.
struct PathParams<T>(T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<ConsentCallback>> for PathParams<T> {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        consent: &Arc<ConsentCallback>,
    ) -> Result<Self, Response> {
        if let Ok(Path(params)) = Path::from_request_parts(parts, consent).await {
            return Ok(Self(params));
        }
        caller::stamp(parts, consent.ports.clock.now());
        let call = Call { parts: parts.clone(), body: Bytes::new() };
        Err(call.answer(consent, Err(Problem::new(Code::NotFound, NOWHERE))))
    }
}

type Root = State<Arc<ConsentCallback>>;

#[derive(Deserialize)]
struct CallbackPath {
    brand: String,
    channel: String,
}

#[derive(Deserialize)]
struct TapPath {
    phone: String,
    id: String,
}

async fn open_page(
    State(consent): Root,
    PathParams(token): PathParams<String>,
    call: Call,
) -> Response {
    let page = consent.page();
    let shown = if call.parts.method == Method::HEAD {
        page.show(&token, &call.parts.headers).await
    } else {
        let query = call.parts.uri.query().unwrap_or_default();
        page.open(&token, query, &call.parts.headers).await
    };
    call.answer(&consent, shown)
}

async fn cut_link(State(consent): Root, call: Call) -> Response {
    let unknown = page::unknown("", page::accepts(&call.parts.headers));
    call.answer(&consent, unknown)
}

async fn submit_page(
    State(consent): Root,
    PathParams(token): PathParams<String>,
    call: Call,
) -> Response {
    let submitted = consent.page().submit(&token, &call.parts.headers, &call.body).await;
    call.answer(&consent, submitted)
}

async fn ask_unsubscribe(
    State(consent): Root,
    PathParams(token): PathParams<String>,
    call: Call,
) -> Response {
    let shown = consent.page().ask_unsubscribe(&token, &call.parts.headers).await;
    call.answer(&consent, shown)
}

async fn unsubscribe(
    State(consent): Root,
    PathParams(token): PathParams<String>,
    call: Call,
) -> Response {
    let done = consent.page().unsubscribe(&token, &call.parts.headers, &call.body).await;
    call.answer(&consent, done)
}

async fn receive(
    State(consent): Root,
    PathParams(path): PathParams<CallbackPath>,
    call: Call,
) -> Response {
    let body = call.body.clone();
    let received = consent.receive(&path.brand, &path.channel, &call.parts, body).await;
    call.answer(&consent, received)
}

async fn take_reports(State(consent): Root, request: Request, limit: Arc<ReportLimit>) -> Response {
    let (mut parts, body) = request.into_parts();
    caller::stamp(&mut parts, consent.ports.clock.now());
    let call = Call { parts, body: Bytes::new() };
    let Ok(body) = to_bytes(body, REPORTS_MAX).await else {
        let problem = Problem::new(Code::PayloadTooLarge, "the body is larger than 16 KiB");
        return call.answer(&consent, Err(problem));
    };
    let taken = reports::record(&limit, &body, consent.ports.clock.now());
    call.answer(&consent, taken.map(|()| page::empty(http::StatusCode::NO_CONTENT)))
}

async fn open_checkout(
    State(consent): Root,
    PathParams(id): PathParams<String>,
    call: Call,
) -> Response {
    call.answer(&consent, consent.sandbox_calls().checkout(&id, None).await)
}

async fn submit_checkout(
    State(consent): Root,
    PathParams(id): PathParams<String>,
    call: Call,
) -> Response {
    call.answer(&consent, consent.sandbox_calls().checkout(&id, Some(&call.body)).await)
}

async fn identity(State(consent): Root, call: Call) -> Response {
    let path = call.parts.uri.path();
    let identity = IdentityCall {
        path: path.strip_prefix("/sandbox/identity/").unwrap_or_default(),
        query: call.parts.uri.query().unwrap_or_default(),
        headers: &call.parts.headers,
        form: (call.parts.method == Method::POST).then_some(&*call.body),
    };
    call.answer(&consent, consent.sandbox_calls().identity(identity).await)
}

async fn messages(
    State(consent): Root,
    PathParams(phone): PathParams<String>,
    call: Call,
) -> Response {
    call.answer(&consent, consent.sandbox_calls().messages(&call.parts.headers, &phone).await)
}

async fn tap(State(consent): Root, PathParams(path): PathParams<TapPath>, call: Call) -> Response {
    let path = MessagePath { phone: &path.phone, id: &path.id };
    let tapped = consent.sandbox_calls().tap(&call.parts.headers, path, &call.body).await;
    call.answer(&consent, tapped)
}

async fn wrong_method(State(consent): Root, call: Call) -> Response {
    let detail = "this path does not accept the method; see the `Allow` header";
    call.answer(&consent, Err(Problem::new(Code::MethodNotAllowed, detail)))
}

async fn nowhere(State(consent): Root, call: Call) -> Response {
    call.answer(&consent, Err(Problem::new(Code::NotFound, NOWHERE)))
}
