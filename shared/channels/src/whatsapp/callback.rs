//! Reads Meta's callbacks: the check of the URL, delivery statuses, taps and texts.
//!
//! One call may hold several entries, changes, messages and statuses. Each is read by itself, so that one of an unknown
//! shape loses no other. Meta repeats a refused call as a whole, for up to seven days.
//! UNVERIFIED: the seven days are second hand. Before going live, check
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint>.

use domain::keys;
use domain::values::prompt_ref::PromptRef;
use domain::values::time::Timestamp;
use ports::{Callback, CallbackError, CallbackReply, MessageOrigin, ReceivedWebhook, Sender};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::errors;
use crate::answers::{Reaction, UNDELIVERED};
use crate::json::{self, each, text};
use crate::senders::{self, bare_phone};

/// The longest challenge that is echoed. Meta's has ten digits.
const CHALLENGE_MAX: usize = 256;
/// The types of media. Only their caption is read.
const MEDIA: [&str; 7] = ["audio", "contacts", "document", "image", "location", "sticker", "video"];

/// Answers the call with which Meta checks a URL. The call has no signature, and the token proves it.
///
/// # Errors
///
/// [`CallbackError::Forged`] for another token, [`CallbackError::Malformed`] for a call without a challenge.
pub(super) fn handshake(
    verify_token: &SecretString,
    url: &str,
) -> Result<ReceivedWebhook, CallbackError> {
    let token = parameter(url, "hub.verify_token").ok_or(CallbackError::Forged)?;
    if !keys::same(&token, verify_token.expose_secret()) {
        return Err(CallbackError::Forged);
    }
    let is_subscription = parameter(url, "hub.mode").is_some_and(|mode| mode == "subscribe");
    let is_plain = |text: &String| {
        (1..=CHALLENGE_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
    };
    match parameter(url, "hub.challenge").filter(is_plain) {
        Some(challenge) if is_subscription => Ok(received(Vec::new(), challenge)),
        Some(_) | None => Err(CallbackError::Malformed),
    }
}

/// Returns a query parameter that occurs once.
fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
    let (Some((_, value)), None) = (values.next(), values.next()) else { return None };
    Some(value.into_owned())
}

/// Reads a callback whose signature was verified. Changes of other numbers or other fields are ignored.
///
/// # Errors
///
/// [`CallbackError::Malformed`] for no JSON.
pub(super) fn read(number: &str, body: &[u8]) -> Result<ReceivedWebhook, CallbackError> {
    let body = json::read(body).ok_or(CallbackError::Malformed)?;
    let changes = each(&body, "entry").flat_map(|entry| each(entry, "changes"));
    let messages = changes.filter(|change| text(change, "/field") == Some("messages"));
    let values = messages.filter_map(|change| change.get("value"));
    let own = values.filter(|value| text(value, "/metadata/phone_number_id") == Some(number));
    Ok(received(own.flat_map(callbacks_of).collect(), String::new()))
}

const fn received(callbacks: Vec<Callback>, body: String) -> ReceivedWebhook {
    let reply = CallbackReply { status: 200, content_type: "text/plain", body };
    ReceivedWebhook { callbacks, reply, refusal: None }
}

fn callbacks_of(value: &Value) -> impl Iterator<Item = Callback> {
    let inbound = each(value, "messages").filter_map(|message| inbound(value, message));
    inbound.chain(each(value, "statuses").flat_map(|status| deliveries(value, status)))
}

/// Returns the callback for a customer's message; `None` for a notice of Meta's, and for one without a sender.
fn inbound(value: &Value, message: &Value) -> Option<Callback> {
    let origin = MessageOrigin {
        from: sender(value, message),
        written_at: written_at(message),
        message_id: text(message, "/id").map(str::to_owned),
    };
    if let Some((postback, label)) = tapped(message) {
        return Some(Callback::Tapped { postback, label, origin });
    }
    let kind = text(message, "/type").unwrap_or_default();
    // Meta itself reports a changed number or id.
    if kind == "system" || origin.from == Sender::default() {
        return None;
    }
    // A customer may correct a message within 15 minutes. The correction is a message of its own, and counts as one.
    // Source: <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/edit>,
    // read 2026-11-26. It comes to numbers that the WhatsApp Business app uses too, and elsewhere as "unsupported".
    let words = match kind {
        "edit" => message.pointer("/edit/message").and_then(words),
        _ => words(message),
    };
    Some(match words {
        Some(words) => Callback::Wrote { origin, text: words.to_owned(), intent: None },
        None => Callback::Active(origin),
    })
}

