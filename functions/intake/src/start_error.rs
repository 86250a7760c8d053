//! The reason why work on what is stored of a customer does not begin.

use domain::problem::Problem;
use ports::StoreError;
use records::update::Conflict;

/// The reason why an erasure does not begin, or a card is not taken off file.
#[derive(Debug)]
pub(crate) enum StartError {
    /// The call is refused with this problem.
    Refused(Problem),
    /// The store failed, or another writer was first.
    Store(StoreError),
}

impl From<Problem> for StartError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Refused(problem) => problem,
            StartError::Store(StoreError::Conflict) => Self::overtaken(),
            StartError::Store(error @ (StoreError::Unavailable(_) | StoreError::Damaged(_))) => {
                error.into()
            }
        }
    }
}

impl Conflict for StartError {
    fn is_conflict(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Store(error) => error.is_conflict(),
        }
    }
}
