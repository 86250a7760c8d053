//! Free-text replies. A text answers a request only where no other request can be meant; otherwise it is a sign of life.

use std::sync::Arc;
use std::time::Duration;

use domain::ask::Ask;
use domain::brand::BrandScope;
use domain::consent::ApprovalMethod;
use domain::guards;
use domain::guards::Guard;
use domain::journal::{DeliveryStatus, EntryKind};
use domain::postback::Action;
use domain::problem::Problem;
use domain::request::{PromptRecord, Request, State};
use domain::values::id::PromptId;
use domain::values::time::Timestamp;
use records::limits;
use records::storage;
use records::storage::VersionedRequest;
use texts::inbound::{Listener, Meaning};

use super::contacts::KnownSender;
use super::context::ChannelContext;
use super::replies::{Replies, reply_of};
use crate::approvals::{CustomerReply, PromptedRequest};

/// How long a customer's text may be in transit and still count as a reply. Later, it may have been meant for another request.
const IN_TRANSIT_MAX: Duration = Duration::from_secs(30);

/// A text that a customer wrote.
#[derive(Clone, Copy)]
pub(super) struct InboundText<'a> {
    pub(super) text: &'a str,
    /// The postback of the entry point through which the customer began to write; `None` where there was none.
    pub(super) intent: Option<&'a str>,
}

impl Replies {
    /// Records a text as a reply. A no always counts; a yes only where the brand allows text replies.
    ///
    /// A text counts only if exactly one request can be meant. A text approves no payment, and may deny one.
    pub(super) async fn on_text(
        &self,
        context: ChannelContext<'_>,
        mut known: KnownSender<'_>,
        inbound: InboundText<'_>,
    ) -> Result<(), Problem> {
        if let Some(intent) = inbound.intent
            && let Some((postback, loaded)) = self.find_by_postback(context, intent).await?
            && let Some(address) =
                context.prompted_address(&loaded.request, postback.reference.prompt)
            && known.may_be(&address)
            && !loaded.request.proves_no_number(context.brand, postback.reference.prompt)
        {
            let mode = loaded.request.mode;
            self.contacts.update_contact(context, mode, &address, &known).await?;
            known = self.contacts.identify(context, known.origin).await?;
        }
        if let Some(intent) = inbound.intent {
            Box::pin(self.on_entry(context, &known, intent)).await?;
        }
        if known.addresses().is_empty() {
            return Ok(());
        }
        let reply = self.text_reply(context, &known, inbound).await?;
        // Before the reply: what follows from it may be sent at once, in the window that the text opened.
        self.contacts.update_sender(context, &known).await?;
        match reply {
            Some((target, reply)) => self.record(&target, ApprovalMethod::Reply, &reply).await,
            None => {
                tracing::info!(channel.name = %context.channel, "text received that is no reply");
                Ok(())
            }
        }
    }

    /// Returns the reply that a text means, and the request that it answers.
    ///
    /// `None` unless exactly one request is open for the addresses on this channel, and was when the text was written.
    async fn text_reply(
        &self,
        context: ChannelContext<'_>,
        known: &KnownSender<'_>,
        inbound: InboundText<'_>,
    ) -> Result<Option<(PromptedRequest, CustomerReply)>, Problem> {
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let written_at = known.origin.written_at;
        let mut open: Vec<VersionedRequest> = Vec::new();
        for address in known.addresses() {
            for id in storage::open_for_address(store, context.channel.as_str(), &address).await? {
                let loaded = storage::load(store, id).await?;
                open.extend(loaded.filter(|loaded| {
                    context.is_brand(&loaded.request) && loaded.request.answerable(now).is_ok()
                }));
            }
        }
        let [VersionedRequest { request, .. }] = open.as_slice() else { return Ok(None) };
        let language = request.customer.language.as_ref().unwrap_or(&context.brand.language);
        let (brand_language, name) = (&context.brand.language, context.brand.display_name.as_str());
        let meaning = Listener::new([language, brand_language], name).meaning(inbound.text);
        let here = |prompt: &&PromptRecord| prompt.is_out() && prompt.channel == *context.channel;
        let prompt = request.prompts.iter().rev().find(here).map(|prompt| prompt.id);
        let is_payment = matches!(request.ask, Ask::Payment { .. });
        let action = match meaning {
            Some(Meaning::Yes)
                if !is_payment
                    && context.brand.policy.text_replies
                    && known.is_proven(&request.customer_address(context.brand)) =>
            {
                Action::Approve
            }
            Some(Meaning::No) => Action::Deny,
            Some(Meaning::Yes | Meaning::Stop | Meaning::Start) | None => return Ok(None),
        };
        let Some(prompt) = prompt.filter(|_| context.is_owner(request)) else { return Ok(None) };
        let early = self.is_early(request, prompt, written_at).await?
            && !guards::is_disabled(Guard::EarlyText);
        if early
            || (self.is_ambiguous(context, request, written_at).await?
                && !guards::is_disabled(Guard::AmbiguousText))
        {
            return Ok(None);
        }
        let Some(reply) = reply_of(request, action) else { return Ok(None) };
        let brand = Arc::clone(context.brand);
        let target =
            open.pop().map(|loaded| PromptedRequest { loaded, brand, prompt, visitor: None });
        Ok(target.map(|target| (target, reply)))
    }

    /// Returns whether the customer wrote the text before the prompt was known to be sent.
    async fn is_early(
        &self,
        request: &Request,
        prompt: PromptId,
        at: Option<Timestamp>,
    ) -> Result<bool, Problem> {
        let Some(at) = at else { return Ok(false) };
        let entries = storage::journal(self.ports.store.as_ref(), request).await?;
        let sent = entries.iter().find(|entry| {
            let EntryKind::Prompt { prompt: known, delivery_status } = &entry.what else {
                return false;
            };
            *known == prompt
                && !matches!(
                    delivery_status,
                    DeliveryStatus::Failed { .. } | DeliveryStatus::Unknown
                )
        });
        // Channels report whole seconds, and no customer replies within the second of the prompt.
        Ok(sent.is_none_or(|sent| at.as_secs() <= sent.at.as_secs()))
    }

    /// Returns whether the text may have been meant for another request, which has ended since it was written.
    async fn is_ambiguous(
        &self,
        context: ChannelContext<'_>,
        request: &Request,
        at: Option<Timestamp>,
    ) -> Result<bool, Problem> {
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let since = at.unwrap_or(now.before(IN_TRANSIT_MAX));
        let late = now > since.after(IN_TRANSIT_MAX);
        if late && !guards::is_disabled(Guard::EarlyText) {
            return Ok(true);
        }
        let scope = BrandScope { brand: &context.brand.name, mode: request.mode };
        let (limits, _) = limits::load(store, scope, &request.address).await?;
        for (id, _) in limits.open.iter().filter(|(id, _)| *id != request.id) {
            let Some(VersionedRequest { request: other, .. }) = storage::load(store, *id).await?
            else {
                continue;
            };
            let prompted = other.prompts.iter().any(|prompt| prompt.channel == *context.channel);
            let ended = match other.state {
                State::Closed { at, .. } => Some(at),
                State::Pending
                | State::Prompted
                | State::Authorized { .. }
                | State::Processing { .. } => None,
            };
            if prompted && ended.is_none_or(|ended| ended >= since) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
