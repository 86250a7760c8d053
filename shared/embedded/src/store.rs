//! The store port on the table `items`, and the sweep that deletes expired items.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::values::time::Timestamp;
use ports::{Expect, Item, Key, Order, Page, Range, Store, StoreError, Write};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::database::Database;
use crate::fault::Fault;
use crate::group::Parts;
use crate::writer::Durability;

/// The most items that one step of the sweep deletes. Other writes run between steps.
const SWEEP_BATCH: usize = 500;

const COLUMNS: &str = "pk, sk, version, body, expires_at, ipk, isk";
const READ: &str =
    "SELECT pk, sk, version, body, expires_at, ipk, isk FROM items WHERE pk = ?1 AND sk = ?2";

/// The order of a query: by the table's key or by the index.
#[derive(Clone, Copy)]
enum Listing {
    Table,
    Index,
}

fn to_item(row: &Row<'_>) -> Result<Item, rusqlite::Error> {
    let expires_at: Option<i64> = row.get(4)?;
    let index: (Option<String>, Option<String>) = (row.get(5)?, row.get(6)?);
    Ok(Item {
        key: Key { pk: row.get(0)?, sk: row.get(1)? },
        version: row.get(2)?,
        body: row.get(3)?,
        expires_at: expires_at.map(|secs| Timestamp::from_millis(secs.saturating_mul(1000))),
        index: match index {
            (Some(pk), Some(sk)) => Some(Key { pk, sk }),
            (Some(_) | None, _) => None,
        },
    })
}

/// Rounds up to whole seconds, so that no item is deleted early.
fn to_seconds(time: Timestamp) -> i64 {
    time.as_millis().saturating_add(999).div_euclid(1000)
}

/// Returns the smallest text above every text with this prefix; `None` if no text is.
fn beyond(prefix: &str) -> Option<String> {
    let mut kept = prefix.to_owned();
    while let Some(last) = kept.pop() {
        let mut larger = (last..=char::MAX).skip(1);
        if let Some(next) = larger.next() {
            kept.push(next);
            return Some(kept);
        }
    }
    None
}

/// A blob, which SQLite orders above every text: no upper bound.
const NO_BOUND: Value = Value::Blob(Vec::new());

fn list(connection: &Connection, listing: Listing, range: &Range) -> Result<Page, Fault> {
    if !(1..=100).contains(&range.limit) {
        return Err(Fault::Misuse("a list has a limit of 1 to 100"));
    }
    let end = beyond(&range.prefix);
    let after = range.after.as_deref();
    let (low, lower, high, direction) = match (range.order, after) {
        (Order::Ascending, Some(after)) if after >= range.prefix.as_str() => {
            (after, ">", end, "ASC")
        }
        (Order::Descending, Some(after)) if end.as_deref().is_none_or(|end| after < end) => {
            (range.prefix.as_str(), ">=", Some(after.to_owned()), "DESC")
        }
        (Order::Ascending, Some(_) | None) => (range.prefix.as_str(), ">=", end, "ASC"),
        (Order::Descending, Some(_) | None) => (range.prefix.as_str(), ">=", end, "DESC"),
    };
    let (partition, place, ties) = match listing {
        Listing::Table => ("pk", "sk", ""),
        Listing::Index => ("ipk", "isk", ", pk, sk"),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM items WHERE {partition} = ?1 AND {place} {lower} ?2 AND {place} < ?3
         ORDER BY {place} {direction}{ties} LIMIT ?4"
    );
    let high = high.map_or(NO_BOUND, Value::Text);
    let mut found = connection.prepare_cached(&sql)?;
    let rows = found.query_map(params![range.pk, low, high, range.limit + 1], to_item)?;
    let mut items = rows.collect::<Result<Vec<Item>, _>>()?;
    let more = items.len() > range.limit;
    items.truncate(range.limit);
    Ok(Page { items, more })
}

/// Refuses every write that DynamoDB refuses, so that tests find it before a deployment.
fn check(writes: &[Write]) -> Result<(), Fault> {
    let mut keys = BTreeSet::new();
    for write in writes {
        let (Write::Put { item: Item { key, .. }, .. } | Write::Delete { key }) = write;
        if [&key.pk, &key.sk].iter().any(|part| part.is_empty() || part.len() > 512) {
            return Err(Fault::Misuse("each part of a key has 1 to 512 bytes"));
        }
        if !keys.insert(key) {
            return Err(Fault::Misuse("a transaction changes a key once"));
        }
        if matches!(write, Write::Put { item, .. } if item.body.len() > 256 * 1024) {
            return Err(Fault::Misuse("a body has at most 256 KiB"));
        }
    }
    if keys.len() > 40 {
        Err(Fault::Misuse("a transaction has at most 40 changes"))
    } else {
        Ok(())
    }
}

