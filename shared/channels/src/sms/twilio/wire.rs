//! Twilio's words for a text: the call, its answer, and the table of its error codes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::ports::{Accepted, Prompt, SendError};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{Account, Sender};
use crate::answers::{self, Answered, Reaction};

/// Twilio advises more than five seconds, and takes ten hours at most.
const VALIDITY_SECONDS: (u64, u64) = (6, 36_000);

/// Every error code Twilio documents for texts, and what it asks for: as the answer to a call or in a later status.
pub(super) const FAULTS: &[(u32, Reaction)] = &[
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

/// What an error code asks for, where it is documented.
pub(super) fn reaction(code: u32) -> Option<Reaction> {
    FAULTS.iter().find(|(known, _)| *known == code).map(|(_, reaction)| *reaction)
}

/// The call that sends a prompt: a pure function of it.
pub(super) fn message(account: &Account, prompt: &Prompt) -> Result<Request<Bytes>, http::Error> {
    let (least, most) = VALIDITY_SECONDS;
    let validity = prompt.now.until(prompt.expires_at).as_secs().clamp(least, most);
    let (sender, value) = match &account.sender {
        Sender::Number(number) => ("From", number),
        Sender::Service(service) => ("MessagingServiceSid", service),
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

/// The answer to a text that was taken. Twilio sends much more; `code` is an error's, `error_code` a message's.
#[derive(Deserialize)]
struct Message {
    sid: String,
    status: String,
    #[serde(default)]
    error_code: Option<u32>,
}

#[derive(Deserialize)]
struct Fault {
    code: u32,
}

/// What an answer means.
pub(super) fn accepted(status: StatusCode, body: &[u8]) -> Result<Accepted, SendError> {
    if status.is_success() {
        return taken(status, body);
    }
    // Above 499 the text may be on its way, whatever the answer's own words.
    let fault = serde_json::from_slice::<Fault>(body).ok().filter(|_| status.is_client_error());
    match fault.and_then(|fault| reaction(fault.code)) {
        Some(reaction) => Err(reaction.to_send(status)),
        None => Err(answers::by_status(status)),
    }
}

fn taken(status: StatusCode, body: &[u8]) -> Result<Accepted, SendError> {
    let message: Message = match serde_json::from_slice(body) {
        Ok(message) => message,
        Err(_) => return Err(SendError::Unknown(Answered { status }.into())),
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
        return Err(SendError::Unknown(Answered { status }.into()));
    }
    Ok(Accepted { provider_id: Some(message.sid), delivered: false })
}
