//! A channel's capability for a customer, cached for a minute.
//!
//! Requesters ask before a request and again with it. The cache saves the provider the second look-up.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::contact::ChannelScope;
use crate::storage::decode;
use crate::writes::overwrite;
use domain::values::time::Timestamp;
use ports::{Capability, Key, ReceiptKinds, Store, StoreError, Write};

/// How long an answer is valid.
const FRESH: Duration = Duration::from_secs(60);

/// A channel's answer, as it is cached and as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteCapability {
    /// Whether the customer can be reached, as far as the channel knows.
    pub reachable: bool,
    /// Whether a prompt can have buttons.
    pub rich: bool,
    /// The wallets that can be used.
    pub wallets: Vec<String>,
    /// The receipts that the channel reports.
    pub receipts: ReceiptKinds,
    /// A stable code for why the customer is not reachable, or why that is uncertain; `None` otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl From<Capability> for RouteCapability {
    fn from(capability: Capability) -> Self {
        let Capability { reachable, rich, wallets, receipts, reason } = capability;
        Self { reachable, rich, wallets, receipts, reason: reason.map(str::to_owned) }
    }
}

#[derive(Serialize, Deserialize)]
struct StoredCapability {
    said: RouteCapability,
    at: Timestamp,
}

/// Returns the key of a cached answer.
#[must_use]
pub fn key(at: ChannelScope<'_>, address: &str) -> Key {
    at.key("CAP", address)
}

/// Loads the answer of the last minute; `None` without one.
///
/// # Errors
/// [`StoreError`].
pub async fn load(
    store: &dyn Store,
    at: ChannelScope<'_>,
    address: &str,
    now: Timestamp,
) -> Result<Option<RouteCapability>, StoreError> {
    let Some(item) = store.read(&key(at, address)).await? else { return Ok(None) };
    let kept: StoredCapability = decode(&item.body)?;
    Ok((now < kept.at.after(FRESH)).then_some(kept.said))
}

/// Returns the write that caches an answer.
///
/// # Errors
/// [`StoreError::Damaged`] when the answer cannot be encoded.
pub fn put(
    at: ChannelScope<'_>,
    address: &str,
    said: &RouteCapability,
    now: Timestamp,
) -> Result<Write, StoreError> {
    let kept = StoredCapability { said: said.clone(), at: now };
    overwrite(key(at, address), kept, Some(now.after(FRESH)))
}
