//! Values of which each queue has one.

use domain::message::QueueName;

/// Returns what belongs to a queue: prompts, authorizations or webhooks, in this order.
pub(crate) const fn of_queue<T>(each: &[T; 3], queue: QueueName) -> &T {
    let [prompts, authorizations, webhooks] = each;
    match queue {
        QueueName::Prompts => prompts,
        QueueName::Authorizations => authorizations,
        QueueName::Webhooks => webhooks,
    }
}
