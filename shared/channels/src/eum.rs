//! What SMS and RCS through AWS End User Messaging have in common: the signed call, its answer, the table of its errors.
//!
//! Calls are signed with the identity the machine runs under, so there is no credential in the settings. The service
//! knows no client token: a message whose answer was lost is in doubt.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::ports::{Accepted, Http, Prompt, Reach, SendError, Signer, Source};
use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};
use serde::{Deserialize, Serialize};

use crate::Deps;
use crate::answers::{self, Answered, Reaction};
use crate::settings::{BaseUrl, InvalidSetting, identifier};

const TIMEOUT: Duration = Duration::from_secs(10);
const SERVICE: &str = "sms-voice";

/// Each documented error with its reason, and what it asks for. An empty reason is any other.
pub(crate) const FAULTS: &[(&str, &str, Reaction)] = &[
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
    ("ConflictException", "RESOURCE_NOT_ACTIVE", Reaction::Person("sender")),
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
    ("ValidationException", "CHANNEL_NOT_ENABLED", Reaction::Person("sender")),
    ("ValidationException", "COUNTRY_NOT_ENABLED", Reaction::Unreachable("country")),
    ("ValidationException", "DESTINATION_COUNTRY_BLOCKED", Reaction::Unreachable("country")),
    (
        "ValidationException",
        "INTERNATIONAL_SENDING_NOT_SUPPORTED",
        Reaction::Unreachable("country"),
    ),
    ("ValidationException", "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY", Reaction::Person("sender")),
    ("ValidationException", "PRICE_OVER_THRESHOLD", Reaction::Person("price")),
    ("ValidationException", "RESOURCE_NOT_ACCESSIBLE", Reaction::Person("sender")),
    ("ValidationException", "SENDER_ID_NOT_REGISTERED", Reaction::Person("registration")),
    ("ValidationException", "SENDER_ID_NOT_SUPPORTED", Reaction::Person("sender")),
    ("ValidationException", "SENDER_ID_REQUIRES_REGISTRATION", Reaction::Person("registration")),
    ("ValidationException", "", Reaction::Person("rejected")),
];

/// The way to the service in one region.
pub(crate) struct Service {
    region: String,
    base: BaseUrl,
    http: Arc<dyn Http>,
    signer: Arc<dyn Signer>,
}

impl Service {
    /// The service of a region, or a stand-in for it at `base_url`.
    pub(crate) fn new(
        region: String,
        base_url: Option<BaseUrl>,
        outside: &Deps,
    ) -> Result<Self, InvalidSetting> {
        let signer = outside.signer.as_ref().ok_or(InvalidSetting { field: "provider" })?;
        identifier("region", &region, "-")?;
        let base = match base_url {
            Some(base) => base,
            None => BaseUrl::try_from(format!("https://{SERVICE}.{region}.amazonaws.com"))?,
        };
        Ok(Self { region, base, http: Arc::clone(&outside.http), signer: Arc::clone(signer) })
    }

    /// Makes the call that sends a message: a pure function of the message, but for its signature.
    pub(crate) async fn send(
        &self,
        operation: &str,
        message: &(impl Serialize + Sync),
    ) -> Result<Accepted, SendError> {
        let Ok(call) = self.call(operation, message) else {
            return Err(SendError::Person { reason: "settings" });
        };
        let Ok(call) = self.signer.sign(call, SERVICE, &self.region).await else {
            return Err(SendError::Person { reason: "credentials" });
        };
        let answer =
            self.http.call(call, Reach::Configured, TIMEOUT).await.map_err(answers::without)?;
        accepted(answer.status(), answer.body())
    }

    fn call(
        &self,
        operation: &str,
        message: &(impl Serialize + Sync),
    ) -> Result<Request<Bytes>, Source> {
        let call = Request::builder()
            .method(Method::POST)
            .uri(self.base.join("/"))
            .header(CONTENT_TYPE, "application/x-amz-json-1.0")
            .header("x-amz-target", format!("PinpointSMSVoiceV2.{operation}"))
            .body(serde_json::to_vec(message)?.into())?;
        Ok(call)
    }
}

/// Whom messages come from, and where events about them go.
pub(crate) struct Sender {
    /// A number, name, pool or agent, by value, id or ARN.
    pub(crate) identity: String,
    /// By name or ARN.
    pub(crate) configuration_set: Option<String>,
}

impl Sender {
    pub(crate) fn new(
        identity: String,
        configuration_set: Option<String>,
    ) -> Result<Self, InvalidSetting> {
        origination("origination_identity", &identity)?;
        if let Some(set) = &configuration_set {
            identifier("configuration_set", set, "_:/-")?;
        }
        Ok(Self { identity, configuration_set })
    }
}

/// Whether a setting may be a sender, by value, id or ARN.
pub(crate) fn origination(field: &'static str, text: &str) -> Result<(), InvalidSetting> {
    identifier(field, text, "_:/+-")
}

/// What every event about the message brings back.
pub(crate) fn context(prompt: &Prompt) -> BTreeMap<&'static str, String> {
    BTreeMap::from([("ref", prompt.reference.to_string())])
}

/// How many seconds a prompt is worth delivering, within what the operation takes.
pub(crate) fn life_seconds(prompt: &Prompt, (least, most): (u64, u64)) -> u64 {
    prompt.now.until(prompt.expires_at).as_secs().clamp(least, most)
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
fn accepted(status: StatusCode, body: &[u8]) -> Result<Accepted, SendError> {
    if status.is_success() {
        let taken =
            serde_json::from_slice(body).ok().filter(|taken: &Taken| is_id(&taken.message_id));
        let taken = taken.ok_or_else(|| SendError::Unknown(Answered { status }.into()))?;
        return Ok(Accepted { provider_id: Some(taken.message_id), delivered: false });
    }
    // Above 499 the message may be on its way, whatever the answer's own words.
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::doubles::{fixtures, meaning, recorded};

    #[test]
    fn each_recorded_answer_means_what_its_fixture_says() {
        let fixtures = fixtures("sms/fixtures/aws");
        for (name, fixture) in &fixtures {
            let (status, body, means) = recorded(fixture);
            let sent = accepted(status.try_into().unwrap(), &body);
            assert_eq!(meaning(&sent), means, "{name}");
        }
        for (error, reason, _) in FAULTS {
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
