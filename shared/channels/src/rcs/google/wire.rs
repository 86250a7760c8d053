//! The RBM API's words: a prompt as a card, the other calls, and what each answer means.
//!
//! The schema is that of Google's published client (`AgentMessage` and what it holds).

use bytes::Bytes;
use domain::ports::{
    Accepted, Button, ButtonAction, Capability, Prompt, Retraction, SendError, Source,
};
use domain::values::id::PromptId;
use domain::values::phone::Phone;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::{Agent, RECEIPTS, TrafficType};
use crate::answers::{self, Answered, Reaction};
use crate::message_limits::{self, RCS};

/// Google advises ten seconds at least, and takes fifteen days at most.
const LIFE_SECONDS: (u64, u64) = (10, 1_296_000);

/// Every status Google documents for a refusal, and what it asks for. None of them leaves a message behind.
///
/// 403 was once what 404 is now: a number that an agent not yet launched may not write to. Today it says that the agent is
/// another partner's, or that the account may not use it. Either way the next route is tried, and a person should look.
/// 400 is a payload the device or the agent does not take: ours has only what every device has, so it is the settings.
pub(super) const FAULTS: &[(u16, Reaction)] = &[
    (400, Reaction::Person("rejected")),
    (401, Reaction::Person("credentials")),
    (403, Reaction::Person("agent")),
    (404, Reaction::Unreachable("not_on_channel")),
    (429, Reaction::Again),
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AgentMessage<'a> {
    content_message: ContentMessage<'a>,
    message_traffic_type: TrafficType,
    ttl: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContentMessage<'a> {
    rich_card: RichCard<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RichCard<'a> {
    standalone_card: StandaloneCard<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StandaloneCard<'a> {
    card_orientation: &'static str,
    card_content: CardContent<'a>,
}

/// The buttons are inside the card: beneath it they would vanish with the next message.
#[derive(Serialize)]
struct CardContent<'a> {
    title: String,
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suggestions: Vec<Suggestion<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Suggestion<'a> {
    #[serde(rename_all = "camelCase")]
    Reply { text: String, postback_data: &'a str },
    #[serde(rename_all = "camelCase")]
    Action {
        text: String,
        postback_data: &'a str,
        fallback_url: &'a str,
        open_url_action: OpenUrlAction<'a>,
    },
}

/// The page opens in the browser: whether wallets work in the web view of a messaging app is not known.
#[derive(Serialize)]
struct OpenUrlAction<'a> {
    url: &'a str,
    application: &'static str,
}

fn suggestion(button: &Button) -> Suggestion<'_> {
    let text = message_limits::cut(&button.label, RCS.label_max);
    match &button.action {
        ButtonAction::Reply { postback } => Suggestion::Reply { text, postback_data: postback },
        ButtonAction::Open { url, postback } => Suggestion::Action {
            text,
            postback_data: postback,
            fallback_url: url,
            open_url_action: OpenUrlAction { url, application: "BROWSER" },
        },
    }
}

/// The call that sends a prompt: a pure function of it.
pub(super) fn message(agent: &Agent, prompt: &Prompt) -> Result<Request<Bytes>, Source> {
    let (least, most) = LIFE_SECONDS;
    let life = prompt.now.until(prompt.expires_at).as_secs().clamp(least, most);
    let content = CardContent {
        title: message_limits::cut(&prompt.title, RCS.title_max),
        description: message_limits::cut(&prompt.body, RCS.body_max),
        suggestions: prompt.buttons.iter().take(RCS.buttons_max).map(suggestion).collect(),
    };
    let card = StandaloneCard { card_orientation: "VERTICAL", card_content: content };
    let message = AgentMessage {
        content_message: ContentMessage { rich_card: RichCard { standalone_card: card } },
        message_traffic_type: agent.traffic_type,
        ttl: format!("{life}s"),
    };
    let (to, id) = (prompt.to.as_str(), prompt.reference.prompt.to_uuid());
    let path = format!("/v1/phones/{to}/agentMessages?messageId={id}&agentId={}", agent.id);
    let call = Request::builder().method(Method::POST).uri(agent.base.join(&path));
    let call = call.header(CONTENT_TYPE, "application/json");
    Ok(call.body(serde_json::to_vec(&message)?.into())?)
}

