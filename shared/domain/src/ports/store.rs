//! The store: one table of items, read by key, changed by conditional transactions.
//!
//! The layout of the items is [`crate::storage`]; an implementation knows keys, versions and bodies, not what they mean.

use async_trait::async_trait;

use super::Source;
use crate::values::time::Timestamp;

/// The key of an item: a partition and a place within it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The partition; at most 512 bytes, never empty.
    pub pk: String,
    /// The place within the partition, in byte order; at most 512 bytes, never empty.
    pub sk: String,
}

/// One item of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it is.
    pub key: Key,
    /// Counts the item's writes; [`Expect::Version`] compares it.
    pub version: u64,
    /// What it holds: JSON, at most 256 KiB.
    pub body: String,
    /// When it may be deleted, kept to the whole second, rounded up. Deletion can come late, so whoever reads compares
    /// the time itself.
    pub expires_at: Option<Timestamp>,
    /// The sparse index it is listed under, if any: the index partition and the place within it.
    pub index: Option<Key>,
}

/// One change within a transaction.
#[derive(Clone, Debug)]
pub enum Write {
    /// Puts the whole item in place of what is there.
    Put {
        /// The item.
        item: Item,
        /// What must be there now.
        expect: Expect,
    },
    /// Deletes the item; deleting what is absent is no error.
    Delete {
        /// Where it is.
        key: Key,
    },
}

/// What must be true of the place an item is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Anything or nothing.
    Any,
    /// Nothing is there.
    Absent,
    /// An item of this version is there.
    Version(u64),
}

/// In which order a range is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Smallest place first.
    Ascending,
    /// Largest place first.
    Descending,
}

/// Part of a partition.
#[derive(Clone, Debug)]
pub struct Range {
    /// The partition.
    pub pk: String,
    /// Only places that begin with this; empty for all.
    pub prefix: String,
    /// Only places beyond this one, in the order asked for.
    pub after: Option<String>,
    /// At most this many items, 1 to 100.
    pub limit: usize,
    /// The order.
    pub order: Order,
}

/// What a range holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The items, in the order asked for.
    pub items: Vec<Item>,
    /// Whether there is more beyond the last one.
    pub more: bool,
}

/// The table.
#[async_trait]
pub trait Store: Send + Sync {
    /// Reads one item, and sees every write that was answered before.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Damaged`].
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError>;

    /// Reads part of a partition, and sees every write that was answered before.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Damaged`].
    async fn list(&self, range: &Range) -> Result<Page, StoreError>;

    /// Reads part of a partition of the sparse index, which may be a moment behind.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Damaged`].
    async fn list_index(&self, range: &Range) -> Result<Page, StoreError>;

    /// Makes all the changes or none: at most 20, no two of one key, none without effect on a repeat unless its
    /// expectation says so.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when an expectation does not hold or a concurrent transaction won;
    /// [`StoreError::Unavailable`] when the changes may or may not have been made.
    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError>;
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else committed first: load again and decide again.
    #[error("somebody else committed first")]
    Conflict,
    /// The store did not answer, or not in time: a write may have happened. Try the whole step again later.
    #[error("the store did not answer")]
    Unavailable(#[source] Source),
    /// What is stored cannot be read back: a person must look.
    #[error("what is stored cannot be read back")]
    Damaged(#[source] Source),
}

impl crate::update::Conflict for StoreError {
    fn is_conflict(&self) -> bool {
        match self {
            Self::Conflict => true,
            Self::Unavailable(_) | Self::Damaged(_) => false,
        }
    }
}
