//! The signed calls to AWS End User Messaging and to SES.
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
use http::{Method, Request, Response};
use ports::{AcceptedPrompt, Http, Prompt, Reach, SendError, Signer, Source};
use serde::Serialize;

use super::errors;
use crate::adapter::Deps;
use crate::answers;
use crate::settings::{BaseUrl, InvalidSetting, identifier};

const TIMEOUT: Duration = Duration::from_secs(10);
const END_USER_MESSAGING: Service = Service { name: "sms-voice", host: "sms-voice" };

/// A service of AWS.
#[derive(Clone, Copy)]
pub(crate) struct Service {
    /// The name that calls are signed for.
    pub(crate) name: &'static str,
    /// The first label of its host.
    pub(crate) host: &'static str,
}

/// A client of a service in one region.
pub(crate) struct Client {
    service: Service,
    region: String,
    base: BaseUrl,
    http: Arc<dyn Http>,
    signer: Arc<dyn Signer>,
}

impl Client {
    /// Creates a client of End User Messaging in `region`, or of a stand-in at `base_url`.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] on a machine without an identity to sign with, and for a malformed region.
    pub(crate) fn new(
        region: String,
        base_url: Option<BaseUrl>,
        deps: &Deps,
    ) -> Result<Self, InvalidSetting> {
        Self::of(END_USER_MESSAGING, region, base_url, deps)
    }

    /// Creates a client of another service.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub(crate) fn of(
        service: Service,
        region: String,
        base_url: Option<BaseUrl>,
        deps: &Deps,
    ) -> Result<Self, InvalidSetting> {
        let signer = deps.signer.as_ref().ok_or(InvalidSetting { field: "provider" })?;
        identifier("region", &region, "-")?;
        let base = match base_url {
            Some(base) => base,
            None => BaseUrl::try_from(format!("https://{}.{region}.amazonaws.com", service.host))?,
        };
        let (http, signer) = (Arc::clone(&deps.http), Arc::clone(signer));
        Ok(Self { service, region, base, http, signer })
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
        let answer = self.answer(call).await?;
        errors::accepted(answer.status(), answer.body())
    }

    /// Returns the address of a path of the service.
    pub(crate) fn url(&self, path: &str) -> String {
        self.base.join(path)
    }

    /// Signs a call, makes it, and returns its answer.
    ///
    /// # Errors
    ///
    /// [`SendError`] of a call that cannot be signed or has no answer.
    pub(crate) async fn answer(&self, call: Request<Bytes>) -> Result<Response<Bytes>, SendError> {
        let Ok(call) = self.signer.sign(call, self.service.name, &self.region).await else {
            return Err(SendError::Misconfigured { reason: "credentials" });
        };
        self.http.call(call, Reach::Configured, TIMEOUT).await.map_err(answers::no_answer)
    }

    fn call(
        &self,
        operation: &str,
        message: &(impl Serialize + Sync),
    ) -> Result<Request<Bytes>, Source> {
        let call = Request::builder()
            .method(Method::POST)
            .uri(self.url("/"))
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
