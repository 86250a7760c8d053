//! Writes of whole items: by the last writer, or by the writer who knows the newest version.

use domain::values::time::Timestamp;
use ports::{Expect, Item, Key, StoreError, Write};
use serde::Serialize;

use crate::storage::encode;

/// Returns the write of an item that the last writer wins: no version of it is expected.
///
/// # Errors
/// [`StoreError::Damaged`] when the value cannot be encoded as JSON.
pub(crate) fn overwrite<T: Serialize>(
    key: Key,
    value: T,
    expires_at: Option<Timestamp>,
) -> Result<Write, StoreError> {
    let item = Item { key, version: 1, body: encode(value)?, expires_at, index: None };
    Ok(Write::Put { item, expect: Expect::Any })
}

/// Returns the write of an item that was decided from this version; `None` stands for a new item.
///
/// # Errors
/// [`StoreError::Damaged`] when the value cannot be encoded as JSON.
pub(crate) fn replace<T: Serialize>(
    key: Key,
    value: T,
    expected_version: Option<u64>,
    expires_at: Option<Timestamp>,
) -> Result<Write, StoreError> {
    let version = expected_version.unwrap_or(0).saturating_add(1);
    let item = Item { key, version, body: encode(value)?, expires_at, index: None };
    Ok(Write::Put { item, expect: Expect::decided_from(expected_version) })
}
