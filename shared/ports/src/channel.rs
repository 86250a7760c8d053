//! The channel port: it sends prompts to customers, and verifies what providers report of them.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    Button, CallbackError, Labels, MailParts, MessagePreview, ReceivedWebhook, Sender, Source,
    UnverifiedCallback,
};
use domain::brand::{Brand, Mode};
use domain::contact::Contact;
use domain::values::language::Language;
use domain::values::money::Money;
use domain::values::name::ChannelName;
use domain::values::phone::Phone;
use domain::values::prompt_ref::PromptRef;
use domain::values::time::Timestamp;

/// A prompt, before a channel renders it in its own format.
///
/// It is a pure function of stored data, so that sending it twice makes the same call twice.
#[derive(Clone)]
pub struct Prompt {
    /// The prompt and its request; also the idempotency key where a provider accepts one.
    pub reference: PromptRef,
    /// The customer's phone number.
    pub to: Phone,
    /// What a mail of this prompt has beside the texts; `None` without an e-mail address of the customer.
    pub mail: Option<MailParts>,
    /// The language of the texts.
    pub language: Language,
    /// The payee, as the customer knows it.
    pub payee: String,
    /// The heading, at most 60 characters.
    pub title: String,
    /// The ask and its purpose, at most 400 characters, without the link.
    pub body: String,
    /// The prompt for a text-only channel: the brand, the ask and the link. It fits one SMS segment where possible.
    pub text: String,
    /// The labels of the buttons, at most 20 characters each.
    pub labels: Labels,
    /// The buttons, most important first. A channel with fewer omits the last ones.
    pub buttons: Vec<Button>,
    /// The customer's contact on this channel.
    pub contact: Contact,
    /// The amount of a payment; `None` for other asks.
    pub money: Option<Money>,
    /// The saved card that a yes charges, such as `Visa •••• 4242`; `None` where the ask names none.
    pub card: Option<String>,
    /// The URL of the consent page.
    pub link: String,
    /// The URL for the provider's webhooks of this brand and channel.
    pub callback: String,
    /// The end of useful delivery: the request's deadline, or the fallback to the next route.
    ///
    /// A prompt that arrived before stays in force.
    pub expires_at: Timestamp,
    /// The current time, from which a provider counts its time-to-live.
    pub now: Timestamp,
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompt").field("reference", &self.reference).finish_non_exhaustive()
    }
}

/// The kind of address that a channel sends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// The customer's phone number.
    Phone,
    /// The customer's e-mail address, which not every request has.
    Email,
}

/// A message in the thread of a prompt: beside it, or after the customer's answer to it.
///
/// It is a pure function of stored data, as a prompt is.
#[derive(Clone, Debug)]
pub struct ThreadMessage {
    /// The message in the form of a prompt: its own id in the reference, and often no buttons.
    ///
    /// A button returns the postback of that prompt.
    pub message: Prompt,
    /// The prompt in whose thread it is.
    pub answered: PromptRef,
    /// The provider's id of that prompt.
    pub answered_id: Option<String>,
}

/// The acceptance of a prompt by its provider, before delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcceptedPrompt {
    /// The provider's id of the message, for its logs and for a retraction.
    pub provider_id: Option<String>,
    /// Whether the phone has it already, as on the sandbox phone. Elsewhere a receipt follows.
    pub delivered: bool,
    /// The customer, by the provider's own ids of them, which may differ from the number that was asked.
    pub recipient: Sender,
    /// Whether the provider first refused a message as outside its window, see [`OUTSIDE_WINDOW`](crate::OUTSIDE_WINDOW).
    pub outside_window: bool,
}

impl AcceptedPrompt {
    /// Returns an acceptance that names the message alone. A receipt follows.
    #[must_use]
    pub fn new(provider_id: Option<String>) -> Self {
        Self { provider_id, ..Self::default() }
    }
}

/// A prompt to retract.
#[derive(Clone, Debug)]
pub struct Retraction {
    /// The prompt that the provider echoes in its webhooks.
    pub reference: PromptRef,
    /// The customer's phone number.
    pub to: Phone,
    /// The provider's id of the message, from [`AcceptedPrompt`].
    pub provider_id: Option<String>,
}

