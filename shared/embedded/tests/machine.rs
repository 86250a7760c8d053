//! One machine beyond the contract tests: threads, restarts, sweeping, dead letters, and the cost of each.
#![expect(clippy::unwrap_used, clippy::unreachable, reason = "a test fails by panicking")]

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use domain::message::{Message, QueueName, Step};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use embedded::{BrandFile, Database};
use ports::{Clock, Expect, Item, Key, Order, Queue, Range, Secrets, Store, StoreError, Write};

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

struct StoppedClock;

#[async_trait]
impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        NOW
    }

    async fn wait(&self, _: Duration) {}
}

fn open(folder: &Path) -> Database {
    Database::open(folder, Arc::new(StoppedClock)).unwrap()
}

fn item(pk: &str, sk: &str, version: u64) -> Item {
    let key = Key { pk: pk.to_owned(), sk: sk.to_owned() };
    Item { key, version, body: "{}".to_owned(), expires_at: None, index: None }
}

const fn put(item: Item, expect: Expect) -> Write {
    Write::Put { item, expect }
}

fn message(number: u8) -> Message {
    Message::new(Step::Fetch, RequestId::new(NOW, [number; 10]))
}

/// Returns the answer of an adapter that works inline to its first poll, without any runtime.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the work is done inline"),
    }
}

#[test]
fn batch_is_received_in_order_and_never_twice() {
    let database = Database::in_memory(Arc::new(StoppedClock)).unwrap();
    for number in 0..5 {
        now(database.send(&message(number), Duration::ZERO)).unwrap();
    }
    let mut taken = Vec::new();
    for most in [2, 2, 2, 2] {
        let some = now(database.receive_some(QueueName::Authorizations, NOW, most)).unwrap();
        taken.push(some.into_iter().map(|received| received.message).collect::<Vec<_>>());
    }
    let all = [0, 1, 2, 3, 4].map(message);
    assert_eq!(taken, [all[..2].to_vec(), all[2..4].to_vec(), all[4..].to_vec(), Vec::new()]);
}

#[test]
fn database_works_without_a_runtime() {
    let database = Database::in_memory(Arc::new(StoppedClock)).unwrap();
    now(database.write(vec![put(item("a", "b", 1), Expect::Absent)])).unwrap();
    now(database.send(&message(1), Duration::ZERO)).unwrap();
    assert!(now(database.read(&item("a", "b", 1).key)).unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_tasks_lose_no_increment() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path());
    database.write(vec![put(item("count", "REQ", 1), Expect::Absent)]).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let database = database.clone();
        tasks.spawn(async move {
            let mut done = 0;
            while done < 20 {
                let version =
                    database.read(&item("count", "REQ", 1).key).await.unwrap().unwrap().version;
                let next = put(item("count", "REQ", version + 1), Expect::Version(version));
                match database.write(vec![next]).await {
                    Ok(()) => done += 1,
                    Err(StoreError::Conflict) => {}
                    Err(error @ (StoreError::Unavailable(_) | StoreError::Damaged(_))) => {
                        unreachable!("{error:?}")
                    }
                }
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(database.read(&item("count", "REQ", 1).key).await.unwrap().unwrap().version, 161);
}

#[tokio::test]
async fn two_processes_see_each_others_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open(folder.path()), open(folder.path()));
    one.write(vec![put(item("a", "b", 1), Expect::Absent)]).await.unwrap();
    let repeated = other.write(vec![put(item("a", "b", 1), Expect::Absent)]).await;
    assert!(matches!(repeated, Err(StoreError::Conflict)));
    assert!(other.read(&item("a", "b", 1).key).await.unwrap().is_some());
}

#[tokio::test]
async fn message_keeps_delay_and_count_across_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).send(&message(1), Duration::from_secs(10)).await.unwrap();
    let due = NOW.after(Duration::from_secs(10));
    let database = open(folder.path());
    assert_eq!(database.next_due(QueueName::Authorizations).unwrap(), Some(due));
    assert_eq!(database.receive(QueueName::Authorizations, NOW).unwrap(), None);
    assert_eq!(database.receive(QueueName::Authorizations, due).unwrap().unwrap().receives, 1);
    let database = open(folder.path());
    let again = due.after(Duration::from_secs(180));
    assert_eq!(database.next_due(QueueName::Authorizations).unwrap(), Some(again));
    assert_eq!(database.receive(QueueName::Authorizations, again).unwrap().unwrap().receives, 2);
}

