//! Button postbacks, and payments that the customer makes within the chat.

use std::sync::Arc;

use domain::authorization::Credential;
use domain::consent::ApprovalMethod;
use domain::guards;
use domain::guards::Guard;
use domain::journal::EntryKind;
use domain::outcome::Outcome;
use domain::postback::Postback;
use domain::problem::Problem;
use domain::request::State;
use domain::values::prompt_ref::PromptRef;
use ports::PromptSelector;
use records::storage;
use records::storage::VersionedRequest;

use super::contacts::KnownSender;
use super::context::ChannelContext;
use super::replies::{Replies, is_temporary, reply_of};
use crate::approvals::{ApprovalPayload, CustomerReply, PromptedRequest, ReplyError};

impl Replies {
    /// Records the reply of a button, by an identified sender.
    ///
    /// The postback's signature proves the prompt and the action, and nothing else is believed.
    ///
    /// A tap of a sender who is known to be another customer does not count. It ties none of their ids to the address.
    pub(super) async fn on_postback(
        &self,
        context: ChannelContext<'_>,
        known: &KnownSender<'_>,
        postback: &str,
    ) -> Result<(), Problem> {
        let found = self.find_by_postback(context, postback).await?;
        let own = found
            .filter(|(postback, loaded)| context.has_prompt(&loaded.request, postback.reference));
        let Some((postback, loaded)) = own else {
            tracing::info!(channel.name = %context.channel, "postback of an unknown prompt ignored");
            return self.contacts.update_sender(context, known).await;
        };
        if !known.may_be(&loaded.request.customer_address(context.brand)) {
            tracing::warn!(channel.name = %context.channel, request.id = %loaded.request.id, "postback of another customer ignored");
            return self.contacts.update_sender(context, known).await;
        }
        let request = &loaded.request;
        let proves_no_number = request.proves_no_number(context.brand, postback.reference.prompt);
        if proves_no_number && !guards::is_disabled(Guard::EntryTiesNoNumber) {
            if !self.is_entry_sender(context, &loaded.request, known).await? {
                tracing::warn!(channel.name = %context.channel, request.id = %loaded.request.id, "postback of another customer ignored");
                return Ok(());
            }
            return Box::pin(self.record_tap(context, loaded, postback)).await;
        }
        // Before the reply: what follows from it may be sent at once, in the window that the tap opened.
        if let Some(address) = context.prompted_address(&loaded.request, postback.reference.prompt)
        {
            self.contacts.update_contact(context, loaded.request.mode, &address, known).await?;
        }
        Box::pin(self.record_tap(context, loaded, postback)).await
    }

    /// Records the reply that a button means.
    async fn record_tap(
        &self,
        context: ChannelContext<'_>,
        loaded: VersionedRequest,
        postback: Postback,
    ) -> Result<(), Problem> {
        if let Some(reply) = reply_of(&loaded.request, postback.action) {
            let (brand, prompt) = (Arc::clone(context.brand), postback.reference.prompt);
            let target = PromptedRequest { loaded, brand, prompt, visitor: None };
            self.record(&target, ApprovalMethod::Tap, &reply).await?;
        }
        Ok(())
    }

    /// Records a payment in the chat as an approval that carries its own credential. `false` when it was not recorded.
    pub(super) async fn on_in_chat_payment(
        &self,
        context: ChannelContext<'_>,
        selector: PromptSelector,
        credential: Credential,
    ) -> Result<bool, Problem> {
        let store = self.ports.store.as_ref();
        let found = context.load_prompted(store, selector).await?;
        let Some((reference, loaded)) = found else { return Ok(false) };
        let (brand, id) = (Arc::clone(context.brand), reference.request);
        let target = PromptedRequest { loaded, brand, prompt: reference.prompt, visitor: None };
        let payload = ApprovalPayload::InChatPayment(credential);
        let reply = CustomerReply::Approve { session_code: None, payload };
        match self.approvals.record_loaded(&target, ApprovalMethod::Paid, &reply).await {
            Ok(_) => Ok(true),
            Err(error) if self.is_paid(reference).await? => {
                tracing::info!(request.id = %id, error = ?error, "payment in the chat reported again");
                Ok(true)
            }
            Err(ReplyError::Failed(problem)) if is_temporary(&problem) => Err(problem),
            Err(error) => {
                tracing::info!(request.id = %id, error = ?error, "payment in the chat refused");
                Ok(false)
            }
        }
    }

    /// Returns whether an approval of this prompt is in use or was used. A payment that is reported twice was made once.
    async fn is_paid(&self, reference: PromptRef) -> Result<bool, Problem> {
        let PromptRef { request, prompt } = reference;
        let store = self.ports.store.as_ref();
        let Some(loaded) = storage::load(store, request).await? else { return Ok(false) };
        match &loaded.request.state {
            State::Pending | State::Prompted => Ok(false),
            State::Authorized { consent, .. } | State::Processing { consent, .. } => {
                Ok(consent.prompt == prompt)
            }
            State::Closed { outcome: Outcome::Fulfilled { .. }, .. } => {
                let entries = storage::journal(store, &loaded.request).await?;
                let approved = entries.iter().rev().find_map(|entry| {
                    let EntryKind::Approved { consent } = &entry.what else { return None };
                    Some(consent.prompt)
                });
                Ok(approved == Some(prompt))
            }
            State::Closed { .. } => Ok(false),
        }
    }
}
