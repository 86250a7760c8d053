//! The tables, and the migrations between their versions.

use rusqlite::{Connection, TransactionBehavior};

/// The migrations. The first makes version 1 of an empty file, each further one the next version.
///
/// A released migration never changes.
const STEPS: [&str; 1] = ["
CREATE TABLE items (
    pk TEXT NOT NULL,
    sk TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    expires_at INTEGER,
    ipk TEXT,
    isk TEXT,
    PRIMARY KEY (pk, sk)
) STRICT;
CREATE INDEX items_by_index ON items (ipk, isk, pk, sk) WHERE ipk IS NOT NULL;
CREATE INDEX items_by_expiry ON items (expires_at) WHERE expires_at IS NOT NULL;

-- AUTOINCREMENT: an id is never used twice, so an old receipt never names a new message.
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    body TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    receives INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX messages_by_due ON messages (queue, due_at, id);

CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    body TEXT NOT NULL,
    receives INTEGER NOT NULL,
    died_at INTEGER NOT NULL
) STRICT;
CREATE INDEX dead_letters_by_queue ON dead_letters (queue, id);
"];

/// The tables could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SchemaError {
    /// A newer release wrote the file.
    #[error("file has version {found}, but this release reads up to {known}")]
    Newer {
        /// The file's version.
        found: usize,
        /// The newest version known here.
        known: usize,
    },
    /// SQLite failed.
    #[error("failed to create the tables")]
    Sqlite(#[from] rusqlite::Error),
    /// The machine starts no thread.
    #[error("failed to start the writing thread")]
    Thread(#[source] std::io::Error),
}

/// Migrates the tables to the newest version, completely or not at all.
pub(crate) fn upgrade(connection: &mut Connection) -> Result<(), SchemaError> {
    // Two processes may open a new file at once, so the version is read under the lock.
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: usize = change.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > STEPS.len() {
        return Err(SchemaError::Newer { found, known: STEPS.len() });
    }
    for step in STEPS.iter().skip(found) {
        change.execute_batch(step)?;
    }
    change.pragma_update(None, "user_version", STEPS.len())?;
    Ok(change.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn current_file_is_unchanged() {
        let mut connection = Connection::open_in_memory().unwrap();
        upgrade(&mut connection).unwrap();
        connection
            .execute("INSERT INTO items VALUES ('a', 'b', 1, '{}', 1, 'c', 'd')", [])
            .unwrap();
        upgrade(&mut connection).unwrap();
        let kept: i64 =
            connection.query_row("SELECT count(*) FROM items", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 1);
    }

    #[test]
    fn file_of_a_newer_release_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let refused = upgrade(&mut connection);
        assert!(matches!(refused, Err(SchemaError::Newer { found: 99, known: 1 })));
    }
}
