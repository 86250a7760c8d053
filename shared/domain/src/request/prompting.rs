//! Picks the next route and records the delivery status of each prompt.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::closing::PROMPTS_MAX;
use super::{Change, FollowUp, Request, State, WebhookEventType};
use crate::journal::{DeliveryStatus, EntryKind};
use crate::outcome::Outcome;
use crate::values::id::PromptId;
use crate::values::name::ChannelName;
use crate::values::time::Timestamp;

/// The reason of a prompt that a busy channel did not take.
pub const CHANNEL_BUSY: &str = "channel_busy";
/// How long a busy channel is left alone before it is tried once more.
pub const BUSY_RETRY: Duration = Duration::from_secs(2);

/// A prompt of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and any mix of them can be true"
)]
pub struct PromptRecord {
    /// The prompt's id.
    pub id: PromptId,
    /// The channel that the prompt was sent over.
    pub channel: ChannelName,
    /// The latest delivery status.
    pub status: PromptStatus,
    /// When it was first about to be sent.
    pub at: Timestamp,
    /// The provider's id; `None` before the provider accepted it.
    pub provider_id: Option<String>,
    /// Whether it is a reminder.
    pub reminder: bool,
    /// Whether its consent page was opened.
    pub opened: bool,
    /// Whether its channel was asked to retract it.
    pub taken_back: bool,
    /// Whether the channel reports delivery, so that a missing receipt means something.
    pub tells_delivery: bool,
    /// The MAC by send-prompt over what is asked of whom; `None` for a prompt from before there were MACs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// The answers that get a message in its thread.
    #[serde(default, skip_serializing_if = "FollowUp::is_never")]
    pub follow_up: FollowUp,
}

/// The status of a prompt. It moves forward only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptStatus {
    /// About to be sent, or sent by a worker that died.
    Sending,
    /// The provider's answer was lost: the prompt may arrive.
    Unknown,
    /// The provider accepted the prompt.
    Accepted,
    /// The prompt reached the phone.
    Delivered,
    /// The prompt was read.
    Read,
    /// A newer prompt replaced it: an answer no longer counts.
    Superseded,
    /// The prompt will not arrive.
    Failed,
}

/// The next step of a request's prompts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextPrompt {
    /// Nothing: a prompt is out, or the request needs none.
    None,
    /// Send this recorded prompt, which may have been sent.
    Again(PromptId),
    /// Begin a prompt over the next route.
    Route(ChannelName),
    /// Begin a reminder over the last route.
    Remind(ChannelName),
    /// Ends the request, since no route is left.
    Undeliverable,
}

impl PromptRecord {
    /// Returns whether it may be on the customer's phone and counts.
    #[must_use]
    pub const fn is_out(&self) -> bool {
        match self.status {
            PromptStatus::Sending
            | PromptStatus::Unknown
            | PromptStatus::Accepted
            | PromptStatus::Delivered
            | PromptStatus::Read => true,
            PromptStatus::Superseded | PromptStatus::Failed => false,
        }
    }

    /// Returns whether an answer to it counts.
    #[must_use]
    pub const fn in_force(&self) -> bool {
        // A failed prompt with an answer was delivered after all.
        !matches!(self.status, PromptStatus::Superseded)
    }

    pub(super) fn lacks_receipt(&self) -> bool {
        let unheard = match self.status {
            PromptStatus::Sending | PromptStatus::Unknown | PromptStatus::Accepted => true,
            PromptStatus::Delivered
            | PromptStatus::Read
            | PromptStatus::Superseded
            | PromptStatus::Failed => false,
        };
        unheard && self.tells_delivery && !self.opened
    }
}

impl Request {
    /// Returns the next step of the prompts.
    #[must_use]
    pub fn next_prompt(&self, now: Timestamp) -> NextPrompt {
        if !self.is_open_to_answers() || now >= self.expires_at {
            return NextPrompt::None;
        }
        let left = self.routes.get(self.routes_used);
        let room = self.has_room();
        match (self.prompts.iter().rev().find(|prompt| prompt.is_out()), left) {
            (Some(last), _) if last.status == PromptStatus::Sending => NextPrompt::Again(last.id),
            (Some(last), Some(next))
                if room && self.is_silent(last) && now >= last.at.after(self.fallback()) =>
            {
                NextPrompt::Route(next.clone())
            }
            (Some(last), _) if room && self.reminds_at().is_some_and(|at| now >= at) => {
                NextPrompt::Remind(last.channel.clone())
            }
            (Some(_), _) => NextPrompt::None,
            (None, Some(next)) if room => NextPrompt::Route(next.clone()),
            (None, _) => self.without_route(),
        }
    }

    /// Returns the wait before the next prompt goes out: none, except for the busy channel of `failed` again.
    ///
    /// Another route is better than waiting for a busy one.
    #[must_use]
    pub fn busy_wait(&self, failed: PromptId, now: Timestamp) -> Duration {
        let channel = self.prompt(failed).map(|prompt| prompt.channel.clone());
        match (self.next_prompt(now), channel) {
            (NextPrompt::Route(next), Some(channel)) if next == channel => BUSY_RETRY,
            (
                NextPrompt::None
                | NextPrompt::Again(_)
                | NextPrompt::Route(_)
                | NextPrompt::Remind(_)
                | NextPrompt::Undeliverable,
                _,
            ) => Duration::ZERO,
        }
    }

