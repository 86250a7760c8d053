//! The store and the queues of a run. They are the embedded database that ships, or in memory for many short runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::message::{Message, QueueName};
use domain::values::time::Timestamp;
use embedded::{Database, RECEIVES_MAX, Receipt};
use ports::{Clock, Queue, QueueError, Store, StoreError, delay_seconds};

use crate::doubles::ManualClock;
use crate::lock::lock;
use crate::memory::MemoryStore;

/// The store and the queues of a run.
#[derive(Clone)]
pub(super) enum Tables {
    /// The real ones.
    Database(Database),
    /// Both in memory.
    Memory(Arc<MemoryStore>, Arc<MemoryQueues>),
}

/// A message that a worker received.
#[derive(Clone, Debug)]
pub(super) struct ReceivedMessage {
    pub(super) message: Message,
    /// The number of its deliveries, including this one.
    pub(super) receives: u32,
    handle: Handle,
}

#[derive(Clone, Copy, Debug)]
enum Handle {
    Database(Receipt),
    /// The number of the message in memory.
    Memory(u64),
}

/// A queued message, by the time at which it is visible and its number.
struct QueuedMessage {
    message: Message,
    receives: u32,
}

/// The queues in memory, with the timeouts and dead letters of the embedded ones.
pub(super) struct MemoryQueues {
    clock: Arc<ManualClock>,
    state: Mutex<QueueState>,
}

#[derive(Default)]
struct QueueState {
    count: u64,
    queued: BTreeMap<(Timestamp, u64), QueuedMessage>,
    dead: Vec<Message>,
}

impl QueueState {
    fn insert(&mut self, at: Timestamp, message: Message) {
        self.count = self.count.saturating_add(1);
        self.queued.insert((at, self.count), QueuedMessage { message, receives: 0 });
    }

    /// Takes a received message out, unless a later receiver has it.
    fn take(&mut self, number: u64, receives: u32) -> Option<QueuedMessage> {
        let own = |(key, queued): (&(Timestamp, u64), &QueuedMessage)| {
            (key.1 == number && queued.receives == receives).then_some(*key)
        };
        let place = self.queued.iter().find_map(own)?;
        self.queued.remove(&place)
    }
}

const fn visibility(queue: QueueName) -> Duration {
    Duration::from_secs(match queue {
        QueueName::Prompts => 60,
        QueueName::Authorizations => 180,
        QueueName::Webhooks => 120,
    })
}

#[async_trait]
impl Queue for MemoryQueues {
    async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError> {
        // A queue delays by whole seconds.
        let delay = Duration::from_secs(delay_seconds(delay).into());
        lock(&self.state).insert(self.clock.now().after(delay), message.clone());
        Ok(())
    }
}

