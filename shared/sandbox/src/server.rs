//! The stand-in as an `Http` port: routes each call to its operation and repeats it after a conflict.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response};
use ports::{Http, HttpError, Reach};
use records::update::retry_conflicts;

use crate::api::StandIn;
use crate::calls::{ApiCall, ApiError, ApiReply};

#[async_trait]
impl Http for StandIn {
    async fn call(
        &self,
        request: Request<Bytes>,
        _reach: Reach,
        _timeout: Duration,
    ) -> Result<Response<Bytes>, HttpError> {
        let key = request.headers().get("idempotency-key");
        let call = ApiCall {
            method: request.method(),
            path: request.uri().path().trim_start_matches('/').split('/').collect(),
            query: request.uri().query().unwrap_or_default(),
            key: key.and_then(|value| value.to_str().ok()).unwrap_or_default(),
            body: request.body(),
        };
        match retry_conflicts(|| self.answer(&call)).await {
            Ok(answer) => respond(answer),
            Err(ApiError::Conflict) => respond(ApiReply::invalid(409, "lock_timeout")),
            Err(ApiError::Lost(error)) => Err(error),
        }
    }
}

fn respond(answer: ApiReply) -> Result<Response<Bytes>, HttpError> {
    let mut response =
        Response::builder().status(answer.status).header("content-type", "application/json");
    if answer.replayed {
        response = response.header("idempotent-replayed", "true");
    }
    response.body(Bytes::from(answer.body)).map_err(|error| HttpError::Lost(error.into()))
}

impl StandIn {
    async fn answer(&self, call: &ApiCall<'_>) -> Result<ApiReply, ApiError> {
        let Some(path) = call.path.strip_prefix(&["v1"]) else { return Ok(ApiReply::missing()) };
        match (call.method, path) {
            (&Method::POST, ["tokens"]) => self.make_token(call).await,
            (&Method::POST, ["payment_methods"]) => self.make_method(call).await,
            (&Method::POST, ["payment_methods", id, "detach"]) => self.detach_method(id).await,
            (&Method::GET, ["payment_methods", id]) => self.read_method(id).await,
            (&Method::POST, ["customers"]) => self.make_customer(call).await,
            (&Method::POST, ["payment_intents"]) => self.make_intent(call).await,
            (&Method::POST, ["payment_intents", id, "confirm"]) => {
                self.confirm_intent(call, id).await
            }
            (&Method::POST, ["payment_intents", id, "cancel"]) => self.cancel_intent(id).await,
            (&Method::POST, ["setup_intents"]) => self.make_setup(call).await,
            (&Method::POST, ["setup_intents", id, "confirm"]) => self.confirm_setup(call, id).await,
            (&Method::POST, ["setup_intents", id, "cancel"]) => self.cancel_setup(id).await,
            (&Method::POST, ["checkout", "sessions"]) => self.make_session(call).await,
            (&Method::POST, ["checkout", "sessions", id, "expire"]) => {
                self.expire_session(id).await
            }
            (&Method::POST, ["refunds"]) => self.make_refund(call).await,
            (&Method::GET, ["refunds"]) => self.list_refunds(call).await,
            (
                &Method::GET,
                ["payment_intents", id] | ["setup_intents", id] | ["checkout", "sessions", id],
            ) => self.read(id).await,
            _ => Ok(ApiReply::missing()),
        }
    }
}
