//! Reads Google's webhook: delivery statuses, taps, texts, and whether a customer blocks the agent.
//!
//! Google repeats a call for a week after any answer but 200. The repeats slow every agent of the partner. So every
//! verified call is acknowledged, also one that has no meaning here.
//! Source: <https://developers.google.com/business-communications/rcs-business-messaging/guides/integrate/webhooks>,
//! read 2026-11-26.

use domain::values::id::PromptId;
use ports::{Callback, CallbackReply, MessageOrigin, PromptSelector, ReceivedWebhook, Sender};
use serde::Deserialize;

use super::agent::bare_id;
use crate::json::{self, lenient};
use crate::senders;

/// An event of a customer, who is `senderPhoneNumber`, or of the platform, which has the number in another field.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AgentEvent {
    agent_id: String,
    #[serde(default, deserialize_with = "lenient")]
    sender_phone_number: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    event_type: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    event_id: Option<String>,
    /// The id of our message in an event, and of the customer's in a text or tap.
    #[serde(default, deserialize_with = "lenient")]
    message_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    suggestion_response: Option<SuggestionResponse>,
    #[serde(default, deserialize_with = "lenient")]
    text: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    send_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SuggestionResponse {
    postback_data: String,
    /// The label of the suggestion.
    #[serde(default, deserialize_with = "lenient")]
    text: Option<String>,
}

/// Answers the registration of the webhook with the secret alone, as the guide says. One sample has a word before it.
pub(super) fn echo(secret: String) -> ReceivedWebhook {
    acknowledged(Vec::new(), secret)
}

/// Reads the signed data of an event. A webhook of the whole partner receives the events of its other agents too.
pub(super) fn read(agent: &str, data: &[u8]) -> ReceivedWebhook {
    let event: Option<AgentEvent> =
        json::read(data).and_then(|event| serde_json::from_value(event).ok());
    let ours = event.filter(|event| bare_id(&event.agent_id) == agent);
    acknowledged(ours.map(event_callbacks).unwrap_or_default(), String::new())
}

const fn acknowledged(callbacks: Vec<Callback>, body: String) -> ReceivedWebhook {
    let reply = CallbackReply { status: 200, content_type: "text/plain", body };
    ReceivedWebhook { callbacks, reply, refusal: None }
}

fn event_callbacks(event: AgentEvent) -> Vec<Callback> {
    let from = senders::sender(event.sender_phone_number.as_deref().unwrap_or_default());
    // An event that the platform made about our message has an id of its own.
    let id = if event.event_type.is_some() { event.event_id } else { event.message_id.clone() };
    let written_at = event.send_time.and_then(|time| time.parse().ok());
    let origin = MessageOrigin { from, written_at, message_id: id };
    let is_known = origin.from != Sender::default();
    if let Some(SuggestionResponse { postback_data: postback, text: label }) =
        event.suggestion_response
    {
        return vec![Callback::Tapped { postback, label, origin }];
    }
    let Some(kind) = event.event_type else {
        return is_known.then(|| message_callback(origin, event.text)).into_iter().collect();
    };
    let about =
        event.message_id.and_then(|id| PromptId::from_uuid(&id)).map(PromptSelector::Prompt);
    let recipient = || {
        let recipient = origin.from.clone();
        about.filter(|_| is_known).map(|about| Callback::Recipient { about, recipient })
    };
    let callback = match kind.as_str() {
        "DELIVERED" => about.map(Callback::Delivered),
        "READ" => about.map(Callback::Read),
        "TTL_EXPIRATION_REVOKED" => about.map(|about| Callback::Failed(about, "expired")),
        // The message may still be on the phone. Google advises to send an urgent message's fallback now, and the next
        // route already starts after silence. On the last route, a failure would only end a request that the customer
        // can still answer.
        "TTL_EXPIRATION_REVOKE_FAILED" => None,
        "SUBSCRIBE" => return is_known.then_some(Callback::Start(origin)).into_iter().collect(),
        "UNSUBSCRIBE" => return is_known.then_some(Callback::Stop(origin)).into_iter().collect(),
        // Typing, or an event that Google added later.
        _ => return Vec::new(),
    };
    recipient().into_iter().chain(callback).collect()
}

/// Returns the callback for a customer's message: a text, or a place or file that says nothing here.
fn message_callback(origin: MessageOrigin, text: Option<String>) -> Callback {
    match text {
        Some(text) => Callback::Wrote { origin, text, intent: None },
        None => Callback::Active(origin),
    }
}
