//! The next prompt over the next route, until one is out or no route is left.

use std::sync::Arc;

use domain::brand::Brand;
use domain::guards;
use domain::guards::Guard;
use domain::journal::DeliveryStatus;
use domain::message::Step;
use domain::outcome::DenialReason;
use domain::request::NextPrompt;
use domain::values::id::PromptId;
use domain::values::name::ChannelName;
use domain::values::time::Timestamp;
use ports::Resend;
use records::effects;
use records::storage;
use records::storage::{LinkTarget, VersionedRequest};

use crate::send::{RecordedPrompt, SendResult};
use crate::thread::BegunPrompt;
use crate::{SendPrompt, StepError};

/// More than the prompts that a request can have. A loop that turns more often is a bug, and ends.
const TURNS_MAX: u32 = 32;

impl SendPrompt {
    /// Takes every step about prompts that is due now.
    pub(crate) async fn drive(
        &self,
        mut loaded: VersionedRequest,
    ) -> Result<VersionedRequest, StepError> {
        let brand = self.ports.secrets.brand(&loaded.request.brand).await?;
        for _ in 0..TURNS_MAX {
            let now = self.ports.clock.now();
            loaded = self.expire(loaded, now).await?;
            match loaded.request.next_prompt(now) {
                NextPrompt::None => break,
                NextPrompt::Undeliverable => {
                    let change = loaded.request.undeliverable(now);
                    loaded = self.commit(loaded.version, change, Vec::new()).await?;
                }
                NextPrompt::Again(prompt) => {
                    loaded = self.send_again(loaded, &brand, prompt, now).await?;
                }
                NextPrompt::Route(channel) => {
                    let sent = self.begin(loaded, &brand, &channel, now).await?;
                    loaded = sent.loaded;
                    if let Some(wait) = sent.retry_after {
                        let (queue, id) = (self.ports.queue.as_ref(), loaded.request.id);
                        effects::send(queue, Step::Deliver, id, wait).await?;
                        return Ok(loaded);
                    }
                }
                NextPrompt::Remind(channel) => {
                    loaded = self.begin(loaded, &brand, &channel, now).await?.loaded;
                }
            }
        }
        let loaded = Box::pin(self.answer_thread(loaded, &brand)).await?;
        let loaded = Box::pin(self.retract_replaced(loaded, &brand)).await?;
        self.retract_unanswered(&loaded, &brand).await;
        Ok(loaded)
    }

    /// Ends a request whose deadline has passed.
    async fn expire(
        &self,
        loaded: VersionedRequest,
        now: Timestamp,
    ) -> Result<VersionedRequest, StepError> {
        let change = loaded.request.expire(now);
        self.commit(loaded.version, change, Vec::new()).await
    }

    /// Records that a prompt is about to be sent, then sends it.
    async fn begin(
        &self,
        loaded: VersionedRequest,
        brand: &Arc<Brand>,
        channel: &ChannelName,
        now: Timestamp,
    ) -> Result<SendResult, StepError> {
        let request = &loaded.request;
        let ahead = self.reading_ahead(request, brand, channel).await?;
        // A customer who opted out a moment ago gets nothing more.
        // A link is no message: the customer sees it in the conversation that they are in.
        let is_message = !brand.is_link_channel(request.mode, channel);
        if is_message && ahead.is_opted_out(request).await? && !guards::is_disabled(Guard::OptOut) {
            let change = request.deny(DenialReason::OptedOut, None, now);
            let change = change.unwrap_or_else(|_already_ended| request.expire(now));
            let loaded = self.commit(loaded.version, change, Vec::new()).await?;
            return Ok(SendResult { loaded, retry_after: None });
        }
        let id = self.new_id(now);
        let opened = self.open_channel(&loaded.request, brand, channel);
        let has_receipts = opened.as_ref().is_some_and(|opened| opened.receipts().delivered);
        let change = request.begin_prompt(id, channel, has_receipts, now);
        let change = change.with_prompt_mac(id, &brand.link_key);
        let contact = match change.request.prompt(id) {
            Some(prompt) => Some(ahead.contact(&change.request, prompt, brand, now).await?),
            None => None,
        };
        let begun = BegunPrompt {
            id,
            brand,
            channel: opened.as_deref().filter(|_| is_message),
            contact: contact.as_ref(),
        };
        let change = self.with_thread(change, begun);
        let target = LinkTarget { brand: request.brand.clone(), request: request.id, prompt: id };
        let token = brand.link_token(request.mode, channel, id);
        let link = storage::put_link(&token, &target, now)?;
        let loaded = self.commit(loaded.version, change, vec![link]).await?;
        Box::pin(ahead.send_recorded(loaded, brand, RecordedPrompt { id, opened, contact })).await
    }

    /// Finishes a prompt that another worker recorded and perhaps sent before it died. It is sent again where the channel
    /// recognises a repeat, and otherwise treated as possibly sent.
    async fn send_again(
        &self,
        loaded: VersionedRequest,
        brand: &Arc<Brand>,
        id: PromptId,
        now: Timestamp,
    ) -> Result<VersionedRequest, StepError> {
        let channel = loaded.request.prompt(id).map(|prompt| prompt.channel.clone());
        let opened =
            channel.and_then(|channel| self.open_channel(&loaded.request, brand, &channel));
        match &opened {
            Some(channel) if channel.resend() == Resend::Doubles => {
                let change =
                    loaded.request.record_delivery_status(id, DeliveryStatus::Unknown, None, now);
                self.commit(loaded.version, change, Vec::new()).await
            }
            Some(_) | None => {
                let recorded = RecordedPrompt { id, opened, contact: None };
                Ok(Box::pin(self.send_recorded(loaded, brand, recorded)).await?.loaded)
            }
        }
    }
}
