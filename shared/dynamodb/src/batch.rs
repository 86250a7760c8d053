//! Reads several items in one call.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use ports::{Item, Key, StoreError};

use crate::item::{Attributes, call_error, from_key, to_item};
use crate::table::Table;

/// The most calls for one batch. DynamoDB leaves out what exceeds 16 MB, or its capacity of the moment.
const CALLS_MAX: u32 = 8;

/// The table did not return all the items of a batch.
#[derive(Debug, thiserror::Error)]
#[error("batch left unprocessed by the table")]
struct UnprocessedKeys;

/// Returns the items of these keys, in their order.
pub(crate) async fn read(table: &Table, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
    let mut found: BTreeMap<Key, Item> = BTreeMap::new();
    let mut missing: Vec<Attributes> = keys.iter().map(from_key).collect();
    for _ in 0..CALLS_MAX {
        if missing.is_empty() {
            return Ok(keys.iter().map(|key| found.remove(key)).collect());
        }
        let batch = KeysAndAttributes::builder().set_keys(Some(missing)).consistent_read(true);
        let batch = batch.build().map_err(|error| StoreError::Unavailable(error.into()))?;
        let call = table.client.batch_get_item().request_items(table.name.as_str(), batch);
        let answer = call.send().await.map_err(call_error)?;
        for attributes in answer.responses.into_iter().flatten().flat_map(|(_, items)| items) {
            let item = to_item(&attributes)?;
            found.insert(item.key.clone(), item);
        }
        let left = answer.unprocessed_keys.into_iter().flatten();
        missing = left.flat_map(|(_, left)| left.keys).collect();
    }
    if missing.is_empty() {
        return Ok(keys.iter().map(|key| found.remove(key)).collect());
    }
    Err(StoreError::Unavailable(UnprocessedKeys.into()))
}