/// Returns the text of a message; `None` for a reaction, an order, or a type that Meta added later.
fn words(message: &Value) -> Option<&str> {
    match text(message, "/type")? {
        "text" => text(message, "/text/body"),
        kind if MEDIA.contains(&kind) => text(message, &format!("/{kind}/caption")),
        _ => None,
    }
}

/// Returns the postback and the label of a tap.
///
/// It may be on a button of a free-form message or a template, or on a choice of a list.
fn tapped(message: &Value) -> Option<(String, Option<String>)> {
    let taps = [
        ("/interactive/button_reply/id", "/interactive/button_reply/title"),
        ("/interactive/list_reply/id", "/interactive/list_reply/title"),
        ("/button/payload", "/button/text"),
    ];
    let found = |(postback, label)| match (text(message, postback), text(message, label)) {
        (None, None) => None,
        (postback, label) => {
            Some((postback.unwrap_or_default().to_owned(), label.map(str::to_owned)))
        }
    };
    taps.into_iter().find_map(found)
}

/// Returns the time of a message, to the second.
fn written_at(message: &Value) -> Option<Timestamp> {
    let seconds: i64 = text(message, "/timestamp")?.parse().ok()?;
    Some(Timestamp::from_millis(seconds.checked_mul(1_000)?))
}

/// Returns the sender of a message.
///
/// A customer with a username may have no number here, and only a business-scoped id. UNVERIFIED: some API versions put
/// that id into the message, and all of them into the contact. Before going live, receive a message from an account
/// with a username, in the configured API version.
fn sender(value: &Value, message: &Value) -> Sender {
    let from = text(message, "/from");
    let mut contacts = each(value, "contacts");
    let contact = match (contacts.next(), contacts.next()) {
        (Some(only), None) => Some(only),
        (Some(_) | None, _) => each(value, "contacts")
            .find(|contact| from.is_some() && text(contact, "/wa_id") == from),
    };
    let contacts = |pointer: &str| contact.and_then(|contact| text(contact, pointer));
    let id = text(message, "/from_user_id").or_else(|| contacts("/user_id"));
    // Older versions may put the id in the place of the number.
    let id = id.or_else(|| from.filter(|from| from.contains('.')));
    Sender {
        phone: from.and_then(bare_phone).or_else(|| contacts("/wa_id").and_then(bare_phone)),
        handle: id.and_then(senders::handle),
        features: Vec::new(),
    }
}

/// Returns the callbacks for a status of one of our messages: who gets it, and whether it arrived.
fn deliveries(value: &Value, status: &Value) -> impl Iterator<Item = Callback> {
    let reference = text(status, "/biz_opaque_callback_data").and_then(|text| text.parse().ok());
    let of = |reference: PromptRef| {
        let recipient = recipient(value, status);
        let named = (recipient != Sender::default())
            .then(|| Callback::Recipient { about: reference.into(), recipient });
        named.into_iter().chain(delivery(reference, status))
    };
    reference.map(of).into_iter().flatten()
}

/// Returns the customer of a status.
///
/// The id may differ from the number that was asked, as in Mexico, Brazil and Argentina. A customer with a username has
/// a business-scoped id beside it, in the status or in the one contact.
/// Source: <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status>,
/// read 2026-11-26. UNVERIFIED: the names of the fields of that id are second hand. Before going live, compare a status
/// about an account with a username.
fn recipient(value: &Value, status: &Value) -> Sender {
    let id = text(status, "/recipient_id");
    let mut contacts = each(value, "contacts");
    let contact = match (contacts.next(), contacts.next()) {
        (Some(only), None) => Some(only),
        (Some(_) | None, _) => {
            each(value, "contacts").find(|contact| id.is_some() && text(contact, "/wa_id") == id)
        }
    };
    let user = text(status, "/recipient_user_id");
    let user = user.or_else(|| contact.and_then(|contact| text(contact, "/user_id")));
    let user = user.or_else(|| id.filter(|id| id.contains('.')));
    let handle = user.and_then(senders::handle);
    Sender { phone: id.and_then(bare_phone), handle, features: Vec::new() }
}

/// Returns the callback for the status itself; `None` while the message is on its way.
fn delivery(reference: PromptRef, status: &Value) -> Option<Callback> {
    match text(status, "/status")? {
        "delivered" => Some(Callback::Delivered(reference.into())),
        "read" | "played" => Some(Callback::Read(reference.into())),
        "failed" => Some(failure(status).to_callback(reference.into())),
        // On its way, or a status that Meta added later.
        _ => None,
    }
}

fn failure(status: &Value) -> Reaction {
    let codes = each(status, "errors").filter_map(|error| error.get("code")?.as_u64());
    let known = codes.filter_map(|code| u32::try_from(code).ok()).find_map(errors::reaction);
    known.unwrap_or(UNDELIVERED)
}
