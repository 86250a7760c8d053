//! A customer who wants no more messages from a brand, or wants them again.

use domain::effects::{self, EffectError};
use domain::outcome::DenialReason;
use domain::ports::{Expect, Item, Sender, StoreError, Write};
use domain::problem::Problem;
use domain::storage;

use crate::ConsentCallback;
use crate::answer::{Case, Unanswered};
use crate::callbacks::VerifiedWebhook;

impl ConsentCallback {
    /// The address opted out: that is stored first, so that whatever else goes wrong, nothing more is sent. Then every
    /// open request of the address is declined.
    pub(crate) async fn stop(
        &self,
        heard: VerifiedWebhook<'_>,
        from: &Sender,
    ) -> Result<(), Problem> {
        let VerifiedWebhook { brand, channel, .. } = heard;
        let Some(address) = self.address_of(heard, from).await? else {
            tracing::warn!(channel.name = %channel, brand.name = %brand.name, "somebody opted out whose address is not known");
            return Ok(());
        };
        let now = self.clock.now();
        let key = storage::stop_key(&brand.name, &address);
        let item =
            Item { key, version: 1, body: storage::encode(now)?, expires_at: None, index: None };
        self.store.write(vec![Write::Put { item, expect: Expect::Any }]).await?;
        tracing::info!(channel.name = %channel, brand.name = %brand.name, "an address opted out");
        for id in storage::open_for_address(self.store.as_ref(), channel.as_str(), &address).await?
        {
            for _ in 0..8 {
                let Some(loaded) = storage::load(self.store.as_ref(), id).await? else { break };
                if loaded.request.brand != brand.name {
                    break;
                }
                let case = Case { request: &loaded.request, brand, now };
                let decided = self.no(case, DenialReason::OptedOut, None).await;
                let (change, extra) = match decided {
                    Ok(decided) => decided.into_parts(),
                    // It is past answers already.
                    Err(Unanswered::Refused(_)) => break,
                    Err(error) => return Err(error.into()),
                };
                let ports = (self.store.as_ref(), self.queue.as_ref());
                match effects::apply(ports, Some(loaded.version), change, extra, None).await {
                    Ok(_) => break,
                    Err(EffectError::Store(StoreError::Conflict)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        self.learn(heard, heard.mode, &address, from).await
    }

    /// The address wants messages again.
    pub(crate) async fn start(
        &self,
        heard: VerifiedWebhook<'_>,
        from: &Sender,
    ) -> Result<(), Problem> {
        let Some(address) = self.address_of(heard, from).await? else { return Ok(()) };
        let key = storage::stop_key(&heard.brand.name, &address);
        self.store.write(vec![Write::Delete { key }]).await?;
        self.learn(heard, heard.mode, &address, from).await
    }
}
