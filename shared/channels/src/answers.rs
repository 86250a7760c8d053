//! The meaning of an answer that did not come, or whose body names no documented error.

use ports::{Callback, HttpError, PromptSelector, SendError, Source};

/// A provider did not take the prompt. The answer's body is dropped, as it may quote an address.
#[derive(Debug, thiserror::Error)]
#[error("the provider answered {status}")]
pub(crate) struct ProviderAnswer {
    /// The HTTP status.
    pub(crate) status: http::StatusCode,
}

/// The reaction to a message that failed without a documented code.
pub(crate) const UNDELIVERED: Reaction = Reaction::Unreachable("undelivered");

/// The reaction to a provider's documented error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// Retry: the same call may work in a moment.
    Again,
    /// Take the next route: this channel cannot reach the customer.
    Unreachable(&'static str),
    /// Take the next route, and let an operator look.
    Misconfigured(&'static str),
}

impl Reaction {
    /// Converts the reaction into the error of a send.
    pub(crate) fn to_send(self, status: http::StatusCode) -> SendError {
        match self {
            Self::Again => SendError::Again(ProviderAnswer { status }.into()),
            Self::Unreachable(reason) => SendError::Unreachable { reason },
            Self::Misconfigured(reason) => SendError::Misconfigured { reason },
        }
    }

    /// Returns the event of a message that the provider took and failed to deliver later.
    pub(crate) const fn to_callback(self, about: PromptSelector) -> Callback {
        match self {
            Self::Again => Callback::FailedForNow(about),
            Self::Unreachable(reason) | Self::Misconfigured(reason) => {
                Callback::Failed(about, reason)
            }
        }
    }
}

/// Converts the error of a call without an answer.
pub(crate) fn no_answer(error: HttpError) -> SendError {
    match error {
        HttpError::Forbidden => SendError::Misconfigured { reason: "base_url" },
        HttpError::NotSent(_) => SendError::Again(error.into()),
        HttpError::Lost(_) => SendError::Unknown(error.into()),
    }
}

/// Reads an answer by its status alone.
///
/// A status that does not clearly refuse may follow a message that was sent. None of these providers recognises a
/// repeat, so the outcome is unknown.
pub(crate) fn by_status(status: http::StatusCode) -> SendError {
    let source = || -> Source { ProviderAnswer { status }.into() };
    match status.as_u16() {
        300..=399 => SendError::Misconfigured { reason: "base_url" },
        401 | 403 => SendError::Misconfigured { reason: "credentials" },
        408 => SendError::Unknown(source()),
        429 => SendError::Again(source()),
        400..=499 => SendError::Misconfigured { reason: "rejected" },
        _ => SendError::Unknown(source()),
    }
}
