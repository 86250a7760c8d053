//! The tools that a model calls, over the calls that every surface makes.
//!
//! An answer holds what [`Brief`] has and our own sentences. A refusal is an answer too, since hosts show the errors of the
//! protocol to no model.

use domain::problem::{Code, Place, Problem};
use serde_json::{Map, Value, json};

use super::arguments::{self, Arguments};
use crate::asking::{Asking, Brief, Route};

/// The metadata that names the caller's own id of an ask, in place of the argument `call_id`.
pub const CALL_ID: &str = "assent/callId";
/// The wait without an argument, in seconds. Agents of `LiveKit` give a tool five.
const WAIT: u64 = 4;
const WAIT_MAX: u64 = 20;

/// A call of a tool.
#[derive(Clone, Copy)]
pub struct ToolCall<'a> {
    /// The tool's name.
    pub name: &'a str,
    /// The arguments, as the model wrote them.
    pub arguments: &'a Map<String, Value>,
    /// The caller's id of the ask from the metadata; `None` without one there.
    pub call_id: Option<&'a str>,
}

/// The answer of a tool.
pub struct ToolAnswer {
    content: Content,
    is_created: bool,
}

enum Content {
    Request(Box<Brief>),
    Routes(Vec<Route>),
    Refusal(String),
}

/// The reason why a tool did nothing, as a sentence for the model.
struct Refusal(String);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(explained(&problem))
    }
}

impl From<String> for Refusal {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Calls a tool; `None` where none has the name.
pub async fn call(asking: &Asking, call: ToolCall<'_>) -> Option<ToolAnswer> {
    let done = match call.name {
        "check_reach" => check_reach(asking, call).await,
        "request_payment" | "request_card" | "request_claims" => ask(asking, call).await,
        "wait_for_outcome" => wait_for_outcome(asking, call).await,
        "read_request" => read_request(asking, call).await,
        "cancel_request" => cancel_request(asking, call).await,
        "resend_request" => resend_request(asking, call).await,
        _ => return None,
    };
    Some(done.unwrap_or_else(|Refusal(text)| ToolAnswer {
        content: Content::Refusal(text),
        is_created: false,
    }))
}

async fn check_reach(asking: &Asking, call: ToolCall<'_>) -> Result<ToolAnswer, Refusal> {
    let mut arguments = Arguments::new(call.arguments, &["phone", "email", "amount", "currency"])?;
    let body = arguments.reach();
    let routes = asking.routes(&body).await?;
    Ok(ToolAnswer { content: Content::Routes(routes), is_created: false })
}

async fn ask(asking: &Asking, call: ToolCall<'_>) -> Result<ToolAnswer, Refusal> {
    let mut arguments = Arguments::new(call.arguments, arguments::of(call.name))?;
    let call_id = arguments.text("call_id")?.or_else(|| call.call_id.map(str::to_owned));
    let Some(call_id) = call_id else {
        return Err(
            "call_id is missing. Send an id of your own for this ask, and the same id when \
            you repeat it."
                .to_owned()
                .into(),
        );
    };
    let retry_of = arguments.text("retry_of")?;
    let mut body = arguments.ask(call.name);
    if let (Some(fields), Some(retry_of)) = (body.as_object_mut(), &retry_of) {
        fields.insert("metadata".to_owned(), json!({ "retry_of": retry_of }));
    }
    let brief = asking.create(&format!("mcp:{call_id}"), &body).await?;
    Ok(ToolAnswer { is_created: true, ..ToolAnswer::of(brief) })
}

async fn wait_for_outcome(asking: &Asking, call: ToolCall<'_>) -> Result<ToolAnswer, Refusal> {
    let known = ["request_id", "max_seconds", "after_version"];
    let mut arguments = Arguments::new(call.arguments, &known)?;
    let id = arguments.required("request_id")?;
    let seconds = arguments.number("max_seconds", 1, WAIT_MAX)?.unwrap_or(WAIT);
    let after = arguments.number("after_version", 0, u64::from(u32::MAX))?;
    Ok(ToolAnswer::of(asking.wait(&id, seconds, after).await?))
}

async fn read_request(asking: &Asking, call: ToolCall<'_>) -> Result<ToolAnswer, Refusal> {
    let id = Arguments::new(call.arguments, &["request_id"])?.required("request_id")?;
    Ok(ToolAnswer::of(asking.read(&id).await?))
}

async fn cancel_request(asking: &Asking, call: ToolCall<'_>) -> Result<ToolAnswer, Refusal> {
    let id = Arguments::new(call.arguments, &["request_id"])?.required("request_id")?;
    Ok(ToolAnswer::of(asking.cancel(&id).await?))
}

async fn resend_request(asking: &Asking, call: ToolCall<'_>) -> Result<ToolAnswer, Refusal> {
    let mut arguments = Arguments::new(call.arguments, &["request_id", "channel"])?;
    let id = arguments.required("request_id")?;
    let channel = arguments.text("channel")?;
    Ok(ToolAnswer::of(asking.resend(&id, channel.as_deref(), None).await?))
}

impl ToolAnswer {
    /// Returns the answer that shows a request.
    pub(crate) fn of(brief: Brief) -> Self {
        Self { content: Content::Request(Box::new(brief)), is_created: false }
    }

