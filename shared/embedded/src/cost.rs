//! Tests that the cost of an operation does not grow with the stored data, in steps of SQLite's virtual machine.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use domain::message::{Message, QueueName, Step};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use ports::{Clock, Expect, Item, Key, Order, Queue, Range, Store, Write};
use rusqlite::StatementStatus;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use crate::Database;

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

struct StoppedClock;

#[async_trait]
impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        NOW
    }

    async fn wait(&self, _: Duration) {}
}

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the work is done inline"),
    }
}

/// One of many items in a busy partition and session, which expires in a day.
fn item(number: u32) -> Item {
    Item {
        key: Key { pk: "busy".to_owned(), sk: format!("EVT#{number:06}") },
        version: 1,
        body: "{}".to_owned(),
        expires_at: Some(NOW.after(Duration::from_secs(86_400))),
        index: Some(Key { pk: "session".to_owned(), sk: format!("{number:06}") }),
    }
}

fn message() -> Message {
    Message::new(Step::Check, RequestId::new(NOW, [1; 10]))
}

fn page(order: Order) -> Range {
    let (pk, prefix) = ("busy".to_owned(), "EVT#".to_owned());
    Range { pk, prefix, after: Some("EVT#000050".to_owned()), limit: 10, order }
}

fn change(number: u32, expect: Expect) -> Vec<Write> {
    vec![Write::Put { item: item(number), expect }]
}

/// A database of that many items and waiting messages, and the counter of its virtual machine's steps.
fn filled(count: u32) -> (Database, Arc<AtomicI32>) {
    let database = Database::in_memory(Arc::new(StoppedClock)).unwrap();
    for number in 0..count {
        now(database.write(change(number, Expect::Absent))).unwrap();
        now(database.send(&message(), Duration::from_secs(900))).unwrap();
    }
    let steps = Arc::new(AtomicI32::new(0));
    let counted = Arc::clone(&steps);
    let trace = move |event: TraceEvent<'_>| {
        if let TraceEvent::Profile(statement, _) = event {
            counted.fetch_add(statement.get_status(StatementStatus::VmStep), Ordering::Relaxed);
        }
    };
    database
        .connections
        .memory()
        .trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(trace))
        .unwrap();
    (database, steps)
}

fn costs(count: u32) -> Vec<(&'static str, i32)> {
    let (database, steps) = filled(count);
    let mut costs = Vec::new();
    let mut cost = |what, operation: &dyn Fn()| {
        database.connections.memory().flush_prepared_statement_cache();
        steps.store(0, Ordering::Relaxed);
        operation();
        costs.push((what, steps.load(Ordering::Relaxed)));
    };
    let receive = |seconds| {
        database.receive(QueueName::Prompts, NOW.after(Duration::from_secs(seconds))).unwrap()
    };
    cost("read", &|| assert!(now(database.read(&item(7).key)).unwrap().is_some()));
    for order in [Order::Ascending, Order::Descending] {
        cost("list", &|| assert!(now(database.list(&page(order))).unwrap().more));
        let index = Range { pk: "session".to_owned(), prefix: String::new(), ..page(order) };
        let index = Range { after: Some("000050".to_owned()), ..index };
        cost("list_index", &|| assert!(now(database.list_index(&index)).unwrap().more));
    }
    cost("create", &|| now(database.write(change(999_999, Expect::Absent))).unwrap());
    cost("replace", &|| now(database.write(change(9, Expect::Version(1)))).unwrap());
    cost("put", &|| now(database.write(change(8, Expect::Any))).unwrap());
    cost("delete", &|| now(database.write(vec![Write::Delete { key: item(8).key }])).unwrap());
    cost("sweep", &|| assert_eq!(database.sweep(NOW).unwrap(), 0));
    cost("send", &|| now(database.send(&message(), Duration::ZERO)).unwrap());
    cost("next_due", &|| assert!(database.next_due(QueueName::Prompts).unwrap().is_some()));
    cost("receive", &|| assert!(receive(0).is_some()));
    cost("receive nothing", &|| assert!(receive(0).is_none()));
    let received = receive(900).unwrap();
    cost("release", &|| database.release(received.receipt, Duration::ZERO).unwrap());
    cost("delete a message", &|| database.delete(received.receipt).unwrap());
    costs
}

#[test]
fn an_operation_costs_the_same_however_much_is_stored() {
    let (few, many) = (costs(100), costs(2_000));
    assert!(few.iter().all(|(_, steps)| *steps > 0), "{few:?}");
    assert_eq!(few, many);
}
