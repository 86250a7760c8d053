//! API keys: their ids in journals, and when they end.

use domain::api_key::KeyKind;
use domain::journal::{EntryKind, JournalEntry};
use domain::keys::digest_hex;
use serde_json::{Value, json};
use tests::world::brand::TEST_KEY;
use tests::world::{Asked, PHONE, World};

/// Returns a world whose test key has these settings too.
fn world_with(settings: &Value) -> World {
    let mut key = json!({ "mode": "test", "sha256": digest_hex(TEST_KEY.as_bytes()) });
    for (name, value) in settings.as_object().unwrap() {
        key[name] = value.clone();
    }
    World::beginning().with("/keys", &json!([key])).begin()
}

fn first_entry(world: &World, asked: &Asked) -> EntryKind {
    let export = world.get(&format!("{}/record", asked.path)).ok(200).json();
    let text = export["events"][0]["text"].as_str().unwrap();
    serde_json::from_str::<JournalEntry>(text).unwrap().what
}

#[test]
fn request_names_the_key_that_asked() {
    let settings = json!({ "id": "key_madrid", "label": "desk Madrid", "kind": "human" });
    let world = world_with(&settings);
    let asked = world.asks(100);
    let key = world.stored(&asked).key.unwrap();
    assert_eq!((key.id.as_str(), key.kind), ("key_madrid", KeyKind::Human));
    assert_eq!(first_entry(&world, &asked), EntryKind::Accepted { key: Some(key) });
}

#[test]
fn key_without_an_id_is_named_by_its_digest() {
    let world = World::new();
    let asked = world.asks(100);
    let key = world.stored(&asked).key.unwrap();
    let digest = digest_hex(TEST_KEY.as_bytes());
    assert_eq!(key.id.as_str(), format!("key_{}", &digest[..16]));
    assert_eq!(key.kind, KeyKind::Server);
}

#[test]
fn key_after_its_end_is_refused() {
    let world = world_with(&json!({ "expires_at": "2026-12-01T00:10:00.000Z" }));
    let asked = world.asks(100);
    world.time_passes(590);
    world.get(&asked.path).ok(200);
    world.time_passes(10);
    world.get(&asked.path).problem(401, "unauthenticated");
    world.post("/v1/requests", &world.payment(PHONE, 1)).problem(401, "unauthenticated");
}
