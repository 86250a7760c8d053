//! Time and randomness, the two things a rule must never reach for by itself.

use std::time::Duration;

use async_trait::async_trait;

use crate::values::time::Timestamp;

/// What time it is, and waiting for it to pass.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;

    /// Returns when `duration` has passed. Used only where a caller holds the line open; everything else waits on a
    /// queue.
    async fn wait(&self, duration: Duration);
}

/// A source of randomness fit for keys and tokens.
pub trait Random: Send + Sync {
    /// Fills `bytes` with random bytes of cryptographic quality.
    fn fill(&self, bytes: &mut [u8]);
}
