//! RCS through AWS End User Messaging. The channel's SNS topic brings the delivery statuses, taps and texts.
//!
//! Only a sent card shows that a customer cannot be reached. Then the request takes its next route, or the service
//! sends a text itself if the settings say so. Never both, as the customer would get the prompt twice.

mod settings;
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

use crate::adapter::Deps;
use crate::aws::events::{self, FallbackBy};
use crate::aws::{Client, Origination};
use crate::message_limits::RCS;
use crate::previews;
use crate::settings::InvalidSetting;
use settings::SmsFallback;

pub(super) use settings::Settings;

pub(super) struct AwsRcs {
    origination: Origination,
    sms_fallback: Option<SmsFallback>,
    client: Client,
}

impl AwsRcs {
    pub(super) fn new(settings: Settings, deps: &Deps) -> Result<Self, InvalidSetting> {
        let Settings { region, origination_identity, configuration_set, sms_fallback, base_url } =
            settings;
        if let Some(text) = &sms_fallback {
            text.check()?;
        }
        let origination = Origination::new(origination_identity, configuration_set)?;
        Ok(Self { origination, sms_fallback, client: Client::new(region, base_url, deps)? })
    }
}

#[async_trait]
impl Channel for AwsRcs {
    fn resend(&self) -> Resend {
        Resend::Doubles
    }

    /// Promises no delivery receipt where the service falls back itself: a silent card must not start the next route.
    fn receipts(&self) -> ReceiptKinds {
        let has_events = self.origination.configuration_set.is_some();
        ReceiptKinds { delivered: has_events && self.sms_fallback.is_none(), read: has_events }
    }

    async fn capability(&self, _: &Phone, _: &Contact, _: Timestamp) -> Capability {
        Capability {
            reachable: true,
            rich: true,
            wallets: Vec::new(),
            receipts: self.receipts(),
            reason: Some("not_checked"),
        }
    }

    fn preview(&self, prompt: &Prompt) -> Option<MessagePreview> {
        Some(previews::card(prompt, &RCS))
    }

    async fn send(&self, prompt: &Prompt) -> Result<AcceptedPrompt, SendError> {
        let Some(card) = wire::message(&self.origination, self.sms_fallback.as_ref(), prompt)
        else {
            return Err(SendError::Misconfigured { reason: "public_base" });
        };
        self.client.send(wire::OPERATION, &card).await
    }

    fn is_chat(&self) -> bool {
        true
    }

    /// Never falls back to a text, which costs money and comes in another thread.
    async fn send_in_thread(&self, message: &ThreadMessage) -> Result<AcceptedPrompt, SendError> {
        let Some(card) = wire::message(&self.origination, None, &message.message) else {
            return Err(SendError::Misconfigured { reason: "public_base" });
        };
        self.client.send(wire::OPERATION, &card).await
    }

    /// Returns `false`: the service revokes a card at the end of its life only.
    async fn retract(&self, _: &Retraction) -> bool {
        false
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError> {
        let fallback = match self.sms_fallback {
            Some(_) => FallbackBy::Provider,
            None => FallbackBy::NextRoute,
        };
        events::receive(callback, fallback)
    }

    fn addressee(&self, callback: &UnverifiedCallback) -> Addressee {
        events::addressee(callback, &self.origination.identity)
    }
}

#[cfg(test)]
mod tests;
