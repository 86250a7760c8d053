//! Records a customer's opt-out that a provider reports in its answer to a prompt.

use domain::brand::{Brand, BrandScope};
use domain::guards;
use domain::guards::Guard;
use domain::outcome::DenialReason;
use domain::request::Request;
use domain::values::name::ChannelName;
use ports::StoreError;
use records::opt_outs::{self, OptOutKeyword, Statement};
use records::storage::VersionedRequest;
use records::update::{Decision, Updated, update};

use crate::{SendPrompt, StepError};

impl SendPrompt {
    /// Reads whether the customer opted out, right before the decision to send.
    pub(crate) async fn is_opted_out(&self, request: &Request) -> Result<bool, StepError> {
        let scope = BrandScope { brand: &request.brand, mode: request.mode };
        let store = self.ports.store.as_ref();
        Ok(opt_outs::is_opted_out(store, scope, &request.address).await?)
    }

    /// Reads whether the reader of the customer's e-mail address unsubscribed, where the channel sends mail.
    ///
    /// Their word is about mail alone. It counts for no number, and the next route may follow.
    pub(crate) async fn is_unsubscribed(
        &self,
        request: &Request,
        brand: &Brand,
        channel: &ChannelName,
    ) -> Result<bool, StepError> {
        if !brand.is_email_channel(request.mode, channel)
            || guards::is_disabled(Guard::UnsubscribedMail)
        {
            return Ok(false);
        }
        let Some(address) = request.email_address(brand) else { return Ok(false) };
        let scope = BrandScope { brand: &request.brand, mode: request.mode };
        Ok(opt_outs::is_opted_out(self.ports.store.as_ref(), scope, &address).await?)
    }

    /// Records the opt-out as the customer's own word, which they wrote to the provider before now.
    pub(crate) async fn record_opt_out(&self, request: &Request) -> Result<(), StepError> {
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let scope = BrandScope { brand: &request.brand, mode: request.mode };
        let stop = Statement { word: OptOutKeyword::Stop, written_at: Some(now), reported_at: now };
        opt_outs::record(store, scope, &request.address, stop).await?;
        tracing::info!(request.id = %request.id, "address opted out, as the provider reports");
        Ok(())
    }

    /// Denies a request whose customer opted out, so that no other route is tried.
    pub(crate) async fn end_opted_out(
        &self,
        loaded: VersionedRequest,
    ) -> Result<VersionedRequest, StepError> {
        let updated = update(&self.ports, loaded, |request, now| -> Result<_, StepError> {
            let denied = request.deny(DenialReason::OptedOut, None, now);
            // An approval or another end was faster.
            Ok(Decision::<()>::from(denied.unwrap_or_else(|_| request.expire(now))))
        });
        match updated.await? {
            Updated::Stored(stored) => Ok(stored),
            Updated::Stopped(()) | Updated::Absent => Err(StoreError::Conflict.into()),
        }
    }
}
