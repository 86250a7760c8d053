//! Reads the events of AWS End User Messaging that arrive over SNS: delivery statuses, taps and texts.
//!
//! The events are not signed. The topic belongs to this channel, and its policy lets only the service publish there.
//! Events repeat, arrive late and in any order.
//! Sources, read 2026-11-26: <https://docs.aws.amazon.com/sms-voice/latest/userguide/rcs-events.html>,
//! <https://docs.aws.amazon.com/sms-voice/latest/userguide/rcs-inbound.html>.

use std::collections::BTreeMap;

use domain::values::prompt_ref::PromptRef;
use domain::values::time::Timestamp;
use ports::{
    Addressee, Callback, CallbackError, CallbackReply, MessageOrigin, PromptSelector, Proof,
    ReceivedWebhook, Sender, UnverifiedCallback,
};
use serde::Deserialize;
use serde_json::Value;
use texts::inbound::{Listener, Meaning};

use super::statuses::{MessageStatus, status_of};
use crate::json::{self, lenient};
use crate::senders;

/// The party that tries another way when RCS does not reach a customer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FallbackBy {
    /// Assent, over the request's next route.
    NextRoute,
    /// The service, with a text of its own.
    Provider,
}

/// A message that the service publishes to the topic.
#[derive(Deserialize)]
#[serde(untagged)]
enum TopicMessage {
    Status(StatusEvent),
    Inbound(InboundMessage),
}

/// An event of a configuration set.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusEvent {
    event_type: String,
    #[serde(default, deserialize_with = "lenient")]
    message_status: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    destination_phone_number: Option<String>,
    // UNVERIFIED: the guide shows the context for texts only. Before going live, send a card and check its events.
    #[serde(default, deserialize_with = "lenient")]
    context: Option<BTreeMap<String, Value>>,
}

/// A message or an action of a customer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InboundMessage {
    origination_number: String,
    /// The number or agent that the customer wrote to.
    #[serde(default, deserialize_with = "lenient")]
    destination_number: Option<String>,
    // A location or a file has none.
    #[serde(default, deserialize_with = "lenient")]
    message_body: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    message_keyword: Option<String>,
    /// The message's id, which a repeat has too. The message has no time of its own.
    #[serde(default, deserialize_with = "lenient")]
    inbound_message_id: Option<String>,
}

/// An action in RCS, which stands in the body of a message in place of a text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RcsAction {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    postback_data: Option<String>,
    /// The label of the suggestion. UNVERIFIED: the guide shows none. Before going live, tap one and compare the body.
    #[serde(default)]
    text: Option<String>,
}

/// Reads a message of the topic.
///
/// # Errors
///
/// [`CallbackError::Forged`] for a body that did not come over the topic, [`CallbackError::Malformed`] for one that is
/// no event.
pub(crate) fn receive(
    callback: &UnverifiedCallback,
    fallback: FallbackBy,
) -> Result<ReceivedWebhook, CallbackError> {
    let published_at = match callback.proof {
        Proof::None => return Err(CallbackError::Forged),
        Proof::Topic { published_at } => published_at,
    };
    let body = json::read(&callback.body).ok_or(CallbackError::Malformed)?;
    let callbacks = match serde_json::from_value(body).or(Err(CallbackError::Malformed))? {
        TopicMessage::Status(event) => event.callbacks(fallback),
        TopicMessage::Inbound(message) => message.callback(published_at).into_iter().collect(),
    };
    let reply = CallbackReply { status: 200, content_type: "text/plain", body: String::new() };
    Ok(ReceivedWebhook { callbacks, reply, refusal: None })
}

/// Returns the channel that a message of the topic is for.
///
/// A status names its prompt, and a customer's message the number that they wrote to. `identity` is the channel's own number
/// or agent, by value, id or ARN.
pub(crate) fn addressee(callback: &UnverifiedCallback, identity: &str) -> Addressee {
    let body = json::read(&callback.body).and_then(|body| serde_json::from_value(body).ok());
    let own = match body {
        Some(TopicMessage::Status(event)) => event.reference().is_some(),
        Some(TopicMessage::Inbound(message)) => {
            message.destination_number.is_some_and(|number| is_identity(&number, identity))
        }
        None => false,
    };
    if own { Addressee::Own } else { Addressee::Unnamed }
}

/// Returns whether the number that the service reports is this identity. An ARN ends with the id, and RCS drops the `+`.
fn is_identity(number: &str, identity: &str) -> bool {
    let id = identity.rsplit('/').next().unwrap_or(identity);
    let bare = |text: &str| text.trim_start_matches('+').to_owned();
    !number.is_empty() && bare(number) == bare(id)
}

