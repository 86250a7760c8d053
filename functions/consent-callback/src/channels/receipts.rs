//! Records delivery receipts of prompts.

use domain::journal::DeliveryStatus;
use domain::message::Step;
use domain::problem::Problem;
use domain::values::prompt_ref::PromptRef;
use ports::{OUTSIDE_WINDOW, Ports, PromptSelector};
use records::storage;
use records::update::{Decision, commit, update};

use super::contacts::Contacts;
use super::context::ChannelContext;

/// The delivery receipts of prompts.
#[derive(Clone)]
pub(super) struct Receipts {
    ports: Ports,
    contacts: Contacts,
}

impl Receipts {
    pub(super) fn new(ports: Ports) -> Self {
        Self { contacts: Contacts::new(ports.clone()), ports }
    }

    /// Records a prompt's delivery status, which only moves forward. A failed delivery starts the next route at once.
    pub(super) async fn record(
        &self,
        context: ChannelContext<'_>,
        selector: PromptSelector,
        status: DeliveryStatus,
    ) -> Result<(), Problem> {
        let found = context.find_prompt(self.ports.store.as_ref(), selector).await?;
        let Some(reference) = found else { return Ok(()) };
        let PromptRef { request, prompt } = reference;
        if matches!(&status, DeliveryStatus::Failed { reason } if reason == OUTSIDE_WINDOW) {
            return self.outside_window(context, reference).await;
        }
        let step = matches!(status, DeliveryStatus::Failed { .. }).then_some(Step::Deliver);
        let updated = update(&self.ports, request, |request, now| {
            if !context.has_prompt(request, reference) {
                return Ok(Decision::Stop(()));
            }
            let change = request.record_delivery_status(prompt, status.clone(), None, now);
            Ok::<_, Problem>(commit(change).then(step).into())
        });
        updated.await.map(|_stored_or_not_ours| ())
    }

    /// Records that a prompt did not arrive for a cause that passes. The next route starts at once; where only this
    /// channel is left, it is tried again after a moment.
    pub(super) async fn record_busy(
        &self,
        context: ChannelContext<'_>,
        selector: PromptSelector,
    ) -> Result<(), Problem> {
        let found = context.find_prompt(self.ports.store.as_ref(), selector).await?;
        let Some(reference) = found else { return Ok(()) };
        let updated = update(&self.ports, reference.request, |request, now| {
            if !context.has_prompt(request, reference) {
                return Ok(Decision::Stop(()));
            }
            let change = request.record_busy(reference.prompt, now);
            let wait = change.request.busy_wait(reference.prompt, now);
            Ok::<_, Problem>(commit(change).then(Step::Deliver).after(wait).into())
        });
        updated.await.map(|_stored_or_not_ours| ())
    }

    /// Records that a prompt came outside the channel's window. The prompt goes out at once as the kind of message that the
    /// channel takes there.
    async fn outside_window(
        &self,
        context: ChannelContext<'_>,
        reference: PromptRef,
    ) -> Result<(), Problem> {
        let PromptRef { request, prompt } = reference;
        let loaded = storage::load(self.ports.store.as_ref(), request).await?;
        let own = loaded.filter(|loaded| context.has_prompt(&loaded.request, reference));
        let Some(loaded) = own else { return Ok(()) };
        if let Some(prompt) = loaded.request.prompt(prompt) {
            let (mode, address) = (loaded.request.mode, &loaded.request.address);
            // The customer may have written since.
            self.contacts.close_window(context, mode, address, prompt.at).await?;
        }
        let updated = update(&self.ports, loaded, |request, now| {
            let change = request.record_outside_window(prompt, OUTSIDE_WINDOW, now);
            Ok::<_, Problem>(Decision::<()>::from(commit(change).then(Some(Step::Deliver))))
        });
        updated.await.map(|_stored| ())
    }
}
