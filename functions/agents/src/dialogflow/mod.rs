//! Dialogflow CX: a webhook of a page asks, waits, cancels and resends. The tag names the step.
//!
//! The webhook's headers carry a key of the brand, from a secret of the agent. Parameters of the session go in whose names begin with
//! `assent_`. The answer comes back under such names.
//!
//! <https://cloud.google.com/dialogflow/cx/docs/concept/webhook>, read 2026-11-26.

mod wire;

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use domain::media_type;
use domain::problem::{Code, FieldError, Problem};
use http::request::Parts;
use http::{HeaderValue, header};
use records::{audit, caller};
use serde_json::{Map, Value, json};

use crate::Agents;
use crate::asking::Asking;
use crate::flow::{Conversation, FlatAnswer, Operation, Parameters, Step};
use wire::WebhookRequest;

/// What parameters of ours begin with.
const PREFIX: &str = "assent_";
/// The largest body of a call.
const BODY_MAX: usize = 64 * 1024;
/// The longest wait of a step, in seconds. A webhook has 5 seconds unless the agent sets more, at most 30.
const WAIT_MAX: u64 = 20;
/// The wait of a step that names none, below the webhook's usual time-out.
const WAIT: &str = "3";

/// Answers a webhook.
pub(crate) async fn webhook(State(agents): State<Arc<Agents>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    caller::stamp(&mut parts, agents.intake.ports.clock.now());
    let read = to_bytes(body, BODY_MAX).await;
    let read = read.map_err(|_too_large| {
        Problem::new(Code::PayloadTooLarge, "the body is larger than 64 KiB")
    });
    let answer = match read {
        Ok(body) => agents.dialogflow(&parts, &body).await,
        Err(problem) => Err(problem),
    };
    let answer = answer.unwrap_or_else(|problem| {
        audit::refused(&problem, &parts.headers);
        problem.answer(&agents.intake.public_base, parts.uri.path())
    });
    answer.map(axum::body::Body::from)
}

impl Agents {
    async fn dialogflow(
        &self,
        parts: &Parts,
        body: &Bytes,
    ) -> Result<http::Response<Bytes>, Problem> {
        let asking = Asking::authenticate(&self.intake, &parts.headers).await?;
        media_type::require_json(&parts.headers, body)?;
        let request: WebhookRequest = serde_json::from_slice(body).map_err(|_unlike| {
            Problem::new(Code::InvalidRequest, "the body is no WebhookRequest of Dialogflow CX")
        })?;
        let tag = request.fulfillment_info.tag;
        let operation = Operation::read(tag.strip_prefix("assent.").unwrap_or(&tag));
        let operation = operation.ok_or_else(|| {
            let detail = "the tag is `ask`, `wait`, `cancel` or `resend`";
            Problem::fields(vec![FieldError::in_body("/fulfillmentInfo/tag", "value", detail)])
        })?;
        let mut session = request.session_info.parameters.unwrap_or_default();
        session.entry(format!("{PREFIX}wait")).or_insert_with(|| json!(WAIT));
        let parameters = Parameters::with_prefix(&session, PREFIX);
        let conversation = conversation(&request.session_info.session, &request.payload);
        let conversation = Conversation { language: request.language_code, ..conversation };
        let step = Step { parameters: &parameters, conversation: &conversation };
        let answer = step.perform(&asking, operation).await?;
        Ok(response(&answer))
    }
}

/// Returns the conversation of a session `projects/…/sessions/<id>`.
fn conversation(session: &str, payload: &Value) -> Conversation {
    let id = session.rsplit('/').next().unwrap_or_default().to_owned();
    // UNVERIFIED: the payload of Dialogflow's telephony, from https://cloud.google.com/dialogflow/cx/docs/concept/integration.
    // Before going live, log one call's payload, or set `assent_phone`.
    let phone = payload.pointer("/telephony/caller_id").and_then(Value::as_str);
    Conversation {
        platform: "dialogflow",
        kind: if phone.is_some() { "ivr" } else { "chat" },
        id,
        phone: phone.map(str::to_owned),
        language: None,
        wait_max: WAIT_MAX,
    }
}

/// Returns the `WebhookResponse`: the sentence to speak, and every text of the answer as a parameter of the session.
fn response(answer: &FlatAnswer) -> http::Response<Bytes> {
    let mut parameters: Map<String, Value> =
        answer.texts().map(|(name, text)| (format!("{PREFIX}{name}"), json!(text))).collect();
    // The names of the parameters that the next step sends.
    parameters.insert(format!("{PREFIX}said"), json!(answer.text("say")));
    // The request stays known where this step could not read it.
    if answer.text("state") != "unknown" {
        let request = if answer.text("over") == "true" { "" } else { answer.text("id") };
        parameters.insert(format!("{PREFIX}request"), json!(request));
    }
    if !answer.text("next_attempt").is_empty() {
        parameters.insert(format!("{PREFIX}attempt"), json!(answer.text("next_attempt")));
    }
    let said = Some(answer.text("say")).filter(|_| answer.text("news") == "true");
    let messages: Vec<Value> = said
        .into_iter()
        .filter(|said| !said.is_empty())
        .map(|said| json!({ "text": { "text": [said] } }))
        .collect();
    let body = json!({
        "fulfillmentResponse": { "messages": messages },
        "sessionInfo": { "parameters": parameters },
    });
    let mut response = http::Response::new(Bytes::from(body.to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
