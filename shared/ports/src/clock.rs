//! Time and randomness, which no rule reads by itself.

use std::time::Duration;

use async_trait::async_trait;

use domain::values::time::Timestamp;

/// The current time, and waits.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Returns the current time in UTC.
    fn now(&self) -> Timestamp;

    /// Returns after `duration`.
    ///
    /// It is for callers that hold a connection open. Everything else waits on a queue.
    async fn wait(&self, duration: Duration);
}
