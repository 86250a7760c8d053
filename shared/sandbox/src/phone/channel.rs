//! The sandbox phone as a channel, for test mode only. It stores prompts where a browser or a script reads them.
//!
//! The last four digits of a number simulate a failure, see [`MagicNumber`].

use std::sync::Arc;

use async_trait::async_trait;
use channels::{AdapterConfig, OpenResult};
use domain::brand::{Key32, Mode};
use domain::contact::Contact;
use domain::email_channel::NO_ADDRESS;
use domain::values::name::{BrandName, ChannelName};
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use ports::{
    AcceptedPrompt, AddressKind, CallbackError, Capability, Channel, Expect, MessageForm,
    MessagePreview, OPTED_OUT, Prompt, ReceiptKinds, ReceivedWebhook, Resend, Retraction,
    SendError, Source, Store, StoreError, ThreadMessage, UnverifiedCallback, Write,
};
use serde::Deserialize;

use super::drawing::{Drawing, draw, draw_in_thread};
use super::{PhoneMessage, SandboxStyle, Tap};

const NOT_ON_CHANNEL: &str = "not_on_channel";

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PhoneSettings {
    style: SandboxStyle,
}

/// The behaviour that a number's last four digits select.
#[derive(Clone, Copy)]
enum MagicNumber {
    /// `9001`, on a channel with buttons: the channel cannot reach the number, so the next route starts at once.
    /// `9003`: no sandbox channel can reach it.
    Unreachable,
    /// `9002`, on a channel with buttons: the prompt never arrives, so the next route starts after a wait.
    Silent,
    /// `9005`: the channel refuses the message, as the customer opted out at its provider.
    OptedOut,
    /// Every other number.
    Ordinary,
}

impl MagicNumber {
    fn of(phone: &Phone, style: SandboxStyle) -> Self {
        let rich = style.is_rich();
        match phone.as_str() {
            number if number.ends_with("9003") => Self::Unreachable,
            // A mail knows no opt-out of the number at a provider.
            number if number.ends_with("9005") && style != SandboxStyle::Email => Self::OptedOut,
            number if rich && number.ends_with("9001") => Self::Unreachable,
            number if rich && number.ends_with("9002") => Self::Silent,
            _ => Self::Ordinary,
        }
    }
}

/// The channel was opened in live mode, where it would show real requests to every visitor of the page.
#[derive(Debug, thiserror::Error)]
#[error("sandbox channel in live mode")]
struct LiveModeError;

struct PhoneChannel {
    store: Arc<dyn Store>,
    brand: BrandName,
    channel: ChannelName,
    style: SandboxStyle,
    key: Key32,
}

/// Opens the channel whose phones are in `store`.
pub(crate) fn open(store: &Arc<dyn Store>, config: &AdapterConfig<'_>) -> OpenResult {
    match config.mode {
        Mode::Live => Err(LiveModeError.into()),
        Mode::Test => {
            let settings: PhoneSettings = config.setup.settings.read()?;
            Ok(Box::new(PhoneChannel {
                store: Arc::clone(store),
                brand: config.brand.name.clone(),
                channel: config.setup.name.clone(),
                style: settings.style,
                key: config.brand.link_key.clone(),
            }))
        }
    }
}

#[async_trait]
impl Channel for PhoneChannel {
    fn resend(&self) -> Resend {
        Resend::Safe
    }

    fn receipts(&self) -> ReceiptKinds {
        ReceiptKinds { delivered: true, read: true }
    }

    fn address_kind(&self) -> AddressKind {
        match self.style {
            SandboxStyle::Email => AddressKind::Email,
            SandboxStyle::Rcs
            | SandboxStyle::Whatsapp
            | SandboxStyle::Apple
            | SandboxStyle::Sms => AddressKind::Phone,
        }
    }

    async fn capability(&self, to: &Phone, _: &Contact, _: Timestamp) -> Capability {
        let reachable = !matches!(MagicNumber::of(to, self.style), MagicNumber::Unreachable);
        Capability {
            reachable,
            rich: self.style.is_rich(),
            wallets: Vec::new(),
            receipts: self.receipts(),
            reason: (!reachable).then_some(NOT_ON_CHANNEL),
        }
    }

    fn preview(&self, prompt: &Prompt) -> Option<MessagePreview> {
        if self.address_kind() == AddressKind::Email && prompt.mail.is_none() {
            return None;
        }
        let Drawing { title, text, actions } = draw(prompt, self.style, &self.key);
        let has_sheet = actions.iter().any(|action| action.sheet);
        let form = match self.style {
            SandboxStyle::Email => MessageForm::Mail,
            SandboxStyle::Sms => MessageForm::Text,
            SandboxStyle::Apple if has_sheet => MessageForm::PaymentSheet,
            SandboxStyle::Apple if actions.is_empty() => MessageForm::Text,
            SandboxStyle::Rcs | SandboxStyle::Whatsapp | SandboxStyle::Apple => MessageForm::Card,
        };
        Some(MessagePreview {
            form,
            title: Some(title).filter(|title| !title.is_empty()),
            text,
            buttons: actions.into_iter().map(|action| action.label).collect(),
            template: None,
        })
    }