#[tokio::test]
async fn message_that_is_due_at_once_is_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path());
    let mut handed_over = database.handed_over(QueueName::Authorizations);
    database.send(&message(1), Duration::from_secs(10)).await.unwrap();
    database.send(&message(2), Duration::ZERO).await.unwrap();
    let received = handed_over.try_recv().unwrap();
    assert_eq!((&received.message, received.receives), (&message(2), 1));
    assert!(handed_over.try_recv().is_err(), "the delayed one waits in the table");
    // It is hidden there as a received one is, until it is deleted.
    assert_eq!(database.receive(QueueName::Authorizations, NOW).unwrap(), None);
    database.delete(received.receipt).unwrap();
    assert_eq!(database.pending().unwrap()[&QueueName::Authorizations], 1);
}

#[tokio::test]
async fn message_handed_over_before_a_crash_is_delivered_again() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path());
    let mut handed_over = database.handed_over(QueueName::Authorizations);
    database.send(&message(1), Duration::ZERO).await.unwrap();
    assert_eq!(handed_over.try_recv().unwrap().message, message(1));
    drop(database);
    let database = open(folder.path());
    database.recover().unwrap();
    let received = database.receive(QueueName::Authorizations, NOW).unwrap().unwrap();
    assert_eq!((received.message, received.receives), (message(1), 1));
}

#[tokio::test]
async fn message_without_a_place_at_the_receiver_waits_in_the_table() {
    let database = Database::in_memory(Arc::new(StoppedClock)).unwrap();
    let mut handed_over = database.handed_over(QueueName::Authorizations);
    for number in 0..70 {
        database.send(&message(number), Duration::ZERO).await.unwrap();
    }
    let mut count = 0;
    while handed_over.try_recv().is_ok() {
        count += 1;
    }
    let rest = database.receive_some(QueueName::Authorizations, NOW, 100).await.unwrap();
    assert_eq!((count, rest.len()), (64, 6));
    drop(handed_over);
    database.send(&message(70), Duration::ZERO).await.unwrap();
    let received = database.receive(QueueName::Authorizations, NOW).unwrap().unwrap();
    assert_eq!(received.message, message(70), "there is no receiver any more");
}

/// A call whose client hangs up is dropped while its change is made.
#[tokio::test]
async fn message_of_a_sender_that_waits_no_longer_is_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(folder.path());
    let mut handed_over = database.handed_over(QueueName::Authorizations);
    let sent = message(1);
    let mut sending = database.send(&sent, Duration::ZERO);
    drop(sending.as_mut().poll(&mut Context::from_waker(Waker::noop())));
    drop(sending);
    let received = tokio::time::timeout(Duration::from_secs(10), handed_over.recv()).await;
    assert_eq!(received.unwrap().unwrap().message, sent);
}

#[tokio::test]
async fn expired_receipt_deletes_and_releases_nothing() {
    let database = Database::in_memory(Arc::new(StoppedClock)).unwrap();
    database.send(&message(1), Duration::ZERO).await.unwrap();
    let slow = database.receive(QueueName::Authorizations, NOW).unwrap().unwrap();
    let later = NOW.after(Duration::from_secs(180));
    database.receive(QueueName::Authorizations, later).unwrap().unwrap();
    database.delete(slow.receipt).unwrap();
    database.release(slow.receipt, Duration::ZERO).unwrap();
    let hidden_until = later.after(Duration::from_secs(180));
    assert_eq!(database.next_due(QueueName::Authorizations).unwrap(), Some(hidden_until));
}

