//! The laws of [`Queue`], told from the receiving side, which is no port: on AWS it is the Lambda service itself.

use std::time::Duration;

use async_trait::async_trait;

use crate::message::{Message, QueueName, Step};
use crate::ports::Queue;
use crate::values::id::RequestId;
use crate::values::time::Timestamp;

/// How many times a message is given before it goes to the dead letters, in every deployment and in these laws.
pub const RECEIVES_MAX: u32 = 5;

/// Fresh queues and the side that receives from them.
#[async_trait]
pub trait Receiving: Send + Sync {
    /// The sending side.
    fn queue(&self) -> &dyn Queue;

    /// Takes a message that can be seen now, and hides it for the visibility timeout.
    async fn receive(&self, queue: QueueName) -> Option<Taken>;

    /// Deletes a message that was taken.
    async fn delete(&self, queue: QueueName, receipt: &str);

    /// Lets a message go that was taken: it can be seen again at once.
    async fn let_go(&self, queue: QueueName, receipt: &str);

    /// What is among the queue's dead letters.
    async fn dead(&self, queue: QueueName) -> Vec<Message>;
}

/// Queues whose clock is turned by hand.
#[async_trait]
pub trait Passing: Receiving {
    /// Lets time pass.
    fn pass(&self, time: Duration);

    /// For how long a message that was taken is hidden.
    fn visibility(&self, queue: QueueName) -> Duration;
}

/// A message that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// What deletes it or lets it go.
    pub receipt: String,
    /// The message.
    pub message: Message,
    /// How many times it was given, this time included.
    pub receives: u32,
}

const STEPS: [(Step, QueueName); 4] = [
    (Step::Deliver, QueueName::Prompts),
    (Step::Check, QueueName::Prompts),
    (Step::Fetch, QueueName::Authorizations),
    (Step::Webhook { seq: 3 }, QueueName::Webhooks),
];

fn message(step: Step, number: u8) -> Message {
    Message::new(step, RequestId::new(Timestamp::from_millis(1_767_225_600_000), [number; 10]))
}

async fn send(queues: &dyn Receiving, message: &Message, delay: Duration) {
    queues.queue().send(message, delay).await.unwrap();
}

async fn take(queues: &dyn Receiving, queue: QueueName) -> Taken {
    queues.receive(queue).await.unwrap_or_else(|| panic!("no message on {}", queue.as_str()))
}

async fn assert_empty(queues: &dyn Receiving, queue: QueueName) {
    let taken = queues.receive(queue).await;
    assert!(taken.is_none(), "{taken:?} on {}", queue.as_str());
}

