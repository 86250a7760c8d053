//! Failures of commands, and the exit codes that tell them apart.

use ports::{HttpError, error_chain};

/// The exit code of the program. Scripts depend on these, so a code never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The command did its work.
    Done = 0,
    /// The command failed on this machine, as for a file that cannot be read.
    Failed = 1,
    /// The arguments are wrong. The parser uses this code too.
    Usage = 2,
    /// No answer came. The same command may be repeated.
    NoAnswer = 3,
    /// The API or Secrets Manager refused the call.
    Refused = 4,
    /// `brand check` or `doctor` found a fault.
    FaultFound = 5,
    /// The request ended otherwise than fulfilled.
    NotFulfilled = 6,
    /// The time to wait was over before the request ended.
    StillOpen = 7,
}

impl Exit {
    /// Returns the code that the program ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NoAnswer => 3,
            Self::Refused => 4,
            Self::FaultFound => 5,
            Self::NotFulfilled => 6,
            Self::StillOpen => 7,
        }
    }
}

/// A command that did not do its work. No text of it quotes a secret.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// A stable code for programs, such as `brand-exists`.
    pub code: String,
    /// What happened, for a person.
    pub message: String,
    /// What mends it; `None` where the message says so itself.
    pub remedy: Option<String>,
}

impl Failure {
    /// Creates a failure on this machine.
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, code: code.to_owned(), message: message.into(), remedy: None }
    }

    /// Creates a failure of wrong arguments.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new("usage", message) }
    }

    /// Sets the exit code.
    pub(crate) fn with_exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// Adds what mends it.
    pub(crate) fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// Creates the failure of a call without an answer. `callee` is an address without a secret.
    pub(crate) fn no_answer(callee: &str, error: &HttpError) -> Self {
        let message = format!("no answer from {callee}: {}", error_chain(error));
        Self::new("no-answer", message)
            .with_exit(Exit::NoAnswer)
            .with_remedy("check the address and the network, then repeat the command")
    }

    /// Creates the failure of a file.
    pub(crate) fn file(action: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new("file", format!("failed to {action} {}: {error}", path.display()))
    }
}

impl From<http::Error> for Failure {
    fn from(error: http::Error) -> Self {
        Self::usage(format!("the address is not valid: {error}"))
    }
}
