//! Using the authorization at the processor, at most once: the lease, the attempt record, and what settles it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Change, Recall, Refusal, Request, SentOn, State, WebhookEventType};
use crate::consent::Consent;
use crate::guards::{self, Guard};
use crate::journal::EntryKind;
use crate::outcome::{Details, Outcome};
use crate::ports::{Reference, Told};
use crate::seal::Sealed;
use crate::values::name::ProcessorName;
use crate::values::time::Timestamp;

/// How long one worker has a request. Longer than its calls to the processor can take together.
pub const LEASE: Duration = Duration::from_secs(90);

/// One attempt to use the authorization. The record of each step is committed before the step is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which attempt, from 1.
    pub generation: u32,
    /// At which processor.
    pub processor: ProcessorName,
    /// When it was begun.
    pub at: Timestamp,
    /// The processor's id of the object it acts on, once there is one.
    pub reference: Option<Reference>,
    /// When the call that moves money was first about to be made, if it was.
    pub started_at: Option<Timestamp>,
    /// Whether the call may have moved money without our knowing: from the moment before it is made until an answer says
    /// otherwise.
    pub in_doubt: bool,
    /// Whether the requester was told so.
    pub doubt_told: bool,
    /// How many times the attempt was taken up.
    pub tries: u32,
    /// When it is to be taken up again, once it was given back. A message that comes sooner says that there may be news.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_at: Option<Timestamp>,
    /// How it ended, once it did.
    pub end: Option<AttemptEnd>,
    /// Where the customer went on to at the processor, and since when: sealed, and gone with the attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onward: Option<SentOn>,
    /// What the processor told of it by callback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

/// What is known of the money when a worker gives a request back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The processor said that nothing moved.
    None,
    /// As before: if the call was made, it may have moved.
    AsBefore,
    /// It may have moved, and the requester is told that this is not known.
    Told,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptEnd {
    /// The money moved.
    Charged,
    /// The money did not move and never will.
    NotCharged,
}

impl Request {
    /// The attempt that is not settled, if there is one.
    #[must_use]
    pub fn open_attempt(&self) -> Option<&Attempt> {
        self.attempts.last().filter(|attempt| attempt.end.is_none())
    }

