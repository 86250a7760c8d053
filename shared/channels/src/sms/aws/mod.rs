//! SMS through AWS End User Messaging.
//!
//! Calls are signed with the identity the machine runs under, so there is no credential in the settings. The service
//! knows no client token: a text whose answer was lost is in doubt. Receipts come over SNS, which is not wired here.

mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::contact::Contact;
use domain::ports::{
    Accepted, CallbackError, Capability, Channel, Http, Prompt, Reach, ReceiptKinds, Received,
    Resend, Retraction, SendError, Signer, UnverifiedCallback,
};
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use serde::Deserialize;

use crate::Outside;
use crate::answers;
use crate::settings::{BaseUrl, InvalidSetting, identifier};

const TIMEOUT: Duration = Duration::from_secs(10);
const SERVICE: &str = "sms-voice";

/// What the brand says of its sender at AWS.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The region the sender lives in.
    region: String,
    /// A number, sender id or pool, by id or ARN.
    origination_identity: String,
    /// Where events go.
    #[serde(default)]
    configuration_set: Option<String>,
    /// Where the service listens, for a stand-in.
    #[serde(default)]
    base_url: Option<BaseUrl>,
}

/// The channel.
pub(super) struct Aws {
    settings: Settings,
    base: BaseUrl,
    http: Arc<dyn Http>,
    signer: Arc<dyn Signer>,
}

impl Aws {
    pub(super) fn new(mut settings: Settings, outside: &Outside) -> Result<Self, InvalidSetting> {
        let signer = outside.signer.as_ref().ok_or(InvalidSetting { field: "provider" })?;
        identifier("region", &settings.region, "-")?;
        identifier("origination_identity", &settings.origination_identity, "_:/+-")?;
        if let Some(set) = &settings.configuration_set {
            identifier("configuration_set", set, "_:/-")?;
        }
        let base = match settings.base_url.take() {
            Some(base) => base,
            None => {
                BaseUrl::try_from(format!("https://{SERVICE}.{}.amazonaws.com", settings.region))?
            }
        };
        Ok(Self { settings, base, http: Arc::clone(&outside.http), signer: Arc::clone(signer) })
    }
}

#[async_trait]
impl Channel for Aws {
    fn resend(&self) -> Resend {
        Resend::Doubles
    }

    fn receipts(&self) -> ReceiptKinds {
        ReceiptKinds { delivered: false, read: false }
    }

    async fn capability(&self, _: &Phone, _: &Contact, _: Timestamp) -> Capability {
        super::capability(self.receipts())
    }

    async fn send(&self, prompt: &Prompt) -> Result<Accepted, SendError> {
        let Ok(call) = wire::message(&self.base, &self.settings, prompt) else {
            return Err(SendError::Person { reason: "settings" });
        };
        let Ok(call) = self.signer.sign(call, SERVICE, &self.settings.region).await else {
            return Err(SendError::Person { reason: "credentials" });
        };
        let answer =
            self.http.call(call, Reach::Configured, TIMEOUT).await.map_err(answers::without)?;
        wire::accepted(answer.status(), answer.body())
    }

    async fn retract(&self, _: &Retraction) -> bool {
        false
    }

    fn receive(&self, _: &UnverifiedCallback) -> Result<Received, CallbackError> {
        Err(CallbackError::None)
    }
}

#[cfg(test)]
mod tests;
