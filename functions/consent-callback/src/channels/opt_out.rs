//! Records a customer's opt-out from a brand's messages, and its withdrawal. It reaches no channel and no processor.

use domain::guards;
use domain::guards::Guard;
use domain::keys;
use domain::outcome::DenialReason;
use domain::problem::Problem;
use domain::values::email::Email;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use ports::{MessageOrigin, Ports, PromptSelector, Store, StoreError};
use records::handles;
use records::opt_outs;
use records::opt_outs::{OptOutKeyword, Statement};
use records::storage;
use records::storage::VersionedRequest;
use records::update::{Decision, update_async};

use super::contacts::{Contacts, KnownSender};
use super::context::ChannelContext;
use crate::approvals::{self, DecisionInput, ReplyError};

/// The opt-outs of addresses.
#[derive(Clone)]
pub(super) struct OptOut {
    ports: Ports,
    contacts: Contacts,
}

/// The complaint of a mail's reader.
pub(super) struct Complaint<'a> {
    /// The address that the mail went to.
    pub(super) email: &'a Email,
    /// When they complained; `None` where the provider does not report it.
    pub(super) at: Option<Timestamp>,
}

impl OptOut {
    pub(super) fn new(ports: Ports) -> Self {
        Self { contacts: Contacts::new(ports.clone()), ports }
    }

    /// Records that the sender's addresses opted out, then denies each open request of them.
    ///
    /// The opt-out is stored first. If a later step fails, no message is sent to the address anyway. A stop that was written
    /// before a known start changes nothing. A word of the test mode says nothing about live prompts.
    pub(super) async fn stop(
        &self,
        context: ChannelContext<'_>,
        known: &KnownSender<'_>,
    ) -> Result<(), Problem> {
        let ChannelContext { brand, channel, .. } = context;
        let origin = known.origin;
        let (store, stop) =
            (self.ports.store.as_ref(), self.statement(origin, OptOutKeyword::Stop));
        let addresses = known.addresses();
        if addresses.is_empty() {
            tracing::warn!(channel.name = %channel, brand.name = %brand.name, "opt-out came from an unknown address; kept for its id");
            return self.keep_for_handle(context, origin, stop).await;
        }
        for address in addresses {
            let words = opt_outs::record(store, context.brand_scope(), &address, stop).await?;
            if words.is_opted_out() {
                self.end_open(context, &address).await?;
            }
        }
        tracing::info!(channel.name = %channel, brand.name = %brand.name, "address opted out");
        self.contacts.update_sender(context, known).await
    }

    /// Records that the customer of a prompt opted out, as its provider reports in a status.
    ///
    /// The provider knew it when the prompt was sent. A start that was written since counts more.
    pub(super) async fn reported(
        &self,
        context: ChannelContext<'_>,
        selector: PromptSelector,
    ) -> Result<(), Problem> {
        if guards::is_disabled(Guard::ReportedOptOut) {
            return Ok(());
        }
        let (store, reported_at) = (self.ports.store.as_ref(), self.ports.clock.now());
        let found = context.load_prompted(store, selector).await?;
        let Some((reference, VersionedRequest { request, .. })) = found else { return Ok(()) };
        let written_at = request.prompt(reference.prompt).map(|prompt| prompt.at);
        let stop = Statement { word: OptOutKeyword::Stop, written_at, reported_at };
        let words = opt_outs::record(store, context.brand_scope(), &request.address, stop).await?;
        if words.is_opted_out() {
            self.end_open(context, &request.address).await?;
        }
        Ok(())
    }

    /// Records that the reader of a mail complained of it. It counts for the e-mail address, and for no number.
    pub(super) async fn complained(
        &self,
        context: ChannelContext<'_>,
        selector: PromptSelector,
        complaint: Complaint<'_>,
    ) -> Result<(), Problem> {
        let (store, reported_at) = (self.ports.store.as_ref(), self.ports.clock.now());
        // The prompt tells the mode, and that the mail was ours.
        if context.load_prompted(store, selector).await?.is_none() {
            return Ok(());
        }
        let address = keys::email_hash(&context.brand.address_key, complaint.email);
        let written_at = complaint.at;
        let stop = Statement { word: OptOutKeyword::Stop, written_at, reported_at };
        opt_outs::record(store, context.brand_scope(), &address, stop).await?;
        tracing::info!(channel.name = %context.channel, brand.name = %context.brand.name, "e-mail address opted out by a complaint");
        Ok(())
    }

    /// Denies each open request of an address that opted out, over any of the brand's channels.
    pub(super) async fn end_open(
        &self,
        context: ChannelContext<'_>,
        address: &str,
    ) -> Result<(), Problem> {
        let brand = context.brand;
        let store = self.ports.store.as_ref();
        for id in open_requests(store, context, address).await? {
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
        Ok(())
    }

    /// Withdraws the opt-out of the sender's addresses, unless a newer stop is known.
    pub(super) async fn start(
        &self,
        context: ChannelContext<'_>,
        known: &KnownSender<'_>,
    ) -> Result<(), Problem> {
        let origin = known.origin;
        let (store, start) =
            (self.ports.store.as_ref(), self.statement(origin, OptOutKeyword::Start));
        let addresses = known.addresses();
        if addresses.is_empty() {
            return self.keep_for_handle(context, origin, start).await;
        }
        for address in addresses {
            opt_outs::record(store, context.brand_scope(), &address, start).await?;
        }
        self.contacts.update_sender(context, known).await
    }

    fn statement(&self, origin: &MessageOrigin, word: OptOutKeyword) -> Statement {
        let reported_at = self.ports.clock.now();
        Statement { word, written_at: origin.written_at, reported_at }
    }

    /// Keeps the word of a sender who is tied to no address yet. It counts for the address as soon as one is tied.
    async fn keep_for_handle(
        &self,
        context: ChannelContext<'_>,
        origin: &MessageOrigin,
        statement: Statement,
    ) -> Result<(), Problem> {
        let ChannelContext { brand, channel, .. } = context;
        let store = self.ports.store.as_ref();
        for handle in handles::hashes(&brand.address_key, channel, &origin.from) {
            opt_outs::record(store, context.brand_scope(), &handle, statement).await?;
        }
        Ok(())
    }
}

/// Lists the requests of the brand that may be open for an address, on each of its channels.
async fn open_requests(
    store: &dyn Store,
    context: ChannelContext<'_>,
    address: &str,
) -> Result<Vec<RequestId>, StoreError> {
    let setups = &context.brand.setup(context.mode).channels;
    let others = setups.iter().map(|setup| &setup.name).filter(|name| *name != context.channel);
    let others = others.filter(|_| !guards::is_disabled(Guard::StopOnEveryChannel));
    let mut ids = Vec::new();
    for channel in [context.channel].into_iter().chain(others) {
        for id in storage::open_for_address(store, channel.as_str(), address).await? {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    Ok(ids)
}
