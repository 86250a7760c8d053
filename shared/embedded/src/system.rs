//! The machine's clock and its source of randomness.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use domain::random::Random;
use domain::values::time::Timestamp;
use ports::Clock;

/// The machine's clock.
///
/// ```
/// use embedded::SystemClock;
/// use ports::Clock;
///
/// let before = SystemClock.now();
/// assert!(before <= SystemClock.now());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Timestamp {
        // A clock before 1970 reads as 1970.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::EPOCH.after(since)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    async fn wait(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The machine's source of randomness.
///
/// ```
/// use domain::random::Random;
/// use embedded::SystemRandom;
///
/// let mut keys = [[0; 32]; 2];
/// keys.iter_mut().for_each(|key| SystemRandom.fill(key));
/// assert_ne!(keys[0], keys[1]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::expect_used, reason = "without randomness no key is safe: nothing may go on")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the machine gives randomness");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_is_in_this_century_and_keys_differ() {
        assert!(SystemClock.now() > Timestamp::from_millis(1_700_000_000_000));
        let mut keys = [[0_u8; 32]; 2];
        for key in &mut keys {
            SystemRandom.fill(key);
        }
        assert_ne!(keys[0], keys[1]);
    }
}
