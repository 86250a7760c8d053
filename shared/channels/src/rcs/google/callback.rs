//! What Google tells by webhook: how a card fares, what a customer tapped or wrote, and whom they want to hear from.
//!
//! Any answer but 200 comes back for a week and slows every agent of the partner, so whatever is proven is acknowledged,
//! also what says nothing to us.

use domain::ports::{Callback, CallbackError, CallbackReply, PromptSelector, Received, Sender};
use domain::values::id::PromptId;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use serde::Deserialize;

use super::bare;
use crate::opt_out::{self, Wish};

/// An event: a customer's, who is `senderPhoneNumber`, or the platform's, which names whom it is about otherwise.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    agent_id: String,
    #[serde(default)]
    sender_phone_number: Option<String>,
    #[serde(default)]
    event_type: Option<String>,
    /// Of our message in an event, and of theirs in what they write or tap.
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

/// What is answered when the webhook is registered: the secret alone. One of Google's samples has a word before it; the
/// guide does not.
pub(super) fn echo(secret: String) -> Received {
    acknowledged(None, secret)
}

/// Reads what was signed: what is about our own agent, and not what is left to another channel.
pub(super) fn read(
    (own, left): (&str, Option<&str>),
    data: &[u8],
) -> Result<Received, CallbackError> {
    let event = serde_json::from_slice::<Event>(data).ok();
    let agent = event.as_ref().map(|event| bare(&event.agent_id));
    if agent.is_some() && agent == left {
        return Err(CallbackError::None);
    }
    // A webhook of the whole partner hears of its other agents too.
    let ours = event.filter(|event| bare(&event.agent_id) == own);
    Ok(acknowledged(ours.and_then(told), String::new()))
}

fn acknowledged(told: Option<Callback>, body: String) -> Received {
    let reply = CallbackReply { status: 200, content_type: "text/plain", body };
    Received { callbacks: told.into_iter().collect(), reply, refusal: None }
}

fn told(event: Event) -> Option<Callback> {
    let phone = event.sender_phone_number.and_then(|number| number.parse::<Phone>().ok());
    if let Some(SuggestionResponse { postback_data: postback }) = event.suggestion_response {
        let from = Sender { phone, ..Sender::default() };
        return Some(Callback::Tapped { postback, from });
    }
    let Some(kind) = event.event_type else {
        let at = event.send_time.and_then(|time| time.parse().ok());
        return wrote(phone?, event.text?, at);
    };
    let about =
        event.message_id.and_then(|id| PromptId::from_uuid(&id)).map(PromptSelector::Prompt);
    match kind.as_str() {
        "DELIVERED" => about.map(Callback::Delivered),
        "READ" => about.map(Callback::Read),
        "TTL_EXPIRATION_REVOKED" => about.map(|about| Callback::Failed(about, "expired")),
        // It may be on the phone all the same. Google advises to send the fallback of an urgent message then, and a card
        // lives just until the next route has its turn by silence; where none is left it lives until the deadline, and to
        // call it failed could only end a request that the customer can still answer.
        "TTL_EXPIRATION_REVOKE_FAILED" => None,
        "SUBSCRIBE" => phone.map(|phone| Callback::Start(phone.into())),
        "UNSUBSCRIBE" => phone.map(|phone| Callback::Stop(phone.into())),
        // Typing, or a word Google added since.
        _ => None,
    }
}

fn wrote(phone: Phone, text: String, at: Option<Timestamp>) -> Option<Callback> {
    let from = phone.into();
    Some(match opt_out::wish(&text) {
        Some(Wish::Stop) => Callback::Stop(from),
        Some(Wish::Start) => Callback::Start(from),
        None => Callback::Wrote { from, text, intent: None, at },
    })
}
