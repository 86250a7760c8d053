//! Keeps the contact records of addresses: a customer's ids on a channel, and when they were last active there.

use domain::brand::Mode;
use domain::contact::Contact;
use domain::guards;
use domain::guards::Guard;
use domain::keys;
use domain::problem::Problem;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use ports::{MessageOrigin, Ports};
use records::handles::{Handles, TiedAddress};
use records::{contact, handles};

use super::context::ChannelContext;

/// The contact records of addresses.
#[derive(Clone)]
pub(super) struct Contacts {
    ports: Ports,
}

/// The addresses that the sender of a message may be. Each is a keyed hash.
pub(super) struct KnownSender<'a> {
    /// The message that identified the sender.
    pub(super) origin: &'a MessageOrigin,
    /// The addresses that the sender's ids are tied to.
    tied: Vec<TiedAddress>,
    /// The sender's own number, in every spelling.
    numbers: Vec<String>,
}

impl KnownSender<'_> {
    /// Returns the addresses, the tied ones first. Empty when neither an id nor a number is known.
    pub(super) fn addresses(&self) -> Vec<String> {
        let mut addresses: Vec<String> = Vec::new();
        let tied = self.tied.iter().map(|tied| &tied.address);
        for address in tied.chain(&self.numbers) {
            if !addresses.contains(address) {
                addresses.push(address.clone());
            }
        }
        addresses
    }

    /// Returns whether the sender may be the customer at an address.
    ///
    /// A sender who is known to be another customer is not. They may have got a prompt that was forwarded.
    pub(super) fn may_be(&self, address: &str) -> bool {
        let is_address = |known: &String| known == address;
        let is_unknown = self.tied.is_empty() && self.numbers.is_empty();
        is_unknown
            || self.tied.iter().any(|tied| tied.address == address)
            || self.numbers.iter().any(is_address)
            || guards::is_disabled(Guard::SenderOfAnotherAddress)
    }

    /// Returns whether the sender is proven to be the customer at an address.
    ///
    /// It has their number, or a signed tie to their id. A writer of the table could tie an id of their own, but cannot sign.
    pub(super) fn is_proven(&self, address: &str) -> bool {
        self.numbers.iter().any(|known| known == address)
            || self.tied.iter().any(|tied| tied.is_signed && tied.address == address)
            || guards::is_disabled(Guard::SignedHandle)
    }

    /// Returns whether the sender's ids may be tied to the address.
    fn may_tie(&self, address: &str) -> bool {
        self.tied.is_empty() || self.tied.iter().any(|tied| tied.address == address)
    }
}

impl Contacts {
    pub(super) const fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Finds the addresses of a sender, by their ids on the channel and by their number.
    ///
    /// One account at a provider may serve both modes, and its webhooks then verify for live mode. So the other mode is
    /// searched too, and an opt-out is not lost.
    pub(super) async fn identify<'a>(
        &self,
        context: ChannelContext<'_>,
        origin: &'a MessageOrigin,
    ) -> Result<KnownSender<'a>, Problem> {
        let from = &origin.from;
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let key = &context.brand.address_key;
        let spellings = from.phone.iter().flat_map(|phone| [vec![phone.clone()], phone.variants()]);
        let hash = |phone: Phone| keys::address_hash(key, &phone);
        let numbers = spellings.flatten().map(hash).collect();
        let other = match context.mode {
            Mode::Live => Mode::Test,
            Mode::Test => Mode::Live,
        };
        let mut tied = Vec::new();
        if from.phone.is_some() && guards::is_disabled(Guard::HandleBeforeNumber) {
            return Ok(KnownSender { origin, tied, numbers });
        }
        for handle in handles::hashes(key, context.channel, from) {
            for mode in [context.mode, other] {
                let handles = Handles { store, brand: context.brand, at: context.scope(mode) };
                if let Some(address) = handles.address_of(&handle, now).await? {
                    tied.push(address);
                    break;
                }
            }
        }
        Ok(KnownSender { origin, tied, numbers })
    }

    /// Updates the contact record of an address from a message or tap, for requests of that mode.
    pub(super) async fn update_contact(
        &self,
        context: ChannelContext<'_>,
        mode: Mode,
        address: &str,
        known: &KnownSender<'_>,
    ) -> Result<(), Problem> {
        let (scope, now) = (context.scope(mode), self.ports.clock.now());
        let (store, from) = (self.ports.store.as_ref(), &known.origin.from);
        let at = known.origin.time(now);
        let handles = Handles { store, brand: context.brand, at: scope };
        let active = |known: &Contact| handles.after_activity(known, address, from, at);
        contact::update(store, scope, address, now, active).await?;
        if known.may_tie(address) {
            handles.tie(address, from, now).await?;
        }
        Ok(())
    }

    /// Updates the contact records of every address that the sender is proven to be.
    pub(super) async fn update_sender(
        &self,
        context: ChannelContext<'_>,
        known: &KnownSender<'_>,
    ) -> Result<(), Problem> {
        for address in known.addresses().into_iter().filter(|address| known.is_proven(address)) {
            self.update_contact(context, context.mode, &address, known).await?;
        }
        Ok(())
    }

    /// Records that the channel refused a message of that time as outside its window.
    pub(super) async fn close_window(
        &self,
        context: ChannelContext<'_>,
        mode: Mode,
        address: &str,
        at: Timestamp,
    ) -> Result<(), Problem> {
        let (scope, now) = (context.scope(mode), self.ports.clock.now());
        let shut = |known: &Contact| known.with_window_closed(at);
        Ok(contact::update(self.ports.store.as_ref(), scope, address, now, shut).await?)
    }
}
