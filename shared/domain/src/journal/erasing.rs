//! Erasing the personal members of an entry, with the chain still whole.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::JournalEntry;

/// The members of an entry's text that are personal, as JSON Pointers. An erased entry has them no more.
///
/// Each is optional, so that an entry without them is read. A member that may name a customer, a visitor or a caller's
/// address is listed here.
const PERSONAL: [&str; 5] =
    ["/caller/source", "/caller/user_agent", "/what/consent/evidence", "/what/source", "/source"];

/// The digest and size that an erased entry keeps of its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedMembers {
    /// The hash of the text before, which the next entry carries.
    pub hash: String,
    /// The members that were erased, as JSON Pointers.
    pub members: Vec<String>,
}

impl JournalEntry {
    /// Returns the entry without its `PERSONAL` members, beside the hash that it had. So the chain stays whole.
    ///
    /// `None` where the entry has none of them.
    #[must_use]
    pub fn without_personal_members(&self) -> Option<Self> {
        let mut text: Value = serde_json::from_str(&self.text).ok()?;
        let is_removed = |pointer: &&str| {
            let (parent, member) = pointer.rsplit_once('/').unwrap_or_default();
            let parent = text.pointer_mut(parent).and_then(Value::as_object_mut);
            parent.is_some_and(|parent| parent.remove(member).is_some())
        };
        let removed: Vec<&str> = PERSONAL.into_iter().filter(is_removed).collect();
        if removed.is_empty() {
            return None;
        }
        let before = self.erased.iter().flat_map(|erased| erased.members.iter().cloned());
        let members = before.chain(removed.into_iter().map(str::to_owned)).collect();
        let erased = ErasedMembers { hash: self.hash(), members };
        text.as_object_mut()?.insert("erased".to_owned(), serde_json::to_value(&erased).ok()?);
        serde_json::from_value(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::digest_hex;
    use crate::journal::EntryKind;

    #[test]
    fn erased_entry_keeps_its_hash_and_place_in_the_chain() {
        let text = r#"{"seq":2,"at":"2026-12-01T00:00:00.000Z","what":{"kind":"expired"},"previous":"0f",
            "source":"203.0.113.7"}"#;
        let entry: JournalEntry = serde_json::from_str(text).unwrap();
        let erased = entry.without_personal_members().unwrap();
        assert_eq!(erased.hash(), digest_hex(text.as_bytes()));
        assert_eq!(
            (erased.seq, &erased.what, erased.previous.as_str()),
            (2, &EntryKind::Expired, "0f")
        );
        assert!(!erased.text().contains("203.0.113.7"), "{}", erased.text());
        assert_eq!(erased.erased.as_ref().unwrap().members, ["/source"]);
        let stored = serde_json::to_string(&erased).unwrap();
        assert_eq!(serde_json::from_str::<JournalEntry>(&stored).unwrap(), erased);
        assert_eq!(erased.without_personal_members(), None, "a second time");
    }
}
