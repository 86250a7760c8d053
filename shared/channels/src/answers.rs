//! What follows from an answer that did not come, or whose text says nothing we know.

use domain::ports::{HttpError, SendError, Source};

/// A provider answered that it did not take the prompt. The text of the answer may quote an address, so it is not kept.
#[derive(Debug, thiserror::Error)]
#[error("the provider answered {status}")]
pub(crate) struct Answered {
    /// The HTTP status.
    pub(crate) status: http::StatusCode,
}

/// What a documented error of a provider asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// The same call may work in a moment.
    Again,
    /// This customer cannot be reached here.
    Unreachable(&'static str),
    /// An operator must look.
    Person(&'static str),
}

impl Reaction {
    /// The reaction as the answer to a call.
    pub(crate) fn to_send(self, status: http::StatusCode) -> SendError {
        match self {
            Self::Again => SendError::Again(Answered { status }.into()),
            Self::Unreachable(reason) => SendError::Unreachable { reason },
            Self::Person(reason) => SendError::Person { reason },
        }
    }

    /// The stable word for a message that was taken and failed later.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Again => "busy",
            Self::Unreachable(reason) | Self::Person(reason) => reason,
        }
    }
}

/// What a call without an answer means.
pub(crate) fn without(error: HttpError) -> SendError {
    match error {
        HttpError::Forbidden => SendError::Person { reason: "base_url" },
        HttpError::NotSent(_) => SendError::Again(error.into()),
        HttpError::Lost(_) => SendError::Unknown(error.into()),
    }
}

/// What an answer means by its status alone.
///
/// A status that does not clearly say "not taken" may have come after the message went out, and none of these
/// providers knows a repeat.
pub(crate) fn by_status(status: http::StatusCode) -> SendError {
    let source = || -> Source { Answered { status }.into() };
    match status.as_u16() {
        300..=399 => SendError::Person { reason: "base_url" },
        401 | 403 => SendError::Person { reason: "credentials" },
        408 => SendError::Unknown(source()),
        429 => SendError::Again(source()),
        400..=499 => SendError::Person { reason: "rejected" },
        _ => SendError::Unknown(source()),
    }
}
