//! Time and randomness, which no rule reads by itself.

use std::time::Duration;

use async_trait::async_trait;

use domain::values::time::Timestamp;

/// The current time, and waits.
///
/// ```
/// use std::time::Duration;
///
/// use domain::values::time::Timestamp;
/// use ports::Clock;
///
/// /// A clock that stands still, for a test.
/// struct StoppedClock(Timestamp);
///
/// #[async_trait::async_trait]
/// impl Clock for StoppedClock {
///     fn now(&self) -> Timestamp {
///         self.0
///     }
///
///     async fn wait(&self, _: Duration) {}
/// }
///
/// let clock = StoppedClock("2026-12-01T00:00:00Z".parse().unwrap());
/// pollster::block_on(clock.wait(Duration::from_secs(20)));
/// assert_eq!(clock.now().to_string(), "2026-12-01T00:00:00.000Z");
/// ```
#[async_trait]
pub trait Clock: Send + Sync {
    /// Returns the current time in UTC.
    fn now(&self) -> Timestamp;

    /// Returns after `duration`.
    ///
    /// It is for callers that hold a connection open. Everything else waits on a queue.
    async fn wait(&self, duration: Duration);
}
