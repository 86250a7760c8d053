//! The router: paths, methods, limits, time-outs and headers. It decides nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use domain::api_key::SignedToken;
use domain::media_type;
use domain::problem::{Code, Problem};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, Method};
use records::{audit, caller};
use serde::de::DeserializeOwned;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::Intake;

/// The largest body of a call.
const BODY_MAX: usize = 64 * 1024;
/// Longer than the longest wait of a read, and shorter than the gateway's own time-out.
const TIME_MAX: Duration = Duration::from_secs(27);

/// How long a browser remembers that it may call from another origin.
const PREFLIGHT_MAX: Duration = Duration::from_secs(600);

const NOWHERE: &str = "no resource has this path";

/// Returns the router of the API's paths.
pub fn router(intake: Arc<Intake>) -> Router {
    Router::new()
        .route("/v1/capabilities", post(capabilities))
        .route("/v1/client_tokens", post(create_client_token))
        .route("/v1/previews", post(previews))
        .route("/v1/requests", post(create).get(list))
        .route("/v1/requests/{id}", get(read))
        .route("/v1/requests/{id}/record", get(record))
        .route("/v1/requests/{id}/cancel", post(cancel))
        .route("/v1/requests/{id}/extend", post(extend))
        .route("/v1/requests/{id}/resend", post(resend))
        .route("/v1/requests/{id}/refund", post(refund))
        .route("/v1/customers/{phone}", get(customer).delete(erase_customer))
        .route("/v1/payment_methods/{id}", get(payment_method).delete(end_payment_method))
        .route("/v1/events", get(events))
        .route("/v1/events/redeliver", post(redeliver_since))
        .route("/v1/events/{id}", get(event))
        .route("/v1/events/{id}/redeliver", post(redeliver))
        .route("/v1/webhooks/test", post(test_webhook))
        .route("/v1/statistics", get(statistics))
        .route("/v1/health", get(health))
        .route("/v1/brand", get(brand))
        .route("/desk", get(desk))
        .route("/desk/{file}", get(desk_file))
        .route("/desk/requests/{id}", get(desk))
        .route("/widget.js", get(widget))
        .route("/openapi.json", get(openapi))
        .route("/docs", get(docs))
        .route("/docs/{file}", get(docs_file))
        .route("/problems", get(problems))
        .route("/problems/{code}", get(explain))
        .method_not_allowed_fallback(wrong_method)
        .fallback(nowhere)
        .layer(SetResponseHeaderLayer::if_not_present(
            HeaderName::from_static("x-content-type-options"),
            HeaderValue::from_static("nosniff"),
        ))
        .layer(cross_origin())
        .layer(TimeoutLayer::with_status_code(http::StatusCode::SERVICE_UNAVAILABLE, TIME_MAX))
        .layer(from_fn_with_state(Arc::clone(&intake), explain_timeout))
        .with_state(intake)
}

/// Lets a browser read what a client token of its origin may do. A key's answers are for no page of another origin.
fn cross_origin() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(|origin, parts| {
            // A browser asks first, without the token.
            parts.method == Method::OPTIONS || is_token_of(&parts.headers, origin)
        }))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        .expose_headers([RETRY_AFTER])
        .max_age(PREFLIGHT_MAX)
}

/// Returns whether the call carries a client token that claims this origin. Authentication verifies it.
fn is_token_of(headers: &HeaderMap, origin: &HeaderValue) -> bool {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.split_once(' ')).map(|(_, token)| token.trim());
    let token = token.and_then(SignedToken::read);
    token.is_some_and(|token| token.claimed.origin.as_bytes() == origin.as_bytes())
}

/// A call with its body read.
struct Call {
    parts: Parts,
    body: Bytes,
}

impl FromRequest<Arc<Intake>> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, intake: &Arc<Intake>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        caller::stamp(&mut parts, intake.ports.clock.now());
        let read = to_bytes(body, BODY_MAX).await;
        let too_large = |_| Problem::new(Code::PayloadTooLarge, "the body is larger than 64 KiB");
        let read = read.map_err(too_large).and_then(|body| {
            media_type::require_json(&parts.headers, &body)?;
            Ok(body)
        });
        match read {
            Ok(body) => Ok(Self { parts, body }),
            Err(problem) => Err(Self { parts, body: Bytes::new() }.answer(intake, Err(problem))),
        }
    }
}

impl Call {
    fn without_body(intake: &Intake, mut parts: Parts) -> Self {
        caller::stamp(&mut parts, intake.ports.clock.now());
        Self { parts, body: Bytes::new() }
    }

    fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    fn answer(&self, intake: &Intake, answer: Result<http::Response<Bytes>, Problem>) -> Response {
        let answer = answer.unwrap_or_else(|problem| {
            let (code, status, ..) = problem.code.facts();
            tracing::info!(problem.code = code, http.status = status, "call refused");
            audit::refused(&problem, &self.parts.headers);
            problem.answer(&intake.public_base, instance(self.parts.uri.path()))
        });
        let mut answer = answer.map(Body::from);
        if let Some(id) = self.parts.headers.get(caller::REQUEST_ID) {
            answer.headers_mut().insert(caller::REQUEST_ID, id.clone());
        }
        answer
    }
}

/// Returns the path that a problem names. A customer's number stays out of it.
fn instance(path: &str) -> &str {
    if path.starts_with("/v1/customers/") { "/v1/customers/{phone}" } else { path }
}

