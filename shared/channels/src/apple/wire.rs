//! The call that sends a message at Apple, its answer, and the table of error codes.
//!
//! Source: <https://register.apple.com/resources/messages/msp-rest-api/>, by Apple's sample code of 2025.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use ports::{AcceptedPrompt, Button, ButtonAction, MessageForm, MessagePreview, Prompt, SendError};
use serde_json::{Value, json};

use super::account::Account;
use crate::answers::{self, Reaction};
use crate::message_limits::{APPLE, cut};
use crate::previews::{text_at, texts_at};

/// Interactive data above this size travels by reference, which no prompt needs.
const INLINE_MAX: usize = 10 * 1024;
/// The fewest quick replies that Apple takes.
const QUICK_MIN: usize = 2;

/// Each documented status of a refusal, with its reaction. A 500 is not one of them: the message may have been sent.
pub(super) const ERRORS: &[(u16, Reaction)] = &[
    (400, Reaction::Misconfigured("rejected")),
    (401, Reaction::Misconfigured("credentials")),
    (403, Reaction::Misconfigured("credentials")),
    // The customer deleted the conversation, or it was never with this business.
    (404, Reaction::Unreachable("unknown_customer")),
];

/// The content of a message.
pub(super) struct Content {
    /// `interactive` or `text`.
    kind: &'static str,
    /// The field of the content.
    field: &'static str,
    /// The value of the field.
    value: Value,
}

impl Content {
    /// A text, which has the link.
    fn text(text: &str) -> Self {
        Self { kind: "text", field: "body", value: json!(text) }
    }

    /// An interactive message, by its `interactiveData`.
    pub(super) const fn interactive(value: Value) -> Self {
        Self { kind: "interactive", field: "interactiveData", value }
    }
}

/// The kind of reply buttons that the customer's device can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ButtonSupport {
    /// Quick replies, above the keyboard.
    Quick,
    /// A list picker, which opens with a tap.
    List,
    /// None.
    Unsupported,
}

impl ButtonSupport {
    /// Returns the best kind for a device with these features.
    ///
    /// A device without any is older than the header that lists them. It has list pickers, which are as old as the
    /// service.
    pub(super) fn of(features: &[String]) -> Self {
        let has = |name: &str| features.iter().any(|feature| feature.eq_ignore_ascii_case(name));
        match () {
            () if has("QUICK") => Self::Quick,
            () if has("LIST") || features.is_empty() => Self::List,
            () => Self::Unsupported,
        }
    }
}

/// Writes a prompt without a wallet: reply buttons, or the text with the link.
///
/// Buttons need a device that has them, and a prompt that a reply can approve. A rich link would show a title and a
/// picture in the place of the text that states the ask.
pub(super) fn content(bid: &str, prompt: &Prompt) -> Content {
    let replies = replies(&prompt.buttons);
    if !has_replies(prompt) {
        return Content::text(&prompt.text);
    }
    match ButtonSupport::of(&prompt.contact.features) {
        ButtonSupport::Quick => Content::interactive(quick_reply(bid, prompt, &replies)),
        ButtonSupport::List => Content::interactive(list_picker(bid, prompt, &replies)),
        ButtonSupport::Unsupported => Content::text(&prompt.text),
    }
}

/// Returns what the customer reads of a prompt without a wallet.
pub(super) fn preview(bid: &str, prompt: &Prompt) -> MessagePreview {
    let Content { value, .. } = content(bid, prompt);
    if let Some(text) = value.as_str() {
        return MessagePreview::text(text);
    }
    let quick = texts_at(&value, "/data/quick-reply/items", "/title");
    if quick.is_empty() {
        let title = text_at(&value, "/receivedMessage/title");
        let list = texts_at(&value, "/data/listPicker/sections/0/items", "/title");
        return MessagePreview::card(title, text_at(&value, "/receivedMessage/subtitle"), list);
    }
    let summary = MessagePreview::text(&text_at(&value, "/data/quick-reply/summaryText"));
    MessagePreview { form: MessageForm::Card, buttons: quick, ..summary }
}

