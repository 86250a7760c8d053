//! Mail with a link, through Amazon SES. The channel's SNS topic brings deliveries, bounces and complaints.
//!
//! A mail proves no number: `domain::email_channel` says what its reader cannot do.

mod errors;
mod events;
mod wire;

use async_trait::async_trait;
use bytes::Bytes;
use domain::contact::Contact;
use domain::email_channel::{EMAIL_KIND, NO_ADDRESS};
use domain::values::email::Email;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use ports::{
    AcceptedPrompt, AddressKind, Addressee, CallbackError, Capability, Channel, MailParts,
    MessageForm, MessagePreview, Prompt, ReceiptKinds, ReceivedWebhook, Resend, Retraction,
    SendError, Source, ThreadMessage, UnverifiedCallback,
};
use serde::Deserialize;

use crate::adapter::{AdapterConfig, Kind};
use crate::aws::{Client, Service};
use crate::settings::{BaseUrl, identifier};

use self::wire::{Outgoing, SendEmail};

/// Mail through Amazon SES.
pub(crate) const KIND: Kind = Kind { name: EMAIL_KIND, open };

/// Calls are signed for `ses`, and the host begins with `email`. Source: the API model `sesv2` in botocore 1.43.11.
const SES: Service = Service { name: "ses", host: "email" };

/// The settings, by provider.
#[derive(Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case")]
enum Settings {
    Aws(SesSettings),
}

/// The settings of a sender at SES.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SesSettings {
    /// The region in which the sender is verified.
    region: String,
    /// The sender's address, verified by itself or by its domain.
    from: Email,
    /// The address for answers; without one they go to the sender.
    #[serde(default)]
    reply_to: Option<Email>,
    /// The set whose events reach the topic.
    #[serde(default)]
    configuration_set: Option<String>,
    /// The address of a stand-in.
    #[serde(default)]
    base_url: Option<BaseUrl>,
}

/// The sender of mail, and the destination of the events about it.
struct MailSender {
    from: Email,
    reply_to: Option<Email>,
    configuration_set: Option<String>,
}

struct SesEmail {
    sender: MailSender,
    client: Client,
}

fn open(config: &AdapterConfig<'_>) -> Result<Box<dyn Channel>, Source> {
    let Settings::Aws(settings) = config.setup.settings.read()?;
    let SesSettings { region, from, reply_to, configuration_set, base_url } = settings;
    if let Some(set) = &configuration_set {
        identifier("configuration_set", set, "_-")?;
    }
    let client = Client::of(SES, region, base_url, config.deps)?;
    Ok(Box::new(SesEmail { sender: MailSender { from, reply_to, configuration_set }, client }))
}

impl SesEmail {
    async fn call(&self, message: &SendEmail<'_>) -> Result<AcceptedPrompt, SendError> {
        let body = serde_json::to_vec(message).ok().map(Bytes::from);
        let call = Request::builder()
            .method(Method::POST)
            .uri(self.client.url("/v2/email/outbound-emails"))
            .header(CONTENT_TYPE, "application/json");
        let Some(Ok(call)) = body.map(|body| call.body(body)) else {
            return Err(SendError::Misconfigured { reason: "settings" });
        };
        errors::accepted(&self.client.answer(call).await?)
    }
}

/// Returns what a mail has beside the texts.
///
/// # Errors
/// [`SendError::Unreachable`] where the customer has no e-mail address.
fn parts(prompt: &Prompt) -> Result<&MailParts, SendError> {
    prompt.mail.as_ref().ok_or(SendError::Unreachable { reason: NO_ADDRESS })
}

#[async_trait]
impl Channel for SesEmail {
    /// Returns `Doubles`: SES has no token that recognises a repeat.
    fn resend(&self) -> Resend {
        Resend::Doubles
    }

    /// Promises no receipt: a mail server may take hours, and a delivery says only that it has the mail.
    ///
    /// Source: <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>, read 2026-11-27.
    fn receipts(&self) -> ReceiptKinds {
        ReceiptKinds { delivered: false, read: false }
    }

    fn address_kind(&self) -> AddressKind {
        AddressKind::Email
    }

    async fn capability(&self, _: &Phone, _: &Contact, _: Timestamp) -> Capability {
        Capability {
            reachable: true,
            rich: false,
            wallets: Vec::new(),
            receipts: self.receipts(),
            reason: Some("not_checked"),
        }
    }

    fn preview(&self, prompt: &Prompt) -> Option<MessagePreview> {
        let title = Some(parts(prompt).ok()?.subject.clone());
        let text = MessagePreview::text(&wire::sentences(prompt));
        Some(MessagePreview { form: MessageForm::Mail, title, ..text })
    }

    async fn send(&self, prompt: &Prompt) -> Result<AcceptedPrompt, SendError> {
        let outgoing = Outgoing::prompt(prompt, parts(prompt)?);
        self.call(&wire::message(&self.sender, &outgoing)).await
    }

    fn is_chat(&self) -> bool {
        false
    }

    async fn send_in_thread(&self, message: &ThreadMessage) -> Result<AcceptedPrompt, SendError> {
        let outgoing = Outgoing::in_thread(&message.message, parts(&message.message)?);
        self.call(&wire::message(&self.sender, &outgoing)).await
    }

    /// Returns `false`: no mail can be taken back.
    async fn retract(&self, _: &Retraction) -> bool {
        false
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError> {
        events::receive(callback)
    }

    fn addressee(&self, callback: &UnverifiedCallback) -> Addressee {
        events::addressee(callback)
    }
}

#[cfg(test)]
mod tests;
