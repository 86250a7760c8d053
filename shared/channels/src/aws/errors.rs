//! The documented errors of AWS End User Messaging, and what each answer to a send means.
//!
//! Source: the API model in botocore 1.44.5, and
//! <https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendRcsMessage.html>, read 2026-11-26.

use http::StatusCode;
use ports::{AcceptedPrompt, OPTED_OUT, SendError};
use serde::Deserialize;

use crate::answers::{self, ProviderAnswer, Reaction};

/// Each documented error type and `Reason`, with its reaction. An empty reason stands for any other reason.
pub(super) const ERRORS: &[(&str, &str, Reaction)] = &[
    ("AccessDeniedException", "ACCOUNT_DISABLED", Reaction::Misconfigured("suspended")),
    (
        "AccessDeniedException",
        "INSUFFICIENT_ACCOUNT_REPUTATION",
        Reaction::Misconfigured("suspended"),
    ),
    ("AccessDeniedException", "", Reaction::Misconfigured("credentials")),
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
    (
        "ConflictException",
        "DESTINATION_PHONE_NUMBER_NOT_VERIFIED",
        Reaction::Misconfigured("sandboxed"),
    ),
    ("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT", Reaction::Unreachable(OPTED_OUT)),
    ("ConflictException", "NO_ORIGINATION_IDENTITIES_FOUND", Reaction::Misconfigured("sender")),
    ("ConflictException", "RESOURCE_NOT_ACTIVE", Reaction::Misconfigured("sender")),
    ("ExpiredTokenException", "", Reaction::Misconfigured("credentials")),
    ("IncompleteSignatureException", "", Reaction::Misconfigured("credentials")),
    ("InvalidSignatureException", "", Reaction::Misconfigured("credentials")),
    ("MissingAuthenticationTokenException", "", Reaction::Misconfigured("credentials")),
    ("ResourceNotFoundException", "", Reaction::Misconfigured("sender")),
    (
        "ServiceQuotaExceededException",
        "DAILY_DESTINATION_CALL_LIMIT",
        Reaction::Unreachable("limit"),
    ),
    ("ServiceQuotaExceededException", "", Reaction::Misconfigured("spend_limit")),
    ("ThrottlingException", "", Reaction::Again),
    ("UnrecognizedClientException", "", Reaction::Misconfigured("credentials")),
    ("ValidationException", "CHANNEL_NOT_ENABLED", Reaction::Misconfigured("sender")),
    ("ValidationException", "COUNTRY_NOT_ENABLED", Reaction::Unreachable("country")),
    ("ValidationException", "DESTINATION_COUNTRY_BLOCKED", Reaction::Unreachable("country")),
    (
        "ValidationException",
        "INTERNATIONAL_SENDING_NOT_SUPPORTED",
        Reaction::Unreachable("country"),
    ),
    (
        "ValidationException",
        "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY",
        Reaction::Misconfigured("sender"),
    ),
    ("ValidationException", "PRICE_OVER_THRESHOLD", Reaction::Misconfigured("price")),
    ("ValidationException", "RESOURCE_NOT_ACCESSIBLE", Reaction::Misconfigured("sender")),
    ("ValidationException", "SENDER_ID_NOT_REGISTERED", Reaction::Misconfigured("registration")),
    ("ValidationException", "SENDER_ID_NOT_SUPPORTED", Reaction::Misconfigured("sender")),
    (
        "ValidationException",
        "SENDER_ID_REQUIRES_REGISTRATION",
        Reaction::Misconfigured("registration"),
    ),
    ("ValidationException", "", Reaction::Misconfigured("rejected")),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendResponse {
    message_id: String,
}

#[derive(Deserialize)]
struct ErrorResponse {
    #[serde(rename = "__type")]
    name: String,
    #[serde(rename = "Reason", default)]
    reason: String,
}

/// Reads the answer to a send.
///
/// # Errors
///
/// [`SendError`] by the documented error, or by the status where the body names none.
pub(super) fn accepted(status: StatusCode, body: &[u8]) -> Result<AcceptedPrompt, SendError> {
    if status.is_success() {
        let response = serde_json::from_slice(body)
            .ok()
            .filter(|response: &SendResponse| is_id(&response.message_id));
        let response =
            response.ok_or_else(|| SendError::Unknown(ProviderAnswer { status }.into()))?;
        return Ok(AcceptedPrompt::new(Some(response.message_id)));
    }
    // Above 499 the message may have been sent, even if the body names an error.
    let error =
        serde_json::from_slice::<ErrorResponse>(body).ok().filter(|_| status.is_client_error());
    match error.and_then(|error| reaction(&error.name, &error.reason)) {
        Some(reaction) => Err(reaction.to_send(status)),
        None => Err(answers::by_status(status)),
    }
}

/// Returns whether a text has the form of a message's id.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Looks an error up by its type. A namespace and `#` may precede the type, and `:` and an address may follow it.
fn reaction(name: &str, reason: &str) -> Option<Reaction> {
    let name = name.rsplit('#').next().unwrap_or_default();
    let name = name.split(':').next().unwrap_or_default();
    let of_name = || ERRORS.iter().filter(|(known, _, _)| *known == name);
    let exact = of_name().find(|(_, known, _)| *known == reason);
    exact
        .or_else(|| of_name().find(|(_, known, _)| known.is_empty()))
        .map(|(_, _, reaction)| *reaction)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::doubles::{fixtures, meaning, recorded};

    #[test]
    fn recorded_answer_means_what_its_fixture_says() {
        let fixtures = fixtures("aws/fixtures/answers");
        for (name, fixture) in &fixtures {
            let (status, body, means) = recorded(fixture);
            let sent = accepted(status.try_into().unwrap(), &body);
            assert_eq!(meaning(&sent), means, "{name}");
        }
        for (error, reason, _) in ERRORS {
            let of_row = |body: &Value| {
                body["__type"].as_str().is_some_and(|kind| kind.ends_with(error))
                    && body["Reason"].as_str().unwrap_or("") == *reason
            };
            assert!(
                fixtures.values().any(|fixture| of_row(&fixture["body"])),
                "{error} {reason} has no fixture"
            );
        }
    }
}
