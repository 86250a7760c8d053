//! Facts that a customer released: kept apart from their request, sealed, and only for a while.

use crate::ports::{Expect, Item, Key, Store, StoreError, Write};
use crate::seal::Sealed;
use crate::storage::{decode, encode};
use crate::values::id::RequestId;
use crate::values::time::Timestamp;

fn key(request: RequestId) -> Key {
    Key { pk: format!("REQ#{request}"), sk: "CLAIMS".to_owned() }
}

/// The write that keeps a request's facts until then.
///
/// # Errors
/// [`StoreError::Damaged`], never in practice.
pub fn put(request: RequestId, sealed: &Sealed, until: Timestamp) -> Result<Write, StoreError> {
    let (key, expires_at) = (key(request), Some(until));
    let item = Item { key, version: 1, body: encode(sealed)?, expires_at, index: None };
    Ok(Write::Put { item, expect: Expect::Any })
}

/// A request's facts, while they are kept: the deletion of what is past its time may be late, so that is compared here.
///
/// # Errors
/// [`StoreError`].
pub async fn load(
    store: &dyn Store,
    request: RequestId,
    now: Timestamp,
) -> Result<Option<Sealed>, StoreError> {
    let item = store.read(&key(request)).await?;
    let Some(item) = item.filter(|item| item.expires_at.is_none_or(|until| now < until)) else {
        return Ok(None);
    };
    decode(&item.body).map(Some)
}
