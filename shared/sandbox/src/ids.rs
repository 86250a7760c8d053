//! The ids of objects, the digests of bodies and the addresses of pages: all derived, so that a repeat gets the same.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The digest of a body, by which a repeat is told from another call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct BodyDigest(String);

impl BodyDigest {
    pub(crate) fn of(body: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(body)))
    }
}

/// The id of what a key creates: repeats need no look-up.
pub(crate) fn id(prefix: &str, key: &str) -> String {
    let mut text = hex::encode(Sha256::digest(format!("sandbox|{key}")));
    text.truncate(24);
    format!("{prefix}{text}")
}

/// Where the sandbox's own page for an object is: beside the page where its customer comes back to.
pub(crate) fn page(back: &str, id: &str) -> String {
    let base = back.find("/c/").and_then(|at| back.get(..at));
    let origin = || {
        let (scheme, rest) = back.split_once("://").unwrap_or(("https", back));
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        format!("{scheme}://{host}")
    };
    let base = base.map_or_else(origin, str::to_owned);
    format!("{base}/sandbox/checkout/{id}")
}
