//! The contract tests of the ports, over the file and in memory.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::message::{Message, QueueName};
use domain::values::name::BrandName;
use domain::values::time::Timestamp;
use embedded::{BrandFile, Database, Receipt};
use ports::contract_tests::queue::{Delivery, Receiving, TimedQueues};
use ports::contract_tests::secrets::SecretsAdmin;
use ports::{Clock, Item, Key, Page, Queue, Range, Secrets, Store, StoreError, Write};

/// A clock that is turned by hand.
struct ManualClock(AtomicI64);

impl ManualClock {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_767_225_600_000)))
    }

    fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_millis().try_into().unwrap(), Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    async fn wait(&self, duration: Duration) {
        self.pass(duration);
    }
}

/// A database in a folder that goes with it.
struct Fresh {
    database: Database,
    clock: Arc<ManualClock>,
    taken: Mutex<Vec<Receipt>>,
    _folder: tempfile::TempDir,
}

impl Fresh {
    fn on_disk() -> Self {
        Self::new(|folder, clock| Database::open(folder, clock).unwrap())
    }

    fn in_memory() -> Self {
        Self::new(|_, clock| Database::in_memory(clock).unwrap())
    }

    fn new(open: impl FnOnce(&Path, Arc<dyn Clock>) -> Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new();
        let database = open(folder.path(), Arc::<ManualClock>::clone(&clock));
        Self { database, clock, taken: Mutex::default(), _folder: folder }
    }

    fn receipt(&self, text: &str) -> Receipt {
        *self.taken.lock().unwrap().iter().find(|receipt| receipt.to_string() == text).unwrap()
    }
}

#[async_trait]
impl Store for Fresh {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.database.read(key).await
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        self.database.list(range).await
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.database.list_index(range).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.database.write(writes).await
    }
}

#[async_trait]
impl Receiving for Fresh {
    fn queue(&self) -> &dyn Queue {
        &self.database
    }

    async fn receive(&self, queue: QueueName) -> Option<Delivery> {
        let received = self.database.receive(queue, self.clock.now()).unwrap()?;
        self.taken.lock().unwrap().push(received.receipt);
        let receipt = received.receipt.to_string();
        Some(Delivery { receipt, message: received.message, receives: received.receives })
    }

    async fn delete(&self, _: QueueName, receipt: &str) {
        self.database.delete(self.receipt(receipt)).unwrap();
    }

    async fn let_go(&self, _: QueueName, receipt: &str) {
        self.database.release(self.receipt(receipt), Duration::ZERO).unwrap();
    }

    async fn dead(&self, queue: QueueName) -> Vec<Message> {
        let letters = self.database.dead_letters().unwrap();
        letters
            .iter()
            .filter(|letter| letter.queue == queue)
            .map(|letter| serde_json::from_str(&letter.text).unwrap())
            .collect()
    }
}

#[async_trait]
impl TimedQueues for Fresh {
    fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }

    fn visibility(&self, queue: QueueName) -> Duration {
        self.database.visibility(queue)
    }
}

struct FreshBrand {
    brand: BrandFile,
    _folder: tempfile::TempDir,
}

impl FreshBrand {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { brand: BrandFile::new(folder.path()), _folder: folder }
    }
}

#[async_trait]
impl SecretsAdmin for FreshBrand {
    fn secrets(&self) -> &dyn Secrets {
        &self.brand
    }

    async fn keep(&self, _: &BrandName, text: &str) {
        self.brand.create(text).unwrap();
    }
}

mod on_disk {
    use super::*;

    ports::store_contract_tests!(async { Fresh::on_disk() });
    ports::queue_contract_tests!(async { Fresh::on_disk() });
    ports::queue_time_contract_tests!(async { Fresh::on_disk() });
    ports::secrets_contract_tests!(async { FreshBrand::new() });
}

mod in_memory {
    use super::*;

    ports::store_contract_tests!(async { Fresh::in_memory() });
    ports::queue_contract_tests!(async { Fresh::in_memory() });
    ports::queue_time_contract_tests!(async { Fresh::in_memory() });
}
