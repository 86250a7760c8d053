//! The connections to the file: a thread that writes, and readers beside it.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::fault::Fault;
use crate::group::{self, Parts, Then};
use crate::schema::{self, SchemaError};
use crate::writer::{Durability, Writer};

/// The connections to one database.
pub(crate) enum Connections {
    /// A file: a thread writes it, and callers read beside it.
    File { writer: Writer, reader: Mutex<Connection> },
    /// A database in memory, which belongs to its one connection. Callers do the work themselves.
    Memory(Mutex<Connection>),
}

/// Takes a lock, also after a panic under it: SQLite rolled its transaction back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits on this thread, and hands a threaded runtime's other tasks to another thread.
fn blocking<T>(wait: impl FnOnce() -> T) -> T {
    let threaded = Handle::try_current()
        .is_ok_and(|runtime| matches!(runtime.runtime_flavor(), RuntimeFlavor::MultiThread));
    if threaded { tokio::task::block_in_place(wait) } else { wait() }
}

/// Keeps prepared statements, and waits for another process's lock.
fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.set_prepared_statement_cache_capacity(64);
    // Else SQLite, built with STAT4, prepares a range query again for every new bound value.
    // Source: https://www.sqlite.org/queryplanner-ng.html#qpstab, 2026-11-26.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(Duration::from_secs(10))
}

fn configure(connection: &Connection) -> Result<(), rusqlite::Error> {
    prepare(connection)?;
    // In WAL mode, any setting below FULL loses answered writes when the power fails.
    // A commit that copies the log into the file holds up all others. SQLite does so after 1,000 pages, several times a
    // second under load. After 6,000 pages, 24 MB, each page is copied once for many changes of it.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 6000;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -16384;
         PRAGMA temp_store = MEMORY;",
    )
}

impl Connections {
    /// Opens the file, and creates a missing one.
    pub(crate) fn open(file: &Path) -> Result<Self, SchemaError> {
        let mut writer = Connection::open(file)?;
        configure(&writer)?;
        schema::upgrade(&mut writer)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(file, flags)?;
        prepare(&reader)?;
        let writer = Writer::start(writer).map_err(SchemaError::Thread)?;
        Ok(Self::File { writer, reader: Mutex::new(reader) })
    }

    /// Creates the same tables in memory.
    pub(crate) fn in_memory() -> Result<Self, SchemaError> {
        let mut connection = Connection::open_in_memory()?;
        configure(&connection)?;
        schema::upgrade(&mut connection)?;
        Ok(Self::Memory(Mutex::new(connection)))
    }

    /// Reads, and sees every change that was answered before.
    ///
    /// A read takes microseconds and waits for no writer, so the calling thread does it.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let (Self::File { reader: connection, .. } | Self::Memory(connection)) = self;
        work(&lock(connection))
    }

    /// Makes a change whole or not at all, as durable as asked for.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        durability: Durability,
        parts: Parts,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        self.write_then(durability, parts, work, None).await
    }

    /// Makes a change as [`write`](Self::write) does, and calls `then` once it is committed.
    ///
    /// That happens also if the caller waits no longer, as the handler of a call whose client has hung up.
    pub(crate) async fn write_then<T: Send + 'static>(
        &self,
        durability: Durability,
        parts: Parts,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        then: Option<Then<T>>,
    ) -> Result<T, Fault> {
        match self {
            Self::File { writer, .. } => {
                let (job, answer) = group::job(parts, work, then);
                writer.push(durability, job);
                answer.await.unwrap_or(Err(Fault::Lost))
            }
            Self::Memory(connection) => {
                let value = group::commit_alone(&lock(connection), parts, work)?;
                if let Some(then) = then {
                    then(&value);
                }
                Ok(value)
            }
        }
    }

    /// Makes a change as [`write`](Self::write) does, flushed to the disk, while the calling thread waits.
    pub(crate) fn write_and_wait<T: Send + 'static>(
        &self,
        parts: Parts,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        match self {
            Self::File { .. } => {
                blocking(|| pollster::block_on(self.write(Durability::Flushed, parts, work)))
            }
            Self::Memory(connection) => group::commit_alone(&lock(connection), parts, work),
        }
    }

    /// Makes a change that no caller waits for.
    pub(crate) fn defer(
        &self,
        parts: Parts,
        work: impl FnOnce(&Connection) -> Result<(), Fault> + Send + 'static,
    ) {
        let work = move |connection: &Connection| {
            let done = work(connection);
            if let Err(error) = &done {
                tracing::warn!(error = %error, "deferred change failed");
            }
            done
        };
        match self {
            Self::File { writer, .. } => {
                writer.push(Durability::Deferred, group::job(parts, work, None).0);
            }
            Self::Memory(connection) => {
                // A failure was logged.
                drop(group::commit_alone(&lock(connection), parts, work));
            }
        }
    }

    /// The one connection of a database in memory.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> MutexGuard<'_, Connection> {
        match self {
            Self::Memory(connection) => lock(connection),
            Self::File { .. } => panic!("a file is written by its thread"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the level at which a commit of this durability is made: 1 is NORMAL, 2 is FULL.
    async fn level(connections: &Connections, durability: Durability) -> i64 {
        let read = |connection: &Connection| {
            Ok(connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?)
        };
        connections.write(durability, Parts::One, read).await.unwrap()
    }

    #[tokio::test]
    async fn flushed_change_is_flushed_after_unflushed_ones() {
        let folder = tempfile::tempdir().unwrap();
        let connections = Connections::open(&folder.path().join("file")).unwrap();
        let mut levels = Vec::new();
        for durability in [
            Durability::Flushed,
            Durability::Unflushed,
            Durability::Deferred,
            Durability::Flushed,
            Durability::Deferred,
            Durability::Flushed,
        ] {
            levels.push(level(&connections, durability).await);
        }
        assert_eq!(levels, [2, 1, 1, 2, 1, 2]);
    }

    #[tokio::test]
    async fn deferred_change_is_made_without_another() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let connections = Connections::open(&file).unwrap();
        let (sender, made) = tokio::sync::oneshot::channel();
        connections.defer(Parts::One, move |connection| {
            connection.execute(
                "INSERT INTO items (pk, sk, version, body) VALUES ('a', 'b', 1, '{}')",
                [],
            )?;
            sender.send(()).ok();
            Ok(())
        });
        made.await.unwrap();
        // The drop waits for the thread, and with it for the commit.
        drop(connections);
        let connections = Connections::open(&file).unwrap();
        let count = |connection: &Connection| {
            Ok(connection
                .query_row("SELECT count(*) FROM items", [], |row| row.get::<_, i64>(0))?)
        };
        assert_eq!(connections.read(count).unwrap(), 1);
    }

    #[tokio::test]
    async fn caller_learns_of_a_change_that_panicked() {
        let folder = tempfile::tempdir().unwrap();
        let connections = Connections::open(&folder.path().join("file")).unwrap();
        let panics = |_: &Connection| -> Result<(), Fault> { panic!("a test") };
        let lost = connections.write(Durability::Flushed, Parts::One, panics).await;
        assert!(matches!(lost, Err(Fault::Lost)));
        let later = connections.write(Durability::Flushed, Parts::One, |_| Ok(())).await;
        assert!(matches!(later, Err(Fault::Lost)));
    }
}
