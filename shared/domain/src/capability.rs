//! What a channel said it can do for a customer, kept for a minute: whoever asks before a request and again with it does not
//! make the provider look twice.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::contact::ChannelScope;
use crate::ports::{Capability, Expect, Item, Key, ReceiptKinds, Store, StoreError, Write};
use crate::storage::{decode, encode};
use crate::values::time::Timestamp;

/// For how long an answer is believed.
const FRESH: Duration = Duration::from_secs(60);

/// An answer of a channel's, as it is kept and as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Whether the customer can be reached, as far as is known.
    pub reachable: bool,
    /// Whether the prompt can have buttons.
    pub rich: bool,
    /// Wallets that can be used.
    pub wallets: Vec<String>,
    /// Which receipts come back.
    pub receipts: ReceiptKinds,
    /// Why not reachable, or why that is not certain: a stable word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl From<Capability> for Known {
    fn from(capability: Capability) -> Self {
        let Capability { reachable, rich, wallets, receipts, reason } = capability;
        Self { reachable, rich, wallets, receipts, reason: reason.map(str::to_owned) }
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    said: Known,
    at: Timestamp,
}

/// Where an answer is kept.
#[must_use]
pub fn key(at: ChannelScope<'_>, address: &str) -> Key {
    at.key("CAP", address)
}

/// What a channel said within the last minute.
///
/// # Errors
/// [`StoreError`].
pub async fn load(
    store: &dyn Store,
    at: ChannelScope<'_>,
    address: &str,
    now: Timestamp,
) -> Result<Option<Known>, StoreError> {
    let Some(item) = store.read(&key(at, address)).await? else { return Ok(None) };
    let kept: Kept = decode(&item.body)?;
    Ok((now < kept.at.after(FRESH)).then_some(kept.said))
}

/// The write that keeps what a channel said.
///
/// # Errors
/// [`StoreError::Damaged`], never in practice.
pub fn put(
    at: ChannelScope<'_>,
    address: &str,
    said: &Known,
    now: Timestamp,
) -> Result<Write, StoreError> {
    let item = Item {
        key: key(at, address),
        version: 1,
        body: encode(Kept { said: said.clone(), at: now })?,
        expires_at: Some(now.after(FRESH)),
        index: None,
    };
    Ok(Write::Put { item, expect: Expect::Any })
}
