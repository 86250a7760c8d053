//! A world's time, randomness, table and queues. Each does what its port says and shows a test what went through it. It
//! lets something else happen at that moment.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use async_trait::async_trait;
use domain::journal::JournalEntry;
use domain::message::Message;
use domain::random::Random;
use domain::request::Request;
use domain::values::time::Timestamp;
use embedded::Database;
use ports::{Clock, Expect, Item, Key, Page, Queue, QueueError, Range, Store, StoreError, Write};
use records::storage::decode;

use super::Core;
use crate::doubles::SeededRandom;
use crate::lock::lock;
use crate::sim::{broken_by_commit, entries};

/// An action of a test at a chosen moment.
pub(super) type Hook = Box<dyn FnOnce(&Core) + Send>;

/// Things that happen once, when something begins that they wait for.
#[derive(Default)]
pub(super) struct Hooks {
    pub(super) core: OnceLock<Weak<Core>>,
    waiting: Mutex<Vec<(String, Hook)>>,
}

impl Hooks {
    pub(super) fn add(&self, moment: String, hook: Hook) {
        lock(&self.waiting).push((moment, hook));
    }

    pub(super) fn left(&self) -> Vec<String> {
        lock(&self.waiting).iter().map(|(moment, _)| moment.clone()).collect()
    }

    /// Lets happen what waits for this moment. It is another process at work: it has a thread of its own.
    pub(super) fn fire(&self, moment: &str) {
        let hook = {
            let mut waiting = lock(&self.waiting);
            let place = waiting.iter().position(|(known, _)| moment.starts_with(known.as_str()));
            place.map(|place| waiting.remove(place).1)
        };
        let core = self.core.get().and_then(Weak::upgrade);
        if let (Some(hook), Some(core)) = (hook, core) {
            let done = std::thread::scope(|scope| scope.spawn(|| hook(&core)).join());
            if let Err(panic) = done {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// A clock that moves when it is moved. Waiting moves it.
pub(super) struct WorldClock {
    millis: AtomicI64,
    hooks: Arc<Hooks>,
}

impl WorldClock {
    pub(super) fn new(at: Timestamp, hooks: Arc<Hooks>) -> Self {
        Self { millis: AtomicI64::new(at.as_millis()), hooks }
    }

    pub(super) fn pass_until(&self, at: Timestamp) {
        self.millis.fetch_max(at.as_millis(), Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }

    async fn wait(&self, duration: Duration) {
        self.pass_until(self.now().after(duration));
        self.hooks.fire("waited");
    }
}

/// Randomness from a seed, unless a test says what is drawn next.
pub(super) struct ScriptedRandom {
    pub(super) planned: Mutex<VecDeque<Vec<u8>>>,
    pub(super) seeded: SeededRandom,
}

impl Random for ScriptedRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut planned = lock(&self.planned);
        let place = planned.iter().position(|plan| plan.len() == bytes.len());
        match place.and_then(|place| planned.remove(place)) {
            Some(plan) => bytes.copy_from_slice(&plan),
            None => self.seeded.fill(bytes),
        }
    }
}

/// The table, which checks C1 to C6 at every write of a request and remembers all that was ever written.
pub(super) struct Table {
    inner: Database,
    one_at_a_time: tokio::sync::Mutex<()>,
    kept: Mutex<BTreeMap<Key, Item>>,
    ever: Mutex<Vec<Item>>,
    hooks: Arc<Hooks>,
}

impl Table {
    pub(super) fn new(inner: Database, hooks: Arc<Hooks>) -> Self {
        let (kept, ever) = (Mutex::default(), Mutex::default());
        Self { inner, one_at_a_time: tokio::sync::Mutex::default(), kept, ever, hooks }
    }

    pub(super) fn kept(&self) -> Vec<Item> {
        lock(&self.kept).values().cloned().collect()
    }

    pub(super) fn ever(&self) -> Vec<Item> {
        lock(&self.ever).clone()
    }

    pub(super) async fn put_as_it_is(&self, item: Item) -> Result<(), StoreError> {
        let writes = [Write::Put { item, expect: Expect::Any }];
        self.inner.write(writes.to_vec()).await?;
        self.keep(&writes);
        Ok(())
    }

    /// The requests that are about to be written, as they are now.
    async fn requests_before(
        &self,
        writes: &[Write],
    ) -> Result<Vec<(Item, Option<Item>)>, StoreError> {
        let mut requests = Vec::new();
        for after in writes.iter().filter_map(put).filter(|item| item.key.sk == "REQ") {
            requests.push((after.clone(), self.inner.read(&after.key).await?));
        }
        Ok(requests)
    }

    fn keep(&self, writes: &[Write]) {
        let mut kept = lock(&self.kept);
        for write in writes {
            match write {
                Write::Put { item, .. } => {
                    kept.insert(item.key.clone(), item.clone());
                    lock(&self.ever).push(item.clone());
                }
                Write::Delete { key } => {
                    kept.remove(key);
                }
            }
        }
    }
}

/// Fails the test if a commit of a request breaks what the simulation's oracle checks of it.
fn check(after: &Item, before: Option<&Item>, writes: &[Write]) -> Result<(), StoreError> {
    let known = before.map_or(0, |item| item.version);
    let before: Option<Request> = before.map(|item| decode(&item.body)).transpose()?;
    let events: Vec<JournalEntry> = writes
        .iter()
        .filter_map(put)
        .filter(|item| item.key.pk == after.key.pk && item.key.sk.starts_with("EVT#"))
        .map(|item| decode(&item.body))
        .collect::<Result<_, _>>()?;
    let request: Request = decode(&after.body)?;
    let events = entries::added(before.as_ref(), &request, events);
    let broken = broken_by_commit(before.as_ref(), known, &request, after.version, &events);
    assert!(broken.is_empty(), "{broken:?} by {events:#?}\nbefore {before:#?}");
    Ok(())
}

const fn put(write: &Write) -> Option<&Item> {
    match write {
        Write::Put { item, .. } => Some(item),
        Write::Delete { .. } => None,
    }
}

#[async_trait]
impl Store for Table {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.inner.read(key).await
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        self.inner.list(range).await
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.inner.list_index(range).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let keys: Vec<String> =
            writes.iter().filter_map(put).map(|item| place(&item.key)).collect();
        keys.iter().for_each(|key| self.hooks.fire(&format!("storing {key}")));
        {
            let _alone = self.one_at_a_time.lock().await;
            let before = self.requests_before(&writes).await?;
            self.inner.write(writes.clone()).await?;
            for (after, before) in &before {
                check(after, before.as_ref(), &writes)?;
            }
            self.keep(&writes);
        }
        keys.iter().for_each(|key| self.hooks.fire(&format!("stored {key}")));
        Ok(())
    }
}

fn place(key: &Key) -> String {
    format!("{} {}", key.pk, key.sk)
}

/// The queues, which remember all that was ever sent.
pub(super) struct Queues {
    pub(super) inner: Database,
    pub(super) sent: Mutex<Vec<(Message, Duration)>>,
}

#[async_trait]
impl Queue for Queues {
    async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError> {
        lock(&self.sent).push((message.clone(), delay));
        self.inner.send(message, delay).await
    }
}