/// Returns the callback for a status of one of our messages; `None` while the message is on its way.
fn delivery(about: PromptSelector, event: &StatusEvent, fallback: FallbackBy) -> Option<Callback> {
    match event.status() {
        MessageStatus::InTransit => None,
        MessageStatus::Delivered => Some(Callback::Delivered(about)),
        MessageStatus::Read => Some(Callback::Read(about)),
        // The service's own text is on its way, and has events of its own.
        MessageStatus::Failed(_) if fallback == FallbackBy::Provider && !event.is_about_text() => {
            None
        }
        MessageStatus::Failed(reason) => Some(Callback::Failed(about, reason)),
    }
}

impl StatusEvent {
    /// The prompt. Another sender may share the configuration set, and mean something else by `ref`.
    fn reference(&self) -> Option<PromptRef> {
        let reference = self.context.as_ref()?.get("ref").and_then(Value::as_str);
        reference?.parse().ok()
    }

    /// Returns the callbacks for a status of one of our messages: who gets it, and whether it arrived.
    fn callbacks(&self, fallback: FallbackBy) -> Vec<Callback> {
        let Some(reference) = self.reference() else { return Vec::new() };
        let recipient = sender(self.destination_phone_number.as_deref().unwrap_or_default());
        let named = (recipient != Sender::default())
            .then(|| Callback::Recipient { about: reference.into(), recipient });
        named.into_iter().chain(delivery(reference.into(), self, fallback)).collect()
    }

    fn is_about_text(&self) -> bool {
        self.event_type.starts_with("TEXT_")
    }

    /// The type without the name of the channel.
    fn word(&self) -> &str {
        let word = ["RCS_", "TEXT_"].iter().find_map(|name| self.event_type.strip_prefix(name));
        word.unwrap_or(&self.event_type)
    }

    /// The type decides, except for `RCS_DELIVERED`: the guide also shows it for pending and undeliverable messages.
    /// There the status decides.
    fn status(&self) -> MessageStatus {
        let by_type = status_of(self.word());
        let by_status = || self.message_status.as_deref().and_then(status_of);
        let status = match by_type {
            Some(MessageStatus::Delivered) => by_status().or(by_type),
            Some(MessageStatus::InTransit | MessageStatus::Read | MessageStatus::Failed(_)) => {
                by_type
            }
            None => by_status(),
        };
        status.unwrap_or(MessageStatus::InTransit)
    }
}

impl InboundMessage {
    /// Returns the callback for a message; `None` for one that the customer did not send.
    ///
    /// The service publishes a message as soon as it comes, so that time stands for when it was written.
    fn callback(self, published_at: Option<Timestamp>) -> Option<Callback> {
        let origin = MessageOrigin {
            from: sender(&self.origination_number),
            written_at: published_at,
            message_id: self.inbound_message_id.clone(),
        };
        if origin.from == Sender::default() {
            return None;
        }
        let Some(body) = self.message_body.clone() else { return Some(Callback::Active(origin)) };
        // A customer can type such a text too. The postback proves itself, as it carries a MAC of ours.
        let action = serde_json::from_str::<RcsAction>(&body).ok();
        let label = action.as_ref().and_then(|action| action.text.clone());
        match action.map(|action| (action.kind, action.postback_data)) {
            // Only a phone can tap.
            Some((kind, Some(postback))) if kind == "SUGGESTION" => {
                origin.from.phone.is_some().then_some(Callback::Tapped { postback, label, origin })
            }
            Some((kind, _)) if matches!(kind.as_str(), "RCS_TYPING" | "CONVERSATION_STARTED") => {
                None
            }
            // UNVERIFIED: the guide names these two and shows no body. Before going live, block and unblock a test
            // agent on a phone, and compare the bodies.
            Some((kind, _)) if kind == "UNSUBSCRIBE" => Some(Callback::Stop(origin)),
            Some((kind, _)) if kind == "SUBSCRIBE" => Some(Callback::Start(origin)),
            Some(_) | None => Some(self.text(body, origin)),
        }
    }

    fn text(self, text: String, origin: MessageOrigin) -> Callback {
        // The service itself acts on the keyword that it found.
        let keyword = self.message_keyword.as_deref().unwrap_or_default();
        match Listener::new([], "").meaning(keyword) {
            Some(Meaning::Stop) => Callback::Stop(origin),
            Some(Meaning::Start) => Callback::Start(origin),
            Some(Meaning::Yes | Meaning::No) | None => {
                Callback::Wrote { origin, text, intent: None }
            }
        }
    }
}

/// Reads a number, which RCS writes without its `+`. A short code or a name is an id.
fn sender(address: &str) -> Sender {
    senders::bare_phone(address).map_or_else(|| senders::sender(address), Sender::from)
}
