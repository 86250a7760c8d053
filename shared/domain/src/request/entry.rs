//! A customer who begins a conversation by an entry link, on a channel where only customers can.

use super::closing::PROMPTS_MAX;
use super::{Change, NextPrompt, Refusal, Request};
use crate::ask::SessionKind;
use crate::journal::EntryKind;
use crate::values::name::ChannelName;
use crate::values::time::Timestamp;

/// The reason of a prompt on a channel where the customer has not begun yet.
pub const CUSTOMER_MUST_START: &str = "customer_must_start";

impl Request {
    /// Returns the channel on which the customer can begin now; `None` where no channel waits for that.
    ///
    /// A saved card is its customer's, and who begins by a link proves no number. So such an ask does not wait.
    #[must_use]
    pub fn entry_channel(&self) -> Option<&ChannelName> {
        let waits = self.is_open_to_answers() && self.entry.is_none() && self.ask.card().is_none();
        let refused = |reason: &Option<String>| reason.as_deref() == Some(CUSTOMER_MUST_START);
        let mut facts = self.timeline.iter().filter(|_| waits);
        let channel = facts.find(|fact| refused(&fact.reason))?.channel.as_ref()?;
        let mut out = self.prompts.iter().filter(|prompt| prompt.is_out());
        (!out.any(|prompt| prompt.channel == *channel)).then_some(channel)
    }

    /// Returns the next step where no route is left.
    pub(super) fn without_route(&self) -> NextPrompt {
        if self.waits_for_entry() { NextPrompt::None } else { NextPrompt::Undeliverable }
    }

    /// Returns whether the request waits for its customer to begin where no other route is left.
    ///
    /// On a call the requester cannot show a link, so that such a request ends.
    pub(super) fn waits_for_entry(&self) -> bool {
        match self.session.kind {
            SessionKind::Chat | SessionKind::InPerson => self.entry_channel().is_some(),
            SessionKind::Voice | SessionKind::Ivr => false,
        }
    }

    /// Records that a customer began on this channel, which is the next route from then on. Only the first one counts.
    ///
    /// # Errors
    /// [`Refusal::Step`] where the channel does not wait for a customer, [`Refusal::Limit`], or the refusals of an answer.
    pub fn begin_by_entry(&self, channel: &ChannelName, now: Timestamp) -> Result<Change, Refusal> {
        self.answerable(now)?;
        if self.entry_channel() != Some(channel) {
            return Err(Refusal::Step);
        }
        if self.prompts.len() >= PROMPTS_MAX || self.routes.len() >= PROMPTS_MAX {
            return Err(Refusal::Limit);
        }
        let mut change = Change::of(self, now);
        let next = self.routes_used.min(self.routes.len());
        change.request.routes.insert(next, channel.clone());
        change.request.entry = Some(channel.clone());
        change.request.silence_all();
        Ok(change.with_entry(EntryKind::Requeued { channel: channel.clone() }).with_timeline_entry(
            "began",
            Some(channel),
            None,
        ))
    }
}