    /// A worker takes the request to the processor, and with it the attempt that is open or a new one.
    ///
    /// # Errors
    /// [`Refusal::Leased`] while another worker has it, [`Refusal::Early`] without a yes, [`Refusal::Prompt`] when the yes
    /// is not to exactly this ask (C1), [`Refusal::Closed`].
    pub fn lease(&self, now: Timestamp) -> Result<Change, Refusal> {
        let (consent, sealed) = match &self.state {
            State::Pending | State::Prompted => return Err(Refusal::Early),
            State::Authorized { consent, sealed } => (consent, sealed),
            State::Processing { lease, .. } if now < *lease => return Err(Refusal::Leased),
            State::Processing { consent, sealed, .. } => (consent, sealed),
            State::Closed { .. } => return Err(Refusal::Closed),
        };
        let exact = crate::ask::AskHash::of(self.id, &self.brand, &self.payee, &self.ask);
        if consent.ask_hash != exact || consent.at >= self.expires_at {
            return Err(Refusal::Prompt);
        }
        let until = now.after(LEASE);
        let (consent, sealed) = (consent.clone(), sealed.clone());
        let mut change = Change::of(self, now);
        change.request.state = State::Processing { consent, sealed, lease: until };
        let is_open = |attempt: &&mut Attempt| {
            attempt.end.is_none() && !guards::is_disabled(Guard::OneOpenAttempt)
        };
        match change.request.attempts.last_mut().filter(is_open) {
            // Who looks because there may be news says nothing about how the processor is.
            Some(open) if open.is_early(now) => {}
            Some(open) => open.tries = open.tries.saturating_add(1),
            None => {
                let generation =
                    u32::try_from(self.attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
                change.request.attempts.push(Attempt {
                    generation,
                    processor: self.processor.clone(),
                    at: now,
                    reference: None,
                    started_at: None,
                    in_doubt: false,
                    doubt_told: false,
                    tries: 1,
                    again_at: None,
                    end: None,
                    onward: None,
                    told: None,
                });
            }
        }
        Ok(change.with_entry(EntryKind::Leased { until }))
    }

    /// The stored yes is not to what is stored as asked: somebody altered one of them. Nothing was charged and nothing will
    /// be.
    ///
    /// # Errors
    /// [`Refusal::Step`] once the request was at the processor: a person must look.
    pub fn voided(&self, now: Timestamp) -> Result<Change, Refusal> {
        match &self.state {
            State::Authorized { .. } if self.open_attempt().is_none() => {
                let reason = "consent_mismatch".to_owned();
                let change = self.closed(Outcome::Failed { reason: reason.clone() }, now);
                Ok(change
                    .with_entry(EntryKind::Failed { reason })
                    .with_webhook(WebhookEventType::Failed))
            }
            State::Closed { .. } => Err(Refusal::Closed),
            State::Pending
            | State::Prompted
            | State::Authorized { .. }
            | State::Processing { .. } => Err(Refusal::Step),
        }
    }

    /// The attempt's object is there; nothing has moved.
    ///
    /// # Errors
    /// [`Refusal::Step`] when the attempt is not in that step.
    pub fn prepared(&self, reference: Reference, now: Timestamp) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        if attempt.started_at.is_some() {
            return Err(Refusal::Step);
        }
        let generation = attempt.generation;
        attempt.reference = Some(reference.clone());
        Ok(change.with_entry(EntryKind::Prepared { generation, reference: reference.0 }))
    }

