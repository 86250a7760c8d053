//! The record of a webhook endpoint that has failed. An endpoint that works has none.

use domain::brand::{BrandScope, WebhookEndpoint};
use domain::digest::digest_hex;
use domain::values::time::Timestamp;
use ports::{Key, Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::storage::decode;

/// The health of an endpoint that has failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointHealth {
    /// The digest of the endpoint's address: another address has another record.
    pub url: String,
    /// When the failures began.
    pub failing_since: Timestamp,
    /// When it was disabled; `None` while it still gets every event.
    pub off_since: Option<Timestamp>,
    /// When it was last tried.
    pub probed_at: Timestamp,
    /// Until when it is left alone after a slow failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_until: Option<Timestamp>,
}

/// Returns the digest by which the record names an endpoint's address.
#[must_use]
pub fn url_digest(endpoint: &WebhookEndpoint) -> String {
    digest_hex(endpoint.url.as_deref().unwrap_or_default().as_bytes())
}

/// Returns the key of the record.
#[must_use]
pub fn key(scope: BrandScope<'_>) -> Key {
    let BrandScope { brand, mode } = scope;
    Key { pk: format!("ENDPOINT#{brand}#{mode:?}"), sk: "ENDPOINT".to_owned() }
}

/// Loads the record of a [`key`] with its version; `None` for an endpoint that works. It may be of an earlier address.
///
/// # Errors
/// [`StoreError`].
pub async fn load(
    store: &dyn Store,
    key: &Key,
) -> Result<Option<(EndpointHealth, u64)>, StoreError> {
    let item = store.read(key).await?;
    item.map(|item| Ok((decode(&item.body)?, item.version))).transpose()
}
