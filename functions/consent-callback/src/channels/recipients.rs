//! Ties a customer's ids on a channel to the address that was asked, as the provider names them.

use domain::problem::Problem;
use ports::{Ports, PromptSelector, Sender};
use records::handles::Handles;
use records::storage::VersionedRequest;

use super::context::ChannelContext;
use super::opt_out::OptOut;

/// The recipients of prompts.
#[derive(Clone)]
pub(super) struct Recipients {
    ports: Ports,
    opt_out: OptOut,
}

impl Recipients {
    pub(super) const fn new(ports: Ports, opt_out: OptOut) -> Self {
        Self { ports, opt_out }
    }

    /// Ties the ids that a status names. Where one of them opted out before, the address is opted out from now on.
    pub(super) async fn record(
        &self,
        context: ChannelContext<'_>,
        about: PromptSelector,
        recipient: &Sender,
    ) -> Result<(), Problem> {
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let found = context.load_prompted(store, about).await?;
        let Some((reference, VersionedRequest { request, .. })) = found else { return Ok(()) };
        let Some(address) = context.prompted_address(&request, reference.prompt) else {
            return Ok(());
        };
        let at = context.scope(request.mode);
        let handles = Handles { store, brand: context.brand, at };
        if handles.tie(&address, recipient, now).await? {
            self.opt_out.end_open(context, &address).await?;
        }
        Ok(())
    }
}
