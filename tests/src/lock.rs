//! Locks that open even after their holder panicked.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What it guards, for a moment: a panic elsewhere leaves nothing half done in these tests.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
