//! The messages in the thread of a prompt: beside one without a button that denies, and after the customer's answer.
//!
//! A message is owed by the state of its request and recorded before it is sent. Each fact has at most one message.

use serde::{Deserialize, Serialize};

use super::{Change, PromptRecord, PromptStatus, Request, State};
use crate::consent::ApprovalMethod;
use crate::guards;
use crate::guards::Guard;
use crate::journal::EntryKind;
use crate::outcome::{DenialReason, Outcome};
use crate::values::id::PromptId;
use crate::values::time::Timestamp;

/// How often a busy channel is tried with one message.
const TRIES_MAX: u32 = 3;

/// The answers to a prompt that get a message in its thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowUp {
    /// None, as on a channel whose every message costs the brand money.
    #[default]
    Never,
    /// The answers that came in the thread itself.
    Replies,
    /// Also the answers on the page, whose end gets a message.
    Always,
}

impl FollowUp {
    /// Returns whether no answer gets a message.
    #[must_use]
    pub fn is_never(&self) -> bool {
        *self == Self::Never
    }
}

/// The threads of a request's prompts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// The newest answer that counted; `None` before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// The prompts whose buttons were tapped when they no longer counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spent: Vec<PromptId>,
    /// The prompt in whose thread the customer reported "this is not me" after a denial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<PromptId>,
    /// The prompts whose own message has no button that denies. A message beside each has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_deny: Vec<PromptId>,
    /// The messages, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<ThreadMessage>,
}

impl Thread {
    /// Returns whether the customer never answered, and no prompt has a message beside it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.answer.is_none()
            && self.spent.is_empty()
            && self.reported.is_none()
            && self.without_deny.is_empty()
            && self.messages.is_empty()
    }
}

/// An answer that counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The prompt that was answered.
    pub prompt: PromptId,
    /// Whether it came in the thread. The page shows its own result.
    pub in_thread: bool,
}

/// A fact that the customer reads in the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum ThreadFact {
    /// The request ended.
    Ended,
    /// An attempt failed, and the customer may try again.
    AttemptFailed {
        /// The attempt's number, from 1.
        attempt_no: u32,
    },
    /// A tapped button no longer counted.
    Spent {
        /// The prompt of the button.
        prompt: PromptId,
    },
    /// The report "this is not me" was taken.
    Reported,
    /// The customer may deny a prompt whose own message has no button for it.
    WayOut {
        /// The prompt that has no such button.
        prompt: PromptId,
    },
}

/// A message in the thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadMessage {
    /// The message's id, which is its idempotency key where a provider accepts one.
    pub id: PromptId,
    /// The fact that it tells.
    pub fact: ThreadFact,
    /// The prompt in whose thread it is.
    pub prompt: PromptId,
    /// When it was first about to be sent.
    pub at: Timestamp,
    /// The latest status.
    pub status: MessageStatus,
    /// How often a channel was busy.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tries: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The status of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// About to be sent, or sent by a worker that died.
    Sending,
    /// The channel was busy and took nothing.
    Busy,
    /// The provider accepted it.
    Sent,
    /// The provider's answer was lost: it may arrive.
    Unknown,
    /// The channel refused it.
    Failed,
    /// It was not sent, since the customer opted out or it was not needed.
    Withheld,
}

impl MessageStatus {
    /// Returns whether the message is still to be sent.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Sending | Self::Busy => true,
            Self::Sent | Self::Unknown | Self::Failed | Self::Withheld => false,
        }
    }
}

/// A message that a request owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwedMessage {
    /// The fact to tell.
    pub fact: ThreadFact,
    /// The prompt in whose thread it is told.
    pub prompt: PromptId,
    /// The record of it; `None` before the first try.
    pub record: Option<(PromptId, MessageStatus)>,
}

impl ApprovalMethod {
    /// Returns whether an answer by this method comes in the thread of the prompt.
    #[must_use]
    pub const fn is_in_thread(self) -> bool {
        match self {
            Self::Tap | Self::Paid | Self::Reply | Self::SandboxTap => true,
            Self::Page => false,
        }
    }
}

impl Change {
    /// Records the answers that get a message in the thread of a prompt that this change begins.
    #[must_use]
    pub fn with_follow_up(mut self, id: PromptId, follow_up: FollowUp) -> Self {
        if let Some(prompt) = self.request.prompts.iter_mut().find(|prompt| prompt.id == id) {
            prompt.follow_up = follow_up;
        }
        self
    }

    /// Records that the message of a prompt which this change begins has no button that denies.
    #[must_use]
    pub fn without_deny(mut self, id: PromptId) -> Self {
        self.request.thread.without_deny.push(id);
        self
    }

    /// Records the prompt that this change answers. A change of nothing stays so.
    #[must_use]
    pub fn answered(mut self, prompt: PromptId, method: ApprovalMethod) -> Self {
        if !self.is_nothing() {
            self.request.thread.answer = Some(Answer { prompt, in_thread: method.is_in_thread() });
        }
        self
    }
}

impl Request {
    /// Returns whether nothing was heard of a prompt. An answer is heard, also where no receipt came.
    pub(super) fn is_silent(&self, prompt: &PromptRecord) -> bool {
        let is_answered =
            self.thread.answer.as_ref().is_some_and(|answer| answer.prompt == prompt.id);
        prompt.lacks_receipt() && !is_answered
    }

