//! The record of one attempt at the processor.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Redirect;
use crate::guards;
use crate::guards::Guard;
use crate::processor_result::{Reference, ReportedResult};
use crate::values::name::ProcessorName;
use crate::values::time::Timestamp;

/// A message that is so much later than due was lost.
pub(super) const LOST: Duration = Duration::from_secs(10);
/// How much sooner than due a message may come and still be the one that was sent for that time.
const EARLY: Duration = Duration::from_secs(1);

/// One attempt to use the authorization: what every attempt has, and its state.
///
/// A worker commits the record of each step before it takes that step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The attempt's number within its request, from 1.
    pub attempt_no: u32,
    /// The processor where it is made.
    pub processor: ProcessorName,
    /// When it began.
    pub begun_at: Timestamp,
    /// How many runs it had.
    pub tries: u32,
    /// When it is to be run again, once it was released. A message that comes sooner says that there may be a new result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// The customer's redirect to the processor's page. It ends with the attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect: Option<Redirect>,
    /// The result that a webhook reported. It ends with the attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<ReportedResult>,
    /// Whether the processor had cancelled it when it ended. A success that is reported later is older.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
    /// How far it is.
    pub state: AttemptState,
}

/// The progress of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum AttemptState {
    /// The processor has no object for it yet, as far as is known.
    Begun,
    /// The processor's object exists, and no money can have moved.
    Created {
        /// The processor's id of the object.
        reference: Reference,
    },
    /// The call that moves money was made, or is about to be made.
    Started {
        /// The processor's id of the object.
        reference: Reference,
        /// When the call was first about to be made.
        started_at: Timestamp,
        /// Whether the money may have moved with the answer lost. It is so from before the call until an answer says
        /// otherwise.
        in_doubt: bool,
        /// Whether the requester was told of the doubt.
        doubt_reported: bool,
    },
    /// It ended.
    Ended {
        /// How it ended.
        end: AttemptEnd,
        /// The processor's id of the object, where there was one.
        #[serde(skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
        /// When the call that moves money was first about to be made, if it was.
        #[serde(skip_serializing_if = "Option::is_none")]
        started_at: Option<Timestamp>,
    },
}

/// The end of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptEnd {
    /// The money moved.
    Charged,
    /// The money did not move and never will.
    NotCharged,
}

impl Attempt {
    /// Begins an attempt.
    pub(super) const fn begin(attempt_no: u32, processor: ProcessorName, now: Timestamp) -> Self {
        Self {
            attempt_no,
            processor,
            begun_at: now,
            tries: 1,
            retry_at: None,
            redirect: None,
            reported: None,
            cancelled: false,
            state: AttemptState::Begun,
        }
    }

    /// Returns how it ended; `None` while it is open.
    #[must_use]
    pub const fn end(&self) -> Option<AttemptEnd> {
        match &self.state {
            AttemptState::Ended { end, .. } => Some(*end),
            AttemptState::Begun | AttemptState::Created { .. } | AttemptState::Started { .. } => {
                None
            }
        }
    }

    /// Returns whether it has not ended.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.end().is_none()
    }

    /// Returns the processor's id of the object, once there is one.
    #[must_use]
    pub const fn reference(&self) -> Option<&Reference> {
        match &self.state {
            AttemptState::Begun => None,
            AttemptState::Created { reference } | AttemptState::Started { reference, .. } => {
                Some(reference)
            }
            AttemptState::Ended { reference, .. } => reference.as_ref(),
        }
    }

    /// Returns when the call that moves money was first about to be made, if it was.
    #[must_use]
    pub const fn started_at(&self) -> Option<Timestamp> {
        match &self.state {
            AttemptState::Begun | AttemptState::Created { .. } => None,
            AttemptState::Started { started_at, .. } => Some(*started_at),
            AttemptState::Ended { started_at, .. } => *started_at,
        }
    }

    /// Returns whether the money may have moved with the answer lost.
    #[must_use]
    pub const fn is_in_doubt(&self) -> bool {
        matches!(self.state, AttemptState::Started { in_doubt: true, .. })
    }

    /// Returns whether the requester was told of a doubt.
    #[must_use]
    pub const fn is_doubt_reported(&self) -> bool {
        matches!(self.state, AttemptState::Started { doubt_reported: true, .. })
    }

    /// Returns whether a message that comes now was sent before it was due, because there may be a new result.
    #[must_use]
    pub fn is_early(&self, now: Timestamp) -> bool {
        self.retry_at.is_some_and(|at| now.after(EARLY) < at)
    }

    /// Returns when the message for its next run must have been lost, if it was to run again.
    #[must_use]
    pub fn lost_at(&self) -> Option<Timestamp> {
        self.retry_at.map(|at| at.after(LOST))
    }

    /// Makes it due after that wait, unless it is due later already: then the message for that is under way.
    pub(super) fn due_after(&mut self, wait: Duration, now: Timestamp) {
        if !self.is_early(now) {
            self.retry_at = Some(now.after(wait));
        }
    }

    /// Ends it, and forgets what it no longer needs: all of that is the customer's.
    pub(super) fn finish(&mut self, end: AttemptEnd) {
        let (reference, started_at) = (self.reference().cloned(), self.started_at());
        self.state = AttemptState::Ended { end, reference, started_at };
        if !guards::is_disabled(Guard::ForgetRedirect) {
            self.redirect = None;
        }
        let reported = self.reported.take();
        self.cancelled = reported.as_ref().is_some_and(ReportedResult::is_cancelled);
        self.retry_at = None;
    }
}
