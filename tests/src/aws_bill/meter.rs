//! The recorder of calls: which turn made them, when each began and ended, and its units.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::lock::lock;

/// An operation of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is named as AWS names it")]
pub enum Operation {
    GetItem,
    BatchGetItem,
    Query,
    PutItem,
    DeleteItem,
    TransactWriteItems,
    SendMessage,
    SendMessageBatch,
}

/// A call of AWS.
#[derive(Clone, Debug)]
pub struct MeteredCall {
    /// What AWS was asked to do.
    pub operation: Operation,
    /// The first key or the queue, which says in a report what the call was for.
    pub about: String,
    /// The read units, in halves.
    pub half_reads: u64,
    /// The write units.
    pub writes: u64,
    /// Whether it is of the sandbox, which stands for a provider.
    pub is_sandbox: bool,
    begun: u64,
    ended: u64,
}

/// A function's handling of one call or message.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The function, and what it was asked for.
    pub name: String,
    /// Its calls, in the order in which they ended.
    pub calls: Vec<MeteredCall>,
}

impl Turn {
    /// Returns the calls of the functions, without the sandbox's.
    pub fn own(&self) -> impl Iterator<Item = &MeteredCall> {
        self.calls.iter().filter(|call| !call.is_sandbox)
    }

    /// Returns the most calls that waited for each other: each began after the one before it had ended.
    #[must_use]
    pub fn chain(&self) -> usize {
        let mut calls: Vec<&MeteredCall> = self.own().collect();
        calls.sort_by_key(|call| call.ended);
        let (mut last, mut count) = (0, 0);
        for call in calls {
            if call.begun >= last {
                count += 1;
                last = call.ended;
            }
        }
        count
    }
}

/// The recorder. It records nothing until its first turn begins.
#[derive(Debug, Default)]
pub struct Meter {
    moment: AtomicU64,
    turns: Mutex<Option<Vec<Turn>>>,
}

impl Meter {
    /// Begins to record.
    pub fn start(&self) {
        *lock(&self.turns) = Some(Vec::new());
    }

    /// Ends, and returns the turns that made calls.
    pub fn stop(&self) -> Vec<Turn> {
        let turns = lock(&self.turns).take().unwrap_or_default();
        turns.into_iter().filter(|turn| !turn.calls.is_empty()).collect()
    }

    /// Begins a turn.
    pub fn turn(&self, name: impl FnOnce() -> String) {
        if let Some(turns) = lock(&self.turns).as_mut() {
            turns.push(Turn { name: name(), calls: Vec::new() });
        }
    }

    /// Returns whether it records.
    pub(super) fn is_on(&self) -> bool {
        lock(&self.turns).is_some()
    }

    fn now(&self) -> u64 {
        self.moment.fetch_add(1, Ordering::SeqCst)
    }

    /// Records a call, and lets others begin beside it before it is made.
    pub(super) async fn around<T>(&self, call: CallShape, work: impl Future<Output = T>) -> T {
        if !self.is_on() {
            return work.await;
        }
        let begun = self.now();
        tokio::task::yield_now().await;
        let done = work.await;
        let ended = self.now();
        let CallShape { operation, about, half_reads, writes } = call;
        let is_sandbox = ["PHONE#", "SANDBOX#"].iter().any(|kind| about.starts_with(kind));
        let call = MeteredCall { operation, about, half_reads, writes, is_sandbox, begun, ended };
        if let Some(turn) = lock(&self.turns).as_mut().and_then(|turns| turns.last_mut()) {
            turn.calls.push(call);
        }
        done
    }
}

/// The parts of a call that are known before it is made.
#[derive(Debug)]
pub(super) struct CallShape {
    pub(super) operation: Operation,
    pub(super) about: String,
    pub(super) half_reads: u64,
    pub(super) writes: u64,
}

/// Returns the number of calls of each operation.
pub(super) fn by_operation<'a>(
    calls: impl Iterator<Item = &'a MeteredCall>,
) -> BTreeMap<Operation, u64> {
    let mut counts = BTreeMap::new();
    for call in calls {
        *counts.entry(call.operation).or_insert(0) += 1;
    }
    counts
}
