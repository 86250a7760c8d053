//! What can go wrong within the file, and what each port calls it.

use std::sync::Arc;

use domain::ports::{QueueError, StoreError};
use rusqlite::ErrorCode;

/// Why a piece of work on the file was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// An expectation does not hold.
    #[error("somebody else committed first")]
    Conflict,
    /// The caller asked for what the port does not allow.
    #[error("the port does not allow that: {0}")]
    Misuse(&'static str),
    /// SQLite did not do it.
    #[error("the file could not be used")]
    Sqlite(#[from] rusqlite::Error),
    /// The work was done and the commit it was part of was not.
    #[error("the change could not be committed")]
    Commit(#[source] Arc<rusqlite::Error>),
    /// Whoever was to commit the work is gone.
    #[error("the change was lost before it was committed")]
    Lost,
    /// A message is not what we write.
    #[error("a message cannot be written or read")]
    Message(#[source] serde_json::Error),
}

impl Fault {
    /// Whether the file holds something that no repeat will read.
    fn is_damage(&self) -> bool {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => {
                matches!(error.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
            }
            Self::Sqlite(error) => matches!(
                error,
                rusqlite::Error::FromSqlConversionFailure(..)
                    | rusqlite::Error::IntegralValueOutOfRange(..)
                    | rusqlite::Error::InvalidColumnType(..)
                    | rusqlite::Error::Utf8Error(..)
            ),
            Self::Conflict | Self::Misuse(_) | Self::Commit(_) | Self::Lost | Self::Message(_) => {
                false
            }
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        if matches!(fault, Fault::Conflict) {
            Self::Conflict
        } else if fault.is_damage() {
            Self::Damaged(Box::new(fault))
        } else {
            Self::Unavailable(Box::new(fault))
        }
    }
}

impl From<Fault> for QueueError {
    fn from(fault: Fault) -> Self {
        Self(Box::new(fault))
    }
}
