//! The report "this is not me", which keeps an address quiet for long and so is asked twice.

use std::time::Duration;

use super::{Change, Request, State};
use crate::journal::EntryKind;
use crate::outcome::{DenialReason, Outcome};
use crate::values::id::PromptId;
use crate::values::time::Timestamp;

/// Two taps on one button within this time are one.
const DOUBLE_TAP: Duration = Duration::from_secs(2);

impl Request {
    /// Returns whether the thread asks the customer, who denied, for the report "this is not me".
    ///
    /// A customer who reported on the page has confirmed it there.
    #[must_use]
    pub fn asks_not_me(&self) -> bool {
        let in_thread = self.thread.answer.is_some_and(|answer| answer.in_thread);
        self.denied_at(DenialReason::Customer).is_some()
            || (in_thread && self.denied_at(DenialReason::NotMe).is_some())
    }

    fn denied_at(&self, wanted: DenialReason) -> Option<Timestamp> {
        match &self.state {
            State::Closed { outcome: Outcome::Denied { reason }, at } if *reason == wanted => {
                Some(*at)
            }
            State::Closed { .. }
            | State::Pending
            | State::Prompted
            | State::Authorized { .. }
            | State::Processing { .. } => None,
        }
    }

    /// Records the customer's report "this is not me" after they denied. Otherwise nothing changes.
    ///
    /// The button of the prompt denies, and a second tap on it by the same movement confirms nothing.
    #[must_use]
    pub fn report_not_me(&self, prompt: PromptId, now: Timestamp) -> Change {
        let mut change = Change::of(self, now);
        let first_tap = self.denied_at(DenialReason::NotMe);
        let is_double_tap = first_tap.is_some_and(|first| now < first.after(DOUBLE_TAP));
        if !self.asks_not_me()
            || is_double_tap
            || self.erased_at.is_some()
            || self.thread.reported.is_some()
            || self.prompt(prompt).is_none()
        {
            return change;
        }
        change.request.thread.reported = Some(prompt);
        change.with_entry(EntryKind::NotMeReported { prompt })
    }
}
