//! The router: paths, methods, limits, time-outs and headers. It decides nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use domain::problem::{Code, Problem};
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::{Agents, dialogflow, mcp};

/// Longer than the longest wait of a read, and shorter than the gateway's own time-out.
const TIME_MAX: Duration = Duration::from_secs(27);

/// Returns the router of the surfaces' paths.
pub fn router(agents: Arc<Agents>) -> Router {
    let base = agents.intake.public_base.clone();
    let own = base.clone();
    Router::new()
        .route("/agents/dialogflow", post(dialogflow::webhook))
        .route("/mcp", post(mcp::post))
        .method_not_allowed_fallback(async move |parts: Parts| wrong_method(&own, &parts))
        .fallback(async move |parts: Parts| nowhere(&base, &parts))
        .layer(SetResponseHeaderLayer::if_not_present(
            HeaderName::from_static("x-content-type-options"),
            HeaderValue::from_static("nosniff"),
        ))
        .layer(TimeoutLayer::with_status_code(http::StatusCode::SERVICE_UNAVAILABLE, TIME_MAX))
        .with_state(agents)
}

fn wrong_method(base: &str, parts: &Parts) -> Response {
    let detail = "this path does not accept the method; see the `Allow` header";
    let problem = Problem::new(Code::MethodNotAllowed, detail);
    problem.answer(base, parts.uri.path()).map(axum::body::Body::from)
}

fn nowhere(base: &str, parts: &Parts) -> Response {
    let problem = Problem::new(Code::NotFound, "no resource has this path");
    problem.answer(base, parts.uri.path()).map(axum::body::Body::from)
}
