//! The queue port on SQS.
//!
//! **Touches** the queues whose addresses it is given, and only sends: Lambda receives.
//! **Never** makes a client of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_types::SdkConfig;
use domain::message::{Message, QueueName};
use domain::ports::{Queue, QueueError, delay_seconds};

/// The queues a function sends to.
pub struct Queues {
    client: Client,
    urls: BTreeMap<QueueName, String>,
}

/// A function was to send to a queue whose address it was not given: its settings in `template.yaml` lack one.
#[derive(Debug, thiserror::Error)]
#[error("this function has no address of the queue {}", .0.as_str())]
struct NoAddress(QueueName);

impl Queues {
    /// The queues at `urls`, through the HTTP client that `config` carries.
    #[must_use]
    pub fn new(config: &SdkConfig, urls: BTreeMap<QueueName, String>) -> Self {
        Self { client: Client::new(config), urls }
    }
}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queues").field("urls", &self.urls).finish_non_exhaustive()
    }
}

#[async_trait]
impl Queue for Queues {
    async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError> {
        let queue = message.queue();
        let url = self.urls.get(&queue).ok_or_else(|| QueueError(NoAddress(queue).into()))?;
        let text = serde_json::to_string(message).map_err(|error| QueueError(error.into()))?;
        let send = self.client.send_message().queue_url(url).message_body(text);
        match send.delay_seconds(delay_seconds(delay).into()).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(QueueError(error.into_source().unwrap_or_else(Into::into))),
        }
    }
}
