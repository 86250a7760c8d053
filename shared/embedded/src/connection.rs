//! The connections to the file: a writer, a reader beside it, and a group commit.
//!
//! A commit costs a flush to the disk. The first caller that finds no commit running makes all waiting changes, each
//! within its own savepoint, and commits once. So one flush serves many writes under load.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::fault::Fault;
use crate::schema::{self, SchemaError};

/// The most changes of one commit. It bounds the time that the first caller waits for the last change.
const GROUP_MAX: usize = 64;

/// The connections to one database file: one that writes and one that reads.
pub(crate) struct Connections {
    writer: Mutex<Connection>,
    /// `None` for a database in memory, which belongs to its one connection.
    reader: Option<Mutex<Connection>>,
    waiting: Mutex<WaitingChanges>,
    /// Notified after each commit. Callers with an answer return, and one of the others makes the next commit.
    committed: Condvar,
}

/// The changes that wait for a commit.
#[derive(Default)]
struct WaitingChanges {
    jobs: Vec<Box<dyn Job>>,
    /// Whether a thread is committing.
    is_committing: bool,
}

/// A running commit, which ends on drop even if a change panics.
struct CommitGuard<'a>(&'a Connections);

impl Drop for CommitGuard<'_> {
    fn drop(&mut self) {
        lock(&self.0.waiting).is_committing = false;
        self.0.committed.notify_all();
    }
}

/// A change that waits for a commit.
trait Job: Send {
    /// Makes the change; `false` if it must be rolled back.
    fn run(&mut self, connection: &Connection) -> bool;

    /// Passes the result to the caller that waits for it.
    fn answer(self: Box<Self>, committed: Result<(), Arc<rusqlite::Error>>);
}

struct Change<T, F> {
    work: Option<F>,
    done: Option<Result<T, Fault>>,
    answer: Arc<Mutex<Option<Result<T, Fault>>>>,
}

impl<T: Send, F> Job for Change<T, F>
where
    F: FnOnce(&Connection) -> Result<T, Fault> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        self.done = self.work.take().map(|work| work(connection));
        matches!(self.done, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), Arc<rusqlite::Error>>) {
        let answer = match (self.done, committed) {
            (Some(Ok(_)) | None, Err(error)) => Err(Fault::Commit(error)),
            (Some(done), Ok(()) | Err(_)) => done,
            (None, Ok(())) => Err(Fault::Lost),
        };
        *lock(&self.answer) = Some(answer);
    }
}

/// Takes a lock, also after a panic under it: SQLite rolled its transaction back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs blocking work, and hands a threaded runtime's other tasks to another thread.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    let threaded = Handle::try_current()
        .is_ok_and(|runtime| matches!(runtime.runtime_flavor(), RuntimeFlavor::MultiThread));
    if threaded { tokio::task::block_in_place(work) } else { work() }
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
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
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
        let reader = Some(Mutex::new(reader));
        Ok(Self {
            writer: Mutex::new(writer),
            reader,
            waiting: Mutex::default(),
            committed: Condvar::new(),
        })
    }

    /// Creates the same tables in memory.
    pub(crate) fn in_memory() -> Result<Self, SchemaError> {
        let mut writer = Connection::open_in_memory()?;
        configure(&writer)?;
        schema::upgrade(&mut writer)?;
        let (writer, waiting) = (Mutex::new(writer), Mutex::default());
        Ok(Self { writer, reader: None, waiting, committed: Condvar::new() })
    }

    /// Reads, and sees every change that was answered before.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        blocking(|| work(&lock(self.reader.as_ref().unwrap_or(&self.writer))))
    }

    /// Makes a change whole or not at all. It is on the disk before this returns.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let answer = Arc::new(Mutex::new(None));
        let change = Change { work: Some(work), done: None, answer: Arc::clone(&answer) };
        blocking(|| {
            let mut waiting = lock(&self.waiting);
            waiting.jobs.push(Box::new(change));
            loop {
                if let Some(answer) = lock(&answer).take() {
                    return answer;
                }
                if waiting.is_committing {
                    waiting = self.committed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
                waiting.is_committing = true;
                drop(waiting);
                if self.commit_waiting() == 0 {
                    return Err(Fault::Lost);
                }
                waiting = lock(&self.waiting);
            }
        })
    }

    /// The writing connection itself.
    #[cfg(test)]
    pub(crate) fn writer(&self) -> MutexGuard<'_, Connection> {
        lock(&self.writer)
    }

    /// Makes the waiting changes in one commit, and returns their number.
    fn commit_waiting(&self) -> usize {
        let _guard = CommitGuard(self);
        let mut writer = lock(&self.writer);
        let mut jobs: Vec<Box<dyn Job>> = {
            let mut waiting = lock(&self.waiting);
            let count = waiting.jobs.len().min(GROUP_MAX);
            waiting.jobs.drain(..count).collect()
        };
        let committed = commit(&mut writer, &mut jobs).map_err(Arc::new);
        let count = jobs.len();
        for job in jobs {
            job.answer(committed.clone());
        }
        count
    }
}

fn commit(writer: &mut Connection, jobs: &mut [Box<dyn Job>]) -> Result<(), rusqlite::Error> {
    let mut whole = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in jobs {
        let mut part = whole.savepoint()?;
        if job.run(&part) {
            part.commit()?;
        } else {
            part.rollback()?;
            part.commit()?;
        }
    }
    whole.commit()
}
