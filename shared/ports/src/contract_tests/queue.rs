//! The contract tests of [`Queue`], from the receiving side. That side is no port: on AWS it is the Lambda service.

use std::time::Duration;

use async_trait::async_trait;

use crate::{Outgoing, Queue};
use domain::message::{Message, QueueName, Step};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;

/// The receives of a message before it goes to the dead letters, here and in every deployment.
pub const RECEIVES_MAX: u32 = 5;

/// Fresh queues with their receiving side.
#[async_trait]
pub trait Receiving: Send + Sync {
    /// The sending side.
    fn queue(&self) -> &dyn Queue;

    /// Receives a visible message and hides it for the visibility timeout.
    async fn receive(&self, queue: QueueName) -> Option<Delivery>;

    /// Deletes a received message.
    async fn delete(&self, queue: QueueName, receipt: &str);

    /// Releases a received message, which is visible again at once.
    async fn let_go(&self, queue: QueueName, receipt: &str);

    /// Lists the queue's dead letters.
    async fn dead(&self, queue: QueueName) -> Vec<Message>;
}

/// Queues with a manual clock.
#[async_trait]
pub trait TimedQueues: Receiving {
    /// Advances the clock.
    fn pass(&self, time: Duration);

    /// The visibility timeout.
    fn visibility(&self, queue: QueueName) -> Duration;
}

/// A received message.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The receipt handle that deletes or releases it.
    pub receipt: String,
    /// The message as it was sent.
    pub message: Message,
    /// The number of receives, this one included.
    pub receives: u32,
}

const STEPS: [(Step, QueueName); 4] = [
    (Step::Deliver, QueueName::Prompts),
    (Step::Check, QueueName::Prompts),
    (Step::Fetch, QueueName::Authorizations),
    (Step::webhook(3), QueueName::Webhooks),
];

fn message(step: Step, number: u8) -> Message {
    Message::new(step, RequestId::new(Timestamp::from_millis(1_767_225_600_000), [number; 10]))
}

async fn send(queues: &dyn Receiving, message: &Message, delay: Duration) {
    queues.queue().send(message, delay).await.unwrap();
}

async fn take(queues: &dyn Receiving, queue: QueueName) -> Delivery {
    queues.receive(queue).await.unwrap_or_else(|| panic!("no message on {}", queue.as_str()))
}

async fn assert_empty(queues: &dyn Receiving, queue: QueueName) {
    let taken = queues.receive(queue).await;
    assert!(taken.is_none(), "{taken:?} on {}", queue.as_str());
}

/// Messages that are sent together are each received on their own queue.
pub async fn messages_sent_together_are_received_on_their_queues(queues: &dyn Receiving) {
    let outgoing =
        |number: u8, step| Outgoing { message: message(step, number), delay: Duration::ZERO };
    let steps = (1..=12).map(Step::webhook).chain([Step::Fetch]);
    let all: Vec<Outgoing> =
        (1..).zip(steps).map(|(number, step)| outgoing(number, step)).collect();
    queues.queue().send_all(&all).await.unwrap();
    queues.queue().send_all(&[]).await.unwrap();
    let mut taken = Vec::new();
    for queue in all.iter().map(|outgoing| outgoing.message.queue()) {
        let delivery = take(queues, queue).await;
        queues.delete(queue, &delivery.receipt).await;
        taken.push(delivery.message);
    }
    for Outgoing { message, .. } in &all {
        assert_eq!(taken.iter().filter(|taken| *taken == message).count(), 1, "{message:?}");
    }
}

/// A sent message is received on its own queue only.
pub async fn sent_message_is_received_on_its_queue(queues: &dyn Receiving) {
    for (number, (step, on)) in (1..).zip(STEPS) {
        let sent = message(step, number);
        send(queues, &sent, Duration::ZERO).await;
        let taken = take(queues, on).await;
        assert_eq!((&taken.message, taken.receives), (&sent, 1));
        queues.delete(on, &taken.receipt).await;
    }
    for queue in QueueName::ALL {
        assert_empty(queues, queue).await;
    }
}

/// Every sent message is received, a repeated one as often as it was sent.
pub async fn every_sent_message_is_received(queues: &dyn Receiving) {
    let sent: Vec<Message> = [1, 2, 2, 3].map(|number| message(Step::Fetch, number)).to_vec();
    for message in &sent {
        send(queues, message, Duration::ZERO).await;
    }
    let mut received = Vec::new();
    for _ in &sent {
        let taken = take(queues, QueueName::Authorizations).await;
        queues.delete(QueueName::Authorizations, &taken.receipt).await;
        received.push(taken.message);
    }
    received.sort_by_key(|message| message.parts().map(|(_, request)| request));
    assert_eq!(received, sent);
}

/// A received message is hidden from other receivers.
pub async fn received_message_is_hidden(queues: &dyn Receiving) {
    send(queues, &message(Step::Deliver, 1), Duration::ZERO).await;
    take(queues, QueueName::Prompts).await;
    assert_empty(queues, QueueName::Prompts).await;
}

/// A released message is received again and counts its receives; a deleted one is not.
pub async fn released_message_is_received_again(queues: &dyn Receiving) {
    let sent = message(Step::webhook(1), 1);
    send(queues, &sent, Duration::ZERO).await;
    let first = take(queues, QueueName::Webhooks).await;
    queues.let_go(QueueName::Webhooks, &first.receipt).await;
    let second = take(queues, QueueName::Webhooks).await;
    assert_eq!((&second.message, second.receives), (&sent, 2));
    queues.delete(QueueName::Webhooks, &second.receipt).await;
    assert_empty(queues, QueueName::Webhooks).await;
}

