//! The contact record of a customer on one channel, learnt from their messages and taps.

use std::time::Duration;

use crate::capability;
use crate::storage::decode;
use crate::update::retry_conflicts;
use crate::writes::replace;
use domain::brand::Mode;
use domain::contact::Contact;
use domain::values::name::{BrandName, ChannelName};
use domain::values::time::Timestamp;
use ports::{Key, Store, StoreError, Write};

/// How long a contact is kept after the customer's last activity.
pub(crate) const KEPT: Duration = Duration::from_secs(90 * 86_400);

/// The scope of a contact: one channel of a brand, in one mode.
#[derive(Clone, Copy, Debug)]
pub struct ChannelScope<'a> {
    /// The name of the brand that the customer writes to.
    pub brand: &'a BrandName,
    /// Test or live.
    pub mode: Mode,
    /// The brand's name of the channel.
    pub channel: &'a ChannelName,
}

impl ChannelScope<'_> {
    pub(crate) fn key(&self, kind: &str, hash: &str) -> Key {
        let Self { brand, mode, channel } = self;
        Key { pk: format!("{kind}#{brand}#{mode:?}#{channel}#{hash}"), sk: kind.to_owned() }
    }
}

/// Returns the key of the contact of an address's hash.
#[must_use]
pub fn key(at: ChannelScope<'_>, address: &str) -> Key {
    at.key("CONTACT", address)
}

/// Loads the contact of an address's hash, and the version that a change expects.
///
/// # Errors
/// [`StoreError`].
pub async fn load(
    store: &dyn Store,
    at: ChannelScope<'_>,
    address: &str,
    now: Timestamp,
) -> Result<(Contact, Option<u64>), StoreError> {
    let Some(item) = store.read(&key(at, address)).await? else {
        return Ok((Contact::default(), None));
    };
    let fresh = item.expires_at.is_none_or(|until| now < until);
    let contact = if fresh { decode(&item.body)? } else { Contact::default() };
    Ok((contact, Some(item.version)))
}

/// Returns the write of a contact, which expects the version that was read.
///
/// # Errors
/// [`StoreError::Damaged`] when the record cannot be encoded.
fn put(
    at: ChannelScope<'_>,
    address: &str,
    contact: &Contact,
    expected_version: Option<u64>,
    now: Timestamp,
) -> Result<Write, StoreError> {
    let expires_at = Some(now.after(KEPT));
    replace(key(at, address), contact, expected_version, expires_at)
}

/// Changes the contact of an address, and decides again after a conflict.
///
/// # Errors
/// [`StoreError`]; a conflict after [`CONFLICTS_MAX`](crate::update::CONFLICTS_MAX) attempts.
pub async fn update(
    store: &dyn Store,
    at: ChannelScope<'_>,
    address: &str,
    now: Timestamp,
    change: impl Fn(&Contact) -> Contact + Send + Sync,
) -> Result<(), StoreError> {
    let change = &change;
    retry_conflicts(|| async move {
        let (known, expected_version) = load(store, at, address, now).await?;
        let put = put(at, address, &change(&known), expected_version, now)?;
        // The cached capability was answered for an address without this contact record.
        let forget = Write::Delete { key: capability::key(at, address) };
        store.write(vec![put, forget]).await
    })
    .await
}
