//! The messages that were recorded, so that a webhook that a provider repeats is recorded once.

use std::time::Duration;

use domain::values::time::Timestamp;
use ports::{Store, StoreError};

use crate::contact::ChannelScope;
use crate::writes::overwrite;

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
    let seen = overwrite(at.key("SEEN", message), now, Some(now.after(KEPT)))?;
    store.write(vec![seen]).await
}
