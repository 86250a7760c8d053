//! The entries that a request holds, each without the hash that follows from the entry before it.
//!
//! A hash is 64 digits that no compression shortens. The first entry keeps its own, since the entry before it is elsewhere.

use serde::de::Error as _;
use serde::ser::{Error as _, SerializeSeq};
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::value::RawValue;

use super::JournalEntry;

/// The member of an entry's text that was left out. No text within a string reads so: its quotation marks are escaped.
const LEFT_OUT: &str = r#""previous":"""#;

fn whole(hash: &str) -> String {
    format!(r#""previous":"{hash}""#)
}

/// Returns an entry's text with the hash that was left out of it.
fn completed(text: &str, hash: &str) -> String {
    text.replacen(LEFT_OUT, &whole(hash), 1)
}

/// Returns an entry's text without the hash of the entry before, if that can be completed again.
fn shortened(entry: &JournalEntry, before: &JournalEntry) -> String {
    let hash = before.hash();
    let short = entry.text.replacen(&whole(&hash), LEFT_OUT, 1);
    if completed(&short, &hash) == entry.text { short } else { entry.text.clone() }
}

pub(crate) fn serialize<S: Serializer>(
    entries: &[JournalEntry],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(entries.len()))?;
    let mut before: Option<&JournalEntry> = None;
    for entry in entries {
        let text = before.map_or_else(|| entry.text.clone(), |before| shortened(entry, before));
        let raw: &RawValue = serde_json::from_str(&text).map_err(S::Error::custom)?;
        list.serialize_element(raw)?;
        before = Some(entry);
    }
    list.end()
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<JournalEntry>, D::Error> {
    let mut entries: Vec<JournalEntry> = Vec::new();
    for raw in Vec::<Box<RawValue>>::deserialize(deserializer)? {
        let text = entries.last().map(|before| completed(raw.get(), &before.hash()));
        let text = text.as_deref().unwrap_or(raw.get());
        entries.push(serde_json::from_str(text).map_err(D::Error::custom)?);
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::caller::Caller;
    use crate::journal::EntryKind;
    use crate::values::time::Timestamp;

    #[derive(Serialize, Deserialize)]
    struct Holder(#[serde(with = "super")] Vec<JournalEntry>);

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

    #[test]
    fn stored_chain_is_read_byte_for_byte_without_its_hashes() {
        for first in ["", "0f"] {
            let entries = chain(first);
            let stored = serde_json::to_string(&Holder(entries.clone())).unwrap();
            for entry in &entries[1..] {
                assert!(!stored.contains(&whole(&entry.previous)), "{stored}");
            }
            let Holder(read) = serde_json::from_str(&stored).unwrap();
            assert_eq!(read, entries);
            let whole_texts = serde_json::to_string(&entries).unwrap();
            let Holder(of_whole_texts) = serde_json::from_str(&whole_texts).unwrap();
            assert_eq!(of_whole_texts, entries);
        }
    }

    #[test]
    fn entry_that_is_behind_another_keeps_its_hash() {
        let mut entries = chain("");
        entries.remove(1);
        let stored = serde_json::to_string(&Holder(entries.clone())).unwrap();
        assert!(stored.contains(&entries[1].previous));
        let Holder(read) = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, entries);
    }
}
