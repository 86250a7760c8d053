//! The newest entries of a journal, as their request holds them.
//!
//! Every step loads its request, and few read the journal. So the texts stay as they are stored until then.

use std::fmt;
use std::sync::Arc;

use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::JournalEntry;
use crate::digest::digest_hex;

/// The member of an entry's text that was left out. No text within a string reads so: its quotation marks are escaped.
const LEFT_OUT: &str = r#""previous":"""#;

/// The newest entries of a request's journal, oldest first. None of them is erased.
///
/// Each is held without the hash that follows from the entry before it: 64 digits that no compression shortens. The first
/// entry keeps its own, since the entry before it is elsewhere.
#[derive(Clone, Default)]
pub struct HeldEntries(Vec<Arc<RawValue>>);

impl HeldEntries {
    /// Returns whether no entry is held.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns their number.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds the next entries, oldest first.
    pub fn extend(&mut self, entries: &[JournalEntry]) {
        let mut before = self.texts().last().map(|text| digest_hex(text.as_bytes()));
        for entry in entries {
            let short = before.and_then(|hash| shortened(entry, &hash));
            // An entry's text is JSON.
            let raw = RawValue::from_string(short.unwrap_or_else(|| entry.text.clone()));
            self.0.extend(raw.map(Arc::from));
            before = Some(digest_hex(entry.text.as_bytes()));
        }
    }

    /// Reads all of them.
    ///
    /// # Errors
    /// A [`serde_json::Error`] where a stored text is no entry.
    pub fn entries(&self) -> Result<Vec<JournalEntry>, serde_json::Error> {
        self.newest(self.len())
    }

    /// Reads the last `count` of them, or all.
    ///
    /// # Errors
    /// A [`serde_json::Error`] where a stored text is no entry.
    pub fn newest(&self, count: usize) -> Result<Vec<JournalEntry>, serde_json::Error> {
        let older = self.len().saturating_sub(count);
        self.texts().iter().skip(older).map(|text| serde_json::from_str(text)).collect()
    }

    /// Returns the whole texts.
    fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = Vec::with_capacity(self.len());
        for raw in &self.0 {
            let text = match texts.last() {
                Some(before) => completed(raw.get(), &digest_hex(before.as_bytes())),
                None => raw.get().to_owned(),
            };
            texts.push(text);
        }
        texts
    }
}

fn whole(hash: &str) -> String {
    format!(r#""previous":"{hash}""#)
}

/// Returns an entry's text with the hash that was left out of it.
fn completed(text: &str, hash: &str) -> String {
    text.replacen(LEFT_OUT, &whole(hash), 1)
}

/// Returns an entry's text without the hash of the entry before; `None` if that cannot be completed again.
fn shortened(entry: &JournalEntry, before: &str) -> Option<String> {
    let short = entry.text.replacen(&whole(before), LEFT_OUT, 1);
    (completed(&short, before) == entry.text).then_some(short)
}

impl PartialEq for HeldEntries {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().map(|raw| raw.get()).eq(other.0.iter().map(|raw| raw.get()))
    }
}

impl Eq for HeldEntries {}

impl fmt::Debug for HeldEntries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldEntries({})", self.len())
    }
}

impl Serialize for HeldEntries {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.len()))?;
        for raw in &self.0 {
            list.serialize_element(raw.as_ref())?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for HeldEntries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<Box<RawValue>>::deserialize(deserializer)?;
        Ok(Self(texts.into_iter().map(Arc::from).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Caller;
    use crate::journal::EntryKind;
    use crate::values::time::Timestamp;

    fn chain(first: &str) -> Vec<JournalEntry> {
        let mut previous = first.to_owned();
        let mut entries = Vec::new();
        for seq in 4..8 {
            let entry = JournalEntry::new(seq, Timestamp::EPOCH, EntryKind::Expired, previous);
            // A browser can call itself anything.
            let caller = Caller {
                key: None,
                call: r#"","previous":"","#.to_owned(),
                source: None,
                user_agent: Some(format!(r#""previous":"" {}"#, entry.hash())),
            };
            let chained = entry.previous.clone();
            let entry = entry.caused_by(&caller, chained);
            previous = entry.hash();
            entries.push(entry);
        }
        entries
    }

    fn held(entries: &[JournalEntry]) -> HeldEntries {
        let mut held = HeldEntries::default();
        held.extend(entries);
        held
    }

    fn read(stored: &str) -> HeldEntries {
        serde_json::from_str(stored).unwrap()
    }

    #[test]
    fn stored_chain_is_read_byte_for_byte_without_its_hashes() {
        for first in ["", "0f"] {
            let entries = chain(first);
            let stored = serde_json::to_string(&held(&entries)).unwrap();
            for entry in &entries[1..] {
                assert!(!stored.contains(&whole(&entry.previous)), "{stored}");
            }
            assert_eq!(read(&stored).entries().unwrap(), entries);
            assert_eq!(read(&stored).newest(1).unwrap(), entries[3..]);
            let whole_texts = serde_json::to_string(&entries).unwrap();
            assert_eq!(read(&whole_texts).entries().unwrap(), entries);
        }
    }

    #[test]
    fn entry_added_to_a_stored_chain_leaves_out_its_hash() {
        let entries = chain("");
        let stored = serde_json::to_string(&held(&entries[..2])).unwrap();
        let mut more = read(&stored);
        more.extend(&entries[2..3]);
        more.extend(&entries[3..]);
        assert_eq!(more, held(&entries));
        assert_eq!(more.entries().unwrap(), entries);
    }

    #[test]
    fn entry_that_is_behind_another_keeps_its_hash() {
        let mut entries = chain("");
        entries.remove(1);
        let stored = serde_json::to_string(&held(&entries)).unwrap();
        assert!(stored.contains(&entries[1].previous));
        assert_eq!(read(&stored).entries().unwrap(), entries);
    }

    #[test]
    fn text_that_is_no_entry_fails_the_reader_of_the_journal() {
        assert!(read(r#"[{ "seq": 1 }]"#).entries().is_err());
    }
}
