//! The API problems of failed ports.

use domain::problem::{Code, Problem};

impl From<crate::StoreError> for Problem {
    fn from(error: crate::StoreError) -> Self {
        use crate::StoreError;
        match error {
            StoreError::Conflict | StoreError::Unavailable(_) => {
                Self::new(Code::TemporaryReducedCapacity, "the store is unavailable")
            }
            StoreError::Damaged(_) => Self::new(Code::Internal, "failed to read the stored item"),
        }
    }
}

impl From<crate::QueueError> for Problem {
    fn from(_: crate::QueueError) -> Self {
        Self::new(Code::TemporaryReducedCapacity, "the queue is unavailable")
    }
}

impl From<crate::SecretsError> for Problem {
    fn from(error: crate::SecretsError) -> Self {
        use crate::SecretsError;
        match error {
            SecretsError::Unknown => {
                Self::new(Code::Unauthenticated, "the API key is missing or not valid")
            }
            SecretsError::Damaged(_) => {
                Self::new(Code::Internal, "failed to read the brand's secret")
            }
            SecretsError::Unavailable(_) => {
                Self::new(Code::TemporaryReducedCapacity, "the secrets store is unavailable")
            }
        }
    }
}
