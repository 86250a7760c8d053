//! The Cloud API's words for a message: the call, its answer, and the table of its error codes.

use std::ops::RangeInclusive;

use bytes::Bytes;
use domain::ports::{Accepted, ButtonAction, Prompt, SendError};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Account;
use crate::answers::{self, Answered, Reaction};
use crate::message_limits::{WHATSAPP, cut};

/// More than 24 hours went by since the customer's last message: only a template is taken.
pub(super) const OUTSIDE_WINDOW: &str = "outside_window";

/// What a permission that is missing is told with.
pub(super) const PERMISSIONS: RangeInclusive<u32> = 200..=299;

/// Every error code Meta documents for messages, and what it asks for: as the answer to a call or in a later status. What
/// they mean is from memory and second hand in part [M, S].
pub(super) const FAULTS: &[(u32, Reaction)] = &[
    (0, Reaction::Person("credentials")),
    (2, Reaction::Again),
    (3, Reaction::Person("permission")),
    (4, Reaction::Again),
    (10, Reaction::Person("permission")),
    (33, Reaction::Person("sender")),
    (100, Reaction::Person("rejected")),
    (190, Reaction::Person("credentials")),
    (368, Reaction::Person("suspended")),
    (80_007, Reaction::Again),
    (130_429, Reaction::Again),
    (130_472, Reaction::Unreachable("withheld")),
    (130_497, Reaction::Unreachable("country")),
    (131_000, Reaction::Again),
    (131_005, Reaction::Person("permission")),
    (131_008, Reaction::Person("rejected")),
    (131_009, Reaction::Person("rejected")),
    (131_016, Reaction::Again),
    (131_021, Reaction::Unreachable("unreachable")),
    (131_026, Reaction::Unreachable("not_on_channel")),
    (131_030, Reaction::Person("sandboxed")),
    (131_031, Reaction::Person("suspended")),
    (131_037, Reaction::Person("registration")),
    (131_042, Reaction::Person("billing")),
    (131_045, Reaction::Person("registration")),
    (131_047, Reaction::Unreachable(OUTSIDE_WINDOW)),
    (131_048, Reaction::Again),
    (131_049, Reaction::Unreachable("withheld")),
    (131_050, Reaction::Unreachable("opted_out")),
    (131_051, Reaction::Person("rejected")),
    (131_052, Reaction::Person("rejected")),
    (131_053, Reaction::Person("rejected")),
    (131_056, Reaction::Again),
    (131_057, Reaction::Again),
    (132_000, Reaction::Person("template")),
    (132_001, Reaction::Person("template")),
    (132_005, Reaction::Person("template")),
    (132_007, Reaction::Person("template")),
    (132_008, Reaction::Person("template")),
    (132_012, Reaction::Person("template")),
    (132_015, Reaction::Person("template")),
    (132_016, Reaction::Person("template")),
    (133_004, Reaction::Again),
    (133_010, Reaction::Person("registration")),
    (135_000, Reaction::Person("rejected")),
];

/// What an error code asks for, where it is documented.
pub(super) fn reaction(code: u32) -> Option<Reaction> {
    if PERMISSIONS.contains(&code) {
        return Some(Reaction::Person("permission"));
    }
    FAULTS.iter().find(|(known, _)| *known == code).map(|(_, reaction)| *reaction)
}

/// The call that sends a prompt as this message: a pure function of both.
pub(super) fn call(
    account: &Account,
    prompt: &Prompt,
    message: &Value,
) -> Result<Request<Bytes>, http::Error> {
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": prompt.to.as_str(),
        // Comes back with every status.
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

/// The prompt as a message that is taken within the window: with buttons that come back, or with the one that opens the
/// page where a yes is given only there. The two kinds cannot be mixed.
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

/// The prompt's sentences, and where to say no if no button here does: behind the button, or the link, that is named last.
fn body(prompt: &Prompt, shown: &[&str], place: &str) -> String {
    let noes = [prompt.labels.deny.as_str(), prompt.labels.not_me.as_str()];
    let noes: Vec<&str> = noes.into_iter().filter(|no| !shown.contains(no)).collect();
    if noes.is_empty() {
        return cut(&prompt.body, WHATSAPP.body_max);
    }
    let tail = format!("\n\n{} → {place}", noes.join(" / "));
    let room = WHATSAPP.body_max.saturating_sub(tail.chars().count());
    format!("{}{tail}", cut(&prompt.body, room))
}

/// The answer to a message that was taken; Meta sends more. A template's message may be held for a while before it goes
/// out, which is told beside the id [M] and is no reason to send another one.
#[derive(Deserialize)]
struct Taken {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    id: String,
}

#[derive(Deserialize)]
struct Refused {
    error: Fault,
}

#[derive(Deserialize)]
struct Fault {
    code: u32,
}

/// What an answer means. A refusal is told by its code, whatever the status it comes with: Meta sends 500 for a permission
/// that is missing as well as for a message that failed. Without a code of theirs, whoever answered may not be who sends.
pub(super) fn accepted(status: StatusCode, body: &[u8]) -> Result<Accepted, SendError> {
    if status.is_success() {
        return taken(status, body);
    }
    let refused = serde_json::from_slice::<Refused>(body).ok();
    match refused.and_then(|refused| reaction(refused.error.code)) {
        Some(reaction) => Err(reaction.to_send(status)),
        None => Err(answers::by_status(status)),
    }
}

fn taken(status: StatusCode, body: &[u8]) -> Result<Accepted, SendError> {
    let taken = serde_json::from_slice::<Taken>(body).ok();
    let id = taken.and_then(|taken| taken.messages.into_iter().next()).map(|message| message.id);
    let plain = |id: &String| {
        (1..=255).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match id.filter(plain) {
        Some(id) => Ok(Accepted { provider_id: Some(id), delivered: false }),
        None => Err(SendError::Unknown(Answered { status }.into())),
    }
}
