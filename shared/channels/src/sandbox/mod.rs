//! The sandbox phone as a channel: prompts are kept where a browser or a script finds them. Test mode only.
//!
//! The last four digits of a number try out what goes wrong elsewhere, see [`Magic`].

mod drawing;

use std::sync::Arc;

use async_trait::async_trait;
use domain::brand::{Key32, Mode};
use domain::contact::Contact;
use domain::ports::{
    Accepted, CallbackError, Capability, Channel, Expect, Prompt, ReceiptKinds, Received, Resend,
    Retraction, SendError, Source, Store, StoreError, UnverifiedCallback, Write,
};
use domain::sandbox::{self, PhoneMessage, SandboxStyle};
use domain::values::name::{BrandName, ChannelName};
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use serde::Deserialize;

use self::drawing::{Drawn, draw};
use crate::{AdapterConfig, Kind};

/// The sandbox phone.
pub(crate) const KIND: Kind = Kind { name: "sandbox", open };

const NOT_ON_CHANNEL: &str = "not_on_channel";

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    style: SandboxStyle,
}

/// What a number's last four digits do.
#[derive(Clone, Copy)]
enum Magic {
    /// `9001`, where there are buttons: the channel cannot reach the number, so that the next route is taken at once.
    /// `9003`: no sandbox channel can.
    Unreachable,
    /// `9002`, where there are buttons: the prompt is taken and never arrives, so that the next route is taken after a wait.
    Silent,
    /// Every other number.
    Ordinary,
}

impl Magic {
    fn of(phone: &Phone, style: SandboxStyle) -> Self {
        let rich = style != SandboxStyle::Sms;
        match phone.as_str() {
            number if number.ends_with("9003") => Self::Unreachable,
            number if rich && number.ends_with("9001") => Self::Unreachable,
            number if rich && number.ends_with("9002") => Self::Silent,
            _ => Self::Ordinary,
        }
    }
}

/// The phone is a toy: behind a live key it would show real requests to whoever looks.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox phone is for test mode only")]
struct TestOnly;

struct Sandbox {
    store: Arc<dyn Store>,
    brand: BrandName,
    channel: ChannelName,
    style: SandboxStyle,
    key: Key32,
}

fn open(opening: &AdapterConfig<'_>) -> Result<Box<dyn Channel>, Source> {
    match opening.mode {
        Mode::Live => Err(TestOnly.into()),
        Mode::Test => {
            let settings: Settings = opening.setup.settings.read()?;
            Ok(Box::new(Sandbox {
                store: Arc::clone(&opening.outside.store),
                brand: opening.brand.name.clone(),
                channel: opening.setup.name.clone(),
                style: settings.style,
                key: opening.brand.link_key.clone(),
            }))
        }
    }
}

#[async_trait]
impl Channel for Sandbox {
    fn resend(&self) -> Resend {
        Resend::Safe
    }

    fn receipts(&self) -> ReceiptKinds {
        ReceiptKinds { delivered: true, read: true }
    }

    async fn capability(&self, to: &Phone, _: &Contact, _: Timestamp) -> Capability {
        let reachable = !matches!(Magic::of(to, self.style), Magic::Unreachable);
        Capability {
            reachable,
            rich: self.style != SandboxStyle::Sms,
            wallets: Vec::new(),
            receipts: self.receipts(),
            reason: (!reachable).then_some(NOT_ON_CHANNEL),
        }
    }

    async fn send(&self, prompt: &Prompt) -> Result<Accepted, SendError> {
        match Magic::of(&prompt.to, self.style) {
            Magic::Unreachable => Err(SendError::Unreachable { reason: NOT_ON_CHANNEL }),
            Magic::Silent => Ok(Accepted { provider_id: None, delivered: false }),
            Magic::Ordinary => self.keep(prompt).await,
        }
    }

    async fn retract(&self, retraction: &Retraction) -> bool {
        self.take_back(retraction).await.is_ok_and(|taken| taken)
    }

    fn receive(&self, _: &UnverifiedCallback) -> Result<Received, CallbackError> {
        Err(CallbackError::None)
    }
}

impl Sandbox {
    async fn keep(&self, prompt: &Prompt) -> Result<Accepted, SendError> {
        let message = self.message(prompt);
        let write =
            sandbox::put(&prompt.to, &message).map_err(|error| SendError::Unknown(error.into()))?;
        match self.store.write(vec![once(write)]).await {
            Ok(()) => {}
            // It is on the phone already, and may have been taken back since: a repeat leaves it as it is.
            Err(StoreError::Conflict) => self.find(prompt).await?,
            Err(error @ (StoreError::Unavailable(_) | StoreError::Damaged(_))) => {
                return Err(SendError::Unknown(error.into()));
            }
        }
        Ok(Accepted { provider_id: Some(message.id.to_string()), delivered: true })
    }

    async fn find(&self, prompt: &Prompt) -> Result<(), SendError> {
        match self.store.read(&sandbox::key(&prompt.to, prompt.reference.prompt)).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(SendError::Again(StoreError::Conflict.into())),
            Err(error) => Err(SendError::Unknown(error.into())),
        }
    }

    fn message(&self, prompt: &Prompt) -> PhoneMessage {
        let Drawn { title, text, actions } = draw(prompt, self.style, &self.key);
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
        }
    }

    async fn take_back(&self, retraction: &Retraction) -> Result<bool, Source> {
        let key = sandbox::key(&retraction.to, retraction.reference.prompt);
        let Some(mut item) = self.store.read(&key).await? else { return Ok(false) };
        let message = PhoneMessage { retracted: true, ..sandbox::read(&item)? };
        let read = item.version;
        item.version = read.saturating_add(1);
        item.body = serde_json::to_string(&message)?;
        self.store.write(vec![Write::Put { item, expect: Expect::Version(read) }]).await?;
        Ok(true)
    }
}

/// The same write, only where nothing is yet.
fn once(write: Write) -> Write {
    match write {
        Write::Put { item, .. } => Write::Put { item, expect: Expect::Absent },
        Write::Delete { key } => Write::Delete { key },
    }
}

#[cfg(test)]
mod tests;
