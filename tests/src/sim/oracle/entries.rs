//! The journal entries of a commit: those of the request itself, and those that became items.

use std::collections::BTreeMap;

use domain::journal::JournalEntry;
use domain::request::Request;

/// Returns the entries that a commit adds, in order. `items` are the journal's items among its writes.
pub(crate) fn added(
    before: Option<&Request>,
    after: &Request,
    items: Vec<JournalEntry>,
) -> Vec<JournalEntry> {
    let known = before.map_or(0, |before| before.entries);
    let count = usize::try_from(after.entries.saturating_sub(known)).unwrap_or(usize::MAX);
    let held = after.journal.newest(count).unwrap_or_default();
    let all = items.into_iter().chain(held);
    let new: BTreeMap<u32, JournalEntry> =
        all.filter(|entry| entry.seq > known).map(|entry| (entry.seq, entry)).collect();
    new.into_values().collect()
}
