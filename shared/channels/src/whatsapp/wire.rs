//! The call that sends a message at Meta and its answer.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode};
use ports::{
    AcceptedPrompt, Button, ButtonAction, MessagePreview, Prompt, SendError, Sender, ThreadMessage,
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::Account;
use super::errors::reaction;
use crate::answers::{self, ProviderAnswer};
use crate::json::lenient;
use crate::message_limits::{WHATSAPP, cut};
use crate::previews::{text_at, texts_at};
use crate::senders;

/// Writes the call that sends `message` for `prompt`: a pure function of both.
pub(super) fn call(
    account: &Account,
    prompt: &Prompt,
    message: &Value,
) -> Result<Request<Bytes>, http::Error> {
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": prompt.to.as_str(),
        // Meta returns it with every status.
        "biz_opaque_callback_data": prompt.reference.to_string(),
    });
    if let (Value::Object(body), Value::Object(message)) = (&mut body, message) {
        body.extend(message.clone());
    }
    let token = format!("Bearer {}", account.access_token.expose_secret());
    let mut token = HeaderValue::try_from(token)?;
    token.set_sensitive(true);
    Request::builder()
        .method(Method::POST)
        .uri(&account.messages)
        .header(AUTHORIZATION, token)
        .header(CONTENT_TYPE, "application/json")
        .body(Bytes::from(body.to_string()))
}

/// Writes the prompt as a free-form message, which Meta takes within the window.
///
/// It has the buttons that reply, or the one that opens the page if an approval needs the page. Meta does not take both
/// kinds in one message.
pub(super) fn free_form(prompt: &Prompt) -> Value {
    let (kind, body, action) =
        match prompt.buttons.first().map(|button| (button.label.as_str(), &button.action)) {
            Some((_, ButtonAction::Reply { .. })) => replies(prompt),
            Some((label, ButtonAction::Open { url, .. })) => page(prompt, label, url),
            None => page(prompt, &prompt.labels.open, &prompt.link),
        };
    json!({
        "type": "interactive",
        "interactive": {
            "type": kind,
            "header": { "type": "text", "text": cut(&prompt.title, WHATSAPP.title_max) },
            "body": { "text": body },
            "action": action,
        },
    })
}

/// Returns what the customer reads of a free-form message.
pub(super) fn preview(message: &Value) -> MessagePreview {
    let mut buttons = texts_at(message, "/interactive/action/buttons", "/reply/title");
    let page = text_at(message, "/interactive/action/parameters/display_text");
    buttons.extend(Some(page).filter(|label| !label.is_empty()));
    let title = text_at(message, "/interactive/header/text");
    MessagePreview::card(title, text_at(message, "/interactive/body/text"), buttons)
}

/// Returns whether the free-form message has a button that denies.
pub(super) fn can_deny(prompt: &Prompt) -> bool {
    let has_replies = prompt.buttons.first().is_some_and(is_reply);
    let replies = prompt.buttons.iter().filter(|button| is_reply(button));
    has_replies
        && replies.take(WHATSAPP.buttons_max).any(|button| button.label == prompt.labels.deny)
}

const fn is_reply(button: &Button) -> bool {
    matches!(button.action, ButtonAction::Reply { .. })
}

/// Writes a message that quotes its prompt: its buttons, or a text where it has none.
///
/// UNVERIFIED: Meta quotes the message of `context`, as a customer's reply does. Before going live, look at one.
pub(super) fn in_thread(message: &ThreadMessage) -> Value {
    let ThreadMessage { message, answered_id, .. } = message;
    let mut content = if message.buttons.is_empty() {
        let text = format!("*{}*\n{}", message.title, message.body);
        json!({ "type": "text", "text": { "body": cut(&text, WHATSAPP.body_max) } })
    } else {
        free_form(message)
    };
    if let ([_], Some(text)) =
        (message.buttons.as_slice(), content.pointer_mut("/interactive/body/text"))
    {
        // The one button denies or reports. No place is named where the customer can do it too.
        *text = json!(cut(&message.body, WHATSAPP.body_max));
    }
    if let (Some(id), Some(content)) = (answered_id, content.as_object_mut()) {
        content.insert("context".to_owned(), json!({ "message_id": id }));
    }
    content
}

