//! What drives a function: a queue or a topic.

use domain::message::{Message, MessageResult};
use domain::values::time::Timestamp;

/// A function that a queue drives, one message at a time.
#[async_trait::async_trait]
pub trait Handler: Send + Sync {
    /// Takes the message's step. A repeat has the same effect as one call.
    async fn handle(&self, message: &Message) -> MessageResult;
}

/// A notification of a topic. Its text may be personal data, so it has no debug form.
#[derive(Clone, Copy)]
pub struct Notification<'a> {
    /// The name of the topic.
    pub topic: &'a str,
    /// The published text.
    pub text: &'a str,
    /// When the text was published, which a repeat has too; `None` where the topic does not report it.
    pub published_at: Option<Timestamp>,
}

/// A function that receives notifications of topics, one at a time.
#[async_trait::async_trait]
pub trait Listener: Send + Sync {
    /// Receives a notification. A repeat has the same effect as one call.
    async fn receive(&self, notification: Notification<'_>) -> MessageResult;
}
