//! The store and the queue of a run, behind a turnstile where workers interleave, die, and lose what they wrote.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use domain::message::Message;
use ports::{Clock, Item, Key, Page, Queue, QueueError, Range, Store, StoreError, Write};

use super::outside::Shared;
use crate::doubles::ManualClock;
use crate::memory::MemoryStore;

/// What the outside answers when it does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the run broke it")]
pub(super) struct Broken;

/// One turn for all other workers before each use of a port.
pub(super) struct Turn(bool);

impl Turn {
    pub(super) const fn new() -> Self {
        Self(false)
    }
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The table behind a turnstile.
pub(super) struct Table {
    pub(super) store: Arc<MemoryStore>,
    pub(super) shared: Shared,
}

fn down() -> StoreError {
    StoreError::Unavailable(Broken.into())
}

impl Table {
    async fn is_up(&self) -> Result<(), StoreError> {
        Turn::new().await;
        let outside = &mut *self.shared.lock();
        let often = outside.faults.store / 4;
        if outside.happens("a read is lost", often) { Err(down()) } else { Ok(()) }
    }
}

#[async_trait]
impl Store for Table {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.is_up().await?;
        self.store.read(key).await
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        self.is_up().await?;
        self.store.list(range).await
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.is_up().await?;
        self.store.list_index(range).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        Turn::new().await;
        let (fails, which) = {
            let outside = &mut *self.shared.lock();
            let often = outside.faults.store;
            (outside.happens("a write is lost", often), outside.rng.below(3))
        };
        match (fails, which) {
            (false, _) => self.store.write(writes).await,
            (true, 0) => Err(down()),
            (true, 1) => Err(StoreError::Conflict),
            (true, _) => {
                self.store.write(writes).await?;
                Err(down())
            }
        }
    }
}

/// The queues, as one.
pub(super) struct Messages {
    pub(super) shared: Shared,
    pub(super) clock: Arc<ManualClock>,
}

#[async_trait]
impl Queue for Messages {
    async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError> {
        Turn::new().await;
        let due = self.clock.now().after(delay);
        let outside = &mut *self.shared.lock();
        let often = outside.faults.queue;
        let copies = if outside.happens("a message is lost or doubled", often) {
            outside.rng.below(3)
        } else {
            1
        };
        for _ in 0..copies {
            outside.messages.push((due, message.clone()));
        }
        // The sender does not learn that a message came twice.
        if copies == 0 { Err(QueueError(Broken.into())) } else { Ok(()) }
    }
}
