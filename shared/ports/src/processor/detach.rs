//! The results of taking a saved card off file.

use super::Rejection;
use crate::HttpError;

/// The result of [`detach`](super::Processor::detach). Every result but [`Detached`](Self::Detached) may leave the card on file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DetachResult {
    /// The processor keeps the card no longer, or never kept it. Nothing charges it again.
    Detached,
    /// The processor keeps the card, and a repeat cannot help.
    Failed {
        /// Such as `card_malformed` or `refused_by_processor`.
        code: &'static str,
    },
    /// The card may be on file or not. The same call is safe, and shows the result.
    Again,
    /// The processor rejected our account or credentials.
    Blocked {
        /// Why, and whether it concerns all calls.
        by: Rejection,
    },
}

/// The result of a call without a reply: a repeat of it shows whether the card is on file.
impl From<&HttpError> for DetachResult {
    fn from(error: &HttpError) -> Self {
        match error {
            HttpError::Forbidden => Self::Blocked { by: Rejection::Address },
            HttpError::NotSent(_) | HttpError::Lost(_) => Self::Again,
        }
    }
}