/// A prompt that was not accepted, by the reaction that follows.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The channel cannot reach the customer: the next route follows.
    #[error("the channel cannot reach this address: {reason}")]
    Unreachable {
        /// A stable code, such as `not_on_channel` or `opted_out`.
        reason: &'static str,
    },
    /// The channel is busy and nothing was sent: the same call may work in a moment.
    #[error("the channel is busy")]
    Again(#[source] Source),
    /// The answer was lost: the prompt may have been sent.
    #[error("the channel's answer was lost")]
    Unknown(#[source] Source),
    /// The provider rejected our settings or credentials: the next route follows, and an operator must look.
    #[error("the channel rejected our settings: {reason}")]
    Misconfigured {
        /// A stable code, such as `credentials` or `sender`.
        reason: &'static str,
    },
}

/// The effect of sending a prompt again after a lost answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resend {
    /// Safe: the provider recognises a repeat by the prompt's id.
    Safe,
    /// Unsafe: a repeat is a second message.
    Doubles,
}

/// The receipts that a channel reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptKinds {
    /// Whether it reports delivery to the phone.
    pub delivered: bool,
    /// Whether it reports reading.
    pub read: bool,
}

/// The number or agent that an inbound webhook is for, by the provider's own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressee {
    /// The channel's own, or one of the events in it is tied to a prompt.
    ///
    /// A channel that drops the events of other numbers always answers this.
    Own,
    /// The webhook names no number, or one that is not known to be this channel's.
    Unnamed,
}

/// The capability of a channel for one customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// Whether the customer can be reached, as far as the channel knows.
    pub reachable: bool,
    /// Whether a prompt can have buttons.
    pub rich: bool,
    /// Wallets that work within the channel itself.
    pub wallets: Vec<String>,
    /// The receipts that the channel reports.
    pub receipts: ReceiptKinds,
    /// A stable code for why the customer is not reachable, or why that is uncertain; `None` otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

/// A channel of one brand, with its settings and credentials.
///
/// ```
/// use domain::contact::Contact;
/// use domain::values::phone::Phone;
/// use domain::values::time::Timestamp;
/// use ports::{
///     AcceptedPrompt, CallbackError, Capability, Channel, MessagePreview, Prompt, ReceiptKinds,
///     ReceivedWebhook, Resend, Retraction, SendError, ThreadMessage, UnverifiedCallback,
/// };
///
/// /// A channel without a single customer.
/// struct Deserted;
///
/// #[async_trait::async_trait]
/// impl Channel for Deserted {
///     fn resend(&self) -> Resend {
///         Resend::Safe
///     }
///
///     fn receipts(&self) -> ReceiptKinds {
///         ReceiptKinds { delivered: false, read: false }
///     }
///
///     async fn capability(&self, _: &Phone, _: &Contact, _: Timestamp) -> Capability {
///         let (receipts, reason) = (self.receipts(), Some("not_on_channel"));
///         Capability { reachable: false, rich: false, wallets: Vec::new(), receipts, reason }
///     }
///
///     fn preview(&self, prompt: &Prompt) -> Option<MessagePreview> {
///         Some(MessagePreview::text(&prompt.text))
///     }
///
///     async fn send(&self, _: &Prompt) -> Result<AcceptedPrompt, SendError> {
///         Err(SendError::Unreachable { reason: "not_on_channel" })
///     }
///
///     fn is_chat(&self) -> bool {
///         true
///     }
///
///     async fn send_in_thread(&self, _: &ThreadMessage) -> Result<AcceptedPrompt, SendError> {
///         Err(SendError::Unreachable { reason: "not_on_channel" })
///     }
///
///     async fn retract(&self, _: &Retraction) -> bool {
///         false
///     }
///
///     fn receive(&self, _: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError> {
///         Err(CallbackError::Forged)
///     }
/// }
///
/// let (phone, contact) = ("+15551230001".parse().unwrap(), Contact::default());
/// let capability = Deserted.capability(&phone, &contact, Timestamp::EPOCH);
/// assert_eq!(pollster::block_on(capability).reason, Some("not_on_channel"));
/// ```
#[async_trait]
pub trait Channel: Send + Sync {
    /// Returns the effect of sending a prompt again after a lost answer.
    fn resend(&self) -> Resend;

    /// Returns the receipts that the channel reports. The meaning of a missing receipt depends on it.
    fn receipts(&self) -> ReceiptKinds;

    /// Returns the kind of address that the channel sends to.
    ///
    /// [`capability`](Self::capability) is asked only where the customer has such an address.
    fn address_kind(&self) -> AddressKind {
        AddressKind::Phone
    }

