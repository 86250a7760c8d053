//! Apple Messages for Business. Only the customer can begin, by writing. From then on, Assent asks with buttons or
//! through Apple Pay.
//!
//! Apple sends neither delivery nor read receipts. UNVERIFIED: Apple may not recognise a message that comes twice, so a
//! lost answer is in doubt. Before going live, send one id twice and look at the phone.
//! Sources: <https://register.apple.com/resources/messages/msp-rest-api/> and Apple's tutorial sample code of 2025.

mod account;
mod callback;
mod compressed;
mod entry;
mod pay;
mod query;
mod reference;
mod settings;
mod token;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::brand::Key32;
use domain::contact::Contact;
use domain::request::CUSTOMER_MUST_START;
use domain::values::money::Money;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use ports::{
    AcceptedPrompt, Addressee, ButtonAction, CallbackError, Capability, Channel, Http, MessageForm,
    MessagePreview, Prompt, Reach, ReceiptKinds, ReceivedWebhook, Resend, Retraction, SendError,
    Source, ThreadMessage, UnverifiedCallback,
};
use serde_json::Value;

use crate::adapter::{AdapterConfig, Kind};
use crate::answers;
use crate::message_limits::APPLE;
use crate::previews;
use account::Account;
use callback::InboundMessage;
use entry::EntryLink;
use pay::ApplePay;
use settings::Settings;
use wire::{ButtonSupport, Content};

/// Apple Messages for Business.
pub(crate) const KIND: Kind = Kind { name: "apple", open };

const TIMEOUT: Duration = Duration::from_secs(10);
/// A customer waits on the line, and the text with the link would have arrived by then.
const SESSION_TIMEOUT: Duration = Duration::from_secs(5);

struct Apple {
    account: Account,
    apple_pay: Option<ApplePay>,
    entry_link: EntryLink,
    link_key: Key32,
    http: Arc<dyn Http>,
}

fn open(config: &AdapterConfig<'_>) -> Result<Box<dyn Channel>, Source> {
    let settings: Settings = config.setup.settings.read()?;
    let link_key = &config.brand.link_key;
    let account = settings.account()?;
    let apple_pay = settings.apple_pay.map(|settings| ApplePay::new(settings, link_key));
    let has_code = config.brand.policy.session_code.payment;
    Ok(Box::new(Apple {
        account,
        apple_pay: apple_pay.transpose()?.filter(|_| !has_code),
        entry_link: settings.entry_link,
        link_key: link_key.clone(),
        http: Arc::clone(&config.deps.http),
    }))
}

impl Apple {
    /// Returns Apple Pay and the amount, if the prompt asks for a payment that a reply alone cannot approve.
    fn wallet(&self, prompt: &Prompt) -> Option<(&ApplePay, Money)> {
        let first = prompt.buttons.first()?;
        let needs_page = match first.action {
            ButtonAction::Open { .. } => true,
            ButtonAction::Reply { .. } => false,
        };
        self.apple_pay.as_ref().filter(|_| needs_page).zip(prompt.money)
    }

    async fn session(&self, apple_pay: &ApplePay, prompt: &Prompt) -> Result<Value, SendError> {
        let call = apple_pay.session_call(prompt)?;
        let answer = self.http.call(call, Reach::Configured, SESSION_TIMEOUT).await;
        let answer = answer.map_err(pay::no_session)?;
        apple_pay.session(answer.status(), answer.body())
    }

    async fn send_content(
        &self,
        prompt: &Prompt,
        handle: &str,
        content: Content,
    ) -> Result<AcceptedPrompt, SendError> {
        let call = wire::message(&self.account, prompt, handle, content)?;
        let answer =
            self.http.call(call, Reach::Configured, TIMEOUT).await.map_err(answers::no_answer)?;
        wire::accepted(answer.status(), prompt)
    }

    /// Reads a message whose sender is verified; `None` for one to another business of the provider.
    fn message(
        &self,
        callback: &UnverifiedCallback,
    ) -> Result<Option<InboundMessage>, CallbackError> {
        if !self.account.tokens.verifies(&callback.headers, callback.now) {
            return Err(CallbackError::Forged);
        }
        InboundMessage::read(callback, &self.account.business_id)
    }
}

