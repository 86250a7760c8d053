//! What Apple tells: what a customer wrote or chose, what their device can do, and that they left.

use bytes::Bytes;
use domain::ports::{Callback, CallbackError, CallbackReply, Received, Sender, UnverifiedCallback};
use http::{HeaderMap, Method};
use serde::Deserialize;
use serde_json::Value;

use super::compressed;
use crate::opt_out::{self, Wish};

/// Longer than any id of a customer's, and any list of what a device can do.
const HANDLE_MAX: usize = 256;
const FEATURES_MAX: usize = 16;

/// A message, as far as it concerns us.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    #[serde(rename = "type")]
    kind: String,
    source_id: String,
    destination_id: String,
    #[serde(default)]
    body: Option<String>,
    /// What the entry link carried.
    #[serde(default)]
    intent: Option<String>,
    /// What they chose; left as it is, as its shape is the extension's and not the service's.
    #[serde(default)]
    interactive_data: Option<Value>,
    /// Where what they chose can be fetched, if it is too long to be sent along.
    #[serde(default)]
    interactive_data_ref: Option<Value>,
}

impl Message {
    /// Reads the body of a callback whose sender is proven.
    ///
    /// One account's token proves the messages of all businesses the provider serves, so a message to another business is
    /// not ours.
    pub(super) fn read(
        callback: &UnverifiedCallback,
        business_id: &str,
    ) -> Result<Self, CallbackError> {
        if callback.method != Method::POST {
            return Err(CallbackError::Malformed);
        }
        let body = compressed::plain(&callback.body)?;
        let Ok(message) = serde_json::from_slice::<Self>(&body) else {
            return Err(CallbackError::Malformed);
        };
        if !message.destination_id.eq_ignore_ascii_case(business_id) {
            return Err(CallbackError::Forged);
        }
        Ok(message)
    }

    /// What is still to be fetched. What came along counts more: it is what the customer chose, and the rest what they saw.
    pub(super) fn reference(&self) -> Option<&Value> {
        self.interactive_data_ref.as_ref().filter(|_| self.interactive_data.is_none())
    }

    /// The same message with what was fetched in its place.
    pub(super) fn with(&self, fetched: &Value) -> Bytes {
        let message = serde_json::json!({
            "type": self.kind, "sourceId": self.source_id, "destinationId": self.destination_id,
            "interactiveData": fetched,
        });
        message.to_string().into()
    }

    /// What it says.
    pub(super) fn received(self, headers: &HeaderMap) -> Result<Received, CallbackError> {
        let from = sender(&self.source_id, headers)?;
        let callback = match self.kind.as_str() {
            "text" => Some(written(from, self.body.unwrap_or_default(), self.intent)),
            "interactive" => self
                .interactive_data
                .as_ref()
                .and_then(chosen)
                .map(|postback| Callback::Tapped { postback: postback.to_owned(), from }),
            // They left, or deleted the conversation. Nothing may be sent until they come back.
            "close" => Some(Callback::Stop(from)),
            // They are typing, or a word that Apple added since.
            _ => None,
        };
        let reply = CallbackReply { status: 200, content_type: "text/plain", body: String::new() };
        Ok(Received { callbacks: callback.into_iter().collect(), reply, refusal: None })
    }
}

fn written(from: Sender, text: String, intent: Option<String>) -> Callback {
    match opt_out::wish(&text) {
        Some(Wish::Stop) => Callback::Stop(from),
        Some(Wish::Start) => Callback::Start(from),
        None => Callback::Wrote { from, text, intent, at: None },
    }
}

/// Who it is: an opaque id, or a number where somebody leaves who was invited by it and never came [S].
fn sender(source_id: &str, headers: &HeaderMap) -> Result<Sender, CallbackError> {
    let features = features(headers);
    if let Some(number) = source_id.strip_prefix("tel:") {
        return match number.parse() {
            Ok(phone) => Ok(Sender { phone: Some(phone), handle: None, features }),
            Err(_) => Err(CallbackError::Malformed),
        };
    }
    // It goes into a header of everything we send them.
    let plain = source_id.bytes().all(|byte| byte.is_ascii_graphic());
    if source_id.is_empty() || source_id.len() > HANDLE_MAX || !plain {
        return Err(CallbackError::Malformed);
    }
    Ok(Sender { phone: None, handle: Some(source_id.to_owned()), features })
}

/// What their device can do, under the header's newer name or its older one.
fn features(headers: &HeaderMap) -> Vec<String> {
    let list = headers.get("capability-list").or_else(|| headers.get("capabilities"));
    let list = list.and_then(|list| list.to_str().ok()).unwrap_or_default();
    let words = list.split(',').map(|word| word.trim().to_ascii_uppercase());
    let known = words.filter(|word| {
        (1..=16).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    known.take(FEATURES_MAX).collect()
}

/// The identifier of the one thing they chose. A reply that leaves it open which one that is says nothing.
fn chosen(interactive: &Value) -> Option<&str> {
    let data = interactive.get("data")?;
    let item = match data.get("quick-reply") {
        Some(quick) => {
            if let Some(identifier) = quick.get("selectedIdentifier") {
                return identifier.as_str();
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
    item.get("identifier")?.as_str()
}

/// The value of a field that an address has once.
pub(super) fn one_of_query(url: &str, name: &str) -> Result<Option<String>, CallbackError> {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
    let value = values.next().map(|(_, value)| value.into_owned());
    if values.next().is_some() {
        return Err(CallbackError::Forged);
    }
    Ok(value)
}
