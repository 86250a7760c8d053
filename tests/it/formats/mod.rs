//! Every stored and queued text that was ever shipped is still read, and is written the same today.
//!
//! Golden files are added and never edited. `WRITE_GOLDEN_FILES=1 cargo nextest run formats` writes the missing ones. A
//! text that has to change gets a new version, with a folder of its own.

mod kinds;
mod reads;
mod stories;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use domain::values::time::Timestamp;
use ports::{Item, Key};
use serde_json::{Value, json};

/// Fields that were added later, each of which an older text may lack.
const ADDED: &[&str] = &[
    "/index/pk",
    "/index/sk",
    "/body/is/what/browser",
    "/body/is/attempts",
    "/body/is/journal",
    "/body/is/erased_at",
    "/body/is/owner/brand",
    "/body/is/owner/key",
    "/body/is/owner/kept_until",
    "/body/is/owner/mode",
    "/body/is/caller/call",
    "/body/is/caller/key",
    "/body/is/caller/source",
    "/body/is/caller/user_agent",
    "/body/is/by_tap",
    "/body/step/more",
    "/body/is/answer/key/id",
    "/body/is/answer/key/kind",
    "/body/is/key/id",
    "/body/is/key/kind",
    "/body/is/answer/fallback_seconds",
    "/body/is/answer/language",
    "/body/is/language",
    "/body/is/asks",
    "/body/is/what/consent/signature/key_id",
    "/body/is/what/consent/signature/mac",
    "/body/is/state/consent/signature/key_id",
    "/body/is/state/consent/signature/mac",
    "/body/is/answers",
    "/body/is/card/brand",
    "/body/is/handle_mac",
    "/body/is/card/last4",
    "/body/is/thread/answer/in_thread",
    "/body/is/thread/answer/prompt",
    "/body/is/thread/messages",
    "/body/is/thread/reported",
    "/body/is/thread/spent",
    "/body/is/form/name",
    "/body/is/sealed/form/name",
    "/body/is/state/sealed/form/encapsulated_key",
    "/body/is/state/sealed/form/name",
    "/body/is/state/sealed/form/sender_key_id",
];

/// Kinds that today's code still reads, and writes in another form.
const SUPERSEDED: &[&str] = &["handle"];

fn folder() -> PathBuf {
    tests::project_folder().join("tests/it/formats/v1")
}

/// Returns every golden file by its name without the ending.
fn golden_files() -> BTreeMap<String, Value> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        files.insert(name, serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap());
    }
    files
}

/// An item as a golden file holds it.
fn golden(item: &Item) -> Value {
    let index = item.index.as_ref().map(|index| json!({ "pk": index.pk, "sk": index.sk }));
    json!({
        "pk": item.key.pk,
        "sk": item.key.sk,
        "version": item.version,
        "expires_at": item.expires_at,
        "index": index,
        "body": serde_json::from_str::<Value>(&item.body).unwrap(),
    })
}

/// Returns the item of a golden file.
fn item(golden: &Value) -> Item {
    let key = |value: &Value| Key {
        pk: value["pk"].as_str().unwrap().to_owned(),
        sk: value["sk"].as_str().unwrap().to_owned(),
    };
    let index = &golden["index"];
    let expires_at = golden["expires_at"].as_str();
    Item {
        key: key(golden),
        version: golden["version"].as_u64().unwrap(),
        body: golden["body"].to_string(),
        expires_at: expires_at.map(|time| time.parse::<Timestamp>().unwrap()),
        index: (!index.is_null()).then(|| key(index)),
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the author of a new text asks for it on the command line"
)]
fn every_stored_kind_has_a_golden_file() {
    let produced = stories::produced();
    let wanted: Vec<String> = kinds::all();
    for name in produced.keys() {
        assert!(wanted.contains(name), "{name} is not in the list of kinds");
    }
    let is_written = |name: &&String| produced.contains_key(*name);
    let is_superseded = |name: &&String| SUPERSEDED.contains(&name.as_str());
    let absent = wanted.iter().filter(|name| !is_written(name));
    let missing: Vec<&String> = absent.filter(|name| !is_superseded(name)).collect();
    assert!(missing.is_empty(), "no story writes {missing:?}");
    if std::env::var("WRITE_GOLDEN_FILES").is_ok() {
        fs::create_dir_all(folder()).unwrap();
        for (name, golden) in &produced {
            let path = folder().join(format!("{name}.json"));
            if !path.exists() {
                let text = serde_json::to_string_pretty(golden).unwrap();
                fs::write(path, text + "\n").unwrap();
            }
        }
    }
    let files: Vec<String> = golden_files().into_keys().collect();
    let mut wanted = wanted;
    wanted.sort_unstable();
    assert_eq!(files, wanted);
}

#[test]
fn stored_fields_equal_those_of_the_golden_files() {
    let produced = stories::produced();
    let still_written = |name: &String| !SUPERSEDED.contains(&name.as_str());
    for (name, golden) in golden_files().into_iter().filter(|(name, _)| still_written(name)) {
        let (written, mut then) = (fields(&produced[&name]), fields(&golden));
        // An item may get an index later. An older one is not listed.
        if !written.contains(&"/index".to_owned()) {
            then.retain(|place| place != "/index");
        }
        let added = |place: &String| ADDED.contains(&place.as_str()) && !then.contains(place);
        let written: Vec<String> = written.into_iter().filter(|place| !added(place)).collect();
        assert_eq!(written, then, "{name}");
    }
}

/// Returns the shape of a text: the paths of all values outside lists.
fn fields(value: &Value) -> Vec<String> {
    let mut places = Vec::new();
    let mut left = vec![(String::new(), value)];
    while let Some((place, value)) = left.pop() {
        if let Some(object) = value.as_object().filter(|_| !place.ends_with("/metadata")) {
            left.extend(object.iter().map(|(name, value)| (format!("{place}/{name}"), value)));
        } else {
            places.push(place);
        }
    }
    places.sort_unstable();
    places
}
