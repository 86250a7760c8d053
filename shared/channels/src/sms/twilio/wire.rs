//! The call that sends a text at Twilio, its answer, and the table of error codes.
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
use crate::answers::{self, ProviderAnswer, Reaction};

/// Twilio advises more than five seconds, and takes at most ten hours.
const VALIDITY_SECONDS: RangeInclusive<u64> = 6..=36_000;

/// Each documented error code for texts, with its reaction: as the answer to a call, or in a later status.
///
/// UNVERIFIED: the codes are from memory. Before going live, compare them with
/// <https://www.twilio.com/docs/api/errors>.
pub(super) const ERRORS: &[(u32, Reaction)] = &[
    (14_107, Reaction::Again),
    (20_003, Reaction::Person("credentials")),
    (20_429, Reaction::Again),
    (21_211, Reaction::Unreachable("not_a_mobile")),
    (21_408, Reaction::Unreachable("country")),
    (21_606, Reaction::Person("sender")),
    (21_610, Reaction::Unreachable("opted_out")),
    (21_612, Reaction::Person("sender")),
    (21_614, Reaction::Unreachable("not_a_mobile")),
    (30_001, Reaction::Again),
    (30_002, Reaction::Person("suspended")),
    (30_003, Reaction::Unreachable("unreachable")),
    (30_004, Reaction::Unreachable("blocked")),
    (30_005, Reaction::Unreachable("unknown_number")),
    (30_006, Reaction::Unreachable("not_a_mobile")),
    (30_007, Reaction::Person("filtered")),
    (30_008, Reaction::Unreachable("undelivered")),
    (30_034, Reaction::Person("registration")),
    (63_016, Reaction::Unreachable("outside_window")),
];

/// Looks a documented error code up.
pub(super) fn reaction(code: u32) -> Option<Reaction> {
    ERRORS.iter().find(|(known, _)| *known == code).map(|(_, reaction)| *reaction)
}

/// Writes the call that sends a prompt: a pure function of it.
pub(super) fn message(account: &Account, prompt: &Prompt) -> Result<Request<Bytes>, http::Error> {
    let validity = prompt.now.until(prompt.expires_at).as_secs();
    let validity = validity.clamp(*VALIDITY_SECONDS.start(), *VALIDITY_SECONDS.end());
    let (sender, value) = match &account.sender {
        TextSender::Number(number) => ("From", number),
        TextSender::MessagingService(sid) => ("MessagingServiceSid", sid),
    };
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("To", prompt.to.as_str())
        .append_pair(sender, value)
        .append_pair("Body", &prompt.text)
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
        return Err(reaction.unwrap_or(Reaction::Unreachable("undelivered")).to_send(status));
    }
    let known = message.sid.starts_with("SM") || message.sid.starts_with("MM");
    if !known
        || message.sid.len() > 64
        || !message.sid.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        return Err(SendError::Unknown(ProviderAnswer { status }.into()));
    }
    Ok(AcceptedPrompt { provider_id: Some(message.sid), delivered: false })
}
