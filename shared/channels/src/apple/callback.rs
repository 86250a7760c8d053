//! Reads Apple's callbacks: texts, chosen replies, the device's features, and that a customer left.

use bytes::Bytes;
use http::{HeaderMap, Method};
use ports::{
    Callback, CallbackError, CallbackReply, MessageOrigin, ReceivedWebhook, Sender,
    UnverifiedCallback,
};
use serde::Deserialize;
use serde_json::Value;

use super::compressed;
use crate::json::{self, lenient};
use crate::senders;

/// The most features that are read.
const FEATURES_MAX: usize = 16;

/// A message, as far as it is read here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InboundMessage {
    #[serde(rename = "type")]
    kind: String,
    source_id: String,
    destination_id: String,
    /// The message's id, which a repeat has too. The message has no time.
    #[serde(default, deserialize_with = "lenient")]
    id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    body: Option<String>,
    /// The intent that the entry link carried.
    #[serde(default, deserialize_with = "lenient")]
    intent: Option<String>,
    /// The customer's reply. The extension defines its shape, and not the service.
    #[serde(default)]
    interactive_data: Option<Value>,
    /// A reference to the reply, if it is too long to be sent inline.
    #[serde(default)]
    interactive_data_ref: Option<Value>,
}

impl InboundMessage {
    /// Reads the body of a callback whose sender was verified.
    ///
    /// The token of a provider's account proves the messages of all its businesses. `None` for a message to another one.
    ///
    /// # Errors
    ///
    /// [`CallbackError::Malformed`] for no message.
    pub(super) fn read(
        callback: &UnverifiedCallback,
        business_id: &str,
    ) -> Result<Option<Self>, CallbackError> {
        if callback.method != Method::POST {
            return Err(CallbackError::Malformed);
        }
        let body = compressed::plain(&callback.body)?;
        let message = json::read(&body).and_then(|body| serde_json::from_value::<Self>(body).ok());
        let message = message.ok_or(CallbackError::Malformed)?;
        let is_own = message.destination_id.eq_ignore_ascii_case(business_id);
        Ok(is_own.then_some(message))
    }

    /// Returns the reference to fetch. A reply that came inline takes precedence, as it is the customer's choice.
    pub(super) fn reference(&self) -> Option<&Value> {
        self.interactive_data_ref.as_ref().filter(|_| self.interactive_data.is_none())
    }

    /// Writes this message with the fetched reply.
    pub(super) fn with(&self, fetched: &Value) -> Bytes {
        let message = serde_json::json!({
            "type": self.kind, "sourceId": self.source_id, "destinationId": self.destination_id,
            "id": self.id, "interactiveData": fetched,
        });
        message.to_string().into()
    }

    /// Returns the callback that the message means.
    ///
    /// # Errors
    ///
    /// [`CallbackError::Malformed`] for a sender that is neither an id nor a number.
    pub(super) fn received(self, headers: &HeaderMap) -> Result<ReceivedWebhook, CallbackError> {
        let from = sender(&self.source_id, headers)?;
        let origin = MessageOrigin { from, written_at: None, message_id: self.id };
        let callback = match self.kind.as_str() {
            "text" => {
                let text = self.body.unwrap_or_default();
                Some(Callback::Wrote { origin, text, intent: self.intent })
            }
            "interactive" => self.interactive_data.as_ref().map(|reply| match chosen(reply) {
                Some(Choice { postback, label }) => Callback::Tapped { postback, label, origin },
                None => Callback::Active(origin),
            }),
            // The customer left or deleted the conversation. Nothing may be sent until the customer writes again.
            "close" => Some(Callback::Stop(origin)),
            // The customer is typing, or Apple added the type later.
            _ => None,
        };
        Ok(acknowledged(callback))
    }
}

/// Answers a message with the event that it means, if any.
pub(super) fn acknowledged(callback: Option<Callback>) -> ReceivedWebhook {
    let reply = CallbackReply { status: 200, content_type: "text/plain", body: String::new() };
    ReceivedWebhook { callbacks: callback.into_iter().collect(), reply, refusal: None }
}

/// Reads the sender: an opaque id, or a number.
///
/// UNVERIFIED: a number is second hand, for an invited customer who leaves before writing. Before going live with
/// invitations, decline one and record the callback.
fn sender(source_id: &str, headers: &HeaderMap) -> Result<Sender, CallbackError> {
    let features = features(headers);
    if let Some(number) = source_id.strip_prefix("tel:") {
        return match number.parse() {
            Ok(phone) => Ok(Sender { phone: Some(phone), handle: None, features }),
            Err(_) => Err(CallbackError::Malformed),
        };
    }
    // The id goes into a header of every message to the customer.
    let handle = Some(senders::handle(source_id).ok_or(CallbackError::Malformed)?);
    Ok(Sender { phone: None, handle, features })
}

/// Reads the device's features, under the header's newer name or its older one.
fn features(headers: &HeaderMap) -> Vec<String> {
    let list = headers.get("capability-list").or_else(|| headers.get("capabilities"));
    let list = list.and_then(|list| list.to_str().ok()).unwrap_or_default();
    let words = list.split(',').map(|word| word.trim().to_ascii_uppercase());
    let known = words.filter(|word| {
        (1..=16).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    known.take(FEATURES_MAX).collect()
}

/// The one item that the customer chose.
struct Choice {
    postback: String,
    label: Option<String>,
}

/// Returns the one chosen item; `None` for a reply that leaves the choice open.
fn chosen(interactive: &Value) -> Option<Choice> {
    let data = interactive.get("data")?;
    let label = |item: &Value| item.get("title")?.as_str().map(str::to_owned);
    let item = match data.get("quick-reply") {
        Some(quick) => {
            if let Some(identifier) = quick.get("selectedIdentifier") {
                let postback = identifier.as_str()?.to_owned();
                let items = quick.get("items").and_then(Value::as_array).into_iter().flatten();
                let mut own = items.filter(|item| item.get("identifier") == Some(identifier));
                return Some(Choice { postback, label: own.next().and_then(label) });
            }
            let place = quick.get("selectedIndex")?.as_u64()?;
            quick.get("items")?.as_array()?.get(usize::try_from(place).ok()?)?
        }
        None => {
            let sections = data.pointer("/listPicker/sections")?.as_array()?;
            let items = sections.iter().filter_map(|section| section.get("items")?.as_array());
            let mut items = items.flatten();
            items.next().filter(|_| items.next().is_none())?
        }
    };
    let postback = item.get("identifier")?.as_str()?.to_owned();
    Some(Choice { postback, label: label(item) })
}
