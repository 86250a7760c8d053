//! The ids of objects, the digests of bodies and the addresses of pages. All are derived, so a repeat gets the same.

use domain::digest::digest_hex;
use serde::{Deserialize, Serialize};

/// The digest of a body, which tells a repeat from another call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct BodyDigest(String);

impl BodyDigest {
    pub(crate) fn of(body: &[u8]) -> Self {
        Self(digest_hex(body))
    }
}

/// Returns the id of the object that an idempotency key creates.
pub(crate) fn id(prefix: &str, key: &str) -> String {
    let mut text = digest_hex(format!("sandbox|{key}").as_bytes());
    text.truncate(24);
    format!("{prefix}{text}")
}

/// Returns the address of an object's page, beside the page to which the customer returns.
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
