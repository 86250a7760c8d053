//! Apple's words for a message: the call, its answer, and the table of its error codes.

use bytes::Bytes;
use domain::ports::{Accepted, Button, ButtonAction, Prompt, SendError};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::Account;
use crate::answers::{self, Reaction};
use crate::message_limits::{APPLE, cut};

/// Apple's own extension, which shows every kind of message that is not a business's own.
pub(super) const BID: &str = "com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:\
    com.apple.icloud.apps.messages.business.extension";

/// Interactive data above this travels by reference, which nothing of ours needs.
const INLINE_MAX: usize = 10 * 1024;
/// Fewer quick replies than this are none.
const QUICK_MIN: usize = 2;

/// Every code Apple documents for a message that it does not take, and what it asks for. A 500 may have come after the
/// message went out, and nobody knows whether Apple recognises a repeat.
pub(super) const FAULTS: &[(u16, Reaction)] = &[
    (400, Reaction::Person("rejected")),
    (401, Reaction::Person("credentials")),
    (403, Reaction::Person("credentials")),
    // The customer deleted the conversation, or it was never with this business.
    (404, Reaction::Unreachable("unknown_customer")),
];

/// How a message asks, which its call is then built around.
pub(super) struct Content {
    /// `interactive` or `text`.
    kind: &'static str,
    /// The field that holds it.
    field: &'static str,
    /// What it holds.
    value: Value,
}

impl Content {
    /// A text, with the link in it.
    fn text(text: &str) -> Self {
        Self { kind: "text", field: "body", value: json!(text) }
    }

    /// What Apple's extension shows, from its `interactiveData`.
    pub(super) const fn interactive(value: Value) -> Self {
        Self { kind: "interactive", field: "interactiveData", value }
    }
}

/// What the customer's device can show of buttons that reply, in Apple's words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Buttons {
    /// Quick replies, right above the keyboard.
    Quick,
    /// A list that opens with a tap.
    List,
    /// None.
    Unsupported,
}

impl Buttons {
    /// The best a device with these features has. One that told none is older than the header that tells them, and knows
    /// lists, which are as old as the service.
    pub(super) fn of(features: &[String]) -> Self {
        let has = |name: &str| features.iter().any(|feature| feature.eq_ignore_ascii_case(name));
        match () {
            () if has("QUICK") => Self::Quick,
            () if has("LIST") || features.is_empty() => Self::List,
            () => Self::Unsupported,
        }
    }
}

/// The prompt without a wallet: buttons that reply where a reply is enough and the device has them, and otherwise the text
/// with the link, which every device shows. A rich link would show a title and a picture where the text says what is asked.
pub(super) fn content(bid: &str, prompt: &Prompt) -> Content {
    let replies = replies(&prompt.buttons);
    let enough = prompt.buttons.first().is_some_and(is_reply);
    if !enough || replies.len() < QUICK_MIN {
        return Content::text(&prompt.text);
    }
    match Buttons::of(&prompt.contact.features) {
        Buttons::Quick => Content::interactive(quick_reply(bid, prompt, &replies)),
        Buttons::List => Content::interactive(list_picker(bid, prompt, &replies)),
        Buttons::Unsupported => Content::text(&prompt.text),
    }
}

const fn is_reply(button: &Button) -> bool {
    matches!(button.action, ButtonAction::Reply { .. })
}

/// The buttons that reply, as many as fit: what they say, and what they bring back.
fn replies(buttons: &[Button]) -> Vec<(String, &str)> {
    let replies = buttons.iter().filter_map(|button| match &button.action {
        ButtonAction::Reply { postback } => {
            Some((cut(&button.label, APPLE.label_max), postback.as_str()))
        }
        ButtonAction::Open { .. } => None,
    });
    replies.take(APPLE.buttons_max).collect()
}

fn quick_reply(bid: &str, prompt: &Prompt, replies: &[(String, &str)]) -> Value {
    let items: Vec<Value> = replies
        .iter()
        .map(|(title, postback)| json!({ "identifier": postback, "title": title }))
        .collect();
    json!({
        "bid": bid,
        "data": {
            "version": "1.0",
            "requestIdentifier": prompt.reference.prompt.to_uuid(),
            "quick-reply": { "summaryText": cut(&prompt.body, APPLE.body_max), "items": items },
        },
    })
}

fn list_picker(bid: &str, prompt: &Prompt, replies: &[(String, &str)]) -> Value {
    let items: Vec<Value> = replies
        .iter()
        .zip(0_u8..)
        .map(|((title, postback), order)| {
            json!({ "identifier": postback, "order": order, "style": "icon", "title": title })
        })
        .collect();
    let section = json!({
        "title": cut(&prompt.title, APPLE.title_max), "order": 0, "multipleSelection": false, "items": items,
    });
    json!({
        "bid": bid,
        "receivedMessage": received(prompt),
        "replyMessage": { "title": cut(&prompt.title, APPLE.title_max), "style": "icon" },
        "data": {
            "version": "1.0",
            "requestIdentifier": prompt.reference.prompt.to_uuid(),
            "listPicker": { "sections": [section] },
        },
    })
}

/// The bubble that a tap opens: it says on its own who asks, for what and how much.
pub(super) fn received(prompt: &Prompt) -> Value {
    json!({
        "title": cut(&prompt.title, APPLE.title_max),
        "subtitle": cut(&prompt.body, APPLE.body_max),
        "style": "icon",
    })
}

/// The call that sends a prompt: a pure function of it.
pub(super) fn message(
    account: &Account,
    prompt: &Prompt,
    handle: &str,
    content: Content,
) -> Result<Request<Bytes>, SendError> {
    let id = prompt.reference.prompt.to_uuid();
    let mut message = json!({
        "v": 1, "type": content.kind, "id": id, "sourceId": account.business_id, "destinationId": handle,
    });
    if let Some(fields) = message.as_object_mut() {
        fields.insert(content.field.to_owned(), content.value);
    }
    let body = message.to_string();
    if body.len() > INLINE_MAX {
        return Err(SendError::Person { reason: "too_long" });
    }
    let bearer = account.tokens.bearer(prompt.now);
    let call = Request::builder()
        .method(Method::POST)
        .uri(account.base.join("/message"))
        .header(AUTHORIZATION, bearer.map_err(unbuilt)?)
        .header(CONTENT_TYPE, "application/json")
        .header("id", id)
        .header("source-id", &account.business_id)
        .header("destination-id", handle)
        // No person wrote it: Apple wants to be told.
        .header("auto-reply", "true");
    call.body(Bytes::from(body)).map_err(unbuilt)
}

/// A call that cannot be put into words: its parts come from the settings, or from what is known of the customer.
pub(super) fn unbuilt(_: http::Error) -> SendError {
    SendError::Person { reason: "settings" }
}

/// What an answer means. Apple says nothing in the body of a success; what it is about was named by us.
pub(super) fn accepted(status: StatusCode, prompt: &Prompt) -> Result<Accepted, SendError> {
    if status == StatusCode::OK {
        let provider_id = Some(prompt.reference.prompt.to_uuid());
        return Ok(Accepted { provider_id, delivered: false });
    }
    match FAULTS.iter().find(|(code, _)| *code == status.as_u16()) {
        Some((_, reaction)) => Err(reaction.to_send(status)),
        None => Err(answers::by_status(status)),
    }
}
