//! SMS through AWS End User Messaging.
//!
//! What happens to a text, and what customers write back, comes over the channel's SNS topic.

mod wire;

use async_trait::async_trait;
use domain::contact::Contact;
use domain::ports::{
    Accepted, CallbackError, Capability, Channel, Prompt, ReceiptKinds, Received, Resend,
    Retraction, SendError, UnverifiedCallback,
};
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use serde::Deserialize;

use crate::Deps;
use crate::eum::{Sender, Service};
use crate::eum_events::{self, Fallback};
use crate::settings::{BaseUrl, InvalidSetting};

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
    sender: Sender,
    service: Service,
}

impl Aws {
    pub(super) fn new(settings: Settings, outside: &Deps) -> Result<Self, InvalidSetting> {
        let Settings { region, origination_identity, configuration_set, base_url } = settings;
        let sender = Sender::new(origination_identity, configuration_set)?;
        Ok(Self { sender, service: Service::new(region, base_url, outside)? })
    }
}

#[async_trait]
impl Channel for Aws {
    fn resend(&self) -> Resend {
        Resend::Doubles
    }

    /// Carriers take up to 72 hours to tell that a text arrived, and some never do: silence means nothing.
    fn receipts(&self) -> ReceiptKinds {
        ReceiptKinds { delivered: false, read: false }
    }

    async fn capability(&self, _: &Phone, _: &Contact, _: Timestamp) -> Capability {
        super::capability(self.receipts())
    }

    async fn send(&self, prompt: &Prompt) -> Result<Accepted, SendError> {
        self.service.send(wire::OPERATION, &wire::message(&self.sender, prompt)).await
    }

    /// A text that is on its way cannot be called back.
    async fn retract(&self, _: &Retraction) -> bool {
        false
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<Received, CallbackError> {
        eum_events::receive(callback, Fallback::Ours)
    }
}

#[cfg(test)]
mod tests;
