//! RCS through Google's RCS for Business API.
//!
//! Google ignores a message whose id the agent already used, and the id is the prompt's own. So every call can be
//! repeated, also after a lost answer.
//! Source: <https://developers.google.com/business-communications/rcs-business-messaging/guides/build/messages/send>,
//! read 2026-11-26.

mod account;
mod agent;
mod callback;
mod calls;
mod signature;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::contact::Contact;
use domain::random::Random;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use http::StatusCode;
use ports::{
    AcceptedPrompt, Addressee, CallbackError, Capability, Channel, MessagePreview, Prompt,
    ReceiptKinds, ReceivedWebhook, Resend, Retraction, SendError, ThreadMessage,
    UnverifiedCallback,
};

use crate::adapter::AdapterConfig;
use crate::message_limits::RCS;
use crate::previews;
use crate::settings::{InvalidSetting, RotatedSecret};
use account::ServiceAccount;
use agent::{Agent, RECEIPTS};
use calls::Caller;

pub(super) use agent::Settings;

const TIMEOUT: Duration = Duration::from_secs(10);
/// A customer waits on the line during a look-up, and a prompt can be tried without one.
const LOOK_UP_TIMEOUT: Duration = Duration::from_millis(1_500);

pub(super) struct GoogleRcs {
    agent: Agent,
    client_token: RotatedSecret,
    caller: Caller,
    random: Arc<dyn Random>,
}

impl GoogleRcs {
    pub(super) fn new(
        settings: Settings,
        config: &AdapterConfig<'_>,
    ) -> Result<Self, InvalidSetting> {
        let agent = Agent::new(&settings)?;
        let Settings { service_account, client_token, .. } = settings;
        let deps = config.deps;
        let caller = Caller {
            account: ServiceAccount::new(service_account)?,
            tokens: Arc::clone(config.tokens),
            http: Arc::clone(&deps.http),
            clock: Arc::clone(&deps.clock),
        };
        Ok(Self { agent, client_token, caller, random: Arc::clone(&deps.random) })
    }
}

#[async_trait]
impl Channel for GoogleRcs {
    fn resend(&self) -> Resend {
        Resend::Safe
    }

    fn receipts(&self) -> ReceiptKinds {
        RECEIPTS
    }

    async fn capability(&self, to: &Phone, _: &Contact, _: Timestamp) -> Capability {
        if !self.caller.account.can_sign() {
            return wire::not_checked();
        }
        let mut fresh = [0; 16];
        self.random.fill(&mut fresh);
        wire::capability(match wire::capability_call(&self.agent, to, fresh) {
            Ok(call) => self.caller.call(call, LOOK_UP_TIMEOUT).await,
            Err(_) => Err(SendError::Misconfigured { reason: "settings" }),
        })
    }

    fn preview(&self, prompt: &Prompt) -> Option<MessagePreview> {
        Some(previews::card(prompt, &RCS))
    }

    async fn send(&self, prompt: &Prompt) -> Result<AcceptedPrompt, SendError> {
        let Ok(call) = wire::message(&self.agent, prompt) else {
            return Err(SendError::Misconfigured { reason: "settings" });
        };
        let answer = self.caller.call(call, TIMEOUT).await?;
        wire::accepted(prompt.reference.prompt, answer.status(), answer.body())
    }

    fn is_chat(&self) -> bool {
        true
    }

    async fn send_in_thread(&self, message: &ThreadMessage) -> Result<AcceptedPrompt, SendError> {
        self.send(&message.message).await
    }

    /// Removes the message from Google's queue. A message on the phone stays there, and Google answers 404.
    async fn retract(&self, retraction: &Retraction) -> bool {
        let Ok(call) = wire::revocation(&self.agent, retraction) else { return false };
        let answer = self.caller.call(call, TIMEOUT).await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError> {
        Ok(match self.client_token.verify(|token| signature::verify(token, callback))? {
            signature::VerifiedCall::Handshake { secret } => callback::echo(secret),
            signature::VerifiedCall::Event { data } => callback::read(&self.agent.id, &data),
        })
    }

    /// One webhook may serve all agents of a partner. Each event names its agent, and others' were dropped.
    fn addressee(&self, _: &UnverifiedCallback) -> Addressee {
        Addressee::Own
    }
}

#[cfg(test)]
mod tests;
