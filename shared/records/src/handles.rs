//! The handles of addresses: the ids under which a channel reports the customer behind a number that was asked.
//!
//! An id may be another spelling of the number, or no number at all. A provider ties it to an address by its answer to a
//! prompt, or by a status of one.

use std::time::Duration;

use domain::brand::{Brand, BrandScope, Key32};
use domain::contact::Contact;
use domain::guards;
use domain::guards::Guard;
use domain::keys;
use domain::keys::HandleOf;
use domain::values::id::RequestId;
use domain::values::name::ChannelName;
use domain::values::time::Timestamp;
use ports::{Sender, Store, StoreError, Write};
use serde::{Deserialize, Serialize};

use crate::contact;
use crate::contact::{ChannelScope, KEPT};
use crate::customers;
use crate::customers::{CustomerItem, CustomerScope};
use crate::opt_outs;
use crate::opt_outs::{OptOut, OptOutKeyword, Statement};
use crate::storage::decode;
use crate::writes::overwrite;

/// A handle that is tied again is written again only this long before it would be forgotten.
const RENEWAL: Duration = Duration::from_secs(60 * 86_400);

/// Returns the keyed hashes of a sender's ids on a channel. The channel's own id comes first, then the number.
#[must_use]
pub fn hashes(key: &Key32, channel: &ChannelName, sender: &Sender) -> Vec<String> {
    let number = sender.phone.as_ref().map(domain::values::phone::Phone::as_str);
    let ids = sender.handle.as_deref().into_iter().chain(number);
    ids.map(|id| keys::handle_hash(key, channel.as_str(), id)).collect()
}

/// The address behind a handle, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StoredHandle {
    /// Of a version that signed none.
    Unsigned(String),
    /// With a MAC by the link key, which a writer of the table lacks.
    Signed {
        /// The address's keyed hash.
        address: String,
        /// The MAC over the handle and the address, in unpadded base64url.
        mac: String,
    },
}

/// The address that a handle is tied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TiedAddress {
    /// The address's keyed hash.
    pub address: String,
    /// The record has the MAC of a function that knows the link key. Only then may the handle approve.
    pub is_signed: bool,
}

/// The handles of a brand's channel.
#[derive(Clone, Copy)]
pub struct Handles<'a> {
    /// The store that keeps them.
    pub store: &'a dyn Store,
    /// The brand, whose key hashes addresses and ids.
    pub brand: &'a Brand,
    /// The channel and the mode.
    pub at: ChannelScope<'a>,
}

