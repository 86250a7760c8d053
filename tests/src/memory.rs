//! A store in memory, a queue that drops all, and counters of what is done to both.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::message::Message;
use domain::values::time::Timestamp;
use ports::{Expect, Item, Key, Order, Page, Queue, QueueError, Range, Store, StoreError, Write};

use crate::lock::lock;

type Items = BTreeMap<Key, Item>;

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    items: Mutex<Items>,
    kept: Mutex<Items>,
}

impl MemoryStore {
    /// Keeps what is stored now.
    pub fn keep(&self) {
        lock(&self.items).clone_into(&mut lock(&self.kept));
    }

    /// Goes back to what was kept.
    pub fn restore(&self) {
        lock(&self.kept).clone_into(&mut lock(&self.items));
    }

    /// Deletes what has expired.
    pub fn sweep(&self, now: Timestamp) {
        lock(&self.items).retain(|_, item| item.expires_at.is_none_or(|at| at > now));
    }

    /// Everything that is stored.
    #[must_use]
    pub fn items(&self) -> Vec<Item> {
        lock(&self.items).values().cloned().collect()
    }
}

/// A page of `found`, whose places are told by `place`.
fn page<'a>(
    found: impl Iterator<Item = &'a Item>,
    range: &Range,
    place: fn(&Item) -> &str,
) -> Page {
    let mut found: Vec<&Item> =
        found.filter(|item| place(item).starts_with(&range.prefix)).collect();
    found.sort_by(|one, other| (place(one), &one.key).cmp(&(place(other), &other.key)));
    if range.order == Order::Descending {
        found.reverse();
    }
    let beyond = |item: &&Item| match (&range.after, range.order) {
        (None, _) => true,
        (Some(after), Order::Ascending) => place(item) > after.as_str(),
        (Some(after), Order::Descending) => place(item) < after.as_str(),
    };
    let mut items: Vec<Item> = found.into_iter().filter(beyond).cloned().collect();
    let more = items.len() > range.limit;
    items.truncate(range.limit);
    Page { items, more }
}

fn index_place(item: &Item) -> &str {
    item.index.as_ref().map_or("", |key| &key.sk)
}

fn holds(items: &Items, write: &Write) -> bool {
    match write {
        Write::Delete { .. } => true,
        Write::Put { item, expect } => {
            let there = items.get(&item.key).map(|item| item.version);
            match expect {
                Expect::Any => true,
                Expect::Absent => there.is_none(),
                Expect::Version(version) => there == Some(*version),
            }
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        Ok(lock(&self.items).get(key).cloned())
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        let items = lock(&self.items);
        let found = items.values().filter(|item| item.key.pk == range.pk);
        Ok(page(found, range, |item| &item.key.sk))
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        let items = lock(&self.items);
        let indexed = |item: &&Item| item.index.as_ref().is_some_and(|key| key.pk == range.pk);
        Ok(page(items.values().filter(indexed), range, index_place))
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let mut items = lock(&self.items);
        if !writes.iter().all(|write| holds(&items, write)) {
            return Err(StoreError::Conflict);
        }
        for write in writes {
            match write {
                Write::Put { item, .. } => {
                    // Times of deletion are whole seconds, as they are where items are deleted.
                    let expires_at = item.expires_at.map(|at| {
                        let secs = at.as_millis().saturating_add(999).div_euclid(1000);
                        Timestamp::from_millis(secs.saturating_mul(1000))
                    });
                    items.insert(item.key.clone(), Item { expires_at, ..item });
                }
                Write::Delete { key } => drop(items.remove(&key)),
            }
        }
        Ok(())
    }
}

/// The numbers of operations on a store and a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Items read by key.
    pub reads: u64,
    /// Ranges listed.
    pub lists: u64,
    /// Items those lists gave.
    pub listed: u64,
    /// Transactions.
    pub transactions: u64,
    /// Changes in them.
    pub changes: u64,
    /// Messages sent.
    pub sends: u64,
}

/// A store and a queue whose uses are counted.
pub struct CountingPorts {
    store: Arc<dyn Store>,
    queue: Arc<dyn Queue>,
    counters: [AtomicU64; 6],
}

impl CountingPorts {
    /// Counts what is done to `store` and `queue`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, queue: Arc<dyn Queue>) -> Self {
        Self { store, queue, counters: Default::default() }
    }

    /// Returns what was done since the beginning.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let [reads, lists, listed, transactions, changes, sends] =
            self.counters.each_ref().map(|counter| counter.load(Ordering::SeqCst));
        Counts { reads, lists, listed, transactions, changes, sends }
    }

    fn count(&self, place: usize, by: usize) {
        if let Some(counter) = self.counters.get(place) {
            counter.fetch_add(u64::try_from(by).unwrap_or(u64::MAX), Ordering::SeqCst);
        }
    }
}

impl Counts {
    /// Returns what was done between `earlier` and now.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            reads: self.reads - earlier.reads,
            lists: self.lists - earlier.lists,
            listed: self.listed - earlier.listed,
            transactions: self.transactions - earlier.transactions,
            changes: self.changes - earlier.changes,
            sends: self.sends - earlier.sends,
        }
    }
}

#[async_trait]
impl Store for CountingPorts {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.count(0, 1);
        self.store.read(key).await
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        self.count(1, 1);
        let page = self.store.list(range).await?;
        self.count(2, page.items.len());
        Ok(page)
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.count(1, 1);
        let page = self.store.list_index(range).await?;
        self.count(2, page.items.len());
        Ok(page)
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.count(3, 1);
        self.count(4, writes.len());
        self.store.write(writes).await
    }
}

#[async_trait]
impl Queue for CountingPorts {
    async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError> {
        self.count(5, 1);
        self.queue.send(message, delay).await
    }
}

/// A queue that takes everything and gives nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiscardingQueue;

#[async_trait]
impl Queue for DiscardingQueue {
    async fn send(&self, _: &Message, _: Duration) -> Result<(), QueueError> {
        Ok(())
    }
}
