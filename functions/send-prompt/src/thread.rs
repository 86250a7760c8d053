//! Sends the messages that the customer's thread owes: recorded first, then sent, then the channel's answer is recorded.

use std::sync::Arc;

use domain::brand::Brand;
use domain::contact::Contact;
use domain::email_channel::NO_ADDRESS;
use domain::guards;
use domain::guards::Guard;
use domain::message::Step;
use domain::request::{
    BUSY_RETRY, Change, FollowUp, MessageStatus, OwedMessage, PromptRecord, Request, ThreadFact,
};
use domain::values::id::PromptId;
use ports::{AcceptedPrompt, Channel, OPTED_OUT, Resend, SendError, StoreError};
use records::effects;
use records::storage::VersionedRequest;
use records::update::{Decision, Updated, update};

use crate::rendering::Rendering;
use crate::send::send_twice_if_lost;
use crate::{SendPrompt, StepError};

/// More than the facts of one request that a thread tells at once. A loop that turns more often is a bug, and ends.
const TURNS_MAX: u32 = 8;

/// Returns the answers to a prompt over this channel that get a message.
fn follow_up(brand: &Brand, channel: Option<&dyn Channel>) -> FollowUp {
    match channel {
        None => FollowUp::Never,
        Some(_) if brand.policy.receipts => FollowUp::Always,
        Some(channel) if channel.is_chat() => FollowUp::Replies,
        Some(_) => FollowUp::Never,
    }
}

/// A prompt that a change begins, and where it will be sent.
#[derive(Clone, Copy)]
pub(crate) struct BegunPrompt<'a> {
    pub(crate) id: PromptId,
    pub(crate) brand: &'a Brand,
    pub(crate) channel: Option<&'a dyn Channel>,
    /// What the channel knows of the customer.
    pub(crate) contact: Option<&'a Contact>,
}

/// A message, and the prompt in whose thread it is.
#[derive(Clone, Copy)]
struct MessageInThread<'a> {
    owed: &'a OwedMessage,
    prompt: &'a PromptRecord,
    id: PromptId,
}

impl SendPrompt {
    /// Records which messages the thread of a new prompt will have.
    ///
    /// Those follow the customer's answer. One stands beside a prompt whose own message has no button that denies.
    pub(crate) fn with_thread(&self, change: Change, begun: BegunPrompt<'_>) -> Change {
        let BegunPrompt { id, brand, channel, contact } = begun;
        let change = change.with_follow_up(id, follow_up(brand, channel));
        let (Some(channel), Some(contact), Some(prompt)) =
            (channel, contact, change.request.prompt(id))
        else {
            return change;
        };
        if !channel.is_chat() {
            return change;
        }
        let rendering =
            Rendering { request: &change.request, prompt, brand, public_base: &self.public_base };
        let rendered = rendering.prompt(contact.clone(), change.at);
        if channel.needs_way_out(&rendered) { change.without_deny(id) } else { change }
    }

    /// Sends every message that the thread owes. A busy channel is tried again a moment later.
    pub(crate) async fn answer_thread(
        &self,
        mut loaded: VersionedRequest,
        brand: &Arc<Brand>,
    ) -> Result<VersionedRequest, StepError> {
        for _ in 0..TURNS_MAX {
            let Some(owed) = loaded.request.owed_message() else { break };
            let Some(prompt) = loaded.request.prompt(owed.prompt).cloned() else { break };
            let channel = self.open_channel(&loaded.request, brand, &prompt.channel);
            let (id, is_repeat) = match owed.record {
                Some((id, status)) => (id, status == MessageStatus::Sending),
                None => (self.new_id(self.ports.clock.now()), false),
            };
            let ahead = self.reading_ahead(&loaded.request, brand, &prompt.channel).await?;
            let stopped = ahead.is_opted_out(&loaded.request).await?
                && !guards::is_disabled(Guard::OptOutBeforeMessage);
            if stopped
                || ahead.is_unsubscribed(&loaded.request, brand, &prompt.channel).await?
                || ahead.is_needless(&loaded.request, brand, channel.as_deref(), &owed).await?
            {
                let change = loaded.request.withhold_message(&owed, id, self.ports.clock.now());
                loaded = self.commit(loaded.version, change, Vec::new()).await?;
                continue;
            }
            let doubles = channel.as_ref().is_some_and(|known| known.resend() == Resend::Doubles);
            let status = if is_repeat && doubles {
                // Another worker recorded the message and died. It may have sent it.
                MessageStatus::Unknown
            } else {
                if !is_repeat {
                    let change = loaded.request.begin_message(&owed, id, self.ports.clock.now());
                    loaded = self.commit(loaded.version, change, Vec::new()).await?;
                }
                let outgoing = MessageInThread { owed: &owed, prompt: &prompt, id };
                ahead.send_message(&loaded.request, brand, channel.as_deref(), outgoing).await?
            };
            loaded = self.record_message(loaded, id, status).await?;
            if status == MessageStatus::Busy {
                let (queue, id) = (self.ports.queue.as_ref(), loaded.request.id);
                effects::send(queue, Step::Deliver, id, BUSY_RETRY).await?;
                break;
            }
        }
        Ok(loaded)
    }

