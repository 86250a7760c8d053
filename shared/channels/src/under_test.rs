//! The kinds over which the contract tests run. A crate with a kind of its own has a file of this name for it.

use std::collections::BTreeSet;
use std::fs;

use crate::Registry;
use crate::doubles::{World, folder};
use crate::registry::KINDS;
use crate::settings::RotatedSecret;

/// The folders that several kinds share, and that are no kind themselves.
const SHARED_FOLDERS: [&str; 2] = ["aws", "twilio"];

pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

pub(crate) fn registry(world: &World) -> Registry {
    Registry::new(world.deps())
}

/// Returns the folder of a kind's sample settings, from this crate's sources.
pub(crate) fn settings_folder(kind: &str) -> String {
    format!("{kind}/fixtures/settings")
}

#[test]
fn every_channel_folder_is_a_kind_in_alphabetical_order() {
    let entries = fs::read_dir(folder("")).unwrap().map(|entry| entry.unwrap());
    let folders: BTreeSet<String> = entries
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|folder| !SHARED_FOLDERS.contains(&folder.as_str()))
        .collect();
    let listed: Vec<&str> = kinds().collect();
    assert_eq!(listed, folders.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn withheld_secret_verifies_nothing() {
    let withheld = serde_json::from_value::<RotatedSecret>(domain::settings::WITHHELD.into());
    assert!(withheld.unwrap().verify(|_| Ok(())).is_err());
}