impl Tables {
    /// Returns empty tables, in memory alone or in the embedded database.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub(super) fn new(
        clock: &Arc<ManualClock>,
        in_memory: bool,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        if !in_memory {
            return Ok(Self::Database(Database::in_memory(Arc::<ManualClock>::clone(clock))?));
        }
        let queues = MemoryQueues { clock: Arc::clone(clock), state: Mutex::default() };
        Ok(Self::Memory(Arc::default(), Arc::new(queues)))
    }

    pub(super) fn store(&self) -> &dyn Store {
        match self {
            Self::Database(database) => database,
            Self::Memory(store, _) => store.as_ref(),
        }
    }

    pub(super) fn queue(&self) -> &dyn Queue {
        match self {
            Self::Database(database) => database,
            Self::Memory(_, queues) => queues.as_ref(),
        }
    }

    /// Receives the first visible message of a queue, and hides it for the visibility timeout.
    pub(super) fn receive(
        &self,
        queue: QueueName,
        now: Timestamp,
    ) -> Result<Option<ReceivedMessage>, QueueError> {
        let state = match self {
            Self::Database(database) => {
                let received = database.receive(queue, now)?;
                return Ok(received.map(|received| ReceivedMessage {
                    message: received.message,
                    receives: received.receives,
                    handle: Handle::Database(received.receipt),
                }));
            }
            Self::Memory(_, queues) => &mut *lock(&queues.state),
        };
        loop {
            let due = |((at, _), queued): &(&(Timestamp, u64), &QueuedMessage)| {
                *at <= now && queued.message.queue() == queue
            };
            let Some(place) = state.queued.iter().find(due).map(|(place, _)| *place) else {
                return Ok(None);
            };
            let Some(QueuedMessage { message, receives }) = state.queued.remove(&place) else {
                return Ok(None);
            };
            if receives >= RECEIVES_MAX {
                state.dead.push(message);
                continue;
            }
            let (number, receives) = (place.1, receives.saturating_add(1));
            let hidden = QueuedMessage { message: message.clone(), receives };
            state.queued.insert((now.after(visibility(queue)), number), hidden);
            return Ok(Some(ReceivedMessage { message, receives, handle: Handle::Memory(number) }));
        }
    }

    /// Deletes a received message, unless a later receiver has it.
    pub(super) fn delete(&self, received: &ReceivedMessage) -> Result<(), QueueError> {
        match (self, received.handle) {
            (Self::Database(database), Handle::Database(receipt)) => database.delete(receipt)?,
            (Self::Memory(_, queues), Handle::Memory(number)) => {
                lock(&queues.state).take(number, received.receives);
            }
            (Self::Database(_), Handle::Memory(_)) | (Self::Memory(..), Handle::Database(_)) => {}
        }
        Ok(())
    }

    /// Makes a received message visible again after a while, unless a later receiver has it.
    pub(super) fn release(
        &self,
        received: &ReceivedMessage,
        wait: Duration,
    ) -> Result<(), QueueError> {
        match (self, received.handle) {
            (Self::Database(database), Handle::Database(receipt)) => {
                database.release(receipt, wait)?;
            }
            (Self::Memory(_, queues), Handle::Memory(number)) => {
                let state = &mut *lock(&queues.state);
                if let Some(queued) = state.take(number, received.receives) {
                    state.queued.insert((queues.clock.now().after(wait), number), queued);
                }
            }
            (Self::Database(_), Handle::Memory(_)) | (Self::Memory(..), Handle::Database(_)) => {}
        }
        Ok(())
    }

    /// Returns when the next message of any queue is visible.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        match self {
            Self::Database(database) => {
                let due = QueueName::ALL.into_iter();
                due.filter_map(|queue| database.next_due(queue).ok()?).min()
            }
            Self::Memory(_, queues) => {
                lock(&queues.state).queued.first_key_value().map(|((at, _), _)| *at)
            }
        }
    }

    /// Returns the number of dead letters.
    pub(super) fn dead_letters(&self) -> Result<usize, QueueError> {
        match self {
            Self::Database(database) => Ok(database.dead_letters()?.len()),
            Self::Memory(_, queues) => Ok(lock(&queues.state).dead.len()),
        }
    }

    /// Moves all dead letters back to their queues, and returns their number.
    pub(super) fn redrive(&self) -> Result<usize, QueueError> {
        match self {
            Self::Database(database) => QueueName::ALL
                .into_iter()
                .try_fold(0, |sum, queue| Ok(database.redrive(queue)?.saturating_add(sum))),
            Self::Memory(_, queues) => {
                let state = &mut *lock(&queues.state);
                let dead = std::mem::take(&mut state.dead);
                let (count, now) = (dead.len(), queues.clock.now());
                dead.into_iter().for_each(|message| state.insert(now, message));
                Ok(count)
            }
        }
    }

    /// Deletes what has expired.
    pub(super) fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        match self {
            Self::Database(database) => database.sweep(now).map(drop),
            Self::Memory(store, _) => {
                store.sweep(now);
                Ok(())
            }
        }
    }
}
