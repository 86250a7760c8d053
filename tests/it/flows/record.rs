//! The evidence of a request, as a requester exports it and a stranger checks it.

use std::io::Write;
use std::process::{Command, Stdio};

use domain::journal::{EntryKind, JournalEntry};
use http::Method;
use serde_json::{Value, json};
use tests::world::brand::{LIVE_KEY, OTHER_KEY};
use tests::world::{PHONE, World};

/// Runs the verifier, which shares no code with the program. Returns whether it accepts the export, and what it prints.
pub(super) fn verify(export: &str) -> (bool, String) {
    let script = tests::project_folder().join("tests/verify_record.py");
    let mut command = Command::new("python3");
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut verifier = command.spawn().unwrap();
    verifier.stdin.take().unwrap().write_all(export.as_bytes()).unwrap();
    let output = verifier.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

fn fulfilled() -> (World, String, Value) {
    let world = World::new();
    let mut body = world.payment(PHONE, 4250);
    body["ask"]["description"] = json!("Zoë's “4711” \\ ünïcode 你好");
    let asked = world.asks_for(&body);
    world.customer().approves().ok(200);
    world.run_until_idle();
    assert_eq!(world.state(&asked), "fulfilled");
    let path = format!("{}/record", asked.path);
    let export = world.get(&path).ok(200).json();
    (world, path, export)
}

#[test]
fn record_of_fulfilled_request_is_whole_for_a_stranger() {
    let (world, path, export) = fulfilled();
    let text = String::from_utf8(world.get(&path).ok(200).body.to_vec()).unwrap();
    let (whole, printed) = verify(&text);
    assert!(whole, "{printed}");
    for kind in ["accepted", "approved", "leased", "started", "fulfilled"] {
        assert!(printed.contains(kind), "{kind} in {printed}");
    }
    let states: Vec<&str> = export["record"]["dpv:hasConsentStatus"]
        .as_array()
        .unwrap()
        .iter()
        .map(|status| status["@type"][0].as_str().unwrap())
        .collect();
    assert_eq!(states, ["dpv:ConsentRequested", "dpv:ConsentGiven", "dpv:ConsentTerminated"]);
    assert!(!text.contains("5551230001") && !text.contains("Ada Byron"), "{text}");
}

#[test]
fn record_of_a_long_request_has_entries_of_request_and_items() {
    let world = World::new();
    let asked = world.asks(4250);
    for more in 1..=12 {
        world.acts(&asked, "extend", &json!({ "expires_in": 300 + more })).ok(200);
    }
    let stored = world.stored(&asked);
    let is_entry = |key: &ports::Key| key.sk.starts_with("EVT#");
    let items = world.items().into_iter().filter(|item| is_entry(&item.key)).count();
    assert!(items > 12 && !stored.journal.is_empty(), "{items} {}", stored.journal.len());
    let text = world.get(&format!("{}/record", asked.path)).ok(200).body;
    let export: Value = serde_json::from_slice(&text).unwrap();
    let entries = export["events"].as_array().unwrap().len();
    assert_eq!(u32::try_from(entries).unwrap(), stored.entries);
    assert_eq!(items + stored.journal.len(), entries);
    let (whole, printed) = verify(std::str::from_utf8(&text).unwrap());
    assert!(whole, "{printed}");
}

#[test]
fn record_that_was_changed_is_broken_for_a_stranger() {
    let (_world, _path, export) = fulfilled();
    let last = export["events"].as_array().unwrap().len() - 1;
    let event_text = |place: usize| export["events"][place]["text"].as_str().unwrap().to_owned();
    let mut cases: Vec<(&str, Value)> = Vec::new();
    let mut altered = |name, change: &dyn Fn(&mut Value)| {
        let mut export = export.clone();
        change(&mut export);
        cases.push((name, export));
    };
    altered("a changed time", &|export| {
        export["events"][0]["text"] = json!(event_text(0).replace("00:00.000Z", "00:01.000Z"));
    });
    altered("a space that changes no field", &|export| {
        export["events"][1]["text"] = json!(event_text(1).replacen(':', ": ", 1));
    });
    altered("a missing entry", &|export| {
        export["events"].as_array_mut().unwrap().remove(2);
    });
    altered("a missing last entry", &|export| {
        export["events"].as_array_mut().unwrap().truncate(last);
    });
    altered("two entries in another order", &|export| {
        export["events"].as_array_mut().unwrap().swap(1, 2);
    });
    altered("another ask", &|export| {
        let text = export["ask"]["text"].as_str().unwrap().replace("4250", "9999");
        export["ask"]["text"] = json!(text);
    });
    assert_eq!(cases.len(), 6);
    for (name, export) in cases {
        let (whole, printed) = verify(&export.to_string());
        assert!(!whole && printed.contains("BROKEN"), "{name}: {printed}");
    }
}

/// The export was written when entries were first exported. Its second entry has a field that the code does not know.
#[test]
fn record_with_unknown_fields_stays_whole() {
    let path = tests::project_folder().join("tests/it/formats/record.json");
    let export = std::fs::read_to_string(path).unwrap();
    let (whole, printed) = verify(&export);
    assert!(whole, "{printed}");
    let export: Value = serde_json::from_str(&export).unwrap();
    let mut previous = String::new();
    for event in export["events"].as_array().unwrap() {
        let text = event["text"].as_str().unwrap();
        let stored = format!(r#"{{"version":"1","is":{text}}}"#);
        let entry: JournalEntry = records::storage::decode(&stored).unwrap();
        assert_eq!(entry.previous, previous);
        assert_eq!(records::storage::encode(&entry).unwrap(), stored);
        previous = entry.hash();
        assert_eq!(previous, event["hash"].as_str().unwrap());
    }
}

#[test]
fn record_of_unanswered_requests_says_how_they_ended() {
    let world = World::new();
    let denied = world.asks(100);
    world.customer().denies();
    world.run_until_idle();
    let cancelled = world.asks(100);
    world.acts(&cancelled, "cancel", &json!({})).ok(200);
    let expired = world.asks(100);
    world.time_passes(400);
    for (asked, term) in [
        (denied, "dpv:ConsentRefused"),
        (cancelled, "dpv:ConsentInvalidated"),
        (expired, "dpv:ConsentExpired"),
    ] {
        let export = world.get(&format!("{}/record", asked.path)).ok(200).json();
        let states = export["record"]["dpv:hasConsentStatus"].as_array().unwrap();
        assert_eq!(states.last().unwrap()["@type"], json!([term]));
        assert!(verify(&export.to_string()).0);
    }
}

#[test]
fn record_is_shown_to_its_own_brand_and_mode_only() {
    let world = World::new();
    let asked = world.asks(100);
    let path = format!("{}/record", asked.path);
    for key in [LIVE_KEY, OTHER_KEY] {
        world.call(Method::GET, &path).key(Some(key)).send().ok(404);
    }
    world.call(Method::GET, &path).key(None).send().ok(401);
    world.get("/v1/requests/req_nothing/record").ok(404);
}

/// The first entry has a member that a later version keeps of its caller.
#[test]
fn record_of_an_erased_entry_stays_whole_and_says_so() {
    let text = r#"{"seq":1,"at":"2026-12-01T00:00:00.000Z","what":{"kind":"accepted"},"previous":"","source":"203.0.113.7"}"#;
    let first: JournalEntry = serde_json::from_str(text).unwrap();
    let at = "2026-12-01T00:00:01.000Z".parse().unwrap();
    let second = JournalEntry::new(2, at, EntryKind::Erased, first.hash());
    let erased = first.without_personal_members().unwrap();
    let export = |entries: [&JournalEntry; 2]| {
        let events = entries.map(|entry| json!({ "text": entry.text(), "hash": entry.hash() }));
        let ask = json!({ "hash": "0f", "erased_at": at });
        json!({ "ask": ask, "events": events, "head": second.hash() }).to_string()
    };
    let (whole, printed) = verify(&export([&first, &second]));
    assert!(whole && !printed.contains("not proven"), "{printed}");
    let text = export([&erased, &second]);
    let (whole, printed) = verify(&text);
    assert!(whole && printed.contains("not proven: /source"), "{printed}");
    assert!(!text.contains("203.0.113.7"));
    // A changed hash breaks the chain.
    let changed = text.replacen(&first.hash(), &"0".repeat(64), 2);
    let (whole, printed) = verify(&changed);
    assert!(!whole && printed.contains("does not follow"), "{printed}");
}
