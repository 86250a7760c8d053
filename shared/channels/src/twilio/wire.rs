//! The call that sends a message at Twilio and its answer.
//!
//! Source: <https://www.twilio.com/docs/messaging/api/message-resource>, by the SDK twilio-python of 2026-08.

use std::ops::RangeInclusive;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode};
use ports::{AcceptedPrompt, Prompt, SendError};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::account::{Account, TextSender};
use super::content::FilledTemplate;
use super::errors::reaction;
use crate::answers::{self, ProviderAnswer, UNDELIVERED};
use crate::json::lenient;
use crate::senders;

/// Twilio advises more than five seconds, and takes at most ten hours.
const VALIDITY_SECONDS: RangeInclusive<u64> = 6..=36_000;

/// The content of a message.
#[derive(Clone, Copy)]
pub(super) enum MessageContent<'a> {
    /// A text without a template.
    Text(&'a str),
    /// A Content template.
    Template(&'a FilledTemplate),
}

/// Writes the call that sends a prompt to an address: a pure function of both.
pub(super) fn message(
    account: &Account,
    prompt: &Prompt,
    to: &str,
    content: MessageContent<'_>,
) -> Result<Request<Bytes>, http::Error> {
    let validity = prompt.now.until(prompt.expires_at).as_secs();
    let validity = validity.clamp(*VALIDITY_SECONDS.start(), *VALIDITY_SECONDS.end());
    let (sender, value) = match &account.sender {
        TextSender::Number(number) => ("From", number),
        TextSender::MessagingService(sid) => ("MessagingServiceSid", sid),
    };
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("To", to).append_pair(sender, value);
    match content {
        MessageContent::Text(text) => form.append_pair("Body", text),
        MessageContent::Template(filled) => form
            .append_pair("ContentSid", &filled.sid)
            .append_pair("ContentVariables", &filled.content_variables()),
    };
    let form = form
        .append_pair("StatusCallback", &format!("{}?ref={}", prompt.callback, prompt.reference))
        .append_pair("ValidityPeriod", &validity.to_string())
        .finish();
    let path = format!("/2010-04-01/Accounts/{}/Messages.json", account.sid);
    Request::builder()
        .method(Method::POST)
        .uri(account.base.join(&path))
        .header(AUTHORIZATION, basic(account)?)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(form))
}

fn basic(account: &Account) -> Result<HeaderValue, http::Error> {
    let pair = format!("{}:{}", account.user, account.password.expose_secret());
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The message that Twilio created, as far as it is read here.
#[derive(Deserialize)]
struct MessageResource {
    sid: String,
    status: String,
    #[serde(default)]
    error_code: Option<u32>,
    /// The number as Twilio writes it, which may differ from the one that was asked.
    #[serde(default, deserialize_with = "lenient")]
    to: Option<String>,
}

#[derive(Deserialize)]
struct ErrorResponse {
    code: u32,
}

/// Reads the answer to a send.
///
/// # Errors
///
/// [`SendError`] by the documented code, or by the status where the body has none.
pub(super) fn accepted(status: StatusCode, body: &[u8]) -> Result<AcceptedPrompt, SendError> {
    if status.is_success() {
        return created(status, body);
    }
    // Above 499 the text may have been sent, even if the body names an error.
    let error =
        serde_json::from_slice::<ErrorResponse>(body).ok().filter(|_| status.is_client_error());
    match error.and_then(|error| reaction(error.code)) {
        Some(reaction) => Err(reaction.to_send(status)),
        None => Err(answers::by_status(status)),
    }
}

fn created(status: StatusCode, body: &[u8]) -> Result<AcceptedPrompt, SendError> {
    let message: MessageResource = match serde_json::from_slice(body) {
        Ok(message) => message,
        Err(_) => return Err(SendError::Unknown(ProviderAnswer { status }.into())),
    };
    if matches!(message.status.as_str(), "failed" | "undelivered" | "canceled") {
        let reaction = message.error_code.and_then(reaction);
        return Err(reaction.unwrap_or(UNDELIVERED).to_send(status));
    }
    let known = message.sid.starts_with("SM") || message.sid.starts_with("MM");
    if !known
        || message.sid.len() > 64
        || !message.sid.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        return Err(SendError::Unknown(ProviderAnswer { status }.into()));
    }
    let recipient = senders::sender(message.to.as_deref().unwrap_or_default());
    Ok(AcceptedPrompt { recipient, ..AcceptedPrompt::new(Some(message.sid)) })
}
