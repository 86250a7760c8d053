//! A channel: how a prompt reaches a customer and how what happened to it comes back.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{CallbackError, Received, Source, UnverifiedCallback};
use crate::brand::{Brand, Mode};
use crate::contact::Contact;
use crate::values::id::{PromptId, RequestId};
use crate::values::language::Language;
use crate::values::money::Money;
use crate::values::name::ChannelName;
use crate::values::phone::Phone;
use crate::values::time::Timestamp;

/// Names a prompt and the request it belongs to, in what a provider echoes back to us: `req_….prm_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PromptRef {
    /// The request.
    pub request: RequestId,
    /// The prompt.
    pub prompt: PromptId,
}

impl fmt::Display for PromptRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.request, self.prompt)
    }
}

impl std::str::FromStr for PromptRef {
    type Err = crate::values::id::InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (request, prompt) = text.split_once('.').unwrap_or((text, ""));
        Ok(Self { request: request.parse()?, prompt: prompt.parse()? })
    }
}

/// The message that asks the customer, before a channel puts it into its own form.
///
/// It is a pure function of what is stored, so sending it twice makes the same call twice.
#[derive(Clone)]
pub struct Prompt {
    /// Whose prompt this is; its parts are also the idempotency key where a provider takes one.
    pub reference: PromptRef,
    /// Where it goes.
    pub to: Phone,
    /// The language the texts below are in.
    pub language: Language,
    /// Who asks, as the customer knows them.
    pub payee: String,
    /// A heading, at most 60 characters.
    pub title: String,
    /// One or two sentences: what is asked and what for, at most 400 characters, without the link.
    pub body: String,
    /// The whole prompt for a channel that has only text: names the brand, says what is asked, ends with the link. One
    /// SMS segment where the words allow it.
    pub text: String,
    /// What the buttons say: the yes, the no, and "this is not me"; at most 20 characters each.
    pub labels: Labels,
    /// What the buttons are, most important first: a channel that has room for fewer leaves out the last ones.
    pub buttons: Vec<Button>,
    /// What is known of the customer on this channel.
    pub contact: Contact,
    /// How much, for a payment.
    pub money: Option<Money>,
    /// The consent page.
    pub link: String,
    /// Where the provider should report to: the public address of this brand's and channel's callbacks.
    pub callback: String,
    /// Until when it is worth delivering: the request's deadline, or sooner where another route has its turn then. What has
    /// arrived in time stays in force.
    pub expires_at: Timestamp,
    /// Now, from which a provider's time-to-live is counted.
    pub now: Timestamp,
}

/// One button of a prompt.
#[derive(Clone, PartialEq, Eq)]
pub struct Button {
    /// What it says, at most 20 characters.
    pub label: String,
    /// What it does.
    pub action: ButtonAction,
}

/// What a button does.
#[derive(Clone, PartialEq, Eq)]
pub enum ButtonAction {
    /// Brings this postback back to us.
    Reply {
        /// As [`crate::postback`] writes it.
        postback: String,
    },
    /// Opens the consent page. That is never a yes.
    Open {
        /// The page.
        url: String,
        /// What a channel that tells of such taps brings back.
        postback: String,
    },
}

impl fmt::Debug for Button {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Button").field("label", &self.label).finish_non_exhaustive()
    }
}

/// What the buttons of a prompt say.
#[derive(Clone, Debug)]
pub struct Labels {
    /// The yes.
    pub approve: String,
    /// The no.
    pub deny: String,
    /// "This is not me": a no that is also a report.
    pub not_me: String,
    /// Opens the consent page.
    pub open: String,
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompt").field("reference", &self.reference).finish_non_exhaustive()
    }
}

/// A provider took the prompt; that is not yet delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The provider's own id for the message, for its log and for retracting it.
    pub provider_id: Option<String>,
    /// Whether it is on the phone already, as on the sandbox phone; elsewhere a receipt tells later.
    pub delivered: bool,
}

/// A prompt to take back.
#[derive(Clone, Debug)]
pub struct Retraction {
    /// Which prompt.
    pub reference: PromptRef,
    /// Where it went.
    pub to: Phone,
    /// What [`Accepted`] said.
    pub provider_id: Option<String>,
}

