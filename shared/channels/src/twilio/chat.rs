//! RCS and `WhatsApp` through Twilio: a prompt fills a Content template, and a tap comes back as `ButtonPayload`.
//!
//! `WhatsApp` takes templates that it has not approved, and plain texts, in the customer's window alone. Twilio has no
//! idempotency key, so a message whose answer was lost is in doubt. From an agent to an `rcs:` address, Twilio itself does
//! not fall back to SMS: <https://www.twilio.com/docs/api/errors/21664>, read 2026-11-27. UNVERIFIED: the same of a
//! messaging service. Before going live, send one prompt to a phone without RCS.

use std::sync::Arc;

use async_trait::async_trait;
use domain::contact::Contact;
use domain::values::language::Language;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use http::Request;
use ports::{
    AcceptedPrompt, Addressee, CallbackError, Capability, Channel, Http, MessagePreview,
    OUTSIDE_WINDOW, Prompt, Reach, ReceiptKinds, ReceivedWebhook, Resend, Retraction, SendError,
    Source, ThreadMessage, UnverifiedCallback,
};
use serde::Deserialize;

use super::account::{Account, ApiKey, Settings};
use super::content::{FilledTemplate, Purpose, Template, TemplateSettings};
use super::wire::{self, MessageContent};
use super::{TIMEOUT, callback, signature};
use crate::adapter::AdapterConfig;
use crate::answers;
use crate::message_limits::{MessageLimits, RCS, SMS, WHATSAPP, cut};
use crate::settings::{BaseUrl, InvalidSetting, RotatedSecret};
use crate::window;

/// The settings of an account that sends over RCS or `WhatsApp`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatSettings {
    account_sid: String,
    auth_token: RotatedSecret,
    #[serde(default)]
    api_key: Option<ApiKey>,
    /// The sender with its scheme, as Twilio shows it: `rcs:acme_agent` or `whatsapp:+1…`. Set this or the service.
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    messaging_service_sid: Option<String>,
    /// The Content templates, best first. The channel sends the first one that fits the prompt.
    templates: Vec<TemplateSettings>,
    /// The Content templates for messages with buttons in the thread, best first. Without one that fits, a text goes out.
    #[serde(default)]
    thread_templates: Vec<TemplateSettings>,
    #[serde(default)]
    base_url: Option<BaseUrl>,
}

/// The channel behind an address at Twilio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChatKind {
    /// RCS.
    Rcs,
    /// `WhatsApp`.
    WhatsApp,
}

impl ChatKind {
    const fn scheme(self) -> &'static str {
        match self {
            Self::Rcs => "rcs:",
            Self::WhatsApp => "whatsapp:",
        }
    }

    const fn limits(self) -> &'static MessageLimits {
        match self {
            Self::Rcs => &RCS,
            Self::WhatsApp => &WHATSAPP,
        }
    }

    /// Writes a message without buttons: its heading and its sentences.
    fn text(self, message: &Prompt) -> String {
        let Prompt { title, body, .. } = message;
        let text = match self {
            Self::Rcs => format!("{title}\n{body}"),
            Self::WhatsApp => format!("*{title}*\n{body}"),
        };
        cut(&text, self.limits().body_max.min(SMS.body_max))
    }
}

/// RCS or `WhatsApp` through Twilio.
pub(crate) struct TwilioChat {
    kind: ChatKind,
    account: Account,
    auth_token: RotatedSecret,
    templates: Vec<Template>,
    thread_templates: Vec<Template>,
    language: Language,
    http: Arc<dyn Http>,
}

