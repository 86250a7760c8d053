//! A channel provider's webhook, before and after its sender is verified.

use std::fmt;

use bytes::Bytes;

use super::PromptRef;
use domain::authorization::Credential;
use domain::values::email::Email;
use domain::values::id::PromptId;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;

/// A webhook whose sender is not verified yet.
#[derive(Clone, Debug)]
pub struct UnverifiedCallback {
    /// The HTTP method.
    pub method: http::Method,
    /// The URL as the provider called it: the configured public base, then path and query as received.
    pub url: String,
    /// The HTTP headers, as received.
    pub headers: http::HeaderMap,
    /// The body, byte for byte.
    pub body: Bytes,
    /// The current time, for signatures that carry one.
    pub now: Timestamp,
    /// A proof of the sender outside the call itself.
    pub proof: Proof,
}

/// A proof of a webhook's sender outside the webhook itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// No proof: the webhook came over the internet.
    None,
    /// The channel's own topic, to which our account lets only the provider publish.
    Topic {
        /// When the provider published the event, which a repeat has too; `None` where the topic does not report it.
        published_at: Option<Timestamp>,
    },
}

/// A verified webhook: its events, and the response that its sender expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedWebhook {
    /// The events, in order.
    pub callbacks: Vec<Callback>,
    /// The response that the sender expects.
    pub reply: CallbackReply,
    /// The response to an event that no longer counts, where the sender's sheet shows it, as Apple Pay's does.
    ///
    /// `None` on other channels: they get the usual response.
    pub refusal: Option<CallbackReply>,
}

/// The response to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackReply {
    /// The HTTP status.
    pub status: u16,
    /// The content type of the body.
    pub content_type: &'static str,
    /// The body, in the content type's format.
    pub body: String,
}

/// The prompt that an event is about, as the provider echoes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptSelector {
    /// The request and its prompt.
    Exact(PromptRef),
    /// The prompt alone, where the provider echoes only the message's id.
    Prompt(PromptId),
}

impl From<PromptRef> for PromptSelector {
    fn from(reference: PromptRef) -> Self {
        Self::Exact(reference)
    }
}

/// The sender of a message or tap: by number, by handle, or both. It is personal data, so `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sender {
    /// The phone number; `None` where the channel does not report it.
    pub phone: Option<Phone>,
    /// The channel's own id of the sender; `None` where it has none.
    pub handle: Option<String>,
    /// The features of the sender's device, as the channel names them.
    pub features: Vec<String>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender(…)")
    }
}

impl From<Phone> for Sender {
    fn from(phone: Phone) -> Self {
        Self { phone: Some(phone), ..Self::default() }
    }
}

/// A customer's message or tap: who sent it, when, and under which id.
///
/// A webhook may come late, twice and out of order. So a message counts from when it was written.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MessageOrigin {
    /// The customer, as the channel reports them.
    pub from: Sender,
    /// When the customer wrote or tapped; `None` where the channel does not report it.
    pub written_at: Option<Timestamp>,
    /// The provider's id of the message, which a repeat has too; `None` where it has none.
    pub message_id: Option<String>,
}

impl fmt::Debug for MessageOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageOrigin(…)")
    }
}

impl From<Sender> for MessageOrigin {
    fn from(from: Sender) -> Self {
        Self { from, ..Self::default() }
    }
}

impl From<Phone> for MessageOrigin {
    fn from(phone: Phone) -> Self {
        Sender::from(phone).into()
    }
}

impl MessageOrigin {
    /// Returns when the customer wrote: the channel's time, or `now` where it reports none or a later one.
    #[must_use]
    pub fn time(&self, now: Timestamp) -> Timestamp {
        self.written_at.map_or(now, |at| at.min(now))
    }
}

/// The reason of a failed prompt that its channel takes only within a time after the customer's last message.
///
/// Such a channel takes another kind of message outside its window, and the prompt goes out again as that.
pub const OUTSIDE_WINDOW: &str = "outside_window";

/// The reason of a message that a channel refused because the customer opted out. It counts as the customer's own word.
pub const OPTED_OUT: &str = "opted_out";

