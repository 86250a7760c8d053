//! Drives the queues: a dispatcher per queue and a task per message. A slow endpoint delays no other message.

use std::sync::Arc;
use std::time::Duration;

use domain::message::{Message, MessageResult, QueueName, Task};
use domain::values::time::Timestamp;
use embedded::{Database, ReceivedMessage};
use ports::{Clock, Queue, QueueError};
use tokio::sync::{Semaphore, watch};

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
        let (machine, database) = (Arc::clone(&machine), database.clone());
        let permits = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
        let dispatcher = Dispatcher { queue, machine, database, permits };
        dispatcher.dispatch(Arc::clone(&clock), stop.clone())
    });
    let [prompts, authorizations, webhooks] = dispatchers;
    let sweep = sweep(database.clone(), clock, stop);
    tokio::join!(prompts, authorizations, webhooks, sweep);
}

struct Dispatcher {
    queue: QueueName,
    machine: Arc<Machine>,
    database: Database,
    /// One for each message in flight.
    permits: Arc<Semaphore>,
}

impl Dispatcher {
    async fn dispatch(self, clock: Arc<dyn Clock>, mut stop: Stop) {
        let Self { queue, database, .. } = &self;
        let mut arrivals = database.arrivals(*queue);
        let mut handed_over = database.handed_over(*queue);
        while !*stop.borrow_and_update() {
            arrivals.borrow_and_update();
            // Under load there is always a next one. After a batch, the messages in the table get their turn.
            for _ in 0..BATCH {
                let Ok(received) = handed_over.try_recv() else { break };
                self.start(received).await;
            }
            match self.receive(clock.now()).await {
                Ok(0) => {
                    let mut next_check = clock.wait(self.sleep(clock.now()));
                    loop {
                        tokio::select! {
                            Some(received) = handed_over.recv() => self.start(received).await,
                            _ = arrivals.changed() => break,
                            _ = stop.changed() => break,
                            () = &mut next_check => break,
                        }
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(queue = queue.as_str(), error = %error, "failed to receive messages");
                    clock.wait(Duration::from_secs(1)).await;
                }
            }
        }
        // Those that were handed over are hidden in the table, and are in flight too.
        handed_over.close();
        while let Some(received) = handed_over.recv().await {
            self.start(received).await;
        }
        // With all permits back, all of them are done.
        if let Ok(permits) = u32::try_from(IN_FLIGHT_MAX)
            .map(|count| Arc::clone(&self.permits).acquire_many_owned(count))
        {
            drop(permits.await);
        }
    }

    /// Returns how long to wait for the next message of the table.
    fn sleep(&self, now: Timestamp) -> Duration {
        let due = self.database.next_due(self.queue).ok().flatten();
        due.map_or(SLEEP_MAX, |due| now.until(due)).clamp(Duration::from_millis(5), SLEEP_MAX)
    }

    /// Starts the messages of the table that are due, as many as may be in flight, and returns their number.
    async fn receive(&self, now: Timestamp) -> Result<usize, QueueError> {
        // Only this task takes permits, so the free ones stay free.
        drop(self.permits.acquire().await);
        let most = self.permits.available_permits().min(BATCH);
        let received = self.database.receive_some(self.queue, now, most).await?;
        let count = received.len();
        for received in received {
            self.start(received).await;
        }
        Ok(count)
    }

    /// Handles a message beside others, once there is a permit for it.
    async fn start(&self, received: ReceivedMessage) {
        // It is never closed.
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return };
        let task = take(Arc::clone(&self.machine), self.database.clone(), received);
        spawn(async move {
            task.await;
            drop(permit);
        });
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