/// A path's parameter. A path that is not UTF-8 once decoded is not found.
struct PathParam<T>(T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Intake>> for PathParam<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, intake: &Arc<Intake>) -> Result<Self, Response> {
        if let Ok(Path(named)) = Path::from_request_parts(parts, intake).await {
            return Ok(Self(named));
        }
        let call = Call::without_body(intake, parts.clone());
        Err(call.answer(intake, Err(Problem::new(Code::NotFound, NOWHERE))))
    }
}

type Here = State<Arc<Intake>>;

async fn create(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, intake.create(call.headers(), &call.body).await)
}

async fn previews(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, intake.previews(call.headers(), &call.body).await)
}

async fn create_client_token(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, intake.create_client_token(call.headers(), &call.body).await)
}

async fn capabilities(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, intake.capabilities(call.headers(), &call.body).await)
}

async fn list(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, intake.list(call.headers(), call.query()).await)
}

async fn read(State(intake): Here, PathParam(id): PathParam<String>, call: Call) -> Response {
    call.answer(&intake, intake.read(call.headers(), &id, call.query()).await)
}

async fn record(State(intake): Here, PathParam(id): PathParam<String>, call: Call) -> Response {
    call.answer(&intake, intake.record(call.headers(), &id).await)
}

async fn customer(
    State(intake): Here,
    PathParam(phone): PathParam<String>,
    call: Call,
) -> Response {
    call.answer(&intake, intake.customer(call.headers(), &phone).await)
}

async fn erase_customer(
    State(intake): Here,
    PathParam(phone): PathParam<String>,
    call: Call,
) -> Response {
    call.answer(&intake, intake.erase_customer(call.headers(), &phone).await)
}

async fn payment_method(
    State(intake): Here,
    PathParam(id): PathParam<String>,
    call: Call,
) -> Response {
    call.answer(&intake, intake.payment_method(call.headers(), &id).await)
}

async fn end_payment_method(
    State(intake): Here,
    PathParam(id): PathParam<String>,
    call: Call,
) -> Response {
    call.answer(&intake, intake.end_payment_method(call.headers(), &id).await)
}

async fn cancel(State(intake): Here, PathParam(id): PathParam<String>, call: Call) -> Response {
    call.answer(&intake, intake.cancel(call.headers(), &id, &call.body).await)
}

async fn extend(State(intake): Here, PathParam(id): PathParam<String>, call: Call) -> Response {
    call.answer(&intake, intake.extend(call.headers(), &id, &call.body).await)
}

async fn resend(State(intake): Here, PathParam(id): PathParam<String>, call: Call) -> Response {
    call.answer(&intake, intake.resend(call.headers(), &id, &call.body).await)
}

async fn refund(State(intake): Here, PathParam(id): PathParam<String>, call: Call) -> Response {
    call.answer(&intake, intake.refund(call.headers(), &id, &call.body).await)
}

async fn events(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, intake.events(call.headers(), call.query()).await)
}

async fn event(State(intake): Here, PathParam(id): PathParam<String>, call: Call) -> Response {
    call.answer(&intake, intake.event(call.headers(), &id).await)
}

async fn redeliver(State(intake): Here, PathParam(id): PathParam<String>, call: Call) -> Response {
    call.answer(&intake, intake.redeliver(call.headers(), &id, &call.body).await)
}

async fn redeliver_since(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, intake.redeliver_since(call.headers(), &call.body).await)
}

async fn test_webhook(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, intake.test_webhook(call.headers(), &call.body).await)
}

async fn statistics(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, intake.statistics(call.headers(), call.query()).await)
}

async fn health(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, intake.health(call.headers()).await)
}

async fn brand(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, intake.brand(call.headers()).await)
}

async fn explain(State(intake): Here, PathParam(code): PathParam<String>, call: Call) -> Response {
    call.answer(&intake, intake.explain(call.headers(), &code))
}

async fn problems(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, Ok(intake.problems(call.headers())))
}

async fn widget(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, Ok(intake.widget(call.headers())))
}

async fn desk(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, intake.desk())
}

async fn desk_file(
    State(intake): Here,
    PathParam(name): PathParam<String>,
    call: Call,
) -> Response {
    call.answer(&intake, intake.desk_file(call.headers(), &name))
}

async fn openapi(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, Ok(intake.openapi(call.headers())))
}

async fn docs(State(intake): Here, call: Call) -> Response {
    call.answer(&intake, Ok(intake.docs()))
}

async fn docs_file(
    State(intake): Here,
    PathParam(name): PathParam<String>,
    call: Call,
) -> Response {
    call.answer(&intake, intake.docs_file(&name))
}

/// Gives an answer that ran out of time a problem for a body.
async fn explain_timeout(State(intake): Here, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let kept = parts.clone();
    let answer = next.run(Request::from_parts(parts, body)).await;
    let is_bare = !answer.headers().contains_key(CONTENT_TYPE);
    if answer.status() == http::StatusCode::SERVICE_UNAVAILABLE && is_bare {
        let call = Call::without_body(&intake, kept);
        let detail = "the call took too long; repeat it";
        return call.answer(&intake, Err(Problem::new(Code::TemporaryReducedCapacity, detail)));
    }
    answer
}

async fn wrong_method(State(intake): Here, parts: Parts) -> Response {
    let call = Call::without_body(&intake, parts);
    let detail = "this path does not accept the method; see the `Allow` header";
    call.answer(&intake, Err(Problem::new(Code::MethodNotAllowed, detail)))
}

async fn nowhere(State(intake): Here, parts: Parts) -> Response {
    let call = Call::without_body(&intake, parts);
    call.answer(&intake, Err(Problem::new(Code::NotFound, NOWHERE)))
}