    /// Returns whether a message beside a prompt is not needed after all.
    ///
    /// Where the channel closed a chat that our record had open, a template went out. It has a button that denies, and
    /// the channel takes nothing else.
    async fn is_needless(
        &self,
        request: &Request,
        brand: &Arc<Brand>,
        channel: Option<&dyn Channel>,
        owed: &OwedMessage,
    ) -> Result<bool, StepError> {
        let ThreadFact::WayOut { prompt } = owed.fact else { return Ok(false) };
        let (Some(channel), Some(prompt)) = (channel, request.prompt(prompt)) else {
            return Ok(false);
        };
        let now = self.ports.clock.now();
        let contact = self.contact(request, prompt, brand, now).await?;
        let rendering = Rendering { request, prompt, brand, public_base: &self.public_base };
        Ok(!channel.needs_way_out(&rendering.prompt(contact, now)))
    }

    /// Sends a recorded message, and returns its status.
    async fn send_message(
        &self,
        request: &Request,
        brand: &Arc<Brand>,
        channel: Option<&dyn Channel>,
        outgoing: MessageInThread<'_>,
    ) -> Result<MessageStatus, StepError> {
        let MessageInThread { owed, prompt, id } = outgoing;
        let now = self.ports.clock.now();
        let contact = self.contact(request, prompt, brand, now).await?;
        let rendering = Rendering { request, prompt, brand, public_base: &self.public_base };
        let message = rendering.message(owed, id, contact, now);
        let sent = match channel {
            Some(_) if message.message.to.is_erased() => {
                Err(SendError::Unreachable { reason: NO_ADDRESS })
            }
            Some(channel) => send_twice_if_lost(channel, || channel.send_in_thread(&message)).await,
            None => Err(SendError::Misconfigured { reason: "channel_settings" }),
        };
        let name = &prompt.channel;
        Ok(match sent {
            Ok(AcceptedPrompt { .. }) => MessageStatus::Sent,
            Err(SendError::Unknown(error)) => {
                tracing::warn!(message.id = %id, channel.name = %name, error = %error, "channel's answer to a message was lost");
                MessageStatus::Unknown
            }
            Err(SendError::Again(error)) => {
                tracing::warn!(message.id = %id, channel.name = %name, error = %error, "channel was busy");
                MessageStatus::Busy
            }
            Err(SendError::Unreachable { reason }) => {
                if reason == OPTED_OUT && !guards::is_disabled(Guard::ReportedOptOut) {
                    self.record_opt_out(request).await?;
                }
                tracing::info!(message.id = %id, channel.name = %name, reason, "channel refused a message in the thread");
                MessageStatus::Failed
            }
            Err(SendError::Misconfigured { reason: "credentials" }) => {
                tracing::error!(message.id = %id, channel.name = %name, "channel rejected our credentials");
                self.refresh_secret(&request.brand).await;
                // They may have been rotated: nothing was sent, and the next try has the newest ones.
                MessageStatus::Busy
            }
            Err(SendError::Misconfigured { reason }) => {
                tracing::error!(message.id = %id, channel.name = %name, reason, "channel rejected our settings");
                MessageStatus::Failed
            }
        })
    }

    /// Records the status of a message. Another change may have been faster: then it is decided again.
    async fn record_message(
        &self,
        loaded: VersionedRequest,
        id: PromptId,
        status: MessageStatus,
    ) -> Result<VersionedRequest, StepError> {
        let updated = update(&self.ports, loaded, |request, now| -> Result<_, StepError> {
            Ok(Decision::<()>::from(request.record_message(id, status, now)))
        });
        match updated.await? {
            Updated::Stored(stored) => Ok(stored),
            Updated::Stopped(()) | Updated::Absent => Err(StoreError::Conflict.into()),
        }
    }
}
