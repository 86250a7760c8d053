//! Records a customer's opt-out from a brand's messages, and its withdrawal. It reaches no channel and no processor.

use domain::brand::BrandScope;
use domain::outcome::DenialReason;
use domain::problem::Problem;
use ports::{Ports, Sender};
use records::stops;
use records::storage;
use records::storage::VersionedRequest;
use records::update::{Decision, update_async};

use super::contacts::Contacts;
use super::context::ChannelContext;
use crate::approvals::{self, DecisionInput, ReplyError};

/// The opt-outs of addresses.
#[derive(Clone)]
pub(super) struct OptOut {
    ports: Ports,
    contacts: Contacts,
}

impl OptOut {
    pub(super) fn new(ports: Ports) -> Self {
        Self { contacts: Contacts::new(ports.clone()), ports }
    }

    /// Records that the address opted out of this mode's messages, then denies each open request of the address.
    ///
    /// The opt-out is stored first. If a later step fails, no message is sent to the address anyway.
    pub(super) async fn stop(
        &self,
        context: ChannelContext<'_>,
        from: &Sender,
    ) -> Result<(), Problem> {
        let ChannelContext { brand, channel, mode } = context;
        let Some(address) = self.contacts.address_of(context, from).await? else {
            tracing::warn!(channel.name = %channel, brand.name = %brand.name, "opt-out came from an unknown address");
            return Ok(());
        };
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let scope = BrandScope { brand: &brand.name, mode };
        store.write(vec![stops::put_stop(scope, &address, now)?]).await?;
        tracing::info!(channel.name = %channel, brand.name = %brand.name, "address opted out");
        for id in storage::open_for_address(store, channel.as_str(), &address).await? {
            let decide = |loaded: VersionedRequest, now| async move {
                let request = &loaded.request;
                if !context.is_owner(request) {
                    return Ok(Decision::Stop(()));
                }
                let input = DecisionInput { request, brand, now };
                match approvals::deny(store, input, DenialReason::OptedOut, None).await {
                    Ok(commit) => Ok(Decision::Commit(commit)),
                    // The request takes no more replies.
                    Err(ReplyError::Refused(_)) => Ok(Decision::Stop(())),
                    Err(error) => Err(Problem::from(error)),
                }
            };
            update_async(&self.ports, id, decide).await?;
        }
        self.contacts.update_contact(context, context.mode, &address, from).await
    }

    /// Withdraws the address's opt-out.
    pub(super) async fn start(
        &self,
        context: ChannelContext<'_>,
        from: &Sender,
    ) -> Result<(), Problem> {
        let Some(address) = self.contacts.address_of(context, from).await? else { return Ok(()) };
        let scope = BrandScope { brand: &context.brand.name, mode: context.mode };
        self.ports.store.write(stops::delete_stop(scope, &address)).await?;
        self.contacts.update_contact(context, context.mode, &address, from).await
    }
}
