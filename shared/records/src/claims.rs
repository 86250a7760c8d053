//! Released claims: kept apart from their request, sealed, and for a limited time.

use crate::storage::decode;
use crate::writes::overwrite;
use domain::seal::Sealed;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use ports::{Key, Store, StoreError, Write};

fn key(request: RequestId) -> Key {
    Key { pk: format!("REQ#{request}"), sk: "CLAIMS".to_owned() }
}

/// Returns the write that keeps a request's claims until `until`.
///
/// # Errors
/// [`StoreError::Damaged`] when the claims cannot be encoded.
pub fn put(request: RequestId, sealed: &Sealed, until: Timestamp) -> Result<Write, StoreError> {
    overwrite(key(request), sealed, Some(until))
}

/// Returns the write that deletes a request's claims.
#[must_use]
pub fn delete(request: RequestId) -> Write {
    Write::Delete { key: key(request) }
}

/// Loads a request's claims; `None` once they expired.
///
/// The store may delete an expired item late, so the time is compared here.
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
