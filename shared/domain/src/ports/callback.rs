//! What a provider tells us by calling us, before and after its sender is proven.

use std::fmt;

use bytes::Bytes;

use super::PromptRef;
use crate::authorization::Authorization;
use crate::values::id::PromptId;
use crate::values::phone::Phone;
use crate::values::time::Timestamp;

/// A call to a channel's callback address of which nothing is known to be true.
#[derive(Clone, Debug)]
pub struct UnverifiedCallback {
    /// The method.
    pub method: http::Method,
    /// The address as the provider called it: the configured public base, then the path and query as received.
    pub url: String,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body, byte for byte.
    pub body: Bytes,
    /// Now, for signatures that carry a time.
    pub now: Timestamp,
    /// What proves the sender besides what the call itself carries.
    pub proof: Proof,
}

/// What proves who sent a callback, besides what the callback itself carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nothing: it came over the open network.
    None,
    /// Our own account's rules: it came from the topic that is this channel's own, to which only the provider may publish.
    Topic,
}

/// A callback whose sender is proven: what it says, and what its sender wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// What happened, in the order told.
    pub callbacks: Vec<Callback>,
    /// What to answer.
    pub reply: CallbackReply,
    /// What to answer instead when what was told is no longer wanted, where the sender's sheet shows the difference, as
    /// Apple Pay's does. Everywhere else a callback that comes too late is answered like any other.
    pub refusal: Option<CallbackReply>,
}

/// What to answer to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackReply {
    /// The HTTP status.
    pub status: u16,
    /// The content type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// Which prompt a callback is about, as far as the provider echoes what we gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptSelector {
    /// A prompt of a request.
    Exact(PromptRef),
    /// A prompt, where the provider echoes the message's id alone.
    Prompt(PromptId),
}

impl From<PromptRef> for PromptSelector {
    fn from(reference: PromptRef) -> Self {
        Self::Exact(reference)
    }
}

/// Who wrote or tapped: by number, by the channel's own id, or both. Personal data: `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sender {
    /// Their number, where the channel tells it.
    pub phone: Option<Phone>,
    /// The channel's own id for them, where it has one.
    pub handle: Option<String>,
    /// What their device can do, in the channel's words, where it says so.
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

/// One thing a provider told us.
#[derive(Clone, PartialEq, Eq)]
pub enum Callback {
    /// The message reached the phone.
    Delivered(PromptSelector),
    /// The customer read the message.
    Read(PromptSelector),
    /// The message will not arrive; the reason is a stable word of ours.
    Failed(PromptSelector, &'static str),
    /// The customer tapped a button. What it carried is only believed once [`crate::postback`] has read it.
    Tapped {
        /// What the button carried, as it came back.
        postback: String,
        /// Who tapped.
        from: Sender,
    },
    /// The customer paid within the channel itself: a yes that carries its authorization.
    Paid {
        /// Answering which prompt. The channel has proven that it asked for it.
        about: PromptSelector,
        /// What the wallet gave.
        authorization: Authorization,
    },
    /// The customer wants no more messages from this brand.
    Stop(Sender),
    /// The customer wants messages again.
    Start(Sender),
    /// The customer wrote something else. The text is personal data and is never kept.
    Wrote {
        /// Who wrote.
        from: Sender,
        /// What.
        text: String,
        /// What the link carried that the customer began the conversation with: a postback of ours, perhaps.
        intent: Option<String>,
        /// When, where the channel tells: a callback may come late, and what was written before a prompt is no answer to it.
        at: Option<Timestamp>,
    },
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered(about) => write!(f, "Delivered({about:?})"),
            Self::Read(about) => write!(f, "Read({about:?})"),
            Self::Failed(about, reason) => write!(f, "Failed({about:?}, {reason})"),
            Self::Tapped { .. } => f.write_str("Tapped(…)"),
            Self::Paid { about, .. } => write!(f, "Paid({about:?}, …)"),
            Self::Stop(_) => f.write_str("Stop(…)"),
            Self::Start(_) => f.write_str("Start(…)"),
            Self::Wrote { .. } => f.write_str("Wrote(…)"),
        }
    }
}

/// Why a callback is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// The signature is missing or wrong.
    #[error("the callback's signature does not verify")]
    Forged,
    /// The signature is right and the text is not what the provider documents.
    #[error("the callback cannot be read")]
    Malformed,
    /// This channel has no callbacks.
    #[error("this channel has no callbacks")]
    None,
}