    /// Returns the capability for this customer, from their contact and the provider's look-up where it has one.
    ///
    /// A failed look-up answers "reachable, uncertain".
    async fn capability(&self, to: &Phone, contact: &Contact, now: Timestamp) -> Capability;

    /// Returns the message that [`send`](Self::send) would write for this prompt. It makes no call.
    ///
    /// `None` where it could send none now, as without an address or a conversation.
    fn preview(&self, prompt: &Prompt) -> Option<MessagePreview>;

    /// Sends a prompt.
    ///
    /// # Errors
    /// [`SendError`], by the reaction that follows.
    async fn send(&self, prompt: &Prompt) -> Result<AcceptedPrompt, SendError>;

    /// Returns whether customers answer in a conversation. `false` where each message is a text that costs money.
    fn is_chat(&self) -> bool;

    /// Returns whether the message of this prompt has no button that denies, and a message beside it can have one.
    ///
    /// `false` where each message has one, and where no message has buttons.
    fn needs_way_out(&self, _: &Prompt) -> bool {
        false
    }

    /// Sends a message in the thread of a prompt, within the channel's rules for such messages.
    ///
    /// [`resend`](Self::resend) holds of it too.
    ///
    /// # Errors
    /// [`SendError`], by the reaction that follows.
    async fn send_in_thread(&self, message: &ThreadMessage) -> Result<AcceptedPrompt, SendError>;

    /// Retracts a prompt; `false` where the channel cannot, or it is too late.
    async fn retract(&self, retraction: &Retraction) -> bool;

    /// Verifies a webhook over its raw bytes, then parses it. It is pure.
    ///
    /// # Errors
    /// [`CallbackError`].
    fn receive(&self, callback: &UnverifiedCallback) -> Result<ReceivedWebhook, CallbackError>;

    /// Returns the number that a verified webhook is for. Channels that share a callback address are told apart by it.
    fn addressee(&self, _: &UnverifiedCallback) -> Addressee {
        Addressee::Unnamed
    }

    /// Fetches the content that a verified webhook refers to: a body to be received in place of the webhook's own.
    ///
    /// `None` where nothing is to be fetched or the sender is not verified, as on most channels.
    ///
    /// # Errors
    /// The cause of a failed fetch. The provider may repeat the webhook.
    async fn resolve(&self, _: &UnverifiedCallback) -> Result<Option<Bytes>, Source> {
        Ok(None)
    }

    /// Returns a link with which a customer begins a conversation, for channels where only customers can.
    ///
    /// Their first message returns `intent`, see [`Callback::Wrote`](crate::Callback::Wrote). `None` on all other channels.
    fn entry_link(&self, _intent: &str) -> Option<String> {
        None
    }
}

/// A channel that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenChannelError {
    /// The brand has no channel of that name in that mode.
    #[error("the brand has no such channel")]
    Absent,
    /// The settings name no adapter, or are not valid for it: an operator must look.
    #[error("the channel's settings are invalid")]
    Settings(#[source] Source),
}

/// The registry of channel adapters.
///
/// ```
/// use domain::brand::{Brand, Mode};
/// use domain::values::name::ChannelName;
/// use ports::{Channel, Channels, OpenChannelError};
///
/// /// A registry without a channel.
/// struct NoChannels;
///
/// impl Channels for NoChannels {
///     fn open(
///         &self,
///         _: &Brand,
///         _: Mode,
///         _: &ChannelName,
///     ) -> Result<Box<dyn Channel>, OpenChannelError> {
///         Err(OpenChannelError::Absent)
///     }
/// }
///
/// /// Whether an operator must look at the brand's settings of a channel.
/// fn is_misconfigured(channels: &dyn Channels, brand: &Brand, name: &ChannelName) -> bool {
///     matches!(channels.open(brand, Mode::Live, name), Err(OpenChannelError::Settings(_)))
/// }
///
/// # let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// # let brand = format!(r#"{{"version":"1","name":"acme","display_name":"Acme","keys":[],"address_key":"{key}",
/// # "link_key":"{key}","sealing":{{"current":"a","keys":{{"a":"{key}"}}}},"live":{{}},"test":{{}}}}"#);
/// let brand = Brand::parse(&brand).unwrap();
/// assert!(!is_misconfigured(&NoChannels, &brand, &"rcs".parse().unwrap()));
/// ```
pub trait Channels: Send + Sync {
    /// Opens a channel of the brand.
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