/// What is sent is received: the same message, on its own queue and on no other.
pub async fn what_is_sent_is_received(queues: &dyn Receiving) {
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

/// Every message sent is received, the same one as often as it was sent.
pub async fn every_message_is_received(queues: &dyn Receiving) {
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
    received.sort_by_key(|message| message.parts().1);
    assert_eq!(received, sent);
}

/// A message that was taken is hidden from others.
pub async fn what_is_taken_is_hidden(queues: &dyn Receiving) {
    send(queues, &message(Step::Deliver, 1), Duration::ZERO).await;
    take(queues, QueueName::Prompts).await;
    assert_empty(queues, QueueName::Prompts).await;
}

/// A message that was let go comes again, and tells how often it was given; one that was deleted does not.
pub async fn what_is_let_go_comes_again(queues: &dyn Receiving) {
    let sent = message(Step::Webhook { seq: 1 }, 1);
    send(queues, &sent, Duration::ZERO).await;
    let first = take(queues, QueueName::Webhooks).await;
    queues.let_go(QueueName::Webhooks, &first.receipt).await;
    let second = take(queues, QueueName::Webhooks).await;
    assert_eq!((&second.message, second.receives), (&sent, 2));
    queues.delete(QueueName::Webhooks, &second.receipt).await;
    assert_empty(queues, QueueName::Webhooks).await;
}

/// A message that is let go every time goes to the dead letters, and never comes again by itself.
pub async fn what_is_never_done_goes_to_the_dead_letters(queues: &dyn Receiving) {
    let sent = message(Step::Fetch, 1);
    send(queues, &sent, Duration::ZERO).await;
    for _ in 0..RECEIVES_MAX {
        let taken = take(queues, QueueName::Authorizations).await;
        queues.let_go(QueueName::Authorizations, &taken.receipt).await;
    }
    assert_empty(queues, QueueName::Authorizations).await;
    assert_eq!(queues.dead(QueueName::Authorizations).await, [sent]);
}

/// A delayed message is not seen at once, and does not hold up the others.
pub async fn a_delayed_message_is_not_seen_at_once(queues: &dyn Receiving) {
    let (late, prompt) = (message(Step::Check, 1), message(Step::Check, 2));
    send(queues, &late, Duration::from_secs(900)).await;
    send(queues, &prompt, Duration::ZERO).await;
    assert_eq!(take(queues, QueueName::Prompts).await.message, prompt);
    assert_empty(queues, QueueName::Prompts).await;
}

/// A delay longer than a queue can keep is cut to what it can: whoever is woken early waits again.
pub async fn a_longer_delay_is_no_error(queues: &dyn Receiving) {
    send(queues, &message(Step::Check, 1), Duration::from_secs(86_400)).await;
    assert_empty(queues, QueueName::Prompts).await;
}

/// A message that was neither deleted nor let go comes again when the visibility timeout is over.
pub async fn what_is_dropped_comes_again(queues: &dyn Passing) {
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

/// A message that a worker dies of every time goes to the dead letters.
pub async fn what_is_always_dropped_goes_to_the_dead_letters(queues: &dyn Passing) {
    let sent = message(Step::Deliver, 1);
    send(queues, &sent, Duration::ZERO).await;
    for _ in 0..RECEIVES_MAX {
        take(queues, QueueName::Prompts).await;
        queues.pass(queues.visibility(QueueName::Prompts));
    }
    assert_empty(queues, QueueName::Prompts).await;
    assert_eq!(queues.dead(QueueName::Prompts).await, [sent]);
}

/// A delayed message is seen when its delay, in whole seconds rounded up, is over, and not before.
pub async fn a_delayed_message_is_seen_in_time(queues: &dyn Passing) {
    for (said, kept) in [(1, 1_000), (1_000, 1_000), (12_001, 13_000), (1_000_000, 900_000)] {
        send(queues, &message(Step::Check, 1), Duration::from_millis(said)).await;
        queues.pass(Duration::from_millis(kept - 1));
        assert_empty(queues, QueueName::Prompts).await;
        queues.pass(Duration::from_millis(1));
        let taken = take(queues, QueueName::Prompts).await;
        queues.delete(QueueName::Prompts, &taken.receipt).await;
    }
}

/// A worker that was too slow cannot delete a message from under the one that has it now without it being done: the
/// late delete harms nobody, and the message goes when its present holder deletes it.
pub async fn a_late_delete_harms_nobody(queues: &dyn Passing) {
    send(queues, &message(Step::Fetch, 1), Duration::ZERO).await;
    let slow = take(queues, QueueName::Authorizations).await;
    queues.pass(queues.visibility(QueueName::Authorizations));
    let present = take(queues, QueueName::Authorizations).await;
    queues.delete(QueueName::Authorizations, &slow.receipt).await;
    queues.delete(QueueName::Authorizations, &present.receipt).await;
    queues.pass(queues.visibility(QueueName::Authorizations));
    assert_empty(queues, QueueName::Authorizations).await;
}

/// Stamps the laws of the queue that need no waiting as tests over the queues that `$fresh` makes.
#[macro_export]
macro_rules! queue_contract_tests {
    ($fresh:expr) => {
        $crate::stamp_contract_tests! { queue, $fresh;
            what_is_sent_is_received,
            every_message_is_received,
            what_is_taken_is_hidden,
            what_is_let_go_comes_again,
            what_is_never_done_goes_to_the_dead_letters,
            a_delayed_message_is_not_seen_at_once,
            a_longer_delay_is_no_error,
        }
    };
}

/// Stamps the laws of the queue that need time to pass as tests over the queues that `$fresh` makes.
#[macro_export]
macro_rules! queue_time_contract_tests {
    ($fresh:expr) => {
        $crate::stamp_contract_tests! { queue, $fresh;
            what_is_dropped_comes_again,
            what_is_always_dropped_goes_to_the_dead_letters,
            a_delayed_message_is_seen_in_time,
            a_late_delete_harms_nobody,
        }
    };
}
