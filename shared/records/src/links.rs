//! The link of a consent page, and the id of a prompt that comes back from a provider.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::storage;
use crate::writes::overwrite;
use domain::values::id::{PromptId, RequestId};
use domain::values::name::BrandName;
use domain::values::time::Timestamp;
use ports::{Key, Store, StoreError, Write};

/// How long links show the result after a request's longest lifetime.
const LINK_RETENTION: Duration = Duration::from_secs(8 * 86_400);

/// The target of a consent page's link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkTarget {
    /// The brand of the request.
    pub brand: BrandName,
    /// The request that the page shows.
    pub request: RequestId,
    /// The prompt that carried the link.
    pub prompt: PromptId,
}

fn link_key(token: &str) -> Key {
    Key {
        pk: format!("LINK#{}", domain::digest::digest_hex(token.as_bytes())),
        sk: "LINK".to_owned(),
    }
}

/// Returns the write that makes a prompt's link lead to it.
///
/// # Errors
/// [`StoreError::Damaged`], never in practice.
pub fn put_link(token: &str, target: &LinkTarget, now: Timestamp) -> Result<Write, StoreError> {
    overwrite(link_key(token), target, Some(now.after(LINK_RETENTION)))
}

/// Loads the target of a link; `None` when there is no such link.
///
/// # Errors
/// [`StoreError`].
pub async fn follow_link(store: &dyn Store, token: &str) -> Result<Option<LinkTarget>, StoreError> {
    let Some(item) = store.read(&link_key(token)).await? else { return Ok(None) };
    storage::decode(&item.body).map(Some)
}
