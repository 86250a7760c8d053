//! The rooms of a function: which of its folders may call which others.

use std::collections::BTreeSet;

use super::files::production;
use super::read;

/// A folder of consent-callback, and the folders of the crate that it may call.
type Room = (&'static str, &'static [&'static str]);

/// In the order of calls: a folder calls only folders below it, so there are no circles.
const ROOMS: [Room; 7] = [
    ("page", &["approvals", "browser"]),
    ("sandbox", &["approvals", "channels", "processors"]),
    ("channels", &["approvals", "rejection"]),
    ("processors", &["browser", "rejection"]),
    ("approvals", &[]),
    ("browser", &[]),
    ("rejection", &[]),
];
const SOURCE: &str = "functions/consent-callback/src/";

/// Returns the modules of the crate that a file names by their path from the crate's root.
fn named(source: &str) -> BTreeSet<String> {
    let parts = source.split("crate::").skip(1);
    let name = |part: &str| {
        part.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned)
    };
    parts.filter_map(name).collect()
}

#[test]
fn rooms_of_consent_callback_call_one_way() {
    for (place, (room, allowed)) in ROOMS.iter().enumerate() {
        for called in *allowed {
            let below = ROOMS[place + 1..].iter().any(|(name, _)| name == called);
            assert!(below, "{room} calls {called}, which is not below it");
        }
        let folder = format!("{SOURCE}{room}/");
        let files: Vec<String> =
            production().into_iter().filter(|path| path.starts_with(&folder)).collect();
        assert!(!files.is_empty(), "{folder} is empty");
        for path in files {
            for module in named(&read(&path)) {
                let own = module == *room || allowed.contains(&module.as_str());
                assert!(own, "{path} uses crate::{module}");
            }
        }
    }
}

#[test]
fn opt_out_reaches_no_channel_and_no_processor() {
    for file in ["opt_out", "contacts", "context"] {
        let source = read(&format!("{SOURCE}channels/{file}.rs"));
        for name in ["Channels", "Processors", "Approvals", "Replies", "ChannelWebhooks"] {
            assert!(!source.contains(name), "{file}.rs names {name}");
        }
    }
}
