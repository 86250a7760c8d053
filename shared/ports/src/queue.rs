//! The queues, which carry the steps that requests owe.

use std::time::Duration;

use async_trait::async_trait;

use super::Source;
use domain::message::Message;

/// The sending side of the queues. [`Message::queue`] picks the queue.
///
/// ```
/// use std::sync::Mutex;
/// use std::time::Duration;
///
/// use domain::message::{Message, QueueName, Step};
/// use ports::{Queue, QueueError};
///
/// /// Queues in memory.
/// #[derive(Default)]
/// struct Sent(Mutex<Vec<(QueueName, Message)>>);
///
/// #[async_trait::async_trait]
/// impl Queue for Sent {
///     async fn send(&self, message: &Message, _: Duration) -> Result<(), QueueError> {
///         self.0.lock().unwrap().push((message.queue(), message.clone()));
///         Ok(())
///     }
/// }
///
/// let (queue, request) = (Sent::default(), "req_01KAR2M8G00000000000000000".parse().unwrap());
/// let message = Message::new(Step::Deliver, request);
/// pollster::block_on(queue.send(&message, Duration::ZERO)).unwrap();
/// assert_eq!(*queue.0.lock().unwrap(), [(QueueName::Prompts, message)]);
/// ```
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends `message`, visible after `delay`: whole seconds, rounded up, at most 15 minutes.
    ///
    /// It is delivered at least once, in any order.
    ///
    /// # Errors
    /// [`QueueError`]; the message may have been sent.
    async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError>;

    /// Sends several messages, each as [`send`](Self::send) does.
    ///
    /// # Errors
    /// [`QueueError`]; each of the messages may have been sent.
    async fn send_all(&self, messages: &[Outgoing]) -> Result<(), QueueError> {
        for Outgoing { message, delay } in messages {
            self.send(message, *delay).await?;
        }
        Ok(())
    }
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// What is sent, and to which queue.
    pub message: Message,
    /// The time after which it is visible.
    pub delay: Duration,
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