    /// Returns whether a prompt is owed or being sent. Sending is short: if it lasts, the worker died.
    pub(super) fn awaits_sending(&self) -> bool {
        let last = self.prompts.iter().rev().find(|prompt| prompt.is_out());
        let is_owed = self.routes_used < self.routes.len() || !self.waits_for_entry();
        last.map_or(is_owed, |last| last.status == PromptStatus::Sending)
    }

    fn has_room(&self) -> bool {
        self.prompts.len() < PROMPTS_MAX
    }

    /// Returns when the next route is tried; `None` where no receipt is awaited or no route is left.
    pub(super) fn falls_back_at(&self) -> Option<Timestamp> {
        self.routes.get(self.routes_used).filter(|_| self.has_room())?;
        let silent = self.prompts.iter().rev().find(|prompt| self.is_silent(prompt))?;
        Some(silent.at.after(self.fallback()))
    }

    /// Returns the end of a prompt's useful delivery: the deadline, or the fallback to another route.
    #[must_use]
    pub fn delivers_by(&self, prompt: &PromptRecord) -> Timestamp {
        let another = self.routes.get(self.routes_used).filter(|_| self.has_room());
        match another.filter(|_| prompt.tells_delivery) {
            Some(_) => prompt.at.after(self.fallback()).min(self.expires_at),
            None => self.expires_at,
        }
    }

    /// Returns when the customer is reminded; `None` where no reminder is due.
    ///
    /// A request of at least ten minutes has one, half-way to its deadline, if the prompt arrived unopened.
    pub(super) fn reminds_at(&self) -> Option<Timestamp> {
        let life = self.created_at.until(self.expires_at);
        let last = self.prompts.iter().rev().find(|prompt| prompt.is_out())?;
        let unheeded = !self.prompts.iter().any(|prompt| prompt.opened || prompt.reminder);
        let arrived = matches!(last.status, PromptStatus::Delivered | PromptStatus::Read);
        (life >= Duration::from_secs(600)
            && self.has_room()
            && unheeded
            && arrived
            && self.attempts.is_empty())
        .then(|| self.created_at.after(life / 2))
    }

    /// Records that a prompt is about to be sent. It supersedes earlier ones, unless it is a reminder.
    #[must_use]
    pub fn begin_prompt(
        &self,
        id: PromptId,
        channel: &ChannelName,
        tells_delivery: bool,
        now: Timestamp,
    ) -> Change {
        let reminder = self.next_prompt(now) == NextPrompt::Remind(channel.clone());
        let mut change = Change::of(self, now);
        if !reminder {
            change.request.silence_all();
            change.request.routes_used = change.request.routes_used.saturating_add(1);
        }
        change.request.prompts.push(PromptRecord {
            id,
            channel: channel.clone(),
            status: PromptStatus::Sending,
            at: now,
            provider_id: None,
            reminder,
            opened: false,
            taken_back: false,
            tells_delivery,
            mac: None,
            follow_up: FollowUp::Never,
        });
        change.with_entry(EntryKind::Sending { prompt: id, channel: channel.clone(), reminder })
    }

    /// Supersedes every prompt that is out.
    pub(super) fn silence_all(&mut self) {
        for prompt in self.prompts.iter_mut().filter(|prompt| prompt.is_out()) {
            prompt.status = PromptStatus::Superseded;
        }
    }

    /// Records the delivery status of a prompt. A known or older status changes nothing.
    #[must_use]
    pub fn record_delivery_status(
        &self,
        id: PromptId,
        delivery_status: DeliveryStatus,
        provider_id: Option<String>,
        now: Timestamp,
    ) -> Change {
        let mut change = Change::of(self, now);
        let Some(prompt) = change.request.prompts.iter_mut().find(|prompt| prompt.id == id) else {
            return change;
        };
        if self.is_closed() || !moves(prompt, &delivery_status) {
            return change;
        }
        settle(prompt, &delivery_status);
        if provider_id.is_some() {
            prompt.provider_id = provider_id;
        }
        let channel = prompt.channel.clone();
        // A lost answer does not show that the channel accepted the prompt. The next status decides.
        let taken = matches!(
            delivery_status,
            DeliveryStatus::Accepted
                | DeliveryStatus::Delivered
                | DeliveryStatus::Read
                | DeliveryStatus::Opened
        );
        let was_pending = matches!(self.state, State::Pending);
        if was_pending && taken {
            change.request.state = State::Prompted;
        }
        let reason = match &delivery_status {
            DeliveryStatus::Failed { reason } => Some(reason.clone()),
            DeliveryStatus::Accepted
            | DeliveryStatus::Unknown
            | DeliveryStatus::Delivered
            | DeliveryStatus::Read
            | DeliveryStatus::Opened
            | DeliveryStatus::Superseded { .. } => None,
        };
        change =
            change.with_timeline_entry(delivery_status.word(), Some(&channel), reason.as_deref());
        if was_pending && taken {
            change = change.with_webhook(WebhookEventType::Prompted);
        }
        if let Some(webhook) = webhook_of(&delivery_status) {
            change = change.with_webhook(webhook);
        }
        change.with_entry(EntryKind::Prompt { prompt: id, delivery_status })
    }

