//! What Meta tells by callback: that the address was typed in there, how a message fares, what a customer taps or writes.
//!
//! One call may hold several entries, changes, messages and statuses. Each is read by itself, so that one of a shape we do
//! not know takes nothing with it: a call that is refused comes back for seven days, all of it.

use domain::keys;
use domain::ports::{Callback, CallbackError, CallbackReply, PromptRef, Received, Sender};
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{Numbers, wire};
use crate::answers::Reaction;
use crate::opt_out::{self, Wish};

/// Longer challenges than Meta's ten digits are not thrown back.
const CHALLENGE_MAX: usize = 256;
/// A business-scoped id is a country, a full stop and up to 128 characters; a parent's has a few more.
const HANDLE_MAX: usize = 160;
/// What a customer sends besides text. A caption is all of it that is read.
const MEDIA: [&str; 7] = ["audio", "contacts", "document", "image", "location", "sticker", "video"];

/// Answers the call by which Meta makes sure of an address. It carries no signature: the token is the proof.
pub(super) fn handshake(verify_token: &SecretString, url: &str) -> Result<Received, CallbackError> {
    let token = parameter(url, "hub.verify_token").ok_or(CallbackError::Forged)?;
    if !keys::same(&token, verify_token.expose_secret()) {
        return Err(CallbackError::Forged);
    }
    let subscribes = parameter(url, "hub.mode").is_some_and(|mode| mode == "subscribe");
    let plain = |text: &String| {
        (1..=CHALLENGE_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
    };
    match parameter(url, "hub.challenge").filter(plain) {
        Some(challenge) if subscribes => Ok(received(Vec::new(), challenge)),
        Some(_) | None => Err(CallbackError::Malformed),
    }
}

/// A parameter of the address that is there once.
fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
    let (Some((_, value)), None) = (values.next(), values.next()) else { return None };
    Some(value.into_owned())
}

/// Reads a callback whose signature is proven. What is about other numbers, or other than messages, is left alone.
pub(super) fn read(numbers: &Numbers, body: &[u8]) -> Result<Received, CallbackError> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return Err(CallbackError::Malformed);
    };
    let changes = each(&body, "entry").flat_map(|entry| each(entry, "changes"));
    let messages = changes.filter(|change| text(change, "/field") == Some("messages"));
    let (mut own, mut others) = (false, false);
    let mut callbacks = Vec::new();
    for value in messages.filter_map(|change| change.get("value")) {
        let Some(number) = text(value, "/metadata/phone_number_id") else { continue };
        own |= number == numbers.own;
        others |= numbers.is_other(number);
        if number == numbers.own || numbers.is_other(number) {
            callbacks.extend(told(value));
        }
    }
    if numbers.leaves_to_other && others && !own {
        return Err(CallbackError::None);
    }
    Ok(received(callbacks, String::new()))
}

const fn received(callbacks: Vec<Callback>, body: String) -> Received {
    let reply = CallbackReply { status: 200, content_type: "text/plain", body };
    Received { callbacks, reply, refusal: None }
}

/// The members of a list, none where there is no such list.
fn each<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

fn told(value: &Value) -> impl Iterator<Item = Callback> {
    let said = each(value, "messages").filter_map(|message| said(value, message));
    said.chain(each(value, "statuses").filter_map(progress))
}

/// What a customer tapped or wrote.
fn said(value: &Value, message: &Value) -> Option<Callback> {
    let from = sender(value, message);
    // A button of a free-form message, and one of a template.
    let tapped =
        text(message, "/interactive/button_reply/id").or_else(|| text(message, "/button/payload"));
    if let Some(postback) = tapped {
        return Some(Callback::Tapped { postback: postback.to_owned(), from });
    }
    let words = match text(message, "/type")? {
        "text" => text(message, "/text/body")?,
        kind if MEDIA.contains(&kind) => {
            text(message, &format!("/{kind}/caption")).unwrap_or_default()
        }
        // A reaction, a system message, or a kind Meta added since.
        _ => return None,
    };
    Some(match opt_out::wish(words) {
        Some(Wish::Stop) => Callback::Stop(from),
        Some(Wish::Start) => Callback::Start(from),
        None => {
            Callback::Wrote { from, text: words.to_owned(), intent: None, at: written_at(message) }
        }
    })
}

/// When a message was written, to the second.
fn written_at(message: &Value) -> Option<Timestamp> {
    let seconds: i64 = text(message, "/timestamp")?.parse().ok()?;
    Some(Timestamp::from_millis(seconds.checked_mul(1_000)?))
}

/// Who sent a message. Somebody with a username may have no number here, and then has only the business-scoped id, which
/// some versions tell with the message and all with the contact [S].
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
    // An id that stands where the number used to be is still an id.
    let id = id.or_else(|| from.filter(|from| from.contains('.')));
    let plain = |id: &&str| id.len() <= HANDLE_MAX && id.bytes().all(|b| b.is_ascii_graphic());
    Sender {
        phone: from.and_then(phone).or_else(|| contacts("/wa_id").and_then(phone)),
        handle: id.filter(plain).map(str::to_owned),
        features: Vec::new(),
    }
}

/// Meta writes numbers without the `+`.
fn phone(number: &str) -> Option<Phone> {
    format!("+{}", number.strip_prefix('+').unwrap_or(number)).parse().ok()
}

/// How a message fares, where it is one of ours and there is something to say.
fn progress(status: &Value) -> Option<Callback> {
    let reference: PromptRef = text(status, "/biz_opaque_callback_data")?.parse().ok()?;
    match text(status, "/status")? {
        "delivered" => Some(Callback::Delivered(reference.into())),
        "read" | "played" => Some(Callback::Read(reference.into())),
        "failed" => Some(Callback::Failed(reference.into(), failure(status))),
        // On its way, or a word Meta added since.
        _ => None,
    }
}

fn failure(status: &Value) -> &'static str {
    let codes = each(status, "errors").filter_map(|error| error.get("code")?.as_u64());
    let known = codes.filter_map(|code| u32::try_from(code).ok()).find_map(wire::reaction);
    known.map_or("undelivered", Reaction::reason)
}