    /// Returns the request that the call asked; `None` for the answers of other tools.
    #[must_use]
    pub fn created(&self) -> Option<&Brief> {
        self.request().filter(|_| self.is_created)
    }

    /// Returns the request of the answer; `None` without one.
    #[must_use]
    pub fn request(&self) -> Option<&Brief> {
        match &self.content {
            Content::Request(brief) => Some(brief),
            Content::Routes(_) | Content::Refusal(_) => None,
        }
    }

    /// Returns why the tool did nothing; `None` where it did something.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        match &self.content {
            Content::Refusal(text) => Some(text),
            Content::Request(_) | Content::Routes(_) => None,
        }
    }

    /// Returns the result of `tools/call`. Clients of older revisions read the text.
    #[must_use]
    pub fn result(&self) -> Value {
        let structured = match &self.content {
            Content::Refusal(text) => {
                return json!({ "content": [{ "type": "text", "text": text }], "isError": true });
            }
            Content::Request(brief) => shown(brief),
            Content::Routes(routes) => reach(routes),
        };
        let text = structured.to_string();
        json!({
            "content": [{ "type": "text", "text": text }],
            "structuredContent": structured,
            "isError": false,
        })
    }
}

/// A request, as a model sees it.
fn shown(brief: &Brief) -> Value {
    json!({
        "request_id": brief.id,
        "state": brief.state,
        "over": brief.over,
        "version": brief.version,
        "say": brief.say,
        "say_language": brief.say_language,
        "session_code": brief.code,
        "reason": brief.reason,
        "transaction_code": brief.transaction_code,
        "last4": brief.last4,
        "advice": advice(brief),
    })
}

/// Returns what a model should do next.
fn advice(brief: &Brief) -> &'static str {
    match brief.state.as_str() {
        "pending" | "prompted" if !brief.code.is_empty() => {
            "Read session_code to the customer, who picks it on the phone. Then call wait_for_outcome."
        }
        "pending" | "prompted" => {
            "Tell the customer to look at the phone. Then call wait_for_outcome."
        }
        "authorized" | "processing" => "Call wait_for_outcome. Promise nothing yet.",
        "fulfilled" => "It is done. Read transaction_code out if the customer wants it.",
        "denied" => {
            "The customer said no. Do not ask again. Only if the customer asks for it themself, ask with \
            a new call_id and retry_of set to this request_id."
        }
        "expired" => "Time ran out, and nothing happened. Ask again only if the customer wants it.",
        "undeliverable" => "No message reached the customer. Agree on another way.",
        "cancelled" => "The request was cancelled, and nothing happened.",
        "failed" => "It failed. Say so, and offer another way.",
        _ => "Call read_request for the state.",
    }
}

/// Renders the answer of `check_reach`.
fn reach(routes: &[Route]) -> Value {
    let reachable: Vec<&Route> = routes.iter().filter(|route| route.reachable).collect();
    let channels: Vec<&str> = reachable.iter().map(|route| route.channel.as_str()).collect();
    json!({
        "reachable": !reachable.is_empty(),
        "rich": reachable.iter().any(|route| route.rich),
        "opted_out": routes.iter().any(|route| route.reason.as_deref() == Some("opted_out")),
        "channels": channels,
    })
}

/// Explains a problem to a model, with the names of the tool's arguments.
fn explained(problem: &Problem) -> String {
    if let (Code::DeniedInSession, Some(denied)) = (problem.code, &problem.request) {
        return format!(
            "The customer said no to {denied} in this session. Do not ask again. Only if the customer \
            asks for it themself, repeat the call with a new call_id and retry_of set to {denied}."
        );
    }
    let (code, _, title, remedy) = problem.code.facts();
    let mut text = format!("{title} ({code}): {}.", problem.detail.trim_end_matches('.'));
    for error in &problem.errors {
        let name = match &error.place {
            Place::Pointer(pointer) | Place::Parameter(pointer) => arguments::name_of(pointer),
            Place::Header(name) => name,
        };
        text.push_str(&format!(" {name}: {}.", error.detail));
    }
    if let Some(request) = &problem.request {
        text.push_str(&format!(" The open request is {request}. Wait for it or cancel it."));
    } else if problem.errors.is_empty() {
        text.push_str(&format!(" {remedy}"));
    }
    if let Some(seconds) = problem.retry_after {
        text.push_str(&format!(" Retry after {seconds} seconds."));
    }
    text
}