impl TwilioChat {
    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] for the first malformed one, and for a sender of another channel.
    pub(crate) fn new(
        kind: ChatKind,
        settings: ChatSettings,
        config: &AdapterConfig<'_>,
    ) -> Result<Self, Source> {
        let ChatSettings { account_sid, auth_token, api_key, from, .. } = settings;
        let is_foreign = |from: &String| !from.starts_with(kind.scheme());
        if from.as_ref().is_some_and(is_foreign) {
            return Err(InvalidSetting { field: "from" }.into());
        }
        let language = config.brand.language.clone();
        let checked =
            |all: &[TemplateSettings], purpose| -> Result<Vec<Template>, InvalidSetting> {
                all.iter().map(|one| Template::new(one, &language, purpose)).collect()
            };
        let templates = checked(&settings.templates, Purpose::Prompt)?;
        let thread_templates = checked(&settings.thread_templates, Purpose::Thread)?;
        // Most customers are outside the window. RCS has none.
        if templates.iter().all(|one| one.only_in_window) {
            return Err(InvalidSetting { field: "templates" }.into());
        }
        if kind == ChatKind::Rcs && templates.iter().any(|one| one.only_in_window) {
            return Err(InvalidSetting { field: "templates.only_in_window" }.into());
        }
        let account = Account::new(&Settings {
            account_sid,
            auth_token: auth_token.clone(),
            api_key,
            from,
            messaging_service_sid: settings.messaging_service_sid,
            base_url: settings.base_url,
        })?;
        let http = Arc::clone(&config.deps.http);
        Ok(Self { kind, account, auth_token, templates, thread_templates, language, http })
    }

    /// Returns whether the channel takes any message now. RCS always does.
    fn is_open(&self, prompt: &Prompt) -> bool {
        match self.kind {
            ChatKind::Rcs => true,
            ChatKind::WhatsApp => window::is_open(&prompt.contact, prompt.now),
        }
    }

    /// Sends the first template that fits the prompt. A shut window leaves the approved ones.
    async fn send_template(
        &self,
        prompt: &Prompt,
        is_open: bool,
    ) -> Result<AcceptedPrompt, SendError> {
        let Some(filled) = self.filled(prompt, is_open) else {
            return Err(SendError::Misconfigured { reason: "template" });
        };
        self.send_content(prompt, MessageContent::Template(&filled)).await
    }

    /// Fills the first template that fits the prompt; `None` if none does.
    fn filled(&self, prompt: &Prompt, is_open: bool) -> Option<FilledTemplate> {
        let (own, limits) = (&self.language, self.kind.limits());
        let mut usable = self.templates.iter().filter(|one| is_open || !one.only_in_window);
        usable.find_map(|one| one.fill(prompt, own, limits))
    }

    async fn send_content(
        &self,
        prompt: &Prompt,
        content: MessageContent<'_>,
    ) -> Result<AcceptedPrompt, SendError> {
        let to = format!("{}{}", self.kind.scheme(), prompt.to.as_str());
        let call: Result<Request<_>, _> = wire::message(&self.account, prompt, &to, content);
        let Ok(call) = call else {
            return Err(SendError::Misconfigured { reason: "settings" });
        };
        let answer =
            self.http.call(call, Reach::Configured, TIMEOUT).await.map_err(answers::no_answer)?;
        wire::accepted(answer.status(), answer.body())
    }
}

#[async_trait]
impl Channel for TwilioChat {
    fn resend(&self) -> Resend {
        Resend::Doubles
    }

    fn receipts(&self) -> ReceiptKinds {
        ReceiptKinds { delivered: true, read: true }
    }

    /// Reports every number as reachable: only a sent message shows who is on the channel.
    async fn capability(&self, _: &Phone, contact: &Contact, now: Timestamp) -> Capability {
        let reason = match self.kind {
            ChatKind::Rcs => "not_checked",
            ChatKind::WhatsApp => window::reason(contact, now),
        };
        Capability {
            reachable: true,
            rich: true,
            wallets: Vec::new(),
            receipts: self.receipts(),
            reason: Some(reason),
        }
    }

    fn preview(&self, prompt: &Prompt) -> Option<MessagePreview> {
        Some(self.filled(prompt, self.is_open(prompt))?.preview())
    }

    /// Sends the first template that fits. If Twilio reports the window shut, nothing was sent, and an approved template
    /// goes out instead.
    async fn send(&self, prompt: &Prompt) -> Result<AcceptedPrompt, SendError> {
        let is_open = self.is_open(prompt);
        match self.send_template(prompt, is_open).await {
            Err(SendError::Unreachable { reason: OUTSIDE_WINDOW }) if is_open => {
                let accepted = self.send_template(prompt, false).await?;
                Ok(AcceptedPrompt { outside_window: true, ..accepted })
            }
            sent => sent,
        }
    }

    fn is_chat(&self) -> bool {
        true
    }

    /// Sends a text, or a template where the message has buttons and one fits. The customer's answer has opened the window.
    async fn send_in_thread(&self, message: &ThreadMessage) -> Result<AcceptedPrompt, SendError> {
        let message = &message.message;
        if !self.is_open(message) {
            return Err(SendError::Unreachable { reason: OUTSIDE_WINDOW });
        }
        if message.buttons.is_empty() {
            let text = self.kind.text(message);
            return self.send_content(message, MessageContent::Text(&text)).await;
        }
        let (own, limits) = (&self.language, self.kind.limits());
        let filled = self.thread_templates.iter().find_map(|one| one.fill(message, own, limits));
        let content = match &filled {
            Some(filled) => MessageContent::Template(filled),
            // It names no button, and has the link where the customer may go on.
            None => MessageContent::Text(&message.text),
        };
        self.send_content(message, content).await
    }

    /// Returns `false`: Twilio can cancel a scheduled message, but not one that is on its way.
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
