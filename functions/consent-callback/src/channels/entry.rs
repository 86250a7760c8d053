//! A customer who begins a conversation by an entry link that the requester showed.
//!
//! The link proves no number: its holder may be another person. So who begins by it is kept for that one request.

use std::time::Duration;

use domain::entry_reference;
use domain::guards;
use domain::guards::Guard;
use domain::keys;
use domain::message::Step;
use domain::problem::Problem;
use domain::request::Request;
use records::handles::Handles;
use records::storage;
use records::update::{Decision, Updated, commit, update};

use super::contacts::KnownSender;
use super::context::ChannelContext;
use super::replies::Replies;

/// How long who began is kept after the request's deadline, for the messages that follow an answer.
const KEPT_AFTER_DEADLINE: Duration = Duration::from_secs(2 * 86_400);

impl Replies {
    /// Ties the sender of a first message to the request of its reference, and has the prompt sent to them.
    ///
    /// The first sender counts, and none who is known to be another customer. A reference that does not count is ignored.
    pub(super) async fn on_entry(
        &self,
        context: ChannelContext<'_>,
        known: &KnownSender<'_>,
        reference: &str,
    ) -> Result<(), Problem> {
        let Some(id) = entry_reference::claimed(reference) else { return Ok(()) };
        let store = self.ports.store.as_ref();
        let loaded = storage::load(store, id).await?;
        let own = loaded.filter(|loaded| {
            let request = &loaded.request;
            let verifies =
                entry_reference::verifies(reference, context.brand, request, context.channel);
            let is_ours = verifies || guards::is_disabled(Guard::EntryReference);
            context.is_owner(request)
                && is_ours
                && known.may_be(&request.customer_address(context.brand))
        });
        let from = &known.origin.from;
        let Some(loaded) = own.filter(|_| from.handle.is_some()) else {
            tracing::info!(channel.name = %context.channel, "entry reference ignored");
            return Ok(());
        };
        let handles = Handles { store, brand: context.brand, at: context.scope(context.mode) };
        let updated = update(&self.ports, loaded, |request, now| -> Result<_, Problem> {
            let Ok(change) = request.begin_by_entry(context.channel, now) else {
                return Ok(Decision::Stop(()));
            };
            let until = request.expires_at.after(KEPT_AFTER_DEADLINE);
            let kept = handles.put_entry(request.id, from, now, until)?;
            let begun = commit(change).with_writes([kept]);
            Ok(begun.then(Step::Deliver).with_recovery_check().into())
        });
        match updated.await? {
            Updated::Stored(stored) => {
                tracing::info!(request.id = %stored.request.id, "customer began by the entry link");
            }
            Updated::Stopped(()) | Updated::Absent => {
                tracing::info!(request.id = %id, "entry reference no longer counts");
            }
        }
        Ok(())
    }

    /// Returns whether the sender is who began by the request's entry link.
    pub(super) async fn is_entry_sender(
        &self,
        context: ChannelContext<'_>,
        request: &Request,
        known: &KnownSender<'_>,
    ) -> Result<bool, Problem> {
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let handles = Handles { store, brand: context.brand, at: context.scope(request.mode) };
        let began = handles.contact_by_entry(request.id, now).await?.handle;
        let from = known.origin.from.handle.as_deref();
        Ok(began.as_deref().zip(from).is_some_and(|(began, from)| keys::same(began, from)))
    }
}