/// A message that is always released goes to the dead letters and stays there.
pub async fn always_released_message_becomes_a_dead_letter(queues: &dyn Receiving) {
    let sent = message(Step::Fetch, 1);
    send(queues, &sent, Duration::ZERO).await;
    for _ in 0..RECEIVES_MAX {
        let taken = take(queues, QueueName::Authorizations).await;
        queues.let_go(QueueName::Authorizations, &taken.receipt).await;
    }
    assert_empty(queues, QueueName::Authorizations).await;
    assert_eq!(queues.dead(QueueName::Authorizations).await, [sent]);
}

/// A delayed message is not visible at once and does not block others.
pub async fn delayed_message_is_not_visible_at_once(queues: &dyn Receiving) {
    let (late, prompt) = (message(Step::Check, 1), message(Step::Check, 2));
    send(queues, &late, Duration::from_secs(900)).await;
    send(queues, &prompt, Duration::ZERO).await;
    assert_eq!(take(queues, QueueName::Prompts).await.message, prompt);
    assert_empty(queues, QueueName::Prompts).await;
}

/// A delay beyond the limit is clamped: the receiver that wakes early waits again.
pub async fn delay_beyond_the_limit_is_clamped(queues: &dyn Receiving) {
    send(queues, &message(Step::Check, 1), Duration::from_secs(86_400)).await;
    assert_empty(queues, QueueName::Prompts).await;
}

/// A message that was neither deleted nor released is received again after the visibility timeout.
pub async fn dropped_message_is_received_again(queues: &dyn TimedQueues) {
    for (number, (step, on)) in (1..).zip(STEPS) {
        let sent = message(step, number);
        send(queues, &sent, Duration::ZERO).await;
        take(queues, on).await;
        queues.pass(queues.visibility(on) - Duration::from_millis(1));
        assert_empty(queues, on).await;
        queues.pass(Duration::from_millis(1));
        let again = take(queues, on).await;
        assert_eq!((&again.message, again.receives), (&sent, 2));
        queues.delete(on, &again.receipt).await;
        queues.pass(queues.visibility(on));
        assert_empty(queues, on).await;
    }
}

/// A message whose worker dies every time goes to the dead letters.
pub async fn always_dropped_message_becomes_a_dead_letter(queues: &dyn TimedQueues) {
    let sent = message(Step::Deliver, 1);
    send(queues, &sent, Duration::ZERO).await;
    for _ in 0..RECEIVES_MAX {
        take(queues, QueueName::Prompts).await;
        queues.pass(queues.visibility(QueueName::Prompts));
    }
    assert_empty(queues, QueueName::Prompts).await;
    assert_eq!(queues.dead(QueueName::Prompts).await, [sent]);
}

/// A delayed message is visible after its delay, in whole seconds rounded up, and not before.
pub async fn delayed_message_is_visible_in_time(queues: &dyn TimedQueues) {
    for (said, kept) in [(1, 1_000), (1_000, 1_000), (12_001, 13_000), (1_000_000, 900_000)] {
        send(queues, &message(Step::Check, 1), Duration::from_millis(said)).await;
        queues.pass(Duration::from_millis(kept - 1));
        assert_empty(queues, QueueName::Prompts).await;
        queues.pass(Duration::from_millis(1));
        let taken = take(queues, QueueName::Prompts).await;
        queues.delete(QueueName::Prompts, &taken.receipt).await;
    }
}

/// A late delete by a slow worker is harmless: the message goes when its current holder deletes it.
pub async fn late_delete_is_harmless(queues: &dyn TimedQueues) {
    send(queues, &message(Step::Fetch, 1), Duration::ZERO).await;
    let slow = take(queues, QueueName::Authorizations).await;
    queues.pass(queues.visibility(QueueName::Authorizations));
    let present = take(queues, QueueName::Authorizations).await;
    queues.delete(QueueName::Authorizations, &slow.receipt).await;
    queues.delete(QueueName::Authorizations, &present.receipt).await;
    queues.pass(queues.visibility(QueueName::Authorizations));
    assert_empty(queues, QueueName::Authorizations).await;
}

/// Stamps the queue's contract tests without waiting, over the queues of `$fresh`.
#[macro_export]
macro_rules! queue_contract_tests {
    ($fresh:expr) => {
        $crate::stamp_contract_tests! { queue, $fresh;
            sent_message_is_received_on_its_queue,
            messages_sent_together_are_received_on_their_queues,
            every_sent_message_is_received,
            received_message_is_hidden,
            released_message_is_received_again,
            always_released_message_becomes_a_dead_letter,
            delayed_message_is_not_visible_at_once,
            delay_beyond_the_limit_is_clamped,
        }
    };
}

/// Stamps the queue's contract tests with waiting, over the queues of `$fresh`.
#[macro_export]
macro_rules! queue_time_contract_tests {
    ($fresh:expr) => {
        $crate::stamp_contract_tests! { queue, $fresh;
            dropped_message_is_received_again,
            always_dropped_message_becomes_a_dead_letter,
            delayed_message_is_visible_in_time,
            late_delete_is_harmless,
        }
    };
}
