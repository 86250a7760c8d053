//! The contract tests of the queue port that need no waiting, over SQS in an AWS emulator.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../../dynamodb/tests/emulator/mod.rs"]
mod emulator;

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use domain::message::{Message, QueueName, Step};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use ports::Queue;
use ports::contract_tests::queue::{Delivery, RECEIVES_MAX, Receiving};
use sqs::Queues;

use crate::emulator::{config, unique};

/// Three new queues and their dead-letter queues.
struct Fresh {
    client: Client,
    urls: BTreeMap<QueueName, String>,
    dead: BTreeMap<QueueName, String>,
    queues: Queues,
}

impl Fresh {
    async fn new() -> Self {
        let config = config();
        let client = Client::new(&config);
        let (mut urls, mut dead) = (BTreeMap::new(), BTreeMap::new());
        for queue in QueueName::ALL {
            let name = format!("{}-{}", queue.as_str(), unique());
            let letters = client.create_queue().queue_name(format!("{name}-dead")).send().await;
            let letters = letters.unwrap().queue_url.unwrap();
            let arn = client.get_queue_attributes().queue_url(&letters);
            let arn = arn.attribute_names(QueueAttributeName::QueueArn).send().await.unwrap();
            let arn = arn.attributes.unwrap().remove(&QueueAttributeName::QueueArn).unwrap();
            let redrive = serde_json::json!({
                "deadLetterTargetArn": arn, "maxReceiveCount": RECEIVES_MAX,
            });
            let made = client
                .create_queue()
                .queue_name(name)
                .attributes(QueueAttributeName::RedrivePolicy, redrive.to_string())
                .send()
                .await;
            urls.insert(queue, made.unwrap().queue_url.unwrap());
            dead.insert(queue, letters);
        }
        Self { client, queues: Queues::new(&config, urls.clone()), urls, dead }
    }

    /// Waits a second for a message, so that SQS asks all its servers.
    async fn take(&self, url: &str) -> Option<Delivery> {
        let receive = self.client.receive_message().queue_url(url).wait_time_seconds(1);
        let received = receive
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .send()
            .await
            .unwrap();
        let message = received.messages.unwrap_or_default().pop()?;
        let mut attributes = message.attributes.unwrap();
        let receives = attributes.remove(&MessageSystemAttributeName::ApproximateReceiveCount);
        Some(Delivery {
            receipt: message.receipt_handle.unwrap(),
            message: serde_json::from_str(&message.body.unwrap()).unwrap(),
            receives: receives.unwrap().parse().unwrap(),
        })
    }
}

#[async_trait]
impl Receiving for Fresh {
    fn queue(&self) -> &dyn Queue {
        &self.queues
    }

    async fn receive(&self, queue: QueueName) -> Option<Delivery> {
        self.take(&self.urls[&queue]).await
    }

    async fn delete(&self, queue: QueueName, receipt: &str) {
        let delete = self.client.delete_message().queue_url(&self.urls[&queue]);
        delete.receipt_handle(receipt).send().await.unwrap();
    }

    async fn let_go(&self, queue: QueueName, receipt: &str) {
        let change = self.client.change_message_visibility().queue_url(&self.urls[&queue]);
        change.receipt_handle(receipt).visibility_timeout(0).send().await.unwrap();
    }

    async fn dead(&self, queue: QueueName) -> Vec<Message> {
        let mut letters = Vec::new();
        while let Some(taken) = self.take(&self.dead[&queue]).await {
            letters.push(taken.message);
        }
        letters
    }
}

ports::queue_contract_tests!(async { Fresh::new().await });

#[tokio::test]
async fn queue_without_a_url_is_named_in_the_error() {
    let queues = Queues::new(&config(), BTreeMap::new());
    let message = Message::new(Step::Fetch, RequestId::new(Timestamp::EPOCH, [0; 10]));
    let error = queues.send(&message, Duration::ZERO).await.unwrap_err();
    assert!(error.source().unwrap().to_string().contains("authorizations"));
}