#[async_trait]
impl Channel for Apple {
    fn resend(&self) -> Resend {
        Resend::Doubles
    }

    fn receipts(&self) -> ReceiptKinds {
        ReceiptKinds { delivered: false, read: false }
    }

    async fn capability(&self, _: &Phone, contact: &Contact, _: Timestamp) -> Capability {
        let reachable = contact.handle.is_some();
        let wallet = self.apple_pay.as_ref().filter(|_| reachable);
        Capability {
            reachable,
            rich: reachable && ButtonSupport::of(&contact.features) != ButtonSupport::Unsupported,
            wallets: wallet.map(|_| "apple_pay".to_owned()).into_iter().collect(),
            receipts: self.receipts(),
            reason: (!reachable).then_some(CUSTOMER_MUST_START),
        }
    }

    /// Returns nothing for a customer who has not begun a conversation.
    fn preview(&self, prompt: &Prompt) -> Option<MessagePreview> {
        prompt.contact.handle.as_ref()?;
        if self.wallet(prompt).is_none() {
            return Some(wire::preview(&self.account.bid, prompt));
        }
        let shown = previews::card(prompt, &APPLE);
        Some(MessagePreview { form: MessageForm::PaymentSheet, buttons: Vec::new(), ..shown })
    }

    async fn send(&self, prompt: &Prompt) -> Result<AcceptedPrompt, SendError> {
        let Some(handle) = &prompt.contact.handle else {
            return Err(SendError::Unreachable { reason: CUSTOMER_MUST_START });
        };
        let content = match self.wallet(prompt) {
            Some((apple_pay, money)) => {
                let session = self.session(apple_pay, prompt).await?;
                apple_pay.content(&self.account.bid, prompt, money, &session)
            }
            None => wire::content(&self.account.bid, prompt),
        };
        self.send_content(prompt, handle, content).await
    }

    fn is_chat(&self) -> bool {
        true
    }

    /// A payment sheet and a text with the link have no buttons. A message beside them has some if the device can show it.
    fn needs_way_out(&self, prompt: &Prompt) -> bool {
        let shows_buttons =
            ButtonSupport::of(&prompt.contact.features) != ButtonSupport::Unsupported;
        shows_buttons && (self.wallet(prompt).is_some() || !wire::can_deny(prompt))
    }

    /// Sends reply buttons where the message has some, and a text otherwise. It never opens a payment sheet by itself.
    async fn send_in_thread(&self, message: &ThreadMessage) -> Result<AcceptedPrompt, SendError> {
        let prompt = &message.message;
        let Some(handle) = &prompt.contact.handle else {
            return Err(SendError::Unreachable { reason: CUSTOMER_MUST_START });
        };
        self.send_content(prompt, handle, wire::in_thread(&self.account.bid, prompt)).await
    }

    /// Returns `false`: a sent message stays on the phone.
    async fn retract(&self, _: &Retraction) -> bool {
        false
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError> {
        match pay::receive(&self.link_key, callback) {
            Some(received) => received,
            None => match self.message(callback)? {
                Some(message) => message.received(&callback.headers),
                None => Ok(callback::acknowledged(None)),
            },
        }
    }

    /// A provider's account has one URL for all its businesses. Each message names its business, and others' were dropped.
    fn addressee(&self, _: &UnverifiedCallback) -> Addressee {
        Addressee::Own
    }

    async fn resolve(&self, callback: &UnverifiedCallback) -> Result<Option<Bytes>, Source> {
        let Ok(Some(message)) = self.message(callback) else { return Ok(None) };
        let Some(reference) = message.reference() else { return Ok(None) };
        let http = self.http.as_ref();
        let fetched = reference::fetch(http, &self.account, reference, callback.now).await?;
        Ok(Some(message.with(&fetched)))
    }

    fn entry_link(&self, intent: &str) -> Option<String> {
        Some(entry::link(&self.account.business_id, &self.entry_link, intent))
    }
}

#[cfg(test)]
mod tests;
