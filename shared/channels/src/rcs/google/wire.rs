//! The calls of the RCS for Business API, and the meaning of each answer.
//!
//! The schema is that of Google's published client (`AgentMessage`). Source, read 2026-11-26:
//! <https://developers.google.com/business-communications/rcs-business-messaging/guides/build/messages/send>.

use std::ops::RangeInclusive;

use bytes::Bytes;
use domain::values::id::PromptId;
use domain::values::phone::Phone;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use ports::{
    AcceptedPrompt, Button, ButtonAction, Capability, Prompt, Retraction, SendError, Source,
};
use serde::{Deserialize, Serialize};

use super::agent::{Agent, RECEIPTS, TrafficType};
use crate::answers::{self, ProviderAnswer, Reaction};
use crate::message_limits::{self, RCS};
use crate::senders;

/// Google advises at least ten seconds, and takes at most fifteen days.
const LIFE_SECONDS: RangeInclusive<u64> = 10..=1_296_000;

/// Each documented status of a refusal, with its reaction. None of them leaves a message behind.
///
/// 403 says that the agent is another partner's, or that the account may not use it. In older guides it also stood for
/// today's 404: an agent before its launch may not write to the number. Either way the next route is tried,
/// and an operator should look. 400 refuses a payload. Ours has only what every device takes, so a setting is wrong.
pub(super) const ERRORS: &[(u16, Reaction)] = &[
    (400, Reaction::Misconfigured("rejected")),
    (401, Reaction::Misconfigured("credentials")),
    (403, Reaction::Misconfigured("agent")),
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

/// The content of a card. Its buttons are inside, as buttons below a card vanish with the next message.
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

/// Opens the page in the browser.
///
/// UNVERIFIED: wallets may not work in the web view of a messaging app. Before a change to it, pay with each wallet in
/// one.
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

/// Writes the call that sends a prompt: a pure function of it.
pub(super) fn message(agent: &Agent, prompt: &Prompt) -> Result<Request<Bytes>, Source> {
    let life = prompt.now.until(prompt.expires_at).as_secs();
    let life = life.clamp(*LIFE_SECONDS.start(), *LIFE_SECONDS.end());
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

/// Writes the call that revokes a prompt before its delivery.
pub(super) fn revocation(
    agent: &Agent,
    retraction: &Retraction,
) -> Result<Request<Bytes>, http::Error> {
    let (to, id) = (retraction.to.as_str(), retraction.reference.prompt.to_uuid());
    let path = format!("/v1/phones/{to}/agentMessages/{id}?agentId={}", agent.id);
    Request::builder().method(Method::DELETE).uri(agent.base.join(&path)).body(Bytes::new())
}

/// Writes the call that looks a number's features up. Google ignores a repeated id, so `fresh` is random.
pub(super) fn capability_call(
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
struct SentMessage {
    name: String,
}

/// Reads the answer to a send.
///
/// # Errors
///
/// [`SendError`] by the status; [`SendError::Unknown`] for a success that does not name this prompt.
pub(super) fn accepted(
    prompt: PromptId,
    status: StatusCode,
    body: &[u8],
) -> Result<AcceptedPrompt, SendError> {
    if !status.is_success() {
        return Err(refused(status));
    }
    // `phones/{number}/agentMessages/{id}` has our id. An answer with another id is not about this prompt.
    let id = prompt.to_uuid();
    let sent = serde_json::from_slice::<SentMessage>(body).ok();
    let ours = sent.filter(|sent| {
        sent.name.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&id))
    });
    let Some(SentMessage { name }) = ours else {
        return Err(SendError::Unknown(ProviderAnswer { status }.into()));
    };
    // Google may write the number in another form than the one that was asked.
    let number = name.strip_prefix("phones/").and_then(|name| name.split('/').next());
    let recipient = senders::sender(number.unwrap_or_default());
    Ok(AcceptedPrompt { recipient, ..AcceptedPrompt::new(Some(id)) })
}

/// Reads a status that is no success.
fn refused(status: StatusCode) -> SendError {
    let error = ERRORS.iter().find(|(known, _)| *known == status.as_u16());
    match (error, status) {
        (Some((_, reaction)), _) => reaction.to_send(status),
        // UNVERIFIED: the guide does not document the answer to a repeated id. A conflict would be about this very prompt.
        // Before going live, send one id twice and note the answer.
        (None, StatusCode::CONFLICT) => SendError::Unknown(ProviderAnswer { status }.into()),
        (None, _) => answers::by_status(status),
    }
}

#[derive(Deserialize)]
struct Capabilities {
    #[serde(default)]
    features: Vec<String>,
}

/// Returns the capability of a customer about whom Google is not asked.
pub(super) fn not_checked() -> Capability {
    let (reachable, rich, reason) = (true, true, Some("not_checked"));
    Capability { reachable, rich, wallets: Vec::new(), receipts: RECEIPTS, reason }
}

/// Reads a number's capability from the answer to [`capability_call`], or from the error of that call.
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
            Ok(found) => {
                let rich = found.features.iter().any(|feature| feature == "RICHCARD_STANDALONE");
                of(true, rich, None)
            }
            Err(_) => of(true, true, Some("not_checked")),
        },
        // Settings that Google refuses reach no customer.
        Err(SendError::Unreachable { reason } | SendError::Misconfigured { reason }) => {
            of(false, false, Some(reason))
        }
        Err(SendError::Again(_) | SendError::Unknown(_)) => of(true, true, Some("not_checked")),
    }
}