/// An event that a provider reports.
#[derive(Clone, PartialEq, Eq)]
pub enum Callback {
    /// The message reached the phone.
    Delivered(PromptSelector),
    /// The customer read the message.
    Read(PromptSelector),
    /// The message will not arrive; the reason is a stable code of ours.
    Failed(PromptSelector, &'static str),
    /// The message did not arrive for a cause that passes, such as a rate limit. Sent again, it may arrive.
    FailedForNow(PromptSelector),
    /// The customer tapped a button. [`domain::postback`] must verify the postback.
    Tapped {
        /// The button's postback, as it came back.
        postback: String,
        /// The button's label, which is read as a text where the postback is not ours. `None` without one.
        label: Option<String>,
        /// The origin of the tap.
        origin: MessageOrigin,
    },
    /// The customer paid in the channel's own sheet: an approval with its credential.
    Paid {
        /// The prompt that was answered, which the channel verified.
        about: PromptSelector,
        /// The wallet's credential.
        credential: Credential,
    },
    /// The customer opted out.
    Stop(MessageOrigin),
    /// The customer opted in again.
    Start(MessageOrigin),
    /// The reader of a mail wants no more of them, as the provider reports.
    Unsubscribed {
        /// The prompt of the mail.
        about: PromptSelector,
        /// The address that the mail went to.
        email: Email,
        /// When the reader said so; `None` where the provider does not report it.
        at: Option<Timestamp>,
    },
    /// The customer wrote another text. It is personal data and is not stored.
    Wrote {
        /// The origin of the text.
        origin: MessageOrigin,
        /// The text as the customer wrote it.
        text: String,
        /// The intent of the entry link that began the conversation: it may hold a postback of ours.
        intent: Option<String>,
    },
    /// The customer sent something that says nothing here, such as a reaction or a place.
    Active(MessageOrigin),
    /// The provider names the customer who gets a prompt, by its own ids of them.
    Recipient {
        /// The prompt that the customer gets.
        about: PromptSelector,
        /// The ids, which may differ from the number that was asked.
        recipient: Sender,
    },
}

impl Callback {
    /// Returns the customer's message or tap behind the event; `None` for what the provider itself reports.
    #[must_use]
    pub const fn origin(&self) -> Option<&MessageOrigin> {
        match self {
            Self::Tapped { origin, .. }
            | Self::Stop(origin)
            | Self::Start(origin)
            | Self::Wrote { origin, .. }
            | Self::Active(origin) => Some(origin),
            Self::Delivered(_)
            | Self::Read(_)
            | Self::Failed(..)
            | Self::FailedForNow(_)
            | Self::Paid { .. }
            | Self::Unsubscribed { .. }
            | Self::Recipient { .. } => None,
        }
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered(about) => write!(f, "Delivered({about:?})"),
            Self::Read(about) => write!(f, "Read({about:?})"),
            Self::Failed(about, reason) => write!(f, "Failed({about:?}, {reason})"),
            Self::FailedForNow(about) => write!(f, "FailedForNow({about:?})"),
            Self::Tapped { .. } => f.write_str("Tapped(…)"),
            Self::Paid { about, .. } => write!(f, "Paid({about:?}, …)"),
            Self::Stop(_) => f.write_str("Stop(…)"),
            Self::Start(_) => f.write_str("Start(…)"),
            Self::Unsubscribed { .. } => f.write_str("Unsubscribed(…)"),
            Self::Wrote { .. } => f.write_str("Wrote(…)"),
            Self::Active(_) => f.write_str("Active(…)"),
            Self::Recipient { about, .. } => write!(f, "Recipient({about:?}, …)"),
        }
    }
}

/// A webhook that is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// The signature is missing or wrong.
    #[error("the webhook's signature does not verify")]
    Forged,
    /// The signature verifies, and the body is not what the provider documents.
    #[error("failed to parse the webhook")]
    Malformed,
    /// This channel has no webhooks.
    #[error("this channel has no webhooks")]
    None,
}
