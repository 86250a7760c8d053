//! The items of a customer: the requests, saved cards and handles that are kept under an address's hash.
//!
//! Every other item of a customer is found by the address alone. This index is what an export lists and an erasure follows.

use domain::brand::BrandScope;
use domain::request::LIFETIME_MAX;
use domain::values::id::{CardId, RequestId};
use domain::values::name::ChannelName;
use domain::values::time::Timestamp;
use ports::{Key, Order, Range, Store, StoreError, Write};
use serde::{Deserialize, Serialize};

use crate::contact::ChannelScope;
use crate::storage::decode;
use crate::writes::overwrite;
use crate::{capability, device, storage};

/// A customer of a brand in a mode, by the keyed hash of their address.
#[derive(Clone, Copy, Debug)]
pub struct CustomerScope<'a> {
    /// The brand and the mode.
    pub of: BrandScope<'a>,
    /// The keyed hash of the customer's address.
    pub address: &'a str,
}

impl CustomerScope<'_> {
    pub(crate) fn key(&self, kind: &str, sk: &str) -> Key {
        let BrandScope { brand, mode } = self.of;
        Key { pk: format!("{kind}#{brand}#{mode:?}#{}", self.address), sk: sk.to_owned() }
    }
}

/// An item of a customer that has a key of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CustomerItem {
    /// A saved card.
    Card {
        /// The card's id.
        card: CardId,
    },
    /// A handle that is tied to the address.
    Handle {
        /// The channel of the handle.
        channel: ChannelName,
        /// The keyed hash of the handle.
        handle: String,
    },
    /// A request of the customer, open or ended.
    Request {
        /// The request's id.
        request: RequestId,
    },
}

impl CustomerItem {
    fn sort_key(&self) -> String {
        match self {
            Self::Card { card } => format!("CARD#{card}"),
            Self::Handle { channel, handle } => format!("HANDLE#{channel}#{handle}"),
            Self::Request { request } => format!("REQ#{request}"),
        }
    }
}

/// A page of a customer's items.
#[derive(Clone, Debug)]
pub struct CustomerPage {
    /// The items, the newest requests first.
    pub items: Vec<CustomerItem>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// Returns the write that lists an item for its customer until `until`; without an end for `None`.
///
/// # Errors
/// [`StoreError::Damaged`] when the item cannot be encoded.
pub fn put(
    customer: CustomerScope<'_>,
    item: &CustomerItem,
    until: Option<Timestamp>,
) -> Result<Write, StoreError> {
    overwrite(customer.key("CUST", &item.sort_key()), item, until)
}

/// Returns the write that lists an item no longer.
#[must_use]
pub fn delete(customer: CustomerScope<'_>, item: &CustomerItem) -> Write {
    Write::Delete { key: customer.key("CUST", &item.sort_key()) }
}

/// Lists a page of a customer's items, after the place `after`. An item whose time is over is left out.
///
/// # Errors
/// [`StoreError`].
pub async fn list(
    store: &dyn Store,
    customer: CustomerScope<'_>,
    after: Option<String>,
    now: Timestamp,
) -> Result<CustomerPage, StoreError> {
    let Key { pk, .. } = customer.key("CUST", "");
    let range = Range { pk, prefix: String::new(), after, limit: 100, order: Order::Descending };
    let page = store.list(&range).await?;
    let next = page.items.last().filter(|_| page.more).map(|item| item.key.sk.clone());
    let kept = page.items.iter().filter(|item| item.expires_at.is_none_or(|until| now < until));
    let items: Result<Vec<CustomerItem>, StoreError> =
        kept.map(|item| decode(&item.body)).collect();
    Ok(CustomerPage { items: items?, next })
}

/// Returns an open request of a customer, one that names `card` where a card is given.
///
/// # Errors
/// [`StoreError`].
pub async fn open_request(
    store: &dyn Store,
    customer: CustomerScope<'_>,
    card: Option<CardId>,
    now: Timestamp,
) -> Result<Option<RequestId>, StoreError> {
    let mut after = None;
    loop {
        let page = list(store, customer, after, now).await?;
        for item in &page.items {
            let CustomerItem::Request { request } = item else { continue };
            // A request that was made earlier has ended, since none is extended further.
            if request.made_at().after(LIFETIME_MAX).after(LIFETIME_MAX) < now {
                continue;
            }
            let loaded = storage::load(store, *request).await?;
            let open = loaded.is_some_and(|loaded| {
                let names = card.is_none() || loaded.request.ask.card() == card;
                names && !loaded.request.is_closed()
            });
            if open {
                return Ok(Some(*request));
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(None);
        }
    }
}

/// Returns the writes that delete what is kept of an address on one channel.
#[must_use]
pub fn delete_channel(at: ChannelScope<'_>, address: &str) -> [Write; 2] {
    [at.key("CONTACT", address), capability::key(at, address)].map(|key| Write::Delete { key })
}

/// Returns the write that deletes a handle.
#[must_use]
pub fn delete_handle(at: ChannelScope<'_>, handle: &str) -> Write {
    Write::Delete { key: at.key("HANDLE", handle) }
}

/// Returns the write that deletes what is known of a customer's device.
#[must_use]
pub fn delete_device(customer: CustomerScope<'_>) -> Write {
    Write::Delete { key: device::key(customer.of, customer.address) }
}
