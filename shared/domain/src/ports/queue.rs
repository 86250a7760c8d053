//! The queues: where a step still owed waits for its turn.

use std::time::Duration;

use async_trait::async_trait;

use super::Source;
use crate::message::Message;

/// Sends messages; which queue a message goes on is [`Message::queue`].
#[async_trait]
pub trait Queue: Send + Sync {
    /// Puts `message` on its queue, to be seen after `delay`, rounded up to whole seconds, at most 15 minutes. It will be
    /// delivered at least once, in any order.
    ///
    /// # Errors
    /// [`QueueError`]; the message may have been sent all the same.
    async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError>;
}

/// The queue did not answer: the message may or may not have been sent.
#[derive(Debug, thiserror::Error)]
#[error("the queue did not answer")]
pub struct QueueError(#[source] pub Source);

/// The delay a queue keeps for the delay asked for: whole seconds, rounded up, 15 minutes at most.
#[must_use]
pub fn delay_seconds(delay: Duration) -> u16 {
    let seconds = delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0));
    u16::try_from(seconds).map_or(900, |seconds| seconds.min(900))
}
