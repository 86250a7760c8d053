//! `POST /mcp`: who calls, from where, and how much. It decides nothing about a request.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use domain::api_key::KeyKind;
use domain::guards;
use domain::guards::Guard;
use domain::media_type;
use domain::problem::{Code, Problem};
use http::header::{ACCEPT, HeaderMap, ORIGIN};
use http::request::Parts;
use http::{StatusCode, Uri};
use records::{audit, caller};

use super::message::{self, Message};
use super::methods;
use super::revision::Revision;
use crate::Agents;
use crate::asking::Asking;

/// The largest body of a call.
const BODY_MAX: usize = 64 * 1024;

/// Answers one message of a client.
pub(crate) async fn post(State(agents): State<Arc<Agents>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    caller::stamp(&mut parts, agents.intake.ports.clock.now());
    let answer = answer(&agents, &parts, body).await.unwrap_or_else(|problem| {
        let (code, status, ..) = problem.code.facts();
        tracing::info!(problem.code = code, http.status = status, "call refused");
        audit::refused(&problem, &parts.headers);
        problem.answer(&agents.intake.public_base, parts.uri.path())
    });
    let mut answer = answer.map(Body::from);
    if let Some(id) = parts.headers.get(caller::REQUEST_ID) {
        answer.headers_mut().insert(caller::REQUEST_ID, id.clone());
    }
    answer
}

async fn answer(
    agents: &Agents,
    parts: &Parts,
    body: Body,
) -> Result<http::Response<Bytes>, Problem> {
    require_own_origin(&parts.headers, &agents.intake.public_base)?;
    let asking = model_of(Asking::authenticate(&agents.intake, &parts.headers).await?)?;
    let too_large = |_| Problem::new(Code::PayloadTooLarge, "the body is larger than 64 KiB");
    let body = to_bytes(body, BODY_MAX).await.map_err(too_large)?;
    media_type::require_json(&parts.headers, &body)?;
    if !takes_json(&parts.headers) {
        let mut refused = http::Response::new(Bytes::new());
        *refused.status_mut() = StatusCode::NOT_ACCEPTABLE;
        return Ok(refused);
    }
    let call = match Message::read(&body) {
        Ok(Message::Call(call)) => call,
        Ok(Message::Notification) => {
            let mut taken = http::Response::new(Bytes::new());
            *taken.status_mut() = StatusCode::ACCEPTED;
            return Ok(taken);
        }
        Err((id, error)) => return Ok(message::failure(&id, &error, false)),
    };
    let revision = match Revision::of(&call, &parts.headers) {
        Ok(revision) => revision,
        Err(error) => return Ok(message::failure(&call.id, &error, false)),
    };
    let answered = methods::answer(&asking, &call, revision).await;
    let in_band = !revision.stands_alone();
    Ok(match answered {
        Ok(result) => message::answer(&call.id, &result),
        Err(error) => message::failure(&call.id, &error, in_band),
    })
}

/// Returns the caller as a model: a key of that kind, which sees its own requests alone.
fn model_of(asking: Asking) -> Result<Asking, Problem> {
    let requester = asking.requester();
    if requester.client.is_some() {
        let problem =
            Problem::new(Code::NotAllowedForKey, "a client token is for browsers; use a key");
        return Err(Problem { limit: Some("client_token"), ..problem });
    }
    // With another kind of key, the customer would not read that a machine asks.
    let is_model = requester.key.kind == KeyKind::AiAgent;
    if !is_model && !guards::is_disabled(Guard::AssistantKey) {
        let detail = "AI agents call with a key of kind `ai_agent`; make one for this agent";
        return Err(Problem::new(Code::NotAllowedForKey, detail));
    }
    Ok(asking.own_requests_only())
}

/// Refuses a call of a browser's page from elsewhere, as the protocol wants it. Other clients send no origin.
fn require_own_origin(headers: &HeaderMap, public_base: &str) -> Result<(), Problem> {
    let mut origins = headers.get_all(ORIGIN).iter();
    if origins.all(|origin| origin.to_str().is_ok_and(|origin| is_own(origin, public_base))) {
        return Ok(());
    }
    Err(Problem::new(Code::NotAllowedForKey, "pages of other origins may not call this"))
}

/// Returns whether an origin is that of the public address. This machine has two names for itself.
fn is_own(origin: &str, public_base: &str) -> bool {
    let parts = |text: &str| {
        let uri: Uri = text.parse().ok()?;
        let host = uri.host()?;
        let host = if matches!(host, "localhost" | "[::1]") { "127.0.0.1" } else { host };
        Some((uri.scheme_str()?.to_owned(), host.to_owned(), uri.port_u16()))
    };
    let own = parts(public_base);
    own.is_some() && parts(origin) == own
}

/// Returns whether a client takes JSON for an answer.
fn takes_json(headers: &HeaderMap) -> bool {
    let mut ranges = headers.get_all(ACCEPT).iter().peekable();
    if ranges.peek().is_none() {
        return true;
    }
    let names = |value: &str| {
        let mut ranges = value.split(',').map(|range| range.split(';').next().unwrap_or_default());
        ranges.any(|range| matches!(range.trim(), "application/json" | "application/*" | "*/*"))
    };
    ranges.any(|value| value.to_str().is_ok_and(names))
}