/// Returns whether the prompt has buttons that reply: where a reply can approve, and there are enough of them.
fn has_replies(prompt: &Prompt) -> bool {
    let can_approve = prompt.buttons.first().is_some_and(is_reply);
    can_approve && replies(&prompt.buttons).len() >= QUICK_MIN
}

/// Returns whether the prompt without a wallet has a button that denies, on a device with buttons.
pub(super) fn can_deny(prompt: &Prompt) -> bool {
    let deny = cut(&prompt.labels.deny, APPLE.label_max);
    has_replies(prompt) && replies(&prompt.buttons).iter().any(|(label, _)| *label == deny)
}

/// Writes a message in the thread of a prompt.
///
/// Its buttons are quick replies, or a list picker where there is one alone. Without buttons that the device can show, it
/// is a text, as it is where an approval needs the page. The text has the page's link where the customer may go on.
pub(super) fn in_thread(bid: &str, prompt: &Prompt) -> Content {
    let replies = replies(&prompt.buttons);
    let said = format!("{}\n{}", prompt.title, prompt.body);
    let opens = prompt.buttons.iter().any(|button| !is_reply(button));
    let needs_page = prompt.buttons.first().is_some_and(|button| !is_reply(button));
    let text = if opens { format!("{said}\n{}", prompt.link) } else { said.clone() };
    let prompt = &Prompt { body: said, ..prompt.clone() };
    let shown = if needs_page { 0 } else { replies.len() };
    match (shown, ButtonSupport::of(&prompt.contact.features)) {
        (0, _) | (_, ButtonSupport::Unsupported) => Content::text(&cut(&text, APPLE.body_max)),
        (1, ButtonSupport::Quick | ButtonSupport::List) | (_, ButtonSupport::List) => {
            Content::interactive(list_picker(bid, prompt, &replies))
        }
        (_, ButtonSupport::Quick) => Content::interactive(quick_reply(bid, prompt, &replies)),
    }
}

const fn is_reply(button: &Button) -> bool {
    matches!(button.action, ButtonAction::Reply { .. })
}

/// Returns the label and the postback of each reply button, as many as fit.
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

/// Writes the bubble that a tap opens. It states the payee, the ask and the amount.
pub(super) fn received(prompt: &Prompt) -> Value {
    json!({
        "title": cut(&prompt.title, APPLE.title_max),
        "subtitle": cut(&prompt.body, APPLE.body_max),
        "style": "icon",
    })
}

/// Writes the call that sends a prompt: a pure function of it.
///
/// # Errors
///
/// [`SendError::Misconfigured`] for a prompt that is too long to be sent inline.
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
        return Err(SendError::Misconfigured { reason: "too_long" });
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
        // Apple requires this header on messages that no person wrote.
        .header("auto-reply", "true");
    call.body(Bytes::from(body)).map_err(unbuilt)
}

/// Converts the error of a call that cannot be built. Its parts come from the settings or from the contact record.
pub(super) fn unbuilt(_: http::Error) -> SendError {
    SendError::Misconfigured { reason: "settings" }
}

/// Reads the answer to a send. A success has no body, and the id is our own.
///
/// # Errors
///
/// [`SendError`] by the status.
pub(super) fn accepted(status: StatusCode, prompt: &Prompt) -> Result<AcceptedPrompt, SendError> {
    if status == StatusCode::OK {
        let provider_id = Some(prompt.reference.prompt.to_uuid());
        return Ok(AcceptedPrompt::new(provider_id));
    }
    match ERRORS.iter().find(|(code, _)| *code == status.as_u16()) {
        Some((_, reaction)) => Err(reaction.to_send(status)),
        None => Err(answers::by_status(status)),
    }
}
