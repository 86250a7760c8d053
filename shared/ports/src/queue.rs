//! The queues, which carry the steps that requests owe.

use std::time::Duration;

use async_trait::async_trait;

use super::Source;
use domain::message::Message;

/// The sending side of the queues. [`Message::queue`] picks the queue.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends `message`, visible after `delay`: whole seconds, rounded up, at most 15 minutes.
    ///
    /// It is delivered at least once, in any order.
    ///
    /// # Errors
    /// [`QueueError`]; the message may have been sent.
    async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError>;
}

/// The queue did not answer: the message may or may not have been sent.
#[derive(Debug, thiserror::Error)]
#[error("the queue did not answer")]
pub struct QueueError(#[source] pub Source);

/// Returns the delay that a queue keeps, in whole seconds, rounded up, at most 15 minutes.
#[must_use]
pub fn delay_seconds(delay: Duration) -> u16 {
    let seconds = delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0));
    u16::try_from(seconds).map_or(900, |seconds| seconds.min(900))
}
