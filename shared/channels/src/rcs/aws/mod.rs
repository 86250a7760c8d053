//! RCS through AWS End User Messaging.
//!
//! What happens to a card, and what customers tap or write, comes over the channel's SNS topic. Who cannot be reached is
//! known only once a card was tried: then the request's next route has its turn, or, where the settings say so, the
//! service sends a text by itself. Never both, or the customer would get the prompt twice.

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
use crate::eum::{self, Sender, Service};
use crate::eum_events::{self, Fallback};
use crate::settings::{BaseUrl, InvalidSetting};

/// What the brand says of its agent at AWS.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The region the agent lives in.
    region: String,
    /// An agent or pool, by id or ARN.
    origination_identity: String,
    /// Where events go. Without it nobody tells what happened to a card, and silence means nothing.
    #[serde(default)]
    configuration_set: Option<String>,
    /// Lets the service send a text where RCS does not reach the customer, instead of the request's next route.
    #[serde(default)]
    sms_fallback: Option<SmsFallback>,
    /// Where the service listens, for a stand-in.
    #[serde(default)]
    base_url: Option<BaseUrl>,
}

/// A text that the service sends in place of a card.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SmsFallback {
    /// A number or sender id, by value, id or ARN. The service takes neither pool nor agent here.
    origination_identity: String,
    /// How long a card may take to arrive; then it is taken back and the text goes out.
    #[serde(default = "half_a_minute")]
    after_seconds: u32,
}

const fn half_a_minute() -> u32 {
    30
}

/// The channel.
pub(super) struct Aws {
    sender: Sender,
    sms_fallback: Option<SmsFallback>,
    service: Service,
}

impl Aws {
    pub(super) fn new(settings: Settings, outside: &Deps) -> Result<Self, InvalidSetting> {
        let Settings { region, origination_identity, configuration_set, sms_fallback, base_url } =
            settings;
        if let Some(text) = &sms_fallback {
            text.check()?;
        }
        let sender = Sender::new(origination_identity, configuration_set)?;
        Ok(Self { sender, sms_fallback, service: Service::new(region, base_url, outside)? })
    }
}

impl SmsFallback {
    fn check(&self) -> Result<(), InvalidSetting> {
        eum::origination("sms_fallback", &self.origination_identity)?;
        let kinds = ["pool-", "rcs-", ":pool/", ":rcs-agent/"];
        if kinds.iter().any(|kind| self.origination_identity.contains(kind)) {
            return Err(InvalidSetting { field: "sms_fallback" });
        }
        Ok(())
    }
}

#[async_trait]
impl Channel for Aws {
    fn resend(&self) -> Resend {
        Resend::Doubles
    }

    /// Where the service falls back by itself, a card that is silent is no reason to try the next route.
    fn receipts(&self) -> ReceiptKinds {
        let told = self.sender.configuration_set.is_some();
        ReceiptKinds { delivered: told && self.sms_fallback.is_none(), read: told }
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

    async fn send(&self, prompt: &Prompt) -> Result<Accepted, SendError> {
        let Some(card) = wire::message(&self.sender, self.sms_fallback.as_ref(), prompt) else {
            return Err(SendError::Person { reason: "public_base" });
        };
        self.service.send(wire::OPERATION, &card).await
    }

    /// The service takes a card back at the end of its life only.
    async fn retract(&self, _: &Retraction) -> bool {
        false
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<Received, CallbackError> {
        let fallback = match self.sms_fallback {
            Some(_) => Fallback::Theirs,
            None => Fallback::Ours,
        };
        eum_events::receive(callback, fallback)
    }
}

#[cfg(test)]
mod tests;
