//! Accepts, extends, cancels and expires requests.

use std::time::Duration;

use super::{CancelRedirect, Change, Refusal, Request, State, WebhookEventType};
use crate::guards;
use crate::guards::Guard;
use crate::journal::EntryKind;
use crate::outcome::Outcome;
use crate::values::name::ChannelName;
use crate::values::time::Timestamp;

/// The longest time that a request may wait for an answer.
pub const LIFETIME_MAX: Duration = Duration::from_secs(7 * 86_400);
/// The extension when the customer asks for more time.
const CUSTOMER_EXTENSION: Duration = Duration::from_secs(300);
/// The most prompts of one request, with reminders and resends.
pub(super) const PROMPTS_MAX: usize = 12;

impl Request {
    /// Returns the first change of a request.
    #[must_use]
    pub fn accepted(self) -> Change {
        let at = self.created_at;
        Change::of(&self, at).with_entry(EntryKind::Accepted)
    }

    /// Cancels the request. A repeat changes nothing.
    ///
    /// While the customer is on the hosted page, it ends once that page can no longer be completed.
    ///
    /// # Errors
    /// [`Refusal::Authorized`] after any other approval; [`Refusal::Closed`] after another end.
    pub fn cancel(&self, now: Timestamp) -> Result<Change, Refusal> {
        match &self.state {
            State::Closed { outcome: Outcome::Cancelled, .. } => Ok(Change::of(self, now)),
            State::Closed { .. } if !guards::is_disabled(Guard::NoCancelAfterEnd) => {
                Err(Refusal::Closed)
            }
            State::Authorized { .. } if !guards::is_disabled(Guard::NoCancelAfterApproval) => {
                Err(Refusal::Authorized)
            }
            State::Processing { .. }
                if !guards::is_disabled(Guard::NoCancelAfterApproval)
                    && !guards::is_disabled(Guard::NoCancelOnHostedPage) =>
            {
                self.abandon(CancelRedirect::Requester, now).or(Err(Refusal::Authorized))
            }
            State::Pending
            | State::Prompted
            | State::Authorized { .. }
            | State::Processing { .. }
            | State::Closed { .. } => Ok(self
                .closed(Outcome::Cancelled, now)
                .with_entry(EntryKind::Cancelled)
                .with_webhook(WebhookEventType::Cancelled)),
        }
    }

    /// Expires the request once the deadline passed without an approval. Otherwise nothing changes.
    #[must_use]
    pub fn expire(&self, now: Timestamp) -> Change {
        let can_expire = match &self.state {
            State::Pending | State::Prompted => true,
            State::Authorized { .. } | State::Processing { .. } => {
                guards::is_disabled(Guard::NoExpiryAfterApproval)
            }
            State::Closed { .. } => false,
        };
        if !can_expire || now < self.expires_at {
            return Change::of(self, now);
        }
        self.closed(Outcome::Expired, now)
            .with_entry(EntryKind::Expired)
            .with_webhook(WebhookEventType::Expired)
    }

    /// Moves the deadline to `duration` from now, if that is later.
    ///
    /// # Errors
    /// [`Refusal`] when an answer can no longer count, or the request would exceed [`LIFETIME_MAX`].
    pub fn extend(&self, duration: Duration, now: Timestamp) -> Result<Change, Refusal> {
        self.extended(now.after(duration), false, now)
    }

    /// Moves the deadline at the customer's wish, once.
    ///
    /// # Errors
    /// [`Refusal::Limit`] the second time; [`Refusal`] when an answer can no longer count.
    pub fn extend_for_customer(&self, now: Timestamp) -> Result<Change, Refusal> {
        if self.customer_extended {
            return Err(Refusal::Limit);
        }
        self.extended(self.expires_at.after(CUSTOMER_EXTENSION), true, now)
    }

    fn extended(
        &self,
        until: Timestamp,
        by_customer: bool,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        self.answerable(now)?;
        if until > self.created_at.after(LIFETIME_MAX) {
            return Err(Refusal::Limit);
        }
        let mut change = Change::of(self, now);
        if until <= self.expires_at {
            return Ok(change);
        }
        change.request.expires_at = until;
        change.request.customer_extended |= by_customer;
        Ok(change
            .with_entry(EntryKind::Extended { until, by_customer })
            .with_timeline_entry("extended", None, None))
    }

    /// Resends the prompt, over `channel` or over the channel of the last prompt.
    ///
    /// # Errors
    /// [`Refusal::Limit`] when the request has the most prompts; [`Refusal`] when an answer can no longer count.
    pub fn resend(&self, channel: Option<&ChannelName>, now: Timestamp) -> Result<Change, Refusal> {
        self.answerable(now)?;
        if self.prompts.len() >= PROMPTS_MAX || self.routes.len() >= PROMPTS_MAX {
            return Err(Refusal::Limit);
        }
        let last = self.prompts.last().map(|prompt| &prompt.channel);
        let Some(next) = channel.or(last).or_else(|| self.routes.first()).cloned() else {
            return Err(Refusal::Limit);
        };
        let mut change = Change::of(self, now);
        // Another release may have written the item, so an index beyond the end means the end.
        let place = self.routes_used.min(self.routes.len());
        change.request.routes.insert(place, next);
        change.request.silence_all();
        Ok(change
            .with_entry(EntryKind::Resent { channel: channel.cloned() })
            .with_timeline_entry("resent", channel, None))
    }

    /// Checks that an answer can count at `now`.
    ///
    /// # Errors
    /// [`Refusal`] with the reason.
    pub fn answerable(&self, now: Timestamp) -> Result<(), Refusal> {
        match &self.state {
            State::Pending | State::Prompted if now >= self.expires_at => Err(Refusal::Late),
            State::Pending | State::Prompted => Ok(()),
            State::Authorized { .. } | State::Processing { .. } => Err(Refusal::Authorized),
            State::Closed { .. } => Err(Refusal::Closed),
        }
    }

    pub(super) fn closed(&self, outcome: Outcome, now: Timestamp) -> Change {
        let mut change = Change::of(self, now);
        change.request.state = State::Closed { outcome, at: now };
        change
    }
}