    /// The call that moves money is about to be made, now or again: committed before it is.
    ///
    /// # Errors
    /// [`Refusal::Step`] without an object to act on.
    pub fn started(&self, now: Timestamp) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        if attempt.reference.is_none() {
            return Err(Refusal::Step);
        }
        let generation = attempt.generation;
        attempt.started_at = attempt.started_at.or(Some(now));
        attempt.in_doubt = true;
        if let Some(onward) = &mut attempt.onward
            && !guards::is_disabled(Guard::CommitBeforeCodeUse)
        {
            onward.redeemed |= onward.returned_at.is_some();
        }
        Ok(change.with_entry(EntryKind::Started { generation }))
    }

    /// The worker gives the request back, to be taken up again after that wait.
    ///
    /// # Errors
    /// [`Refusal::Step`] when no worker has it.
    pub fn released(
        &self,
        reason: &str,
        doubt: Doubt,
        wait: Duration,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = self.given_back(now)?;
        let attempt = open(&mut change.request)?;
        let generation = attempt.generation;
        attempt.in_doubt &= doubt != Doubt::None;
        attempt.due_after(wait, now);
        let events = doubt == Doubt::Told && !attempt.doubt_told;
        attempt.doubt_told |= events;
        if events {
            change = change
                .with_timeline_entry("in_doubt", None, None)
                .with_entry(EntryKind::InDoubt { generation });
        }
        Ok(change.with_entry(EntryKind::Released { reason: reason.to_owned() }))
    }

    /// The money moved, the card is on file, the facts are here.
    ///
    /// # Errors
    /// [`Refusal::Step`] when the money was never about to move.
    pub fn fulfilled(
        &self,
        code: String,
        receipt: Details,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        if attempt.started_at.is_none() {
            return Err(Refusal::Step);
        }
        attempt.end = Some(AttemptEnd::Charged);
        attempt.forget();
        let generation = attempt.generation;
        let processor = attempt.processor.clone();
        let outcome = Outcome::Fulfilled { transaction_code: code, processor, receipt };
        change.request.state = State::Closed { outcome, at: now };
        Ok(change
            .with_entry(EntryKind::Fulfilled { generation })
            .with_webhook(WebhookEventType::Fulfilled))
    }

    /// The processor refused for good as far as this attempt goes: the customer may try again while there is time and
    /// an attempt left, and otherwise the request failed. The authorization is gone either way.
    ///
    /// # Errors
    /// [`Refusal::Step`] when no worker has it.
    pub fn refused(&self, code: &str, mendable: bool, now: Timestamp) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        attempt.end = Some(AttemptEnd::NotCharged);
        let recalled = attempt.onward.as_ref().and_then(|onward| onward.recalled);
        attempt.forget();
        let generation = attempt.generation;
        if recalled == Some(Recall::Requester) {
            change.request.state = State::Closed { outcome: Outcome::Cancelled, at: now };
            return Ok(change
                .with_entry(EntryKind::Cancelled)
                .with_webhook(WebhookEventType::Cancelled));
        }
        let used = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        if !mendable || now >= self.expires_at || used >= self.attempts_max {
            change.request.state =
                State::Closed { outcome: Outcome::Failed { reason: code.to_owned() }, at: now };
            let what = EntryKind::Failed { reason: code.to_owned() };
            return Ok(change.with_entry(what).with_webhook(WebhookEventType::Failed));
        }
        change.request.state = State::Prompted;
        Ok(change
            .with_timeline_entry("refused", None, Some(code))
            .with_entry(EntryKind::Refused { generation, code: code.to_owned() }))
    }

    /// The worker no longer has it, from now on.
    pub(super) fn given_back(&self, now: Timestamp) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        if let State::Processing { lease, .. } = &mut change.request.state {
            *lease = now;
        }
        Ok(change)
    }

    pub(super) fn at_processor(&self, now: Timestamp) -> Result<Change, Refusal> {
        match &self.state {
            State::Processing { .. } => Ok(Change::of(self, now)),
            State::Pending | State::Prompted | State::Authorized { .. } => Err(Refusal::Step),
            State::Closed { .. } => Err(Refusal::Closed),
        }
    }

    /// The yes and what it carries, while there is one.
    #[must_use]
    pub const fn approval(&self) -> Option<(&Consent, &Sealed)> {
        match &self.state {
            State::Authorized { consent, sealed } | State::Processing { consent, sealed, .. } => {
                Some((consent, sealed))
            }
            State::Pending | State::Prompted | State::Closed { .. } => None,
        }
    }
}

/// A message that is so much later than due was lost.
pub(super) const LOST: Duration = Duration::from_secs(10);
/// How much sooner than it is due a message may come and still be the one that was sent for it.
const EARLY: Duration = Duration::from_secs(1);

impl Attempt {
    /// Whether a message that comes now was not sent for when it is due: somebody heard that there may be news.
    #[must_use]
    pub fn is_early(&self, now: Timestamp) -> bool {
        self.again_at.is_some_and(|at| now.after(EARLY) < at)
    }

    /// When the message it is taken up again by must have been lost, if it was to be taken up again.
    #[must_use]
    pub fn lost_at(&self) -> Option<Timestamp> {
        self.again_at.map(|at| at.after(LOST))
    }

    /// Due after that wait, unless it is due later already: then the message for that is under way.
    pub(super) fn due_after(&mut self, wait: Duration, now: Timestamp) {
        if !self.is_early(now) {
            self.again_at = Some(now.after(wait));
        }
    }

    /// What an attempt that ended no longer needs: all of it is the customer's.
    fn forget(&mut self) {
        if !guards::is_disabled(Guard::ForgetRedirect) {
            self.onward = None;
        }
        self.told = None;
        self.again_at = None;
    }
}

pub(super) fn open(request: &mut Request) -> Result<&mut Attempt, Refusal> {
    request.attempts.last_mut().filter(|attempt| attempt.end.is_none()).ok_or(Refusal::Step)
}