    async fn send(&self, prompt: &Prompt) -> Result<AcceptedPrompt, SendError> {
        if self.address_kind() == AddressKind::Email && prompt.mail.is_none() {
            return Err(SendError::Unreachable { reason: NO_ADDRESS });
        }
        match MagicNumber::of(&prompt.to, self.style) {
            MagicNumber::Unreachable => Err(SendError::Unreachable { reason: NOT_ON_CHANNEL }),
            MagicNumber::OptedOut => Err(SendError::Unreachable { reason: OPTED_OUT }),
            MagicNumber::Silent => Ok(AcceptedPrompt::new(None)),
            MagicNumber::Ordinary => self.store_message(prompt, self.message(prompt)).await,
        }
    }

    fn is_chat(&self) -> bool {
        self.style.is_rich()
    }

    fn needs_way_out(&self, prompt: &Prompt) -> bool {
        let arrives = matches!(MagicNumber::of(&prompt.to, self.style), MagicNumber::Ordinary);
        let drawing = draw(prompt, self.style, &self.key);
        arrives && self.is_chat() && drawing.actions.iter().all(|action| action.action != Tap::Deny)
    }

    async fn send_in_thread(&self, message: &ThreadMessage) -> Result<AcceptedPrompt, SendError> {
        let ThreadMessage { message: prompt, answered, .. } = message;
        match MagicNumber::of(&prompt.to, self.style) {
            MagicNumber::OptedOut => Err(SendError::Unreachable { reason: OPTED_OUT }),
            MagicNumber::Unreachable | MagicNumber::Silent | MagicNumber::Ordinary => {
                let Drawing { title, text, actions } =
                    draw_in_thread(prompt, self.style, &self.key);
                let answers = Some(answered.prompt);
                let message =
                    PhoneMessage { title, text, actions, answers, ..self.message(prompt) };
                self.store_message(prompt, message).await
            }
        }
    }

    async fn retract(&self, retraction: &Retraction) -> bool {
        self.mark_retracted(retraction).await.is_ok_and(|found| found)
    }

    fn receive(&self, _: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError> {
        Err(CallbackError::None)
    }
}

impl PhoneChannel {
    async fn store_message(
        &self,
        prompt: &Prompt,
        message: PhoneMessage,
    ) -> Result<AcceptedPrompt, SendError> {
        let write =
            super::put(&prompt.to, &message).map_err(|error| SendError::Unknown(error.into()))?;
        match self.store.write(vec![if_absent(write)]).await {
            Ok(()) => {}
            // The message is on the phone already, and may be retracted since. A repeat does not change it.
            Err(StoreError::Conflict) => self.check_stored(prompt).await?,
            Err(error @ (StoreError::Unavailable(_) | StoreError::Damaged(_))) => {
                return Err(SendError::Unknown(error.into()));
            }
        }
        Ok(AcceptedPrompt { delivered: true, ..AcceptedPrompt::new(Some(message.id.to_string())) })
    }

    async fn check_stored(&self, prompt: &Prompt) -> Result<(), SendError> {
        match self.store.read(&super::key(&prompt.to, &self.brand, prompt.reference.prompt)).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(SendError::Again(StoreError::Conflict.into())),
            Err(error) => Err(SendError::Unknown(error.into())),
        }
    }

    fn message(&self, prompt: &Prompt) -> PhoneMessage {
        let Drawing { title, text, actions } = draw(prompt, self.style, &self.key);
        PhoneMessage {
            id: prompt.reference.prompt,
            request: prompt.reference.request,
            brand: self.brand.clone(),
            mode: Mode::Test,
            channel: self.channel.clone(),
            from: prompt.payee.clone(),
            title,
            text,
            link: prompt.link.clone(),
            actions,
            style: self.style,
            at: prompt.now,
            retracted: false,
            answers: None,
        }
    }

    async fn mark_retracted(&self, retraction: &Retraction) -> Result<bool, Source> {
        let key = super::key(&retraction.to, &self.brand, retraction.reference.prompt);
        let Some(mut item) = self.store.read(&key).await? else { return Ok(false) };
        let message = PhoneMessage { retracted: true, ..super::read(&item)? };
        let read = item.version;
        item.version = read.saturating_add(1);
        item.body = serde_json::to_string(&message)?;
        self.store.write(vec![Write::Put { item, expect: Expect::Version(read) }]).await?;
        Ok(true)
    }
}

/// Returns the same write, on the condition that the item does not exist.
fn if_absent(write: Write) -> Write {
    match write {
        Write::Put { item, .. } => Write::Put { item, expect: Expect::Absent },
        Write::Delete { key } => Write::Delete { key },
    }
}
