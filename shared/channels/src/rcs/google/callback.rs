//! Reads Google's webhook: delivery statuses, taps, texts, and whether a customer blocks the agent.
//!
//! Google repeats a call for a week after any answer but 200. The repeats slow every agent of the partner. So every
//! verified call is acknowledged, also one that has no meaning here.
//! Source: <https://developers.google.com/business-communications/rcs-business-messaging/guides/integrate/webhooks>,
//! read 2026-11-26.

use domain::values::id::PromptId;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use ports::{Callback, CallbackReply, PromptSelector, ReceivedWebhook, Sender};
use serde::Deserialize;

use super::agent::bare_id;
use crate::opt_out::{self, Preference};

/// An event of a customer, who is `senderPhoneNumber`, or of the platform, which has the number in another field.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AgentEvent {
    agent_id: String,
    #[serde(default)]
    sender_phone_number: Option<String>,
    #[serde(default)]
    event_type: Option<String>,
    /// The id of our message in an event, and of the customer's in a text or tap.
    #[serde(default)]
    message_id: Option<String>,
    #[serde(default)]
    suggestion_response: Option<SuggestionResponse>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    send_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SuggestionResponse {
    postback_data: String,
}

/// Answers the registration of the webhook with the secret alone, as the guide says. One sample has a word before it.
pub(super) fn echo(secret: String) -> ReceivedWebhook {
    acknowledged(None, secret)
}

/// Reads the signed data of an event. A webhook of the whole partner receives the events of its other agents too.
pub(super) fn read(agent: &str, data: &[u8]) -> ReceivedWebhook {
    let event = serde_json::from_slice::<AgentEvent>(data).ok();
    let ours = event.filter(|event| bare_id(&event.agent_id) == agent);
    acknowledged(ours.and_then(event_callback), String::new())
}

fn acknowledged(callback: Option<Callback>, body: String) -> ReceivedWebhook {
    let reply = CallbackReply { status: 200, content_type: "text/plain", body };
    ReceivedWebhook { callbacks: callback.into_iter().collect(), reply, refusal: None }
}

fn event_callback(event: AgentEvent) -> Option<Callback> {
    let phone = event.sender_phone_number.and_then(|number| number.parse::<Phone>().ok());
    if let Some(SuggestionResponse { postback_data: postback }) = event.suggestion_response {
        let from = Sender { phone, ..Sender::default() };
        return Some(Callback::Tapped { postback, from });
    }
    let Some(kind) = event.event_type else {
        let at = event.send_time.and_then(|time| time.parse().ok());
        return text_callback(phone?, event.text?, at);
    };
    let about =
        event.message_id.and_then(|id| PromptId::from_uuid(&id)).map(PromptSelector::Prompt);
    match kind.as_str() {
        "DELIVERED" => about.map(Callback::Delivered),
        "READ" => about.map(Callback::Read),
        "TTL_EXPIRATION_REVOKED" => about.map(|about| Callback::Failed(about, "expired")),
        // The message may still be on the phone. Google advises to send an urgent message's fallback now, and the next
        // route already starts after silence. On the last route, a failure would only end a request that the customer
        // can still answer.
        "TTL_EXPIRATION_REVOKE_FAILED" => None,
        "SUBSCRIBE" => phone.map(|phone| Callback::Start(phone.into())),
        "UNSUBSCRIBE" => phone.map(|phone| Callback::Stop(phone.into())),
        // Typing, or an event that Google added later.
        _ => None,
    }
}

fn text_callback(phone: Phone, text: String, at: Option<Timestamp>) -> Option<Callback> {
    let from = phone.into();
    Some(match opt_out::preference(&text) {
        Some(Preference::Stop) => Callback::Stop(from),
        Some(Preference::Start) => Callback::Start(from),
        None => Callback::Wrote { from, text, intent: None, at },
    })
}
