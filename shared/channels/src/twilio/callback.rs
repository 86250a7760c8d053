//! Reads Twilio's callbacks: the delivery status of a message, and the texts and taps of customers.
//!
//! UNVERIFIED: the fields are from memory. Before going live, compare them with
//! <https://www.twilio.com/docs/messaging/guides/webhook-request> and a recorded callback.

use domain::values::prompt_ref::PromptRef;
use http::Method;
use ports::{
    Addressee, Callback, CallbackError, CallbackReply, MessageOrigin, ReceivedWebhook, Sender,
    UnverifiedCallback,
};

use super::account::TextSender;
use super::errors;
use super::signature::{self, Pairs};
use crate::answers::{Reaction, UNDELIVERED};
use crate::senders;

/// Reads a callback whose signature was verified.
///
/// # Errors
///
/// [`CallbackError::Malformed`] for a call that is no form post, or repeats a field.
pub(super) fn read(callback: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError> {
    if callback.method != Method::POST {
        return Err(CallbackError::Malformed);
    }
    let form = Form(signature::pairs(callback).ok_or(CallbackError::Malformed)?);
    match form.one("MessageStatus")? {
        Some(status) if !matches!(status, "receiving" | "received") => Ok(ReceivedWebhook {
            callbacks: deliveries(callback, &form, status)?,
            reply: empty_reply(),
            refusal: None,
        }),
        Some(_) | None => Ok(ReceivedWebhook {
            callbacks: vec![inbound(&form)?],
            reply: empty_twiml(),
            refusal: None,
        }),
    }
}

/// Returns whether a verified call is for this sender.
///
/// Twilio names the number that a customer wrote to, and its messaging service. A status has our own address.
pub(super) fn addressee(sender: &TextSender, callback: &UnverifiedCallback) -> Addressee {
    let Some(form) = signature::pairs(callback).map(Form) else { return Addressee::Unnamed };
    let one = |name| form.one(name).ok().flatten();
    if sender.is_addressee(one("To"), one("MessagingServiceSid")) {
        Addressee::Own
    } else {
        Addressee::Unnamed
    }
}

struct Form(Pairs);

impl Form {
    /// Returns the value of a field that occurs once. The order of a field's values is not signed.
    fn one(&self, name: &str) -> Result<Option<&str>, CallbackError> {
        once(self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()))
    }
}

fn once<T>(mut values: impl Iterator<Item = T>) -> Result<Option<T>, CallbackError> {
    let value = values.next();
    if values.next().is_none() { Ok(value) } else { Err(CallbackError::Malformed) }
}

/// Returns the callbacks for a status of one of our texts: who gets it, and whether it arrived.
fn deliveries(
    callback: &UnverifiedCallback,
    form: &Form,
    status: &str,
) -> Result<Vec<Callback>, CallbackError> {
    let Some(reference) = reference(&callback.url)? else { return Ok(Vec::new()) };
    // A messaging service may send the text over RCS, to `rcs:+1…`.
    let recipient = senders::sender(form.one("To")?.unwrap_or_default());
    let named = (recipient != Sender::default())
        .then(|| Callback::Recipient { about: reference.into(), recipient });
    let delivery = match status {
        "delivered" => Some(Callback::Delivered(reference.into())),
        "read" => Some(Callback::Read(reference.into())),
        "canceled" | "failed" | "undelivered" => Some(failure(form)?.to_callback(reference.into())),
        // On its way, or a status that Twilio added later.
        _ => None,
    };
    Ok(named.into_iter().chain(delivery).collect())
}

fn failure(form: &Form) -> Result<Reaction, CallbackError> {
    let code = form.one("ErrorCode")?.and_then(|code| code.parse().ok());
    Ok(code.and_then(errors::reaction).unwrap_or(UNDELIVERED))
}

/// Returns the prompt that our callback address names; an address configured by hand at Twilio names none.
fn reference(url: &str) -> Result<Option<PromptRef>, CallbackError> {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let values = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "ref")
        .map(|(_, value)| value);
    match once(values)?.map(|value| value.parse()) {
        Some(Ok(reference)) => Ok(Some(reference)),
        Some(Err(_)) => Err(CallbackError::Malformed),
        None => Ok(None),
    }
}

/// Returns the callback for a text. Twilio reports no time, and the id of the message is the same in a repeat.
fn inbound(form: &Form) -> Result<Callback, CallbackError> {
    let from = form.one("From")?.ok_or(CallbackError::Malformed)?;
    let message_id = form.one("MessageSid")?.map(str::to_owned);
    let origin = MessageOrigin { from: senders::sender(from), written_at: None, message_id };
    // A location, or a kind of message that is newer than this adapter, has no text.
    let button = form.one("ButtonText")?.or(form.one("ListTitle")?);
    let body = form.one("Body")?.or(button).unwrap_or_default();
    let postback = form.one("ButtonPayload")?.or(form.one("ListId")?);
    Ok(match (form.one("OptOutType")?, postback) {
        (Some("STOP"), _) => Callback::Stop(origin),
        (Some("START"), _) => Callback::Start(origin),
        // A button of ours, or of another message of this sender. Texts of ours have none.
        (Some(_) | None, Some(postback)) => Callback::Tapped {
            postback: postback.to_owned(),
            label: Some(button.unwrap_or(body).to_owned()),
            origin,
        },
        (Some(_) | None, None) => Callback::Wrote { origin, text: body.to_owned(), intent: None },
    })
}

const fn empty_reply() -> CallbackReply {
    CallbackReply { status: 200, content_type: "text/plain", body: String::new() }
}

/// Without this document, Twilio may answer the customer itself.
fn empty_twiml() -> CallbackReply {
    CallbackReply { status: 200, content_type: "text/xml", body: "<Response/>".to_owned() }
}