fn put(connection: &Connection, item: &Item, expect: Expect) -> Result<(), Fault> {
    let expires_at = item.expires_at.map(to_seconds);
    let index = item.index.as_ref().map(|key| (&key.pk, &key.sk)).unzip();
    let (pk, sk) = (&item.key.pk, &item.key.sk);
    let values = params![pk, sk, item.version, item.body, expires_at, index.0, index.1];
    let changed = match expect {
        Expect::Any => connection
            .prepare_cached(
                "INSERT INTO items (pk, sk, version, body, expires_at, ipk, isk)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (pk, sk) DO UPDATE SET version = ?3, body = ?4, expires_at = ?5, ipk = ?6, isk = ?7",
            )?
            .execute(values)?,
        Expect::Absent => connection
            .prepare_cached(
                "INSERT INTO items (pk, sk, version, body, expires_at, ipk, isk)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (pk, sk) DO NOTHING",
            )?
            .execute(values)?,
        Expect::Version(version) => connection
            .prepare_cached(
                "UPDATE items SET version = ?3, body = ?4, expires_at = ?5, ipk = ?6, isk = ?7
                 WHERE pk = ?1 AND sk = ?2 AND version = ?8",
            )?
            .execute(params![pk, sk, item.version, item.body, expires_at, index.0, index.1, version])?,
    };
    if changed == 1 { Ok(()) } else { Err(Fault::Conflict) }
}

fn make(connection: &Connection, writes: &[Write]) -> Result<(), Fault> {
    for write in writes {
        match write {
            Write::Put { item, expect } => put(connection, item, *expect)?,
            Write::Delete { key } => {
                connection
                    .prepare_cached("DELETE FROM items WHERE pk = ?1 AND sk = ?2")?
                    .execute([&key.pk, &key.sk])?;
            }
        }
    }
    Ok(())
}

#[async_trait]
impl Store for Database {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        Ok(self.connections.read(|connection| {
            let mut found = connection.prepare_cached(READ)?;
            Ok(found.query_row([&key.pk, &key.sk], to_item).optional()?)
        })?)
    }

    async fn read_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let distinct: BTreeSet<&Key> = keys.iter().collect();
        if keys.len() > 100 || distinct.len() < keys.len() {
            return Err(Fault::Misuse("a batch reads at most 100 items, each once").into());
        }
        Ok(self.connections.read(|connection| {
            let mut found = connection.prepare_cached(READ)?;
            let items =
                keys.iter().map(|key| found.query_row([&key.pk, &key.sk], to_item).optional());
            Ok(items.collect::<Result<_, _>>()?)
        })?)
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        Ok(self.connections.read(|connection| list(connection, Listing::Table, range))?)
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        Ok(self.connections.read(|connection| list(connection, Listing::Index, range))?)
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        check(&writes)?;
        if writes.is_empty() {
            return Ok(());
        }
        let parts = if writes.len() == 1 { Parts::One } else { Parts::Several };
        let written = self
            .connections
            .write(Durability::Flushed, parts, move |connection| make(connection, &writes));
        Ok(written.await?)
    }
}

impl Database {
    /// Deletes the items that expired at `now`, in bounded steps, and returns their number.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; the items deleted so far stay deleted.
    pub fn sweep(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut swept = 0;
        loop {
            let batch = self.connections.write_and_wait(Parts::One, move |connection| {
                let mut delete = connection.prepare_cached(
                    "DELETE FROM items WHERE rowid IN (
                         SELECT rowid FROM items WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
                )?;
                Ok(delete.execute(params![now.as_secs(), SWEEP_BATCH])?)
            })?;
            swept += batch;
            if batch < SWEEP_BATCH {
                return Ok(swept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_above_a_prefix_has_another_character() {
        assert_eq!(beyond("EVT#").as_deref(), Some("EVT$"));
        assert_eq!(beyond("a\u{D7FF}").as_deref(), Some("a\u{E000}"));
        assert_eq!(beyond("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(beyond("\u{10FFFF}"), None);
        assert_eq!(beyond(""), None);
    }
}