/// Why a prompt was not taken, told by what to do next.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// This customer cannot be reached on this channel: the next route. `reason` is a stable word of ours.
    #[error("the channel cannot reach this address: {reason}")]
    Unreachable {
        /// A stable word, such as `not_on_channel` or `opted_out`.
        reason: &'static str,
    },
    /// Nothing was sent; the same call may work in a moment.
    #[error("the channel is busy")]
    Again(#[source] Source),
    /// The prompt may have been sent: neither a success nor a failure.
    #[error("the channel's answer was lost")]
    Unknown(#[source] Source),
    /// Our settings or credentials are wrong: an operator must look, and the next route is tried.
    #[error("the channel refused our settings: {reason}")]
    Person {
        /// A stable word, such as `credentials` or `sender`.
        reason: &'static str,
    },
}

/// Whether a prompt whose answer was lost may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resend {
    /// The provider knows a repeat by the prompt's id.
    Safe,
    /// A repeat is a second message.
    Doubles,
}

/// Which receipts a channel gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptKinds {
    /// It says when the message reached the phone.
    pub delivered: bool,
    /// It says when the message was read.
    pub read: bool,
}

/// What a channel can do for one customer now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// Whether the customer can be reached, as far as is known.
    pub reachable: bool,
    /// Whether the prompt can have buttons.
    pub rich: bool,
    /// Wallets that work within the channel itself.
    pub wallets: Vec<String>,
    /// Which receipts come back.
    pub receipts: ReceiptKinds,
    /// Why not reachable, or why that is not certain: a stable word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

/// One channel of one brand, with its settings and credentials.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Whether a prompt may be sent again when its answer was lost.
    fn resend(&self) -> Resend;

    /// Which receipts the channel gives, whoever the customer is: what silence after a prompt means depends on it.
    fn receipts(&self) -> ReceiptKinds;

    /// What the channel can do for this customer now, from what is known of them and, where the provider has one, a look-up.
    /// A look-up that fails answers "reachable, not certain".
    async fn capability(&self, to: &Phone, contact: &Contact, now: Timestamp) -> Capability;

    /// Sends a prompt.
    ///
    /// # Errors
    /// [`SendError`] tells what to do next.
    async fn send(&self, prompt: &Prompt) -> Result<Accepted, SendError>;

    /// Takes a prompt back where the channel can; `false` where it cannot or it is too late.
    async fn retract(&self, retraction: &Retraction) -> bool;

    /// Verifies a callback over its raw bytes, then reads it. Pure.
    ///
    /// # Errors
    /// [`CallbackError`].
    fn receive(&self, callback: &UnverifiedCallback) -> Result<Received, CallbackError>;

    /// Fetches what a callback only refers to, once its sender is proven: a body that holds everything, to be received in
    /// place of the callback's own. `None` where nothing is to be fetched or nothing is proven, as on most channels.
    ///
    /// # Errors
    /// Why it could not be fetched; the provider may tell it again.
    async fn resolve(&self, _: &UnverifiedCallback) -> Result<Option<Bytes>, Source> {
        Ok(None)
    }

    /// A link with which a customer begins a conversation here, for channels where only they can: what they write then
    /// brings `intent` back, see [`Callback::Wrote`]. `None` on all other channels.
    fn entry_link(&self, _intent: &str) -> Option<String> {
        None
    }
}

/// Why a brand's channel cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenChannelError {
    /// The brand has no channel of that name in that mode.
    #[error("the brand has no such channel")]
    Absent,
    /// Its settings name an adapter that does not exist, or are not what the adapter documents: an operator must look.
    #[error("the settings of the channel cannot be used")]
    Settings(#[source] Source),
}

/// Opens a brand's channels: the list of adapters there are.
pub trait Channels: Send + Sync {
    /// Opens the brand's channel of that name in that mode.
    ///
    /// # Errors
    /// [`OpenChannelError`].
    fn open(
        &self,
        brand: &Brand,
        mode: Mode,
        name: &ChannelName,
    ) -> Result<Box<dyn Channel>, OpenChannelError>;
}