fn replies(prompt: &Prompt) -> (&'static str, String, Value) {
    let replies = prompt.buttons.iter().filter_map(|button| match &button.action {
        ButtonAction::Reply { postback } => Some((button.label.as_str(), postback)),
        ButtonAction::Open { .. } => None,
    });
    let shown: Vec<(&str, &String)> = replies.take(WHATSAPP.buttons_max).collect();
    let labels: Vec<&str> = shown.iter().map(|(label, _)| *label).collect();
    let button = |(label, postback): &(&str, &String)| {
        let title = cut(label, WHATSAPP.label_max);
        json!({ "type": "reply", "reply": { "id": postback, "title": title } })
    };
    let buttons: Vec<Value> = shown.iter().map(button).collect();
    ("button", body(prompt, &labels, &prompt.link), json!({ "buttons": buttons }))
}

fn page(prompt: &Prompt, label: &str, url: &str) -> (&'static str, String, Value) {
    let says = cut(label, WHATSAPP.label_max);
    let parameters = json!({ "display_text": says, "url": url });
    ("cta_url", body(prompt, &[], label), json!({ "name": "cta_url", "parameters": parameters }))
}

/// Returns the prompt's sentences. If no button here denies, they end with the place that does: the button or the link.
fn body(prompt: &Prompt, shown: &[&str], place: &str) -> String {
    let denials = [prompt.labels.deny.as_str(), prompt.labels.not_me.as_str()];
    let denials: Vec<&str> = denials.into_iter().filter(|label| !shown.contains(label)).collect();
    if denials.is_empty() {
        return cut(&prompt.body, WHATSAPP.body_max);
    }
    let tail = format!("\n\n{} → {place}", denials.join(" / "));
    let room = WHATSAPP.body_max.saturating_sub(tail.chars().count());
    format!("{}{tail}", cut(&prompt.body, room))
}

/// The answer to a message that Meta took, as far as it is read here.
///
/// UNVERIFIED: Meta may hold a template's message for a while, and says so beside the id. That is no reason to send
/// another one. Before going live, compare `message_status` in the answer to a new template.
#[derive(Deserialize)]
struct SendResponse {
    messages: Vec<MessageId>,
    #[serde(default, deserialize_with = "lenient")]
    contacts: Option<Vec<RecipientContact>>,
}

/// The customer, by Meta's own ids, which may differ from the number that was asked.
#[derive(Deserialize)]
struct RecipientContact {
    #[serde(default, deserialize_with = "lenient")]
    wa_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    user_id: Option<String>,
}

#[derive(Deserialize)]
struct MessageId {
    id: String,
}

#[derive(Deserialize)]
struct ErrorResponse {
    error: GraphError,
}

#[derive(Deserialize)]
struct GraphError {
    code: u32,
}

/// Reads the answer to a send.
///
/// The code decides over the status, as Meta sends 500 for a missing permission and for a failed message alike. An
/// answer without a code may come from a proxy and not from Meta.
///
/// # Errors
///
/// [`SendError`] by the documented code, or by the status where the body has none.
pub(super) fn accepted(status: StatusCode, body: &[u8]) -> Result<AcceptedPrompt, SendError> {
    if status.is_success() {
        return sent(status, body);
    }
    let response = serde_json::from_slice::<ErrorResponse>(body).ok();
    match response.and_then(|response| reaction(response.error.code)) {
        Some(reaction) => Err(reaction.to_send(status)),
        None => Err(answers::by_status(status)),
    }
}

fn sent(status: StatusCode, body: &[u8]) -> Result<AcceptedPrompt, SendError> {
    let response = serde_json::from_slice::<SendResponse>(body).ok();
    let (ids, contacts) = response
        .map(|response| (response.messages, response.contacts.unwrap_or_default()))
        .unwrap_or_default();
    let id = ids.into_iter().next().map(|message| message.id);
    let is_plain = |id: &String| {
        (1..=255).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match id.filter(is_plain) {
        Some(id) => {
            Ok(AcceptedPrompt { recipient: recipient(contacts), ..AcceptedPrompt::new(Some(id)) })
        }
        None => Err(SendError::Unknown(ProviderAnswer { status }.into())),
    }
}

fn recipient(contacts: Vec<RecipientContact>) -> Sender {
    let mut contacts = contacts.into_iter();
    let (Some(RecipientContact { wa_id, user_id }), None) = (contacts.next(), contacts.next())
    else {
        return Sender::default();
    };
    Sender {
        phone: wa_id.as_deref().and_then(senders::bare_phone),
        handle: user_id.as_deref().and_then(senders::handle),
        features: Vec::new(),
    }
}
