//! A channel provider's webhook, before and after its sender is verified.

use std::fmt;

use bytes::Bytes;

use super::PromptRef;
use domain::authorization::Credential;
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
    Topic,
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
        /// The customer who tapped, as the channel reports them.
        from: Sender,
    },
    /// The customer paid in the channel's own sheet: an approval with its credential.
    Paid {
        /// The prompt that was answered, which the channel verified.
        about: PromptSelector,
        /// The wallet's credential.
        credential: Credential,
    },
    /// The customer opted out.
    Stop(Sender),
    /// The customer opted in again.
    Start(Sender),
    /// The customer wrote another text. It is personal data and is not stored.
    Wrote {
        /// The customer who wrote, as the channel reports them.
        from: Sender,
        /// The text as the customer wrote it.
        text: String,
        /// The intent of the entry link that began the conversation: it may hold a postback of ours.
        intent: Option<String>,
        /// When the text was written; `None` where the channel does not report it.
        ///
        /// A webhook may come late, and a text from before the prompt is no answer to it.
        at: Option<Timestamp>,
    },
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
            Self::Wrote { .. } => f.write_str("Wrote(…)"),
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