    /// Returns the next message that the thread owes; `None` where nothing is owed.
    #[must_use]
    pub fn owed_message(&self) -> Option<OwedMessage> {
        let opted_out = matches!(
            &self.state,
            State::Closed { outcome: Outcome::Denied { reason: DenialReason::OptedOut }, .. }
        );
        if opted_out || self.erased_at.is_some() {
            return None;
        }
        let of_answer = self.fact_of_answer();
        let spent = self.thread.spent.iter().map(|prompt| {
            let prompt = *prompt;
            (ThreadFact::Spent { prompt }, prompt)
        });
        let reported = self.thread.reported.map(|prompt| (ThreadFact::Reported, prompt));
        let facts = of_answer.into_iter().chain(spent).chain(reported).chain(self.ways_out());
        let owed = facts.map(|(fact, prompt)| {
            let record = self.thread.messages.iter().find(|message| message.fact == fact);
            let record = record.filter(|_| !guards::is_disabled(Guard::OneMessagePerFact));
            let record = record.map(|message| (message.id, message.status));
            OwedMessage { fact, prompt, record }
        });
        let is_open = |owed: &OwedMessage| owed.record.is_none_or(|(_, status)| status.is_open());
        owed.into_iter().find(is_open)
    }

    /// Returns the facts about the prompts that are out and cannot be denied by a button of their own.
    fn ways_out(&self) -> impl Iterator<Item = (ThreadFact, PromptId)> {
        let is_open = self.is_open_to_answers() || guards::is_disabled(Guard::WayOutWhileOpen);
        let prompts = self.thread.without_deny.iter().filter(move |_| is_open);
        prompts.filter_map(|id| {
            let prompt = self.prompt(*id).filter(|prompt| prompt.may_have_arrived())?.id;
            Some((ThreadFact::WayOut { prompt }, prompt))
        })
    }

    /// Returns the fact that follows from the customer's answer, with the prompt that they answered.
    fn fact_of_answer(&self) -> Option<(ThreadFact, PromptId)> {
        let answer = self.thread.answer?;
        let fact = match &self.state {
            State::Closed { .. } => ThreadFact::Ended,
            State::Pending | State::Prompted => {
                let attempt_no = self.attempts.last()?.attempt_no;
                ThreadFact::AttemptFailed { attempt_no }
            }
            State::Authorized { .. } | State::Processing { .. }
                if guards::is_disabled(Guard::MessageAfterFact) =>
            {
                ThreadFact::Ended
            }
            State::Authorized { .. } | State::Processing { .. } => return None,
        };
        let is_due = match self.prompt(answer.prompt)?.follow_up {
            FollowUp::Never => false,
            FollowUp::Replies => answer.in_thread,
            FollowUp::Always => answer.in_thread || fact == ThreadFact::Ended,
        };
        is_due.then_some((fact, answer.prompt))
    }

    /// Records that a message is about to be sent, for the first time or after its channel was busy.
    #[must_use]
    pub fn begin_message(&self, owed: &OwedMessage, id: PromptId, now: Timestamp) -> Change {
        self.put_message(owed, id, MessageStatus::Sending, now)
    }

    /// Records that a message is not sent, since the customer opted out or it is not needed.
    #[must_use]
    pub fn withhold_message(&self, owed: &OwedMessage, id: PromptId, now: Timestamp) -> Change {
        self.put_message(owed, id, MessageStatus::Withheld, now)
    }

    fn put_message(
        &self,
        owed: &OwedMessage,
        id: PromptId,
        status: MessageStatus,
        now: Timestamp,
    ) -> Change {
        let OwedMessage { fact, prompt, .. } = *owed;
        let mut change = Change::of(self, now);
        let messages = &mut change.request.thread.messages;
        match messages.iter_mut().find(|message| message.id == id) {
            Some(message) => message.status = status,
            None => messages.push(ThreadMessage { id, fact, prompt, at: now, status, tries: 0 }),
        }
        change.with_entry(EntryKind::Message { message: id, fact, status })
    }

    /// Records the status of a message. A status of a message that is settled changes nothing.
    ///
    /// A channel that is busy for the last time fails the message.
    #[must_use]
    pub fn record_message(&self, id: PromptId, status: MessageStatus, now: Timestamp) -> Change {
        let mut change = Change::of(self, now);
        let messages = &mut change.request.thread.messages;
        let Some(message) = messages.iter_mut().find(|message| message.id == id) else {
            return change;
        };
        let is_late_answer =
            message.status == MessageStatus::Unknown && status == MessageStatus::Sent;
        if !message.status.is_open() && !is_late_answer {
            return change;
        }
        let mut status = status;
        if status == MessageStatus::Busy {
            message.tries = message.tries.saturating_add(1);
            if message.tries >= TRIES_MAX {
                status = MessageStatus::Failed;
            }
        }
        message.status = status;
        let fact = message.fact;
        change.with_entry(EntryKind::Message { message: id, fact, status })
    }

    /// Records that the customer tapped a button of a prompt which no longer counts.
    ///
    /// Nothing changes where it is known, or where the thread gets no messages.
    #[must_use]
    pub fn record_spent_tap(&self, prompt: PromptId, now: Timestamp) -> Change {
        let mut change = Change::of(self, now);
        let is_known = self.thread.spent.contains(&prompt);
        if is_known
            || self.erased_at.is_some()
            || !self.prompt(prompt).is_some_and(PromptRecord::has_follow_up)
        {
            return change;
        }
        change.request.thread.spent.push(prompt);
        change.with_entry(EntryKind::SpentTap { prompt })
    }
}

impl PromptRecord {
    /// Returns whether an answer in its thread gets a message.
    #[must_use]
    pub fn has_follow_up(&self) -> bool {
        !self.follow_up.is_never()
    }

    /// Returns whether a channel took it, or may have taken it, and it counts.
    fn may_have_arrived(&self) -> bool {
        self.is_out() && self.status != PromptStatus::Sending
    }
}
