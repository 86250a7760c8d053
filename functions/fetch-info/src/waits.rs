//! The times that a worker waits before it looks again.

use std::time::Duration;

/// The least time between two looks that webhooks or pages cause: a page may cause one with each reload.
pub(crate) const LOOK_UP_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// The longest time that a queue delays a message.
pub(crate) const DELAY_MAX: Duration = Duration::from_secs(900);

/// Returns 1, 2, 4 … seconds while the customer is on the line, then five minutes.
pub(crate) fn retry_wait(tries: u32) -> Duration {
    let doublings = tries.saturating_sub(1).min(9);
    Duration::from_secs(1_u64 << doublings).min(Duration::from_secs(300))
}
