//! The errors of the file, and their conversion to the errors of each port.

use std::sync::Arc;

use ports::{QueueError, StoreError};
use rusqlite::ErrorCode;

/// A failed operation on the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// Another write changed the item first.
    #[error("another write committed first")]
    Conflict,
    /// The caller broke a rule of the port.
    #[error("operation violates the port: {0}")]
    Misuse(&'static str),
    /// SQLite failed.
    #[error("failed to use the file")]
    Sqlite(#[from] rusqlite::Error),
    /// The commit failed after the change was made.
    #[error("failed to commit the change")]
    Commit(#[source] Arc<rusqlite::Error>),
    /// The committing thread ended before its commit.
    #[error("change was lost before its commit")]
    Lost,
    /// A message does not serialise or parse.
    #[error("failed to write or read a message")]
    Message(#[source] serde_json::Error),
}

impl Fault {
    /// Returns whether the file is damaged, so that no repeat helps.
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
