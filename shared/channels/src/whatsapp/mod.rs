//! WhatsApp through Meta's Cloud API: buttons in an open chat, or an approved template that opens one.
//!
//! For 24 hours after the customer's last message or tap, a prompt is a free-form message with reply buttons. At any other
//! time Meta takes only an approved template. The API has no idempotency key, so a message whose answer was lost is in
//! doubt. Payments within WhatsApp are not used. They go through a processor that is linked to the account at Meta, and not
//! through the brand's processors here.
//! Source: the pages below <https://developers.facebook.com/documentation/business-messaging/whatsapp>, of 2026-09.

mod account;
mod callback;
mod errors;
mod signature;
mod template;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::contact::Contact;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use http::Method;
use ports::{
    AcceptedPrompt, Addressee, CallbackError, Capability, Channel, Http, MessagePreview,
    OUTSIDE_WINDOW, Prompt, Reach, ReceiptKinds, ReceivedWebhook, Resend, Retraction, SendError,
    Source, ThreadMessage, UnverifiedCallback,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::adapter::{AdapterConfig, Kind};
use crate::answers;
use crate::settings::RotatedSecret;
use crate::twilio::{ChatKind, ChatSettings, TwilioChat};
use crate::window;
use account::{Account, Settings};

/// WhatsApp through the Cloud API, or through Twilio.
pub(crate) const KIND: Kind = Kind { name: "whatsapp", open };

const TIMEOUT: Duration = Duration::from_secs(10);

struct WhatsApp {
    account: Account,
    app_secret: RotatedSecret,
    verify_token: RotatedSecret,
    /// Meta's id of the sending number.
    phone_number_id: String,
    http: Arc<dyn Http>,
}

/// The settings that say which provider the others are of. Without it, it is Meta.
#[derive(Deserialize)]
struct Provider {
    #[serde(default)]
    provider: Option<IgnoredAny>,
}

/// The settings that name their provider.
#[derive(Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case")]
enum NamedSettings {
    Meta(Settings),
    Twilio(ChatSettings),
}

fn open(config: &AdapterConfig<'_>) -> Result<Box<dyn Channel>, Source> {
    let all = &config.setup.settings;
    if all.read::<Provider>()?.provider.is_none() {
        return through_meta(all.read()?, config);
    }
    match all.read()? {
        NamedSettings::Meta(settings) => through_meta(settings, config),
        NamedSettings::Twilio(settings) => {
            Ok(Box::new(TwilioChat::new(ChatKind::WhatsApp, settings, config)?))
        }
    }
}

fn through_meta(
    settings: Settings,
    config: &AdapterConfig<'_>,
) -> Result<Box<dyn Channel>, Source> {
    let account = Account::new(&settings, &config.brand.language)?;
    settings.app_secret.check("app_secret")?;
    settings.verify_token.check("verify_token")?;
    let Settings { app_secret, verify_token, phone_number_id, .. } = settings;
    let http = Arc::clone(&config.deps.http);
    Ok(Box::new(WhatsApp { account, app_secret, verify_token, phone_number_id, http }))
}

impl WhatsApp {
    async fn send_message(
        &self,
        prompt: &Prompt,
        message: &Value,
    ) -> Result<AcceptedPrompt, SendError> {
        let Ok(call) = wire::call(&self.account, prompt, message) else {
            return Err(SendError::Misconfigured { reason: "settings" });
        };
        let answer =
            self.http.call(call, Reach::Configured, TIMEOUT).await.map_err(answers::no_answer)?;
        wire::accepted(answer.status(), answer.body())
    }

    async fn send_template(&self, prompt: &Prompt) -> Result<AcceptedPrompt, SendError> {
        let language = &self.account.language;
        match self.account.templates.iter().find_map(|template| template.message(prompt, language))
        {
            Some(message) => self.send_message(prompt, &message).await,
            None => Err(SendError::Misconfigured { reason: "template" }),
        }
    }
}

#[async_trait]
impl Channel for WhatsApp {
    fn resend(&self) -> Resend {
        Resend::Doubles
    }

    fn receipts(&self) -> ReceiptKinds {
        ReceiptKinds { delivered: true, read: true }
    }

    /// Reports every number as reachable: Meta has no look-up, and only a sent message shows who is on WhatsApp.
    async fn capability(&self, _: &Phone, contact: &Contact, now: Timestamp) -> Capability {
        let reason = window::reason(contact, now);
        Capability {
            reachable: true,
            rich: true,
            wallets: Vec::new(),
            receipts: self.receipts(),
            reason: Some(reason),
        }
    }

    /// Returns the free-form message while the window is open, and what fills the template otherwise.
    fn preview(&self, prompt: &Prompt) -> Option<MessagePreview> {
        if window::is_open(&prompt.contact, prompt.now) {
            return Some(wire::preview(&wire::free_form(prompt)));
        }
        let own = &self.account.language;
        self.account.templates.iter().find_map(|template| template.preview(prompt, own))
    }

    /// Sends a free-form message while the window is open. If Meta reports it closed, nothing was sent, and the template
    /// goes out instead.
    async fn send(&self, prompt: &Prompt) -> Result<AcceptedPrompt, SendError> {
        if !window::is_open(&prompt.contact, prompt.now) {
            return self.send_template(prompt).await;
        }
        match self.send_message(prompt, &wire::free_form(prompt)).await {
            Err(SendError::Unreachable { reason: OUTSIDE_WINDOW }) => {
                let accepted = self.send_template(prompt).await?;
                Ok(AcceptedPrompt { outside_window: true, ..accepted })
            }
            sent => sent,
        }
    }

    fn is_chat(&self) -> bool {
        true
    }

    /// A template has the buttons that were approved, and nothing else may follow it outside the window.
    fn needs_way_out(&self, prompt: &Prompt) -> bool {
        window::is_open(&prompt.contact, prompt.now) && !wire::can_deny(prompt)
    }

    /// Sends a free-form message. The customer's answer has opened the window, and no template says what came of it.
    async fn send_in_thread(&self, message: &ThreadMessage) -> Result<AcceptedPrompt, SendError> {
        if !window::is_open(&message.message.contact, message.message.now) {
            return Err(SendError::Unreachable { reason: OUTSIDE_WINDOW });
        }
        self.send_message(&message.message, &wire::in_thread(message)).await
    }

    /// Returns `false`: a business cannot delete a message.
    async fn retract(&self, _: &Retraction) -> bool {
        false
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError> {
        if callback.method == Method::GET {
            return self.verify_token.verify(|token| callback::handshake(token, &callback.url));
        }
        let (headers, body) = (&callback.headers, &callback.body);
        self.app_secret.verify(|secret| signature::verify(secret, headers, body))?;
        if callback.method != Method::POST {
            return Err(CallbackError::Malformed);
        }
        callback::read(&self.phone_number_id, body)
    }

    /// An app at Meta has one callback URL for all its numbers. Each event names its number, and others' were dropped.
    fn addressee(&self, _: &UnverifiedCallback) -> Addressee {
        Addressee::Own
    }
}

#[cfg(test)]
mod tests;
