//! Driving the queues: a dispatcher per queue, and a task per message, so that a slow endpoint holds up nobody else.

use std::sync::Arc;
use std::time::Duration;

use domain::message::{Handled, QueueName};
use domain::ports::Clock;
use embedded::{Database, Received};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, watch};

use crate::Machine;

/// How many messages of one queue are worked on at once: a place is held for as long as somebody outside takes to answer,
/// and each may hold a socket, of which a process has a thousand.
const AT_ONCE: usize = 256;
/// How many messages are taken with one flush to the disk.
const BATCH: usize = 32;
/// The longest a dispatcher sleeps: it wakes when something arrives.
const NAP: Duration = Duration::from_secs(30);
/// How often items that have expired are deleted.
const SWEEP: Duration = Duration::from_secs(60);

/// Says when to stop: true once.
pub type Stop = watch::Receiver<bool>;

/// Works until told to stop, then until the messages at hand are done.
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
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut arrivals = database.arrivals();
    while !*stop.borrow_and_update() {
        arrivals.borrow_and_update();
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let most = places.available_permits().saturating_add(1).min(BATCH);
        match database.receive_some(queue, clock.now(), most) {
            Ok(received) if !received.is_empty() => {
                let mut place = Some(place);
                for received in received {
                    let Ok(place) = taken_or_next(&mut place, &places).await else { return };
                    let task = take(Arc::clone(&machine), database.clone(), received);
                    spawn(async move {
                        task.await;
                        drop(place);
                    });
                }
            }
            Ok(_) => {
                drop(place);
                let due = database.next_due(queue).ok().flatten();
                let nap = due
                    .map_or(NAP, |due| clock.now().until(due))
                    .clamp(Duration::from_millis(5), NAP);
                tokio::select! {
                    _ = arrivals.changed() => {}
                    _ = stop.changed() => {}
                    () = clock.wait(nap) => {}
                }
            }
            Err(error) => {
                tracing::error!(queue = queue.as_str(), error = %error, "the queue cannot be read");
                drop(place);
                clock.wait(Duration::from_secs(1)).await;
            }
        }
    }
    // Whoever has a place is at work: with all of them back, everything at hand is done.
    if let Ok(places) =
        u32::try_from(AT_ONCE).map(|count| Arc::clone(&places).acquire_many_owned(count))
    {
        drop(places.await);
    }
}

/// The place at hand, or the next that is free.
async fn taken_or_next(
    at_hand: &mut Option<OwnedSemaphorePermit>,
    places: &Arc<Semaphore>,
) -> Result<OwnedSemaphorePermit, AcquireError> {
    match at_hand.take() {
        Some(place) => Ok(place),
        None => Arc::clone(places).acquire_owned().await,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this process goes on after each message; Lambda's does not"
)]
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

/// Takes one step. What fails is tried again soon, then less often, and is a dead letter in the end.
async fn take(machine: Arc<Machine>, database: Database, received: Received) {
    let done = match machine.handle(&received.message).await {
        Handled::Done => database.delete(received.receipt),
        Handled::Again => {
            let wait = Duration::from_secs(1_u64 << received.receives.min(6));
            database.release(received.receipt, wait)
        }
    };
    if let Err(error) = done {
        tracing::warn!(error = %error, "a message will come again");
    }
}

async fn sweep(database: Database, clock: Arc<dyn Clock>, mut stop: Stop) {
    while !*stop.borrow_and_update() {
        if let Err(error) = database.sweep(clock.now()) {
            tracing::warn!(error = %error, "expired items could not be deleted");
        }
        tokio::select! {
            _ = stop.changed() => {}
            () = clock.wait(SWEEP) => {}
        }
    }
}
