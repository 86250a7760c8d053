//! SMS through Twilio.

use std::sync::Arc;

use async_trait::async_trait;
use domain::contact::Contact;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use ports::{
    AcceptedPrompt, Addressee, CallbackError, Capability, Channel, Http, MessagePreview, Prompt,
    Reach, ReceiptKinds, ReceivedWebhook, Resend, Retraction, SendError, ThreadMessage,
    UnverifiedCallback,
};

use super::account::{Account, Settings};
use super::wire::{self, MessageContent};
use super::{TIMEOUT, callback, signature};
use crate::adapter::Deps;
use crate::answers;
use crate::settings::{InvalidSetting, RotatedSecret};
use crate::sms_capability::capability;

/// SMS through Twilio.
pub(crate) struct TwilioSms {
    account: Account,
    auth_token: RotatedSecret,
    http: Arc<dyn Http>,
}

impl TwilioSms {
    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] for the first malformed one.
    pub(crate) fn new(settings: Settings, deps: &Deps) -> Result<Self, InvalidSetting> {
        let account = Account::new(&settings)?;
        Ok(Self { account, auth_token: settings.auth_token, http: Arc::clone(&deps.http) })
    }
}

#[async_trait]
impl Channel for TwilioSms {
    fn resend(&self) -> Resend {
        Resend::Doubles
    }

    fn receipts(&self) -> ReceiptKinds {
        ReceiptKinds { delivered: true, read: false }
    }

    async fn capability(&self, _: &Phone, _: &Contact, _: Timestamp) -> Capability {
        capability(self.receipts())
    }

    fn preview(&self, prompt: &Prompt) -> Option<MessagePreview> {
        Some(MessagePreview::text(&prompt.text))
    }

    async fn send(&self, prompt: &Prompt) -> Result<AcceptedPrompt, SendError> {
        let text = MessageContent::Text(&prompt.text);
        let Ok(call) = wire::message(&self.account, prompt, prompt.to.as_str(), text) else {
            return Err(SendError::Misconfigured { reason: "settings" });
        };
        let answer =
            self.http.call(call, Reach::Configured, TIMEOUT).await.map_err(answers::no_answer)?;
        wire::accepted(answer.status(), answer.body())
    }

    fn is_chat(&self) -> bool {
        false
    }

    async fn send_in_thread(&self, message: &ThreadMessage) -> Result<AcceptedPrompt, SendError> {
        self.send(&message.message).await
    }

    /// Returns `false`: Twilio can cancel a scheduled text, but not one that is on its way.
    async fn retract(&self, _: &Retraction) -> bool {
        false
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError> {
        self.auth_token.verify(|token| signature::verify(token, callback))?;
        callback::read(callback)
    }

    fn addressee(&self, callback: &UnverifiedCallback) -> Addressee {
        callback::addressee(&self.account.sender, callback)
    }
}
