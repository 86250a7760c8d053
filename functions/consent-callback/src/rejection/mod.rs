//! The answer to a webhook that no setup of its address verifies.

use domain::problem::{Code, Problem};
use ports::CallbackError;

/// Returns the problem of an address without a channel or processor.
pub(crate) fn absent() -> Problem {
    Problem::new(
        Code::NotFound,
        "no channel or processor has this URL; check the brand and the name in its path",
    )
}

/// The most helpful problem of the setups that were tried: an invalid setting, else a wrong signature, else absence.
pub(crate) struct Rejection(Problem);

impl Rejection {
    /// Begins with absence.
    pub(crate) fn new() -> Self {
        Self(absent())
    }

    /// Notes that a setting is invalid. The webhook may be for that setup, and its sender repeats it.
    pub(crate) fn invalid_settings(&mut self) {
        self.0 = Problem::invalid_settings();
    }

    /// Notes why a setup did not take the webhook. `true` when its signature does not verify.
    ///
    /// # Errors
    /// A [`Problem`] when the sender is verified and the body is malformed: no other setup can take it.
    pub(crate) fn refused(&mut self, error: &CallbackError) -> Result<bool, Problem> {
        match error {
            CallbackError::None => Ok(false),
            CallbackError::Forged => {
                if self.0.code != Code::SettingsInvalid {
                    self.0 = Problem::new(Code::CallbackForged, "the signature does not verify");
                }
                Ok(true)
            }
            CallbackError::Malformed => Err(Problem::new(
                Code::InvalidRequest,
                "the webhook's body is not in the provider's documented format",
            )),
        }
    }

    /// Returns the problem to answer with.
    pub(crate) fn into_problem(self) -> Problem {
        self.0
    }
}
