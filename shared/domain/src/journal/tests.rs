//! Tests of the journal: texts that stay, and entries without their personal members.

use super::*;

#[test]
fn journal_entry_keeps_its_text_byte_for_byte() {
    let text = r#"{ "later": {"z": 1, "a": 1.50}, "previous":"", "what":{"kind":"accepted","by":"key_1"},
        "seq":1, "at":"2026-12-01T00:00:00.000Z" }"#;
    let entry: JournalEntry = serde_json::from_str(text).unwrap();
    assert_eq!((entry.seq, &entry.what), (1, &EntryKind::Accepted));
    assert_eq!(serde_json::to_string(&entry).unwrap(), text);
    assert_eq!(entry.hash(), digest_hex(text.as_bytes()));
}

/// Earlier releases named the key twice: in the entry's kind, and as its caller's.
#[test]
fn accepted_entry_with_a_key_of_its_own_still_reads() {
    let text = r#"{"seq":1,"at":"2026-12-01T00:00:00.000Z","what":{"kind":"accepted","key":{"id":"key_1","kind":"human"}},"previous":"","caller":{"key":"key_1","call":"c1"}}"#;
    let entry: JournalEntry = serde_json::from_str(text).unwrap();
    assert_eq!(entry.what, EntryKind::Accepted);
    assert_eq!(entry.caller.as_ref().unwrap().key.as_ref().unwrap().as_str(), "key_1");
    assert_eq!((entry.text(), entry.hash()), (text, digest_hex(text.as_bytes())));
}

#[test]
fn entry_with_its_caller_reads_back_and_hashes_again() {
    let plain =
        JournalEntry::new(2, Timestamp::from_millis(0), EntryKind::Cancelled, "a".to_owned());
    let caller = Caller { call: "c1".to_owned(), ..Caller::default() };
    let entry = plain.clone().caused_by(&caller, "b".to_owned());
    assert!(entry.text().ends_with(r#","previous":"b","caller":{"call":"c1"}}"#));
    assert_ne!(entry.hash(), plain.hash());
    assert_eq!(serde_json::from_str::<JournalEntry>(entry.text()).unwrap(), entry);
}

#[test]
fn journal_entry_is_written_as_it_was_first_stored() {
    let at = "2026-12-01T00:00:00.000Z".parse().unwrap();
    let entry = JournalEntry::new(1, at, EntryKind::Accepted, String::new());
    let first =
        r#"{"seq":1,"at":"2026-12-01T00:00:00.000Z","what":{"kind":"accepted"},"previous":""}"#;
    assert_eq!(entry.text(), first);
}
