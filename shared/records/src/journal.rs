//! A request's journal: its newest entries are stored with the request, and its older ones are items of their own.
//!
//! A change and the entries that explain it are then one item, whose write costs half of a transaction's.

use std::collections::BTreeMap;

use domain::journal::{HeldEntries, JournalEntry};
use domain::request::{Change, Request};
use ports::{Expect, Item, Key, Store, StoreError, Write};

use crate::storage;

/// The most journal entries that are stored with their request: as many as a usual one has.
const JOURNAL_MAX: usize = 12;

/// Puts the new journal entries into the request. Once it has many, all of them become items of their own.
///
/// An erased request has none: what is erased of its journal is erased of items.
pub(crate) fn writes(change: &mut Change) -> Result<Vec<Write>, StoreError> {
    let Change { request, entries, .. } = change;
    request.journal.extend(entries);
    if request.journal.len() <= JOURNAL_MAX && request.erased_at.is_none() {
        return Ok(Vec::new());
    }
    let whole = own(&std::mem::take(&mut request.journal))?;
    whole.iter().map(|entry| put_entry(request, entry)).collect()
}

/// Reads the entries that a request holds.
fn own(held: &HeldEntries) -> Result<Vec<JournalEntry>, StoreError> {
    held.entries().map_err(|error| StoreError::Damaged(error.into()))
}

fn put_entry(request: &Request, entry: &JournalEntry) -> Result<Write, StoreError> {
    let key = Key { pk: storage::partition(request.id), sk: format!("EVT#{:05}", entry.seq) };
    let expires_at = Some(storage::part_kept_until(request, entry.at));
    let item = Item { key, version: 1, body: storage::encode(entry)?, expires_at, index: None };
    Ok(Write::Put { item, expect: Expect::decided_from(None) })
}

/// Returns the journal of a request that was read before: its own entries, and those that are items, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn journal(
    store: &dyn Store,
    request: &Request,
) -> Result<Vec<JournalEntry>, StoreError> {
    let own = own(&request.journal)?.into_iter().map(|entry| (entry.seq, entry));
    let mut entries: BTreeMap<u32, JournalEntry> = own.collect();
    if u32::try_from(entries.len()).is_ok_and(|known| known < request.entries) {
        // Entries of the request may have become items since it was read, and may be erased there.
        for item in storage::all(store, request.id, "EVT#").await? {
            let entry: JournalEntry = storage::decode(&item.body)?;
            entries.insert(entry.seq, entry);
        }
    }
    Ok(entries.into_values().collect())
}
