//! The signed call to AWS End User Messaging.
//!
//! Calls are signed with the identity that the machine runs under, so the settings hold no credential. The API has no
//! client token: a message whose answer was lost is in doubt.
//! Source: the API model in botocore 1.44.5, and
//! <https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendRcsMessage.html>, read 2026-11-26.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use ports::{AcceptedPrompt, Http, Prompt, Reach, SendError, Signer, Source};
use serde::Serialize;

use super::errors;
use crate::adapter::Deps;
use crate::answers;
use crate::settings::{BaseUrl, InvalidSetting, identifier};

const TIMEOUT: Duration = Duration::from_secs(10);
const SERVICE: &str = "sms-voice";

/// A client of the service in one region.
pub(crate) struct Client {
    region: String,
    base: BaseUrl,
    http: Arc<dyn Http>,
    signer: Arc<dyn Signer>,
}

impl Client {
    /// Creates a client of `region`, or of a stand-in at `base_url`.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] on a machine without an identity to sign with, and for a malformed region.
    pub(crate) fn new(
        region: String,
        base_url: Option<BaseUrl>,
        deps: &Deps,
    ) -> Result<Self, InvalidSetting> {
        let signer = deps.signer.as_ref().ok_or(InvalidSetting { field: "provider" })?;
        identifier("region", &region, "-")?;
        let base = match base_url {
            Some(base) => base,
            None => BaseUrl::try_from(format!("https://{SERVICE}.{region}.amazonaws.com"))?,
        };
        Ok(Self { region, base, http: Arc::clone(&deps.http), signer: Arc::clone(signer) })
    }

    /// Sends `message` with `operation`. The call is a pure function of the message, except for its signature.
    ///
    /// # Errors
    ///
    /// [`SendError`] by the service's error; [`SendError::Unknown`] where the answer was lost.
    pub(crate) async fn send(
        &self,
        operation: &str,
        message: &(impl Serialize + Sync),
    ) -> Result<AcceptedPrompt, SendError> {
        let Ok(call) = self.call(operation, message) else {
            return Err(SendError::Misconfigured { reason: "settings" });
        };
        let Ok(call) = self.signer.sign(call, SERVICE, &self.region).await else {
            return Err(SendError::Misconfigured { reason: "credentials" });
        };
        let answer =
            self.http.call(call, Reach::Configured, TIMEOUT).await.map_err(answers::no_answer)?;
        errors::accepted(answer.status(), answer.body())
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

/// The sender of messages, and the destination of the events about them.
pub(crate) struct Origination {
    /// A number, sender id, pool or agent, by value, id or ARN.
    pub(crate) identity: String,
    /// A configuration set, by name or ARN.
    pub(crate) configuration_set: Option<String>,
}

impl Origination {
    /// Checks the two settings.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] that names the malformed one.
    pub(crate) fn new(
        identity: String,
        configuration_set: Option<String>,
    ) -> Result<Self, InvalidSetting> {
        check_origination("origination_identity", &identity)?;
        if let Some(set) = &configuration_set {
            identifier("configuration_set", set, "_:/-")?;
        }
        Ok(Self { identity, configuration_set })
    }
}

/// Checks that a setting can be an origination identity, by value, id or ARN.
///
/// # Errors
///
/// [`InvalidSetting`] that names `field`.
pub(crate) fn check_origination(field: &'static str, text: &str) -> Result<(), InvalidSetting> {
    identifier(field, text, "_:/+-")
}

/// Returns the context that every event about the message brings back.
pub(crate) fn context(prompt: &Prompt) -> BTreeMap<&'static str, String> {
    BTreeMap::from([("ref", prompt.reference.to_string())])
}

/// The range of `TimeToLive` that an operation takes, in seconds.
#[derive(Clone, Copy)]
pub(crate) struct LifeSeconds {
    pub(crate) least: u64,
    pub(crate) most: u64,
}

impl LifeSeconds {
    /// Returns the seconds until the prompt's deadline, within this range.
    pub(crate) fn of(self, prompt: &Prompt) -> u64 {
        prompt.now.until(prompt.expires_at).as_secs().clamp(self.least, self.most)
    }
}