#[tokio::test]
async fn redriven_dead_letter_has_no_deliveries() {
    let database = Database::in_memory(Arc::new(StoppedClock)).unwrap();
    database.send(&message(1), Duration::ZERO).await.unwrap();
    let mut arrivals = database.arrivals(QueueName::Authorizations);
    while let Some(received) = database.receive(QueueName::Authorizations, NOW).unwrap() {
        database.release(received.receipt, Duration::ZERO).unwrap();
    }
    let letters = database.dead_letters().unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].receives, letters[0].died_at), (5, NOW));
    assert_eq!(database.pending().unwrap()[&QueueName::Authorizations], 0);
    arrivals.mark_unchanged();
    assert_eq!(database.redrive(QueueName::Webhooks).unwrap(), 0);
    assert_eq!(database.redrive(QueueName::Authorizations).unwrap(), 1);
    assert!(arrivals.has_changed().unwrap());
    assert!(database.dead_letters().unwrap().is_empty());
    assert_eq!(database.receive(QueueName::Authorizations, NOW).unwrap().unwrap().receives, 1);
}

#[tokio::test]
async fn sweep_deletes_expired_items_only() {
    let database = Database::in_memory(Arc::new(StoppedClock)).unwrap();
    for number in 0..1_201_i64 {
        let expires_at = Some(NOW.after(Duration::from_millis(number.try_into().unwrap())));
        let over = Item { expires_at, ..item(&format!("over:{number}"), "REQ", 1) };
        database.write(vec![put(over, Expect::Absent)]).await.unwrap();
    }
    database.write(vec![put(item("kept", "REQ", 1), Expect::Absent)]).await.unwrap();
    assert_eq!(database.sweep(NOW).unwrap(), 1, "the others are over in a second or two");
    assert_eq!(database.sweep(NOW.after(Duration::from_millis(1_999))).unwrap(), 1_000);
    assert_eq!(database.sweep(NOW.after(Duration::from_secs(2))).unwrap(), 200);
    assert!(database.read(&item("kept", "REQ", 1).key).await.unwrap().is_some());
}

#[tokio::test]
async fn write_that_dynamodb_refuses_is_refused() {
    let database = Database::in_memory(Arc::new(StoppedClock)).unwrap();
    let twice = vec![put(item("a", "b", 1), Expect::Any), put(item("a", "b", 2), Expect::Any)];
    let many = (0..41).map(|sk| put(item("a", &sk.to_string(), 1), Expect::Any)).collect();
    let big = Item { body: "x".repeat(256 * 1024 + 1), ..item("a", "b", 1) };
    let refused =
        [twice, many, vec![put(item("", "b", 1), Expect::Any)], vec![put(big, Expect::Any)]];
    for writes in refused {
        assert!(matches!(database.write(writes).await, Err(StoreError::Unavailable(_))));
    }
    let (pk, prefix) = ("a".to_owned(), String::new());
    let range = Range { pk, prefix, after: None, limit: 100, order: Order::Ascending };
    assert!(database.list(&range).await.unwrap().items.is_empty());
}

#[cfg(unix)]
#[test]
fn data_folder_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("data");
    let _database = open(&folder);
    BrandFile::new(&folder).create("{}").unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 2, "{files:?}");
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
}

#[test]
fn changed_brand_file_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (brand, name) = (BrandFile::new(folder.path()), "acme".parse().unwrap());
    for shown in ["Acme", "Acme & Sons"] {
        brand.create(&ports::contract_tests::secrets::brand_text(&name, shown)).unwrap();
        assert_eq!(now(brand.brand(&name)).unwrap().display_name.as_str(), shown);
    }
}

#[test]
fn delivery_limit_matches_the_contract_tests() {
    assert_eq!(embedded::RECEIVES_MAX, ports::contract_tests::queue::RECEIVES_MAX);
}
