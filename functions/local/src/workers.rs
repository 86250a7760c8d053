//! Drives the queues: a dispatcher per queue and a task per message. A slow endpoint delays no other message.

use std::sync::Arc;
use std::time::Duration;

use domain::message::{Message, MessageResult, QueueName, Task};
use embedded::{Database, ReceivedMessage};
use ports::{Clock, Queue};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, watch};

use crate::Machine;

/// The most messages of one queue in flight at once. Each may hold a socket while a provider answers, and a process has
/// about a thousand.
const IN_FLIGHT_MAX: usize = 256;
/// The most messages that are received in one commit.
const BATCH: usize = 32;
/// The longest sleep of a dispatcher. A new message wakes it.
const SLEEP_MAX: Duration = Duration::from_secs(30);
/// The time between two deletions of expired items.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// The time between two checks of the saved cards.
const CHECK_INTERVAL: Duration = Duration::from_secs(86_400);

/// Becomes true when the machine stops.
pub type Stop = watch::Receiver<bool>;

/// Works until the machine stops, then finishes the messages in flight.
pub async fn work(machine: Arc<Machine>, database: Database, clock: Arc<dyn Clock>, stop: Stop) {
    let dispatchers = QueueName::ALL.map(|queue| {
        dispatch(queue, Arc::clone(&machine), database.clone(), Arc::clone(&clock), stop.clone())
    });
    let [prompts, authorizations, webhooks] = dispatchers;
    let sweep = sweep(database.clone(), clock, stop);
    tokio::join!(prompts, authorizations, webhooks, sweep);
}

async fn dispatch(
    queue: QueueName,
    machine: Arc<Machine>,
    database: Database,
    clock: Arc<dyn Clock>,
    mut stop: Stop,
) {
    let permits = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
    let mut arrivals = database.arrivals(queue);
    while !*stop.borrow_and_update() {
        arrivals.borrow_and_update();
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let most = permits.available_permits().saturating_add(1).min(BATCH);
        match database.receive_some(queue, clock.now(), most).await {
            Ok(received) if !received.is_empty() => {
                let mut permit = Some(permit);
                for received in received {
                    let Ok(permit) = permit_or_next(&mut permit, &permits).await else { return };
                    let task = take(Arc::clone(&machine), database.clone(), received);
                    spawn(async move {
                        task.await;
                        drop(permit);
                    });
                }
            }
            Ok(_) => {
                drop(permit);
                let due = database.next_due(queue).ok().flatten();
                let sleep = due
                    .map_or(SLEEP_MAX, |due| clock.now().until(due))
                    .clamp(Duration::from_millis(5), SLEEP_MAX);
                tokio::select! {
                    _ = arrivals.changed() => {}
                    _ = stop.changed() => {}
                    () = clock.wait(sleep) => {}
                }
            }
            Err(error) => {
                tracing::error!(queue = queue.as_str(), error = %error, "failed to receive messages");
                drop(permit);
                clock.wait(Duration::from_secs(1)).await;
            }
        }
    }
    // Each message in flight holds a permit: with all permits back, all of them are done.
    if let Ok(permits) =
        u32::try_from(IN_FLIGHT_MAX).map(|count| Arc::clone(&permits).acquire_many_owned(count))
    {
        drop(permits.await);
    }
}

/// Returns the permit at hand, or waits for the next one.
async fn permit_or_next(
    at_hand: &mut Option<OwnedSemaphorePermit>,
    permits: &Arc<Semaphore>,
) -> Result<OwnedSemaphorePermit, AcquireError> {
    match at_hand.take() {
        Some(permit) => Ok(permit),
        None => Arc::clone(permits).acquire_owned().await,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this process goes on after each message; Lambda's does not"
)]
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

/// Handles one message. A message that fails is retried with growing delays, and becomes a dead letter in the end.
async fn take(machine: Arc<Machine>, database: Database, received: ReceivedMessage) {
    match machine.handle(&received.message).await {
        // A handled message that comes again after a power failure changes nothing.
        MessageResult::Done => database.delete_later(received.receipt),
        MessageResult::Again => {
            let wait = Duration::from_secs(1_u64 << received.receives.min(6));
            if let Err(error) = database.release(received.receipt, wait) {
                tracing::warn!(error = %error, "failed to release a message; the queue delivers it again");
            }
        }
    }
}

/// Deletes expired items, and sends the task that Lambda's schedule sends once a day.
async fn sweep(database: Database, clock: Arc<dyn Clock>, mut stop: Stop) {
    let mut checks_at = clock.now();
    while !*stop.borrow_and_update() {
        if clock.now() >= checks_at {
            let message = Message::V2 { task: Task::CheckCards };
            match database.send(&message, Duration::ZERO).await {
                Ok(()) => checks_at = clock.now().after(CHECK_INTERVAL),
                Err(error) => {
                    tracing::warn!(error = %error, "failed to send the daily check of saved cards");
                }
            }
        }
        if let Err(error) = database.sweep(clock.now()) {
            tracing::warn!(error = %error, "failed to delete expired items");
        }
        tokio::select! {
            _ = stop.changed() => {}
            () = clock.wait(SWEEP_INTERVAL) => {}
        }
    }
}
