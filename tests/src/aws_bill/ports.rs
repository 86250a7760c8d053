//! The store and the queue between the functions and what they use, whose uses a [`Meter`] records.

use std::sync::Arc;
use std::time::Duration;

use ::ports::{Item, Key, Outgoing, Page, Queue, QueueError, Range, Store, StoreError, Write};
use async_trait::async_trait;
use domain::message::{Message, QueueName};

use super::meter::{CallShape, Meter, Operation};
use super::units;

/// A store whose uses are recorded.
pub struct MeteredStore {
    inner: Arc<dyn Store>,
    meter: Arc<Meter>,
}

impl MeteredStore {
    /// Records the uses of `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, meter: Arc<Meter>) -> Self {
        Self { inner, meter }
    }

    async fn query(&self, range: &Range, is_index: bool) -> Result<Page, StoreError> {
        let list = || async {
            if is_index { self.inner.list_index(range).await } else { self.inner.list(range).await }
        };
        if !self.meter.is_on() {
            return list().await;
        }
        let page = list().await?;
        let half_reads = units::half_reads_of_query(&page.items, !is_index);
        let about = range.pk.clone();
        let call = CallShape { operation: Operation::Query, about, half_reads, writes: 0 };
        self.meter.around(call, async { Ok(page) }).await
    }
}

#[async_trait]
impl Store for MeteredStore {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let weight = if self.meter.is_on() { self.inner.read(key).await? } else { None };
        let call = CallShape {
            operation: Operation::GetItem,
            about: key.pk.clone(),
            half_reads: units::half_reads(weight.as_ref()),
            writes: 0,
        };
        self.meter.around(call, self.inner.read(key)).await
    }

    async fn read_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let Some(first) = keys.first() else { return Ok(Vec::new()) };
        let weight =
            if self.meter.is_on() { self.inner.read_many(keys).await? } else { Vec::new() };
        let call = CallShape {
            operation: Operation::BatchGetItem,
            about: first.pk.clone(),
            half_reads: weight.iter().map(|item| units::half_reads(item.as_ref())).sum(),
            writes: 0,
        };
        self.meter.around(call, self.inner.read_many(keys)).await
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        self.query(range, false).await
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.query(range, true).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let Some(first) = writes.first() else { return Ok(()) };
        let operation = match (writes.len(), first) {
            (1, Write::Put { .. }) => Operation::PutItem,
            (1, Write::Delete { .. }) => Operation::DeleteItem,
            (_, Write::Put { .. } | Write::Delete { .. }) => Operation::TransactWriteItems,
        };
        let mut cost = 0;
        if self.meter.is_on() {
            for write in &writes {
                let (Write::Put { item: Item { key, .. }, .. } | Write::Delete { key }) = write;
                let before = self.inner.read(key).await?;
                cost += units::writes(write, before.as_ref(), writes.len() > 1);
            }
        }
        let (Write::Put { item: Item { key, .. }, .. } | Write::Delete { key }) = first;
        let call = CallShape { operation, about: key.pk.clone(), half_reads: 0, writes: cost };
        self.meter.around(call, self.inner.write(writes)).await
    }
}

/// A queue whose uses are recorded.
pub struct MeteredQueue {
    inner: Arc<dyn Queue>,
    meter: Arc<Meter>,
}

impl MeteredQueue {
    /// Records the uses of `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Queue>, meter: Arc<Meter>) -> Self {
        Self { inner, meter }
    }
}

fn sent(operation: Operation, queue: QueueName) -> CallShape {
    CallShape { operation, about: queue.as_str().to_owned(), half_reads: 0, writes: 0 }
}

#[async_trait]
impl Queue for MeteredQueue {
    async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError> {
        let call = sent(Operation::SendMessage, message.queue());
        self.meter.around(call, self.inner.send(message, delay)).await
    }

    async fn send_all(&self, messages: &[Outgoing]) -> Result<(), QueueError> {
        let batches = QueueName::ALL.into_iter().filter_map(|queue| {
            let own = messages.iter().filter(|outgoing| outgoing.message.queue() == queue);
            let batch: Vec<Outgoing> = own.cloned().collect();
            let operation = match batch.len() {
                0 => return None,
                1 => Operation::SendMessage,
                _ => Operation::SendMessageBatch,
            };
            let call = sent(operation, queue);
            Some(self.meter.around(call, async move { self.inner.send_all(&batch).await }))
        });
        futures_util::future::try_join_all(batches).await.map(|_sent| ())
    }
}
