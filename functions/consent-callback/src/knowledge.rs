//! What callbacks tell of the customers themselves: who they are on a channel, and when they last did something there.

use domain::brand::{BrandScope, Mode};
use domain::ports::{PromptRef, Sender, StoreError, Write};
use domain::problem::Problem;
use domain::{capability, contact, keys, storage};

use crate::ConsentCallback;
use crate::callbacks::VerifiedWebhook;

/// How often a lost race is decided again. What is lost for good is one moment's knowledge.
const RACES_MAX: u32 = 4;

impl ConsentCallback {
    /// The hash of the sender's address: from their number, or by what was learnt of the channel's own id for them.
    ///
    /// One account at a provider may serve both modes, whose callbacks then prove themselves for the first that is tried: who
    /// is not known there may be known in the other, and must not say stop in vain.
    pub(crate) async fn address_of(
        &self,
        heard: VerifiedWebhook<'_>,
        from: &Sender,
    ) -> Result<Option<String>, Problem> {
        let key = &heard.brand.address_key;
        if let Some(phone) = &from.phone {
            return Ok(Some(keys::address_hash(key, phone)));
        }
        let Some(handle) = &from.handle else { return Ok(None) };
        let hash = keys::handle_hash(key, heard.channel.as_str(), handle);
        let now = self.clock.now();
        let other = match heard.mode {
            Mode::Live => Mode::Test,
            Mode::Test => Mode::Live,
        };
        for mode in [heard.mode, other] {
            let whose = contact::whose(self.store.as_ref(), heard.place(mode), &hash, now).await?;
            if whose.is_some() {
                return Ok(whose);
            }
        }
        Ok(None)
    }

    /// Keeps what a sender's doing something tells of whoever is behind that address, for requests of that mode.
    pub(crate) async fn learn(
        &self,
        heard: VerifiedWebhook<'_>,
        mode: Mode,
        address: &str,
        from: &Sender,
    ) -> Result<(), Problem> {
        let (place, now) = (heard.place(mode), self.clock.now());
        let (key, channel) = (&heard.brand.address_key, heard.channel.as_str());
        let handle = from.handle.as_deref();
        for _ in 0..RACES_MAX {
            let (known, base) = contact::load(self.store.as_ref(), place, address, now).await?;
            let known = known.heard(handle, &from.features, now);
            let mut writes = vec![contact::put(place, address, &known, base, now)?];
            // What the channel could do for somebody it did not know is no longer true.
            writes.push(Write::Delete { key: capability::key(place, address) });
            if let Some(handle) = handle {
                let hash = keys::handle_hash(key, channel, handle);
                writes.push(contact::put_whose(place, &hash, address, now)?);
            }
            match self.store.write(writes).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict) => {}
                Err(error @ (StoreError::Unavailable(_) | StoreError::Damaged(_))) => {
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    /// Keeps which wallets work on the device that a prompt's page was opened on, for the next time this customer is asked.
    ///
    /// # Errors
    /// A [`Problem`] when the store did not do it.
    pub async fn observe(&self, prompt: PromptRef, wallets: &[String]) -> Result<(), Problem> {
        let loaded = storage::load(self.store.as_ref(), prompt.request).await?;
        let known = loaded.filter(|loaded| loaded.request.prompt(prompt.prompt).is_some());
        let Some(request) = known.map(|loaded| loaded.request) else { return Ok(()) };
        let scope = BrandScope { brand: &request.brand, mode: request.mode };
        let (store, now) = (self.store.as_ref(), self.clock.now());
        Ok(storage::put_observed(store, scope, &request.address, wallets, now).await?)
    }
}
