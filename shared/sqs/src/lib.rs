#![doc = include_str!("../README.md")]

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_types::SdkConfig;
use domain::message::{Message, QueueName};
use ports::{Queue, QueueError, delay_seconds};

/// The queues that a function sends to.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use domain::message::QueueName;
///
/// let config = aws_types::SdkConfig::builder()
///     .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
///     .build();
/// let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/prompts".to_owned();
/// let queue: Box<dyn ports::Queue> =
///     Box::new(sqs::Queues::new(&config, BTreeMap::from([(QueueName::Prompts, url)])));
/// ```
pub struct Queues {
    client: Client,
    urls: BTreeMap<QueueName, String>,
}

/// A function sends to a queue whose URL its settings in `template.yaml` lack.
#[derive(Debug, thiserror::Error)]
#[error("queue URL of {} is not set", .0.as_str())]
struct MissingUrl(QueueName);

impl Queues {
    /// Opens the queues at `urls`, with the HTTP client of `config`. It makes no call.
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
        let url = self.urls.get(&queue).ok_or_else(|| QueueError(MissingUrl(queue).into()))?;
        let text = serde_json::to_string(message).map_err(|error| QueueError(error.into()))?;
        let send = self.client.send_message().queue_url(url).message_body(text);
        match send.delay_seconds(delay_seconds(delay).into()).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(QueueError(error.into_source().unwrap_or_else(Into::into))),
        }
    }
}
