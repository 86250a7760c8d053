//! The opt-outs of addresses.
//!
//! Each is kept in the mode whose credentials reported it. A credential of the test mode says nothing about live prompts.
//! An older opt-out without a mode counts in both.

use domain::brand::{BrandScope, Mode};
use domain::values::time::Timestamp;
use ports::{Expect, Item, Key, Order, Range, Store, StoreError, Write};

use crate::storage::encode;

/// The sort key of an older opt-out, which has no mode.
const ANY_MODE: &str = "STOP";

fn partition(scope: BrandScope<'_>, address: &str) -> String {
    format!("STOP#{}#{address}", scope.brand)
}

const fn sort_key(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "STOP#Live",
        Mode::Test => "STOP#Test",
    }
}

fn key(scope: BrandScope<'_>, address: &str) -> Key {
    Key { pk: partition(scope, address), sk: sort_key(scope.mode).to_owned() }
}

/// Whether an address opted out of the brand's messages of this mode.
///
/// # Errors
/// [`StoreError`].
pub async fn is_opted_out(
    store: &dyn Store,
    scope: BrandScope<'_>,
    address: &str,
) -> Result<bool, StoreError> {
    let range = Range {
        pk: partition(scope, address),
        prefix: ANY_MODE.to_owned(),
        after: None,
        limit: 10,
        order: Order::Ascending,
    };
    let own = sort_key(scope.mode);
    let page = store.list(&range).await?;
    Ok(page.items.iter().any(|item| item.key.sk == own || item.key.sk == ANY_MODE))
}

/// Returns the write that records an opt-out.
///
/// # Errors
/// [`StoreError::Damaged`] when the time cannot be encoded.
pub fn put_stop(scope: BrandScope<'_>, address: &str, now: Timestamp) -> Result<Write, StoreError> {
    let body = encode(now)?;
    let item = Item { key: key(scope, address), version: 1, body, expires_at: None, index: None };
    Ok(Write::Put { item, expect: Expect::Any })
}

/// Returns the writes that withdraw an opt-out. A live withdrawal ends an older opt-out without a mode too.
#[must_use]
pub fn delete_stop(scope: BrandScope<'_>, address: &str) -> Vec<Write> {
    let mut writes = vec![Write::Delete { key: key(scope, address) }];
    match scope.mode {
        Mode::Live => {
            let key = Key { pk: partition(scope, address), sk: ANY_MODE.to_owned() };
            writes.push(Write::Delete { key });
        }
        Mode::Test => {}
    }
    writes
}
