#![doc = include_str!("../README.md")]

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use aws_types::SdkConfig;
use domain::message::{Message, QueueName};
use futures_util::future::try_join_all;
use ports::{Outgoing, Queue, QueueError, delay_seconds};

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

/// A queue took some messages of a batch, and not this many others.
#[derive(Debug, thiserror::Error)]
#[error("{0} messages of a batch were not taken")]
struct Untaken(usize);

/// The most messages of one batch.
const BATCH_MAX: usize = 10;

impl Queues {
    /// Opens the queues at `urls`, with the HTTP client of `config`. It makes no call.
    #[must_use]
    pub fn new(config: &SdkConfig, urls: BTreeMap<QueueName, String>) -> Self {
        Self { client: Client::new(config), urls }
    }
}

impl Queues {
    fn url(&self, queue: QueueName) -> Result<&str, QueueError> {
        let url = self.urls.get(&queue).map(String::as_str);
        url.ok_or_else(|| QueueError(MissingUrl(queue).into()))
    }

    /// Sends messages of one queue in one call, at most [`BATCH_MAX`].
    async fn send_batch(&self, queue: QueueName, batch: &[&Outgoing]) -> Result<(), QueueError> {
        if let [only] = batch {
            return self.send(&only.message, only.delay).await;
        }
        let mut send = self.client.send_message_batch().queue_url(self.url(queue)?);
        for (number, Outgoing { message, delay }) in batch.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .message_body(text(message)?)
                .delay_seconds(delay_seconds(*delay).into());
            let entry = entry.build().map_err(|error| QueueError(error.into()))?;
            send = send.entries(entry);
        }
        match send.send().await {
            Ok(answer) if answer.failed().is_empty() => Ok(()),
            Ok(answer) => Err(QueueError(Untaken(answer.failed().len()).into())),
            Err(error) => Err(QueueError(error.into_source().unwrap_or_else(Into::into))),
        }
    }
}

fn text(message: &Message) -> Result<String, QueueError> {
    serde_json::to_string(message).map_err(|error| QueueError(error.into()))
}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queues").field("urls", &self.urls).finish_non_exhaustive()
    }
}

#[async_trait]
impl Queue for Queues {
    async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError> {
        let url = self.url(message.queue())?;
        let send = self.client.send_message().queue_url(url).message_body(text(message)?);
        match send.delay_seconds(delay_seconds(delay).into()).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(QueueError(error.into_source().unwrap_or_else(Into::into))),
        }
    }

    async fn send_all(&self, messages: &[Outgoing]) -> Result<(), QueueError> {
        let mut queues: BTreeMap<QueueName, Vec<&Outgoing>> = BTreeMap::new();
        for outgoing in messages {
            queues.entry(outgoing.message.queue()).or_default().push(outgoing);
        }
        let batches = queues.iter().flat_map(|(queue, all)| {
            all.chunks(BATCH_MAX).map(|batch| self.send_batch(*queue, batch))
        });
        try_join_all(batches).await.map(|_sent| ())
    }
}
