//! The words of AWS End User Messaging for a text: the call, its answer, and the table of its errors.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::ports::{Accepted, Prompt, SendError, Source};
use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};
use serde::{Deserialize, Serialize};

use super::Settings;
use crate::answers::{self, Answered, Reaction};
use crate::settings::BaseUrl;

/// The service takes five seconds to three days.
const LIFE_SECONDS: (u64, u64) = (5, 259_200);

/// Each documented error with its reason, and what it asks for. An empty reason is any other.
pub(super) const FAULTS: &[(&str, &str, Reaction)] = &[
    ("AccessDeniedException", "ACCOUNT_DISABLED", Reaction::Person("suspended")),
    ("AccessDeniedException", "INSUFFICIENT_ACCOUNT_REPUTATION", Reaction::Person("suspended")),
    ("AccessDeniedException", "", Reaction::Person("credentials")),
    (
        "ConflictException",
        "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
        Reaction::Unreachable("country"),
    ),
    (
        "ConflictException",
        "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
        Reaction::Unreachable("blocked"),
    ),
    ("ConflictException", "DESTINATION_PHONE_NUMBER_NOT_VERIFIED", Reaction::Person("sandboxed")),
    ("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT", Reaction::Unreachable("opted_out")),
    ("ConflictException", "NO_ORIGINATION_IDENTITIES_FOUND", Reaction::Person("sender")),
    ("ExpiredTokenException", "", Reaction::Person("credentials")),
    ("IncompleteSignatureException", "", Reaction::Person("credentials")),
    ("InvalidSignatureException", "", Reaction::Person("credentials")),
    ("MissingAuthenticationTokenException", "", Reaction::Person("credentials")),
    ("ResourceNotFoundException", "", Reaction::Person("sender")),
    (
        "ServiceQuotaExceededException",
        "DAILY_DESTINATION_CALL_LIMIT",
        Reaction::Unreachable("limit"),
    ),
    ("ServiceQuotaExceededException", "", Reaction::Person("spend_limit")),
    ("ThrottlingException", "", Reaction::Again),
    ("UnrecognizedClientException", "", Reaction::Person("credentials")),
    ("ValidationException", "COUNTRY_NOT_ENABLED", Reaction::Unreachable("country")),
    ("ValidationException", "DESTINATION_COUNTRY_BLOCKED", Reaction::Unreachable("country")),
    (
        "ValidationException",
        "INTERNATIONAL_SENDING_NOT_SUPPORTED",
        Reaction::Unreachable("country"),
    ),
    ("ValidationException", "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY", Reaction::Person("sender")),
    ("ValidationException", "PRICE_OVER_THRESHOLD", Reaction::Person("price")),
    ("ValidationException", "SENDER_ID_NOT_REGISTERED", Reaction::Person("registration")),
    ("ValidationException", "SENDER_ID_NOT_SUPPORTED", Reaction::Person("sender")),
    ("ValidationException", "SENDER_ID_REQUIRES_REGISTRATION", Reaction::Person("registration")),
    ("ValidationException", "", Reaction::Person("rejected")),
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SendTextMessage<'a> {
    destination_phone_number: &'a str,
    origination_identity: &'a str,
    message_body: &'a str,
    message_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration_set_name: Option<&'a str>,
    time_to_live: u64,
    context: BTreeMap<&'static str, String>,
}

/// The call that sends a prompt, not yet signed: a pure function of the prompt.
pub(super) fn message(
    base: &BaseUrl,
    settings: &Settings,
    prompt: &Prompt,
) -> Result<Request<Bytes>, Source> {
    let (least, most) = LIFE_SECONDS;
    let text = SendTextMessage {
        destination_phone_number: prompt.to.as_str(),
        origination_identity: &settings.origination_identity,
        message_body: &prompt.text,
        message_type: "TRANSACTIONAL",
        configuration_set_name: settings.configuration_set.as_deref(),
        time_to_live: prompt.now.until(prompt.expires_at).as_secs().clamp(least, most),
        context: BTreeMap::from([("ref", prompt.reference.to_string())]),
    };
    let call = Request::builder()
        .method(Method::POST)
        .uri(base.join("/"))
        .header(CONTENT_TYPE, "application/x-amz-json-1.0")
        .header("x-amz-target", "PinpointSMSVoiceV2.SendTextMessage")
        .body(serde_json::to_vec(&text)?.into())?;
    Ok(call)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Taken {
    message_id: String,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(rename = "__type")]
    name: String,
    #[serde(rename = "Reason", default)]
    reason: String,
}

/// What an answer means.
pub(super) fn accepted(status: StatusCode, body: &[u8]) -> Result<Accepted, SendError> {
    if status.is_success() {
        let taken =
            serde_json::from_slice(body).ok().filter(|taken: &Taken| is_id(&taken.message_id));
        let taken = taken.ok_or_else(|| SendError::Unknown(Answered { status }.into()))?;
        return Ok(Accepted { provider_id: Some(taken.message_id), delivered: false });
    }
    // Above 499 the text may be on its way, whatever the answer's own words.
    let fault = serde_json::from_slice::<Fault>(body).ok().filter(|_| status.is_client_error());
    match fault.and_then(|fault| reaction(&fault.name, &fault.reason)) {
        Some(reaction) => Err(reaction.to_send(status)),
        None => Err(answers::by_status(status)),
    }
}

fn is_id(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// What an error asks for. Its name may stand behind a namespace and `#`, and before `:` and an address.
fn reaction(name: &str, reason: &str) -> Option<Reaction> {
    let name = name.rsplit('#').next().unwrap_or_default();
    let name = name.split(':').next().unwrap_or_default();
    let of_name = || FAULTS.iter().filter(|(known, _, _)| *known == name);
    let exact = of_name().find(|(_, known, _)| *known == reason);
    exact
        .or_else(|| of_name().find(|(_, known, _)| known.is_empty()))
        .map(|(_, _, reaction)| *reaction)
}
