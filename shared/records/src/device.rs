//! The wallets that worked on a customer's device while the consent page was open.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::storage::decode;
use crate::writes::overwrite;
use domain::brand::BrandScope;
use domain::values::time::Timestamp;
use ports::{Key, Store, StoreError};

/// How long the wallets are kept.
const KEPT: Duration = Duration::from_secs(90 * 86_400);
/// How many wallets are kept, and the longest name of one, in bytes.
const WALLETS_MAX: (usize, usize) = (8, 32);

/// The wallets that worked on the customer's device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceWallets {
    /// The wallets' names, such as `apple_pay`, in alphabetical order.
    pub wallets: Vec<String>,
    /// When the page reported them.
    pub at: Timestamp,
}

pub(crate) fn key(scope: BrandScope<'_>, address: &str) -> Key {
    let BrandScope { brand, mode } = scope;
    Key { pk: format!("DEVICE#{brand}#{mode:?}#{address}"), sk: "DEVICE".to_owned() }
}

/// Replaces the wallets that work on a customer's device.
///
/// A page's form can be forged, so only what looks like a wallet's name is kept.
///
/// # Errors
/// [`StoreError`].
pub async fn put_device_wallets(
    store: &dyn Store,
    scope: BrandScope<'_>,
    address: &str,
    wallets: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    let (most, long) = WALLETS_MAX;
    let named = |name: &&String| {
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        plain && (1..=long).contains(&name.len())
    };
    let mut wallets: Vec<String> = wallets.iter().filter(named).cloned().collect();
    wallets.sort_unstable();
    wallets.dedup();
    wallets.truncate(most);
    let wallets = DeviceWallets { wallets, at: now };
    store.write(vec![overwrite(key(scope, address), wallets, Some(now.after(KEPT)))?]).await
}

/// Loads the wallets of the last 90 days; `None` without any.
///
/// # Errors
/// [`StoreError`].
pub async fn device_wallets(
    store: &dyn Store,
    scope: BrandScope<'_>,
    address: &str,
    now: Timestamp,
) -> Result<Option<DeviceWallets>, StoreError> {
    let Some(item) = store.read(&key(scope, address)).await? else { return Ok(None) };
    let seen: DeviceWallets = decode(&item.body)?;
    Ok((now < seen.at.after(KEPT)).then_some(seen))
}