impl Handles<'_> {
    /// Loads the address of a customer from the hash of their handle; `None` for an unknown handle.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn address_of(
        &self,
        handle: &str,
        now: Timestamp,
    ) -> Result<Option<TiedAddress>, StoreError> {
        let item = self.store.read(&self.at.key("HANDLE", handle)).await?;
        let fresh = item.filter(|item| item.expires_at.is_none_or(|until| now < until));
        fresh.map(|item| Ok(self.opened(handle, decode(&item.body)?))).transpose()
    }

    /// Returns the contact record after a sender wrote or tapped, with the MAC of a handle that they have.
    #[must_use]
    pub fn after_activity(
        &self,
        known: &Contact,
        address: &str,
        from: &Sender,
        at: Timestamp,
    ) -> Contact {
        let next = known.with_activity(from.handle.as_deref(), &from.features, at);
        if next.handle != from.handle {
            return next;
        }
        Contact { handle_mac: self.mac_of_id(&next, address), ..next }
    }

    /// Returns the contact record without a handle that no function with the link key put there.
    ///
    /// A message goes to the handle, so another's handle would get the customer's prompt.
    #[must_use]
    pub fn verified(&self, contact: Contact, address: &str) -> Contact {
        let expected = self.mac_of_id(&contact, address);
        let is_signed = match (&contact.handle_mac, &expected) {
            (Some(mac), Some(expected)) => keys::same(mac, expected),
            (None, _) | (_, None) => false,
        };
        if is_signed || guards::is_disabled(Guard::SignedHandle) {
            return contact;
        }
        Contact { handle: None, handle_mac: None, ..contact }
    }

    /// Loads the contact record of who began by a request's entry link. It is empty once they left the conversation.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn contact_by_entry(
        &self,
        request: RequestId,
        now: Timestamp,
    ) -> Result<Contact, StoreError> {
        let of = keys::entry_contact_hash(&self.brand.address_key, request);
        let (contact, _) = contact::load(self.store, self.at, &of, now).await?;
        let contact = self.verified(contact, &of);
        let Some(id) = &contact.handle else { return Ok(contact) };
        let hash = keys::handle_hash(&self.brand.address_key, self.at.channel.as_str(), id);
        let scope = BrandScope { brand: self.at.brand, mode: self.at.mode };
        let (words, _) = opt_outs::load(self.store, scope, &hash).await?;
        if words.is_opted_out() {
            return Ok(Contact { handle: None, handle_mac: None, ..contact });
        }
        Ok(contact)
    }

    /// Returns the write that keeps who began by a request's entry link, for this request alone, until `until`.
    ///
    /// Nothing is tied to the number that the request names.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], never in practice.
    pub fn put_entry(
        &self,
        request: RequestId,
        from: &Sender,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Write, StoreError> {
        let of = keys::entry_contact_hash(&self.brand.address_key, request);
        let contact = self.after_activity(&Contact::default(), &of, from, now);
        overwrite(self.at.key("CONTACT", &of), &contact, Some(until))
    }

    /// Computes the MAC of a contact record's handle.
    fn mac_of_id(&self, contact: &Contact, address: &str) -> Option<String> {
        let id = contact.handle.as_deref()?;
        let hash = keys::handle_hash(&self.brand.address_key, self.at.channel.as_str(), id);
        Some(self.mac(&hash, address))
    }

    fn opened(&self, handle: &str, stored: StoredHandle) -> TiedAddress {
        match stored {
            StoredHandle::Unsigned(address) => TiedAddress { address, is_signed: false },
            StoredHandle::Signed { address, mac } => {
                let expected = self.mac(handle, &address);
                TiedAddress { is_signed: keys::same(&mac, &expected), address }
            }
        }
    }

    fn mac(&self, handle: &str, address: &str) -> String {
        let of = HandleOf { channel: self.at.channel.as_str(), handle, address };
        keys::handle_mac(&self.brand.link_key, &self.brand.name, self.at.mode, &of)
    }

    /// Returns the write that ties a handle to an address; both are hashes.
    fn put(&self, handle: &str, address: &str, now: Timestamp) -> Result<Write, StoreError> {
        let mac = self.mac(handle, address);
        let stored = StoredHandle::Signed { address: address.to_owned(), mac };
        overwrite(self.at.key("HANDLE", handle), &stored, Some(now.after(KEPT)))
    }

    /// Ties the ids of a prompt's recipient to the address that was asked. An opt-out that came from one of them before
    /// counts for the address from then on.
    ///
    /// Returns `true` when the address is opted out by such an id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tie(
        &self,
        address: &str,
        recipient: &Sender,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Self { store, brand, at } = *self;
        let key = &brand.address_key;
        let is_asked = |phone| keys::address_hash(key, phone) == address;
        let asked = recipient.phone.as_ref().is_some_and(is_asked);
        let phone = recipient.phone.clone().filter(|_| !asked);
        let other = Sender { phone, ..recipient.clone() };
        let mut stopped = false;
        for handle in hashes(key, at.channel, &other) {
            if self.is_tied(&handle, address, now).await? {
                continue;
            }
            let of = BrandScope { brand: at.brand, mode: at.mode };
            let item = CustomerItem::Handle { channel: at.channel.clone(), handle: handle.clone() };
            let customer = CustomerScope { of, address };
            let listed = customers::put(customer, &item, Some(now.after(KEPT)))?;
            store.write(vec![self.put(&handle, address, now)?, listed]).await?;
            stopped |= self.inherit(&handle, address).await?.is_opted_out();
        }
        Ok(stopped)
    }

    /// Returns whether a handle is tied to the address, and stays so for long.
    async fn is_tied(
        &self,
        handle: &str,
        address: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(item) = self.store.read(&self.at.key("HANDLE", handle)).await? else {
            return Ok(false);
        };
        let lasts = item.expires_at.is_none_or(|until| now.after(RENEWAL) < until);
        let tied = self.opened(handle, decode(&item.body)?);
        Ok(lasts && tied.is_signed && tied.address == address)
    }

    /// Records the words of a handle, from before it was tied, for its address. Returns the words that it had.
    async fn inherit(&self, handle: &str, address: &str) -> Result<OptOut, StoreError> {
        let scope = BrandScope { brand: self.at.brand, mode: self.at.mode };
        let (words, _) = opt_outs::load(self.store, scope, handle).await?;
        for (word, at) in
            [(OptOutKeyword::Stop, words.stopped_at), (OptOutKeyword::Start, words.started_at)]
        {
            if let Some(at) = at {
                let statement = Statement { word, written_at: Some(at), reported_at: at };
                opt_outs::record(self.store, scope, address, statement).await?;
            }
        }
        Ok(words)
    }
}
