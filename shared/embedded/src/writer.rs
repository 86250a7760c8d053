//! The thread that makes all changes of a file. Callers wait without a thread of their own.
//!
//! A commit costs a flush to the disk. The next one makes all changes that arrived meanwhile. So one flush serves many
//! changes under load.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use crate::group::{self, Job};

/// The most changes of one commit. It bounds the time that the first caller waits for the last change.
const GROUP_MAX: usize = 64;
/// The longest time that a change waits for others, if no caller waits for it.
const DEFERRED_MAX: Duration = Duration::from_millis(20);

/// The durability of a change when its caller gets the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The change is on the disk before its answer.
    Flushed,
    /// The change survives the end of the process. A power failure may undo it until the next flush.
    Unflushed,
    /// The same, and the change may wait for others, since no caller waits for it.
    Deferred,
}

/// The writing thread. Its drop ends it, after all changes.
pub(crate) struct Writer {
    shared: Arc<JobQueue>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct JobQueue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<(Durability, Box<dyn Job>)>,
    is_closed: bool,
}

impl Waiting {
    fn is_urgent(&self) -> bool {
        self.is_closed
            || self.jobs.iter().any(|(durability, _)| *durability != Durability::Deferred)
    }
}

fn lock(mutex: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer {
    /// Starts the thread, which owns the connection.
    pub(crate) fn start(connection: Connection) -> Result<Self, std::io::Error> {
        let shared: Arc<JobQueue> = Arc::default();
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("store".to_owned());
        let thread = thread.spawn(move || {
            let _guard = CloseGuard(&of_thread);
            work(&connection, &of_thread);
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Hands a change to the thread. A change after the thread's end is dropped, which its caller learns.
    pub(crate) fn push(&self, durability: Durability, job: Box<dyn Job>) {
        let mut waiting = lock(&self.shared.waiting);
        if waiting.is_closed {
            return;
        }
        // A thread that waits for nothing must begin to wait for others.
        let wakes = durability != Durability::Deferred || waiting.jobs.is_empty();
        waiting.jobs.push((durability, job));
        drop(waiting);
        if wakes {
            self.shared.changed.notify_one();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        lock(&self.shared.waiting).is_closed = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to do.
            drop(thread.join());
        }
    }
}

/// Closes the queue of changes when the thread ends, even by a panic, so that no caller waits for ever.
struct CloseGuard<'a>(&'a JobQueue);

impl Drop for CloseGuard<'_> {
    fn drop(&mut self) {
        let mut waiting = lock(&self.0.waiting);
        waiting.is_closed = true;
        waiting.jobs.clear();
    }
}

fn work(connection: &Connection, shared: &JobQueue) {
    let mut is_flushing = true;
    while let Some(jobs) = next(shared) {
        let flushes = jobs.iter().any(|(durability, _)| *durability == Durability::Flushed);
        if flushes != is_flushing {
            match set_flushing(connection, flushes) {
                Ok(()) => is_flushing = flushes,
                // A flush too many is no fault. One too few would be, and the changes are dropped.
                Err(error) if flushes => {
                    tracing::error!(error = %error, "failed to turn on flushes; changes were dropped");
                    continue;
                }
                Err(error) => tracing::warn!(error = %error, "failed to turn off flushes"),
            }
        }
        group::commit(connection, jobs.into_iter().map(|(_, job)| job).collect());
    }
}

/// Returns the changes of the next commit, in the order of their arrival; `None` at the end.
fn next(shared: &JobQueue) -> Option<Vec<(Durability, Box<dyn Job>)>> {
    let mut waiting = lock(&shared.waiting);
    while !waiting.is_urgent() {
        if waiting.jobs.is_empty() {
            waiting = shared.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        let waited = shared.changed.wait_timeout(waiting, DEFERRED_MAX);
        let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        waiting = guard;
        if timeout.timed_out() {
            break;
        }
    }
    if waiting.jobs.is_empty() {
        return None;
    }
    let count = waiting.jobs.len().min(GROUP_MAX);
    Some(waiting.jobs.drain(..count).collect())
}

/// Sets whether a commit flushes the log. A flush covers the commits before it that did not.
///
/// Source: <https://www.sqlite.org/pragma.html#pragma_synchronous>, 2026-11-26.
fn set_flushing(connection: &Connection, flushes: bool) -> Result<(), rusqlite::Error> {
    connection.execute_batch(if flushes {
        "PRAGMA synchronous = FULL"
    } else {
        "PRAGMA synchronous = NORMAL"
    })
}
