//! The contact record of a customer on one channel, learnt from their messages and taps.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::brand::Mode;
use crate::ports::{Expect, Item, Key, Store, StoreError, Write};
use crate::storage::{decode, encode};
use crate::values::name::{BrandName, ChannelName};
use crate::values::time::Timestamp;

/// How long a contact is kept after the customer's last activity.
const KEPT: Duration = Duration::from_secs(90 * 86_400);
/// The longest handle that is kept, in bytes. Documented ones stay below 150.
const HANDLE_MAX: usize = 512;
/// How many device features are kept, and the longest name of one, in bytes.
const FEATURES_MAX: (usize, usize) = (32, 64);

/// The contact record of a customer on one channel. It is personal data, so `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The channel's own id of the customer; `None` where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// When the customer last wrote or tapped; `None` before the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_inbound: Option<Timestamp>,
    /// The features of the customer's device, as the channel names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contact(…)")
    }
}

impl Contact {
    /// Returns the record after the customer wrote or tapped. Oversized input is dropped.
    #[must_use]
    pub fn heard(&self, handle: Option<&str>, features: &[String], at: Timestamp) -> Self {
        let mut next = self.clone();
        next.last_inbound = next.last_inbound.max(Some(at));
        if let Some(handle) = handle.filter(|handle| sound(handle)) {
            next.handle = Some(handle.to_owned());
        }
        if !features.is_empty() {
            let (most, long) = FEATURES_MAX;
            let short = features.iter().filter(|feature| feature.len() <= long);
            next.features = short.take(most).cloned().collect();
        }
        next
    }
}

fn sound(handle: &str) -> bool {
    (1..=HANDLE_MAX).contains(&handle.len())
}

/// The scope of a contact: one channel of a brand, in one mode.
#[derive(Clone, Copy, Debug)]
pub struct ChannelScope<'a> {
    /// The brand.
    pub brand: &'a BrandName,
    /// The mode.
    pub mode: Mode,
    /// The channel.
    pub channel: &'a ChannelName,
}

impl ChannelScope<'_> {
    pub(crate) fn key(&self, kind: &str, hash: &str) -> Key {
        let Self { brand, mode, channel } = self;
        Key { pk: format!("{kind}#{brand}#{mode:?}#{channel}#{hash}"), sk: kind.to_owned() }
    }
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
    let Some(item) = store.read(&at.key("CONTACT", address)).await? else {
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
pub fn put(
    at: ChannelScope<'_>,
    address: &str,
    contact: &Contact,
    expected_version: Option<u64>,
    now: Timestamp,
) -> Result<Write, StoreError> {
    let item = Item {
        key: at.key("CONTACT", address),
        version: expected_version.unwrap_or(0).saturating_add(1),
        body: encode(contact)?,
        expires_at: Some(now.after(KEPT)),
        index: None,
    };
    Ok(Write::Put { item, expect: expected_version.map_or(Expect::Absent, Expect::Version) })
}

/// Loads the address's hash of a customer from the hash of their handle; `None` for an unknown handle.
///
/// # Errors
/// [`StoreError`].
pub async fn whose(
    store: &dyn Store,
    at: ChannelScope<'_>,
    handle: &str,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let item = store.read(&at.key("HANDLE", handle)).await?;
    let fresh = item.filter(|item| item.expires_at.is_none_or(|until| now < until));
    fresh.map(|item| decode(&item.body)).transpose()
}

/// Returns the write that ties a handle to an address; both are hashes.
///
/// # Errors
/// [`StoreError::Damaged`] when the record cannot be encoded.
pub fn put_whose(
    at: ChannelScope<'_>,
    handle: &str,
    address: &str,
    now: Timestamp,
) -> Result<Write, StoreError> {
    let item = Item {
        key: at.key("HANDLE", handle),
        version: 1,
        body: encode(address)?,
        expires_at: Some(now.after(KEPT)),
        index: None,
    };
    Ok(Write::Put { item, expect: Expect::Any })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn contact_activity_adds_and_never_turns_time_back() {
        let can = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let first = Contact::default().heard(Some("US.1349"), &can(&["QUICK", "AUTH2"]), at(10));
        assert_eq!(first.handle.as_deref(), Some("US.1349"));
        let late = first.heard(None, &[], at(5));
        assert_eq!(late, first, "a callback that comes late knows nothing newer");
        let other = first.heard(Some("US.77"), &can(&["FORM"]), at(20));
        assert_eq!((other.handle.as_deref(), other.last_inbound), (Some("US.77"), Some(at(20))));
        assert_eq!(other.features, can(&["FORM"]));
    }

    #[test]
    fn contact_oversized_input_is_dropped() {
        let many: Vec<String> = (0..100).map(|n| format!("F{n}")).chain(["x".repeat(65)]).collect();
        let known = Contact::default().heard(Some(&"h".repeat(513)), &many, at(1));
        assert_eq!((known.handle.as_deref(), known.features.len()), (None, 32));
        assert_eq!(Contact::default().heard(Some(""), &[], at(1)).handle, None);
    }
}
