//! What drives a function: a queue or a topic.

use domain::message::{Message, MessageResult};

/// A function that a queue drives, one message at a time.
#[async_trait::async_trait]
pub trait Handler: Send + Sync {
    /// Takes the message's step. A repeat has the same effect as one call.
    async fn handle(&self, message: &Message) -> MessageResult;
}

/// A function that receives notifications of topics, one text at a time.
#[async_trait::async_trait]
pub trait Listener: Send + Sync {
    /// Receives a notification of the topic. A repeat has the same effect as one call.
    async fn receive(&self, topic: &str, text: &str) -> MessageResult;
}
