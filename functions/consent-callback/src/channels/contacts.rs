//! Keeps the contact records of addresses: a customer's id on a channel, and when they were last active there.

use domain::brand::Mode;
use domain::keys;
use domain::problem::Problem;
use ports::{Ports, Sender, StoreError, Write};
use records::{capability, contact};

use super::context::ChannelContext;

/// How often an update is tried again after a conflict. After that, one message's sign of life is lost.
const CONFLICTS_MAX: u32 = 4;

/// The contact records of addresses.
#[derive(Clone)]
pub(super) struct Contacts {
    ports: Ports,
}

impl Contacts {
    pub(super) const fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Returns the hash of the sender's address, from their number or from their id on the channel.
    ///
    /// `None` when neither is known. One account at a provider may serve both modes, and its webhooks then verify for live
    /// mode. So the other mode is searched too, and an opt-out is not lost.
    pub(super) async fn address_of(
        &self,
        context: ChannelContext<'_>,
        from: &Sender,
    ) -> Result<Option<String>, Problem> {
        let key = &context.brand.address_key;
        if let Some(phone) = &from.phone {
            return Ok(Some(keys::address_hash(key, phone)));
        }
        let Some(handle) = &from.handle else { return Ok(None) };
        let hash = keys::handle_hash(key, context.channel.as_str(), handle);
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let other = match context.mode {
            Mode::Live => Mode::Test,
            Mode::Test => Mode::Live,
        };
        for mode in [context.mode, other] {
            let address =
                contact::address_of_handle(store, context.scope(mode), &hash, now).await?;
            if address.is_some() {
                return Ok(address);
            }
        }
        Ok(None)
    }

    /// Updates the contact record of an address from an inbound message, for requests of that mode.
    pub(super) async fn update_contact(
        &self,
        context: ChannelContext<'_>,
        mode: Mode,
        address: &str,
        from: &Sender,
    ) -> Result<(), Problem> {
        let (scope, now) = (context.scope(mode), self.ports.clock.now());
        let (store, handle) = (self.ports.store.as_ref(), from.handle.as_deref());
        for _ in 0..CONFLICTS_MAX {
            let (known, expected_version) = contact::load(store, scope, address, now).await?;
            let known = known.with_activity(handle, &from.features, now);
            let mut writes = vec![contact::put(scope, address, &known, expected_version, now)?];
            // The cached capability was answered for an address without this contact record.
            writes.push(Write::Delete { key: capability::key(scope, address) });
            if let Some(handle) = handle {
                let key = &context.brand.address_key;
                let hash = keys::handle_hash(key, context.channel.as_str(), handle);
                writes.push(contact::put_address_of_handle(scope, &hash, address, now)?);
            }
            match store.write(writes).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict) => {}
                Err(error @ (StoreError::Unavailable(_) | StoreError::Damaged(_))) => {
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    /// Updates the contact record of the sender's address, where the address is known.
    pub(super) async fn update_sender(
        &self,
        context: ChannelContext<'_>,
        from: &Sender,
    ) -> Result<(), Problem> {
        match self.address_of(context, from).await? {
            Some(address) => self.update_contact(context, context.mode, &address, from).await,
            None => Ok(()),
        }
    }
}
