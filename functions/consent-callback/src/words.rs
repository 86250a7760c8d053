//! What customers write: an answer where nothing but one request can be meant, and otherwise only a sign of life.

use std::time::Duration;

use domain::ask::Ask;
use domain::consent::ApprovalMethod;
use domain::guards::{self, Guard};
use domain::journal::{DeliveryStatus, EntryKind};
use domain::limits;
use domain::ports::Sender;
use domain::postback::Action;
use domain::problem::Problem;
use domain::request::{PromptRecord, Request, State};
use domain::storage::{self, VersionedRequest};
use domain::texts::{self, Reply};
use domain::values::id::{PromptId, RequestId};
use domain::values::time::Timestamp;

use crate::ConsentCallback;
use crate::answer::{Answer, Given};
use crate::callbacks::VerifiedWebhook;
use crate::taps::meant;

/// For how long what a customer writes may be on its way and still be an answer: other requests may be open by then.
const ON_ITS_WAY: Duration = Duration::from_secs(30);

impl ConsentCallback {
    /// Words are an answer where the brand allows it, nothing but one request can be meant, and no money is.
    pub(crate) async fn wrote(
        &self,
        heard: VerifiedWebhook<'_>,
        from: &Sender,
        (text, intent, at): (&str, Option<&str>, Option<Timestamp>),
    ) -> Result<(), Problem> {
        let introduced = match intent {
            Some(intent) => self.named(heard, intent).await?,
            None => None,
        };
        if let Some((_, request)) = introduced {
            self.learn(heard, request.mode, &request.address, from).await?;
        }
        let Some(address) = self.address_of(heard, from).await? else { return Ok(()) };
        if heard.brand.policy.text_replies
            && let Some((given, answer)) = self.replied(heard, &address, (text, at)).await?
        {
            self.give(given, &answer).await?;
        } else {
            tracing::info!(channel.name = %heard.channel, "a customer wrote something that is no answer");
        }
        self.learn(heard, heard.mode, &address, from).await
    }

    /// What a text answers, if it can only be meant for one request: the only one that is open for the address on this
    /// channel, and was when the text was written.
    async fn replied(
        &self,
        heard: VerifiedWebhook<'_>,
        address: &str,
        (text, at): (&str, Option<Timestamp>),
    ) -> Result<Option<(Given, Answer)>, Problem> {
        let now = self.clock.now();
        let channel = heard.channel.as_str();
        let mut open: Vec<VersionedRequest> = Vec::new();
        for id in storage::open_for_address(self.store.as_ref(), channel, address).await? {
            let loaded = storage::load(self.store.as_ref(), id).await?;
            open.extend(loaded.filter(|loaded| {
                loaded.request.brand == heard.brand.name && loaded.request.answerable(now).is_ok()
            }));
        }
        let [VersionedRequest { request, .. }] = open.as_slice() else { return Ok(None) };
        let language = request.customer.language.as_ref().unwrap_or(&heard.brand.language);
        let said = texts::reply(text, language, &heard.brand.language);
        let here = |prompt: &&PromptRecord| prompt.is_out() && prompt.channel == *heard.channel;
        let prompt = request.prompts.iter().rev().find(here).map(|prompt| prompt.id);
        let words_count = request.mode == heard.mode && !matches!(request.ask, Ask::Payment { .. });
        let (Some(said), Some(prompt), true) = (said, prompt, words_count) else { return Ok(None) };
        let action = match said {
            Reply::Yes => Action::Approve,
            Reply::No => Action::Deny,
        };
        let early =
            self.was_early(request.id, prompt, at).await? && !guards::is_disabled(Guard::EarlyText);
        if early
            || (self.was_ambiguous(heard, request, at).await?
                && !guards::is_disabled(Guard::AmbiguousText))
        {
            return Ok(None);
        }
        let given = Given { request: request.id, prompt, method: ApprovalMethod::Reply };
        Ok(meant(request, action).map(|answer| (given, answer)))
    }

    /// Whether a text was written before the prompt was known to be out.
    async fn was_early(
        &self,
        request: RequestId,
        prompt: PromptId,
        at: Option<Timestamp>,
    ) -> Result<bool, Problem> {
        let Some(at) = at else { return Ok(false) };
        let events = storage::journal(self.store.as_ref(), request).await?;
        let out = events.iter().find(|event| {
            let EntryKind::Prompt { prompt: known, delivery_status } = &event.what else {
                return false;
            };
            *known == prompt
                && !matches!(
                    delivery_status,
                    DeliveryStatus::Failed { .. } | DeliveryStatus::Unknown
                )
        });
        // Channels tell of seconds, and nobody answers within the one they are asked in.
        Ok(out.is_none_or(|out| at.as_secs() <= out.at.as_secs()))
    }

    /// Whether another request may have been meant that was open when a text was written, and has ended since.
    async fn was_ambiguous(
        &self,
        heard: VerifiedWebhook<'_>,
        request: &Request,
        at: Option<Timestamp>,
    ) -> Result<bool, Problem> {
        let now = self.clock.now();
        let since = at.unwrap_or(now.before(ON_ITS_WAY));
        let late = now > since.after(ON_ITS_WAY);
        if late && !guards::is_disabled(Guard::EarlyText) {
            return Ok(true);
        }
        let (store, brand) = (self.store.as_ref(), &heard.brand.name);
        let (limits, _) = limits::load(store, brand, request.mode, &request.address).await?;
        for (id, _) in limits.open.iter().filter(|(id, _)| *id != request.id) {
            let Some(VersionedRequest { request: other, .. }) = storage::load(store, *id).await?
            else {
                continue;
            };
            let asked = other.prompts.iter().any(|prompt| prompt.channel == *heard.channel);
            let ended = match other.state {
                State::Closed { at, .. } => Some(at),
                State::Pending
                | State::Prompted
                | State::Authorized { .. }
                | State::Processing { .. } => None,
            };
            if asked && ended.is_none_or(|ended| ended >= since) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
