//! The messages that were recorded, so that a webhook that a provider repeats is recorded once.

use std::time::Duration;

use domain::values::time::Timestamp;
use ports::{Expect, Item, Store, StoreError, Write};

use crate::contact::ChannelScope;
use crate::storage::encode;

/// How long a message is known. Providers repeat a webhook for seven days.
const KEPT: Duration = Duration::from_secs(8 * 86_400);

/// Returns whether the message with this hash was recorded.
///
/// # Errors
/// [`StoreError`].
pub async fn is_seen(
    store: &dyn Store,
    at: ChannelScope<'_>,
    message: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let item = store.read(&at.key("SEEN", message)).await?;
    Ok(item.is_some_and(|item| item.expires_at.is_none_or(|until| now < until)))
}

/// Keeps the hash of a message, after all that follows from the message is recorded.
///
/// # Errors
/// [`StoreError`].
pub async fn put_seen(
    store: &dyn Store,
    at: ChannelScope<'_>,
    message: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let item = Item {
        key: at.key("SEEN", message),
        version: 1,
        body: encode(now)?,
        expires_at: Some(now.after(KEPT)),
        index: None,
    };
    store.write(vec![Write::Put { item, expect: Expect::Any }]).await
}
