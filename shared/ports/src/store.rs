//! The store: one table of items, read by key, changed by conditional transactions.
//!
//! The layout of the items is [`records::storage`]; an implementation knows keys, versions and bodies, not what they mean.

use async_trait::async_trait;

use super::Source;
use domain::guards;
use domain::guards::Guard;
use domain::values::time::Timestamp;

/// The key of an item: a partition and a sort key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The partition; at most 512 bytes, never empty.
    pub pk: String,
    /// The sort key, in byte order; at most 512 bytes, never empty.
    pub sk: String,
}

/// An item of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The item's key.
    pub key: Key,
    /// The version, which counts writes; [`Expect::Version`] compares it.
    pub version: u64,
    /// The body: JSON, at most 256 KiB.
    pub body: String,
    /// When the item may be deleted, in whole seconds, rounded up; `None` keeps it.
    ///
    /// Deletion can be late, so a reader compares the time itself.
    pub expires_at: Option<Timestamp>,
    /// The key in the sparse index; `None` where the item is not listed.
    pub index: Option<Key>,
}

/// A change within a transaction.
#[derive(Clone, Debug)]
pub enum Write {
    /// Replaces the whole item.
    Put {
        /// The item in its new version.
        item: Item,
        /// The condition on the stored item.
        expect: Expect,
    },
    /// Deletes the item. Deleting an absent item is no error.
    Delete {
        /// The item's key.
        key: Key,
    },
}

/// The condition of a put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No condition.
    Any,
    /// No item is stored.
    Absent,
    /// An item of this version is stored.
    Version(u64),
}

impl Expect {
    /// Returns what a write expects that was decided from this version; `None` stands for absence.
    #[must_use]
    pub fn decided_from(version: Option<u64>) -> Self {
        if guards::is_disabled(Guard::ExpectedVersion) {
            return Self::Any;
        }
        version.map_or(Self::Absent, Self::Version)
    }
}

/// The order of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Ascending by sort key.
    Ascending,
    /// Descending by sort key.
    Descending,
}

/// A part of a partition.
#[derive(Clone, Debug)]
pub struct Range {
    /// The partition key that all items of the range share.
    pub pk: String,
    /// The prefix of the sort keys; empty for all.
    pub prefix: String,
    /// The sort key to continue after, in the range's order; `None` starts at the beginning.
    pub after: Option<String>,
    /// The most items, 1 to 100.
    pub limit: usize,
    /// The direction of the sort keys.
    pub order: Order,
}

/// A page of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The items, in the range's order.
    pub items: Vec<Item>,
    /// Whether more items follow.
    pub more: bool,
}

/// The port of the table.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Mutex;
///
/// use ports::{Expect, Item, Key, Page, Range, Store, StoreError, Write};
///
/// /// A table in memory that compares versions and lists nothing.
/// #[derive(Default)]
/// struct Versions(Mutex<BTreeMap<Key, Item>>);
///
/// #[async_trait::async_trait]
/// impl Store for Versions {
///     async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
///         Ok(self.0.lock().unwrap().get(key).cloned())
///     }
///
///     async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
///         let mut items = self.0.lock().unwrap();
///         let holds = |write: &Write| match write {
///             Write::Delete { .. } | Write::Put { expect: Expect::Any, .. } => true,
///             Write::Put { item, expect: Expect::Absent } => !items.contains_key(&item.key),
///             Write::Put { item, expect: Expect::Version(version) } => {
///                 items.get(&item.key).is_some_and(|stored| stored.version == *version)
///             }
///         };
///         if !writes.iter().all(holds) {
///             return Err(StoreError::Conflict);
///         }
///         for write in writes {
///             match write {
///                 Write::Put { item, .. } => drop(items.insert(item.key.clone(), item)),
///                 Write::Delete { key } => drop(items.remove(&key)),
///             }
///         }
///         Ok(())
///     }
/// #
/// #     async fn list(&self, _: &Range) -> Result<Page, StoreError> {
/// #         Ok(Page { items: Vec::new(), more: false })
/// #     }
/// #
/// #     async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
/// #         self.list(range).await
/// #     }
/// }
///
/// let (store, key) = (Versions::default(), Key { pk: "A".to_owned(), sk: "B".to_owned() });
/// let write = |version, expected| {
///     let body = "{}".to_owned();
///     let item = Item { key: key.clone(), version, body, expires_at: None, index: None };
///     let expect = Expect::decided_from(expected);
///     pollster::block_on(store.write(vec![Write::Put { item, expect }]))
/// };
/// write(1, None).unwrap();
/// write(2, Some(1)).unwrap();
/// // Another writer was first.
/// assert!(matches!(write(2, Some(1)), Err(StoreError::Conflict)));
/// assert_eq!(pollster::block_on(store.read(&key)).unwrap().unwrap().version, 2);
/// ```
#[async_trait]
pub trait Store: Send + Sync {
    /// Reads an item, with strong consistency; `None` where it is absent.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Damaged`].
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError>;

    /// Reads several items, each as [`read`](Self::read) does, in the order of their keys: at most 100, each of another key.
    ///
    /// Another writer may commit between two of them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Damaged`].
    async fn read_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let mut items = Vec::with_capacity(keys.len());
        for key in keys {
            items.push(self.read(key).await?);
        }
        Ok(items)
    }

    /// Reads a part of a partition, with strong consistency.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Damaged`].
    async fn list(&self, range: &Range) -> Result<Page, StoreError>;

    /// Reads a part of an index partition, with eventual consistency.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Damaged`].
    async fn list_index(&self, range: &Range) -> Result<Page, StoreError>;

    /// Makes all the changes or none: at most 40, each of another key.
    ///
    /// A repeat has no further effect, unless a condition prevents it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a condition does not hold or a concurrent transaction won.
    /// [`StoreError::Unavailable`] when the changes may have been made.
    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError>;
}

/// A failed store operation, by the reaction that follows.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer committed first: load and decide again.
    #[error("another writer committed first")]
    Conflict,
    /// The store did not answer in time, and a write may have happened: repeat the whole step later.
    #[error("the store did not answer")]
    Unavailable(#[source] Source),
    /// A stored item cannot be decoded: a person must look.
    #[error("failed to decode a stored item")]
    Damaged(#[source] Source),
}
