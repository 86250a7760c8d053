//! Reads the events of AWS End User Messaging that arrive over SNS: delivery statuses, taps and texts.
//!
//! The events are not signed. The topic belongs to this channel, and its policy lets only the service publish there.
//! Events repeat, arrive late and in any order.
//! Sources, read 2026-11-26: <https://docs.aws.amazon.com/sms-voice/latest/userguide/rcs-events.html>,
//! <https://docs.aws.amazon.com/sms-voice/latest/userguide/rcs-inbound.html>.

use std::collections::BTreeMap;

use domain::values::phone::Phone;
use domain::values::prompt_ref::PromptRef;
use ports::{
    Addressee, Callback, CallbackError, CallbackReply, Proof, ReceivedWebhook, Sender,
    UnverifiedCallback,
};
use serde::Deserialize;
use serde_json::Value;

use super::statuses::{MessageStatus, status_of};
use crate::opt_out::{self, Preference};

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
    #[serde(default)]
    message_status: Option<String>,
    // UNVERIFIED: the guide shows the context for texts only. Before going live, send a card and check its events.
    #[serde(default)]
    context: Option<BTreeMap<String, Value>>,
}

/// A message or an action of a customer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InboundMessage {
    origination_number: String,
    /// The number or agent that the customer wrote to.
    #[serde(default)]
    destination_number: Option<String>,
    // A location or a file has none.
    #[serde(default)]
    message_body: String,
    #[serde(default)]
    message_keyword: Option<String>,
}

/// An action in RCS, which stands in the body of a message in place of a text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RcsAction {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    postback_data: Option<String>,
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
    match callback.proof {
        Proof::None => return Err(CallbackError::Forged),
        Proof::Topic => {}
    }
    let message = serde_json::from_slice(&callback.body).or(Err(CallbackError::Malformed))?;
    let callback = match message {
        TopicMessage::Status(event) => delivery(&event, fallback),
        TopicMessage::Inbound(message) => message.callback(),
    };
    let reply = CallbackReply { status: 200, content_type: "text/plain", body: String::new() };
    Ok(ReceivedWebhook { callbacks: callback.into_iter().collect(), reply, refusal: None })
}

/// Returns the channel that a message of the topic is for.
///
/// A status names its prompt, and a customer's message the number that they wrote to. `identity` is the channel's own number
/// or agent, by value, id or ARN.
pub(crate) fn addressee(callback: &UnverifiedCallback, identity: &str) -> Addressee {
    let own = match serde_json::from_slice(&callback.body) {
        Ok(TopicMessage::Status(event)) => event.reference().is_some(),
        Ok(TopicMessage::Inbound(message)) => {
            message.destination_number.is_some_and(|number| is_identity(&number, identity))
        }
        Err(_) => false,
    };
    if own { Addressee::Own } else { Addressee::Unnamed }
}

/// Whether the number that the service reports is this identity. An ARN ends with the id, and RCS drops the `+`.
fn is_identity(number: &str, identity: &str) -> bool {
    let id = identity.rsplit('/').next().unwrap_or(identity);
    let bare = |text: &str| text.trim_start_matches('+').to_owned();
    !number.is_empty() && bare(number) == bare(id)
}

/// Returns the callback for a status of one of our messages; `None` while the message is on its way.
fn delivery(event: &StatusEvent, fallback: FallbackBy) -> Option<Callback> {
    let about = event.reference()?.into();
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
    /// Returns the callback for a message from a phone; `None` for one from a short code or a name.
    fn callback(self) -> Option<Callback> {
        let from = sender(&self.origination_number)?;
        // A customer can type such a text too. The postback proves itself, as it carries a MAC of ours.
        let action = serde_json::from_str::<RcsAction>(&self.message_body).ok();
        match action.map(|action| (action.kind, action.postback_data)) {
            Some((kind, Some(postback))) if kind == "SUGGESTION" => {
                Some(Callback::Tapped { postback, from })
            }
            Some((kind, _)) if matches!(kind.as_str(), "RCS_TYPING" | "CONVERSATION_STARTED") => {
                None
            }
            // UNVERIFIED: the guide names these two and shows no body. Before going live, block and unblock a test
            // agent on a phone, and compare the bodies.
            Some((kind, _)) if kind == "UNSUBSCRIBE" => Some(Callback::Stop(from)),
            Some((kind, _)) if kind == "SUBSCRIBE" => Some(Callback::Start(from)),
            Some(_) | None => Some(self.text(from)),
        }
    }

    fn text(self, from: Sender) -> Callback {
        let by_keyword = || self.message_keyword.as_deref().and_then(opt_out::preference);
        match opt_out::preference(&self.message_body).or_else(by_keyword) {
            Some(Preference::Stop) => Callback::Stop(from),
            Some(Preference::Start) => Callback::Start(from),
            None => Callback::Wrote { from, text: self.message_body, intent: None, at: None },
        }
    }
}

/// Reads a number, which RCS writes without its `+`.
fn sender(number: &str) -> Option<Sender> {
    let phone = number.parse::<Phone>().or_else(|_| format!("+{number}").parse());
    phone.ok().map(Sender::from)
}