/// The call that takes a prompt back while it is not delivered.
pub(super) fn revocation(agent: &Agent, gone: &Retraction) -> Result<Request<Bytes>, http::Error> {
    let (to, id) = (gone.to.as_str(), gone.reference.prompt.to_uuid());
    let path = format!("/v1/phones/{to}/agentMessages/{id}?agentId={}", agent.id);
    Request::builder().method(Method::DELETE).uri(agent.base.join(&path)).body(Bytes::new())
}

/// The call that asks what a number can take. Google ignores an id that it has seen.
pub(super) fn question(
    agent: &Agent,
    to: &Phone,
    fresh: [u8; 16],
) -> Result<Request<Bytes>, http::Error> {
    let id = uuid::Builder::from_random_bytes(fresh).into_uuid();
    let to = to.as_str();
    let path = format!("/v1/phones/{to}/capabilities?requestId={id}&agentId={}", agent.id);
    Request::builder().uri(agent.base.join(&path)).body(Bytes::new())
}

#[derive(Deserialize)]
struct Taken {
    name: String,
}

/// What the answer to a prompt means.
pub(super) fn accepted(
    prompt: PromptId,
    status: StatusCode,
    body: &[u8],
) -> Result<Accepted, SendError> {
    if !status.is_success() {
        return Err(refused(status));
    }
    // `phones/{number}/agentMessages/{id}`: the id is ours, so an answer that names another is not about this prompt.
    let id = prompt.to_uuid();
    let taken = serde_json::from_slice::<Taken>(body).ok();
    let ours = taken.is_some_and(|taken| {
        taken.name.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&id))
    });
    if !ours {
        return Err(SendError::Unknown(Answered { status }.into()));
    }
    Ok(Accepted { provider_id: Some(id), delivered: false })
}

/// What a status that is no success means.
fn refused(status: StatusCode) -> SendError {
    let fault = FAULTS.iter().find(|(known, _)| *known == status.as_u16());
    match (fault, status) {
        (Some((_, reaction)), _) => reaction.to_send(status),
        // What becomes of a repeat is not documented. An answer that its id is taken would be about this very prompt.
        (None, StatusCode::CONFLICT) => SendError::Unknown(Answered { status }.into()),
        (None, _) => answers::by_status(status),
    }
}

#[derive(Deserialize)]
struct Capabilities {
    #[serde(default)]
    features: Vec<String>,
}

/// What a number can take, from the answer to [`question`] or what came instead of one.
pub(super) fn capability(answer: Result<Response<Bytes>, SendError>) -> Capability {
    let answer = answer.and_then(|answer| {
        if answer.status().is_success() { Ok(answer) } else { Err(refused(answer.status())) }
    });
    let of = |reachable, rich, reason| Capability {
        reachable,
        rich,
        wallets: Vec::new(),
        receipts: RECEIPTS,
        reason,
    };
    match answer {
        Ok(answer) => match serde_json::from_slice::<Capabilities>(answer.body()) {
            Ok(can) => {
                let rich = can.features.iter().any(|feature| feature == "RICHCARD_STANDALONE");
                of(true, rich, None)
            }
            Err(_) => of(true, true, Some("not_checked")),
        },
        // Nobody is reached with settings that Google does not take.
        Err(SendError::Unreachable { reason } | SendError::Person { reason }) => {
            of(false, false, Some(reason))
        }
        Err(SendError::Again(_) | SendError::Unknown(_)) => of(true, true, Some("not_checked")),
    }
}
