//! A prompt and its request, as providers echo them.

use std::fmt;

use super::id::{PromptId, RequestId};

/// A prompt and its request, in a form that providers echo: `req_….prm_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PromptRef {
    /// The request's id, `req_…`.
    pub request: RequestId,
    /// The prompt's id, `prm_…`.
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
