//! The documented errors of SES, and what each answer to a send means.
//!
//! Source: the API model `sesv2` in botocore 1.43.11, and
//! <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>. UNVERIFIED: which error an exceeded quota has.
//! Before going live, send one mail more than the quota of a sandbox account allows.

use bytes::Bytes;
use http::Response;
use ports::{AcceptedPrompt, SendError};
use serde::Deserialize;

use crate::answers::{self, Reaction};
use crate::aws::is_id;

/// Each documented error type, with its reaction.
pub(super) const ERRORS: &[(&str, Reaction)] = &[
    ("AccessDeniedException", Reaction::Misconfigured("credentials")),
    ("AccountSuspendedException", Reaction::Misconfigured("suspended")),
    ("BadRequestException", Reaction::Misconfigured("rejected")),
    ("ExpiredTokenException", Reaction::Misconfigured("credentials")),
    ("IncompleteSignatureException", Reaction::Misconfigured("credentials")),
    ("InvalidSignatureException", Reaction::Misconfigured("credentials")),
    ("LimitExceededException", Reaction::Misconfigured("spend_limit")),
    ("MailFromDomainNotVerifiedException", Reaction::Misconfigured("sender")),
    // The sender, or in SES's sandbox the customer, is not verified.
    ("MessageRejected", Reaction::Misconfigured("sender")),
    ("MissingAuthenticationTokenException", Reaction::Misconfigured("credentials")),
    ("NotFoundException", Reaction::Misconfigured("sender")),
    ("SendingPausedException", Reaction::Misconfigured("suspended")),
    ("ThrottlingException", Reaction::Again),
    ("TooManyRequestsException", Reaction::Again),
    ("UnrecognizedClientException", Reaction::Misconfigured("credentials")),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendResponse {
    message_id: String,
}

/// Reads the answer to a send. Its body is dropped, as it may quote an address.
///
/// # Errors
///
/// [`SendError`] by the error's type, which stands in a header.
pub(super) fn accepted(answer: &Response<Bytes>) -> Result<AcceptedPrompt, SendError> {
    let status = answer.status();
    if status.is_success() {
        let response: Option<SendResponse> = serde_json::from_slice(answer.body()).ok();
        let id = response.map(|response| response.message_id).filter(|id| is_id(id));
        return match id {
            Some(id) if status == http::StatusCode::OK => Ok(AcceptedPrompt::new(Some(id))),
            Some(_) | None => Err(answers::by_status(status)),
        };
    }
    let name = answer.headers().get("x-amzn-errortype").and_then(|name| name.to_str().ok());
    match name.filter(|_| status.is_client_error()).and_then(reaction) {
        Some(reaction) => Err(reaction.to_send(status)),
        None => Err(answers::by_status(status)),
    }
}

/// Looks an error up by its type. A namespace and `#` may precede the type, and `:` and an address may follow it.
fn reaction(name: &str) -> Option<Reaction> {
    let name = name.split(':').next().unwrap_or_default();
    let name = name.rsplit('#').next().unwrap_or_default();
    ERRORS.iter().find(|(known, _)| *known == name).map(|(_, reaction)| *reaction)
}
