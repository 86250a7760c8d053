//! SMS through AWS End User Messaging. The channel's SNS topic brings the delivery statuses and the customers' texts.

mod wire;

use async_trait::async_trait;
use domain::contact::Contact;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use ports::{
    AcceptedPrompt, Addressee, CallbackError, Capability, Channel, MessagePreview, Prompt,
    ReceiptKinds, ReceivedWebhook, Resend, Retraction, SendError, ThreadMessage,
    UnverifiedCallback,
};
use serde::Deserialize;

use crate::adapter::Deps;
use crate::aws::events::{self, FallbackBy};
use crate::aws::{Client, Origination};
use crate::settings::{BaseUrl, InvalidSetting};
use crate::sms_capability::capability;

/// The settings of a sender at AWS.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The sender's region.
    region: String,
    /// A number, sender id or pool, by id or ARN.
    origination_identity: String,
    /// The destination of events.
    #[serde(default)]
    configuration_set: Option<String>,
    /// The address of a stand-in.
    #[serde(default)]
    base_url: Option<BaseUrl>,
}

pub(super) struct AwsSms {
    origination: Origination,
    client: Client,
}

impl AwsSms {
    pub(super) fn new(settings: Settings, deps: &Deps) -> Result<Self, InvalidSetting> {
        let Settings { region, origination_identity, configuration_set, base_url } = settings;
        let origination = Origination::new(origination_identity, configuration_set)?;
        Ok(Self { origination, client: Client::new(region, base_url, deps)? })
    }
}

#[async_trait]
impl Channel for AwsSms {
    fn resend(&self) -> Resend {
        Resend::Doubles
    }

    /// Promises no receipt: a carrier may take 72 hours to report a delivery, and some carriers never do.
    ///
    /// Source: <https://docs.aws.amazon.com/end-user-messaging/latest/userguide/nx-features-messaging-events.html>,
    /// read 2026-11-26.
    fn receipts(&self) -> ReceiptKinds {
        ReceiptKinds { delivered: false, read: false }
    }

    async fn capability(&self, _: &Phone, _: &Contact, _: Timestamp) -> Capability {
        capability(self.receipts())
    }

    fn preview(&self, prompt: &Prompt) -> Option<MessagePreview> {
        Some(MessagePreview::text(&prompt.text))
    }

    async fn send(&self, prompt: &Prompt) -> Result<AcceptedPrompt, SendError> {
        self.client.send(wire::OPERATION, &wire::message(&self.origination, prompt)).await
    }

    fn is_chat(&self) -> bool {
        false
    }

    async fn send_in_thread(&self, message: &ThreadMessage) -> Result<AcceptedPrompt, SendError> {
        self.send(&message.message).await
    }

    /// Returns `false`: the service cannot take a text back.
    async fn retract(&self, _: &Retraction) -> bool {
        false
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError> {
        events::receive(callback, FallbackBy::NextRoute)
    }

    fn addressee(&self, callback: &UnverifiedCallback) -> Addressee {
        events::addressee(callback, &self.origination.identity)
    }
}

#[cfg(test)]
mod tests;