    /// Records that a prompt failed as outside the channel's window, and makes the same channel the next route, once.
    #[must_use]
    pub fn record_outside_window(&self, id: PromptId, reason: &str, now: Timestamp) -> Change {
        let status = DeliveryStatus::Failed { reason: reason.to_owned() };
        let mut change = self.record_delivery_status(id, status, None, now);
        let Some(channel) = self.prompt(id).map(|prompt| prompt.channel.clone()) else {
            return change;
        };
        let tried = self.prompts.iter().filter(|prompt| prompt.channel == channel).count();
        if change.is_nothing()
            || tried > 1
            || self.routes.len() >= PROMPTS_MAX
            || !self.is_open_to_answers()
        {
            return change;
        }
        let next = self.routes_used.min(self.routes.len());
        change.request.routes.insert(next, channel.clone());
        change.with_entry(EntryKind::Requeued { channel })
    }

    /// Moves a busy channel behind the other routes, at most three times.
    #[must_use]
    pub fn route_again(&self, channel: &ChannelName, now: Timestamp) -> Change {
        self.requeued(Change::of(self, now), channel)
    }

    /// Records that a prompt did not arrive for a cause that passes. Its channel is tried again after the other routes.
    #[must_use]
    pub fn record_busy(&self, id: PromptId, now: Timestamp) -> Change {
        let status = DeliveryStatus::Failed { reason: CHANNEL_BUSY.to_owned() };
        let change = self.record_delivery_status(id, status, None, now);
        let channel = change.request.prompt(id).map(|prompt| prompt.channel.clone());
        let another_is_out = change.request.prompts.iter().any(PromptRecord::is_out);
        match channel {
            Some(channel) if !change.is_nothing() && !another_is_out => {
                self.requeued(change, &channel)
            }
            Some(_) | None => change,
        }
    }

    fn requeued(&self, mut change: Change, channel: &ChannelName) -> Change {
        let tried = self.prompts.iter().filter(|prompt| prompt.channel == *channel).count();
        if tried >= 3 || self.routes.len() >= PROMPTS_MAX || !self.is_open_to_answers() {
            return change;
        }
        change.request.routes.push(channel.clone());
        change.with_entry(EntryKind::Requeued { channel: channel.clone() })
    }

    /// Ends the request, since no route is left.
    #[must_use]
    pub fn undeliverable(&self, now: Timestamp) -> Change {
        let lost = self.timeline.iter().rev().find_map(|fact| fact.reason.clone());
        let reason = lost.unwrap_or_else(|| "no_route".to_owned());
        self.closed(Outcome::Undeliverable { reason: reason.clone() }, now)
            .with_entry(EntryKind::Undeliverable { reason })
            .with_webhook(WebhookEventType::Undeliverable)
    }
}

/// Returns whether a status is new. Receipts come twice, late and out of order.
fn moves(prompt: &PromptRecord, delivery_status: &DeliveryStatus) -> bool {
    let status = prompt.status;
    match delivery_status {
        DeliveryStatus::Accepted => status < PromptStatus::Accepted,
        DeliveryStatus::Unknown => status == PromptStatus::Sending,
        DeliveryStatus::Delivered => status < PromptStatus::Delivered,
        DeliveryStatus::Read => status < PromptStatus::Read,
        DeliveryStatus::Opened => !prompt.opened && prompt.in_force(),
        DeliveryStatus::Failed { .. } => status < PromptStatus::Delivered,
        DeliveryStatus::Superseded { .. } => {
            status == PromptStatus::Superseded && !prompt.taken_back
        }
    }
}

const fn settle(prompt: &mut PromptRecord, delivery_status: &DeliveryStatus) {
    match delivery_status {
        DeliveryStatus::Accepted => prompt.status = PromptStatus::Accepted,
        DeliveryStatus::Unknown => prompt.status = PromptStatus::Unknown,
        DeliveryStatus::Delivered => prompt.status = PromptStatus::Delivered,
        DeliveryStatus::Read => prompt.status = PromptStatus::Read,
        DeliveryStatus::Opened => prompt.opened = true,
        DeliveryStatus::Failed { .. } => prompt.status = PromptStatus::Failed,
        DeliveryStatus::Superseded { .. } => prompt.taken_back = true,
    }
}

const fn webhook_of(delivery_status: &DeliveryStatus) -> Option<WebhookEventType> {
    match delivery_status {
        DeliveryStatus::Delivered => Some(WebhookEventType::Delivered),
        DeliveryStatus::Read => Some(WebhookEventType::Read),
        DeliveryStatus::Opened => Some(WebhookEventType::Opened),
        DeliveryStatus::Accepted
        | DeliveryStatus::Unknown
        | DeliveryStatus::Failed { .. }
        | DeliveryStatus::Superseded { .. } => None,
    }
}
