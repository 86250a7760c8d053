//! The use of an authorization at the processor, at most once: the lease, and the steps of the attempt.

use std::time::Duration;

use super::{
    Attempt, AttemptEnd, AttemptState, CancelRedirect, Change, Redirect, Refusal, Request, State,
    WebhookEventType,
};
use crate::ask::Ask;
use crate::consent::Consent;
use crate::guards;
use crate::guards::Guard;
use crate::journal::EntryKind;
use crate::outcome::{DenialReason, Details, Outcome};
use crate::processor_result::Reference;
use crate::seal::Sealed;
use crate::values::time::Timestamp;

/// How long one worker has a request: longer than its calls to the processor can take together.
pub const LEASE: Duration = Duration::from_secs(90);

/// A worker's knowledge of the money when it releases a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The processor said that nothing moved.
    Cleared,
    /// As before: if the call was made, the money may have moved.
    Unchanged,
    /// The money may have moved, and the requester is told so.
    Reported,
}

impl Request {
    /// Returns the attempt that has not ended, if there is one.
    #[must_use]
    pub fn open_attempt(&self) -> Option<&Attempt> {
        self.attempts.last().filter(|attempt| attempt.is_open())
    }

    /// Returns the open attempt if it is in doubt and the requester was told so.
    #[must_use]
    pub fn reported_doubt(&self) -> Option<&Attempt> {
        self.open_attempt().filter(|open| open.is_in_doubt() && open.is_doubt_reported())
    }

    /// Leases the request to a worker, together with the open attempt or a new one.
    ///
    /// # Errors
    /// - [`Refusal::Leased`] while another worker has it.
    /// - [`Refusal::Early`] without an approval.
    /// - [`Refusal::Prompt`] when the approval is not to exactly this ask (C1).
    /// - [`Refusal::Closed`].
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
            attempt.is_open() && !guards::is_disabled(Guard::OneOpenAttempt)
        };
        match change.request.attempts.last_mut().filter(is_open) {
            // A look for a new result says nothing about how the processor is.
            Some(open) if open.is_early(now) => {}
            Some(open) => open.tries = open.tries.saturating_add(1),
            None => {
                let attempt_no = self.next_attempt_no();
                let attempt = Attempt::begin(attempt_no, self.processor.clone(), now);
                change.request.attempts.push(attempt);
            }
        }
        Ok(change.with_entry(EntryKind::Leased { until }))
    }

    /// Fails a request whose stored approval is not to what is stored as asked: one of them was altered. Nothing was charged,
    /// and nothing will be.
    ///
    /// # Errors
    /// [`Refusal::Step`] once the request was at the processor: a person must look.
    pub fn reject_consent(&self, now: Timestamp) -> Result<Change, Refusal> {
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

    /// Records the attempt's object. Nothing has moved.
    ///
    /// # Errors
    /// [`Refusal::Step`] when the attempt is not in that step.
    pub fn record_created(&self, reference: Reference, now: Timestamp) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        match &attempt.state {
            AttemptState::Begun | AttemptState::Created { .. } => {}
            AttemptState::Started { .. } | AttemptState::Ended { .. } => return Err(Refusal::Step),
        }
        let attempt_no = attempt.attempt_no;
        attempt.state = AttemptState::Created { reference: reference.clone() };
        Ok(change.with_entry(EntryKind::Created { attempt_no, reference: reference.0 }))
    }

    /// Records that the call that moves money is about to be made, for the first time or again.
    ///
    /// # Errors
    /// [`Refusal::Step`] without an object to act on.
    pub fn record_started(&self, now: Timestamp) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        let attempt_no = attempt.attempt_no;
        match &mut attempt.state {
            AttemptState::Created { reference } => {
                let reference = reference.clone();
                let (in_doubt, doubt_reported) = (true, false);
                attempt.state =
                    AttemptState::Started { reference, started_at: now, in_doubt, doubt_reported };
            }
            AttemptState::Started { in_doubt, .. } => *in_doubt = true,
            AttemptState::Begun | AttemptState::Ended { .. } => return Err(Refusal::Step),
        }
        if let Some(redirect) = &mut attempt.redirect
            && !guards::is_disabled(Guard::CommitBeforeCodeUse)
        {
            redirect.redeem();
        }
        Ok(change.with_entry(EntryKind::Started { attempt_no }))
    }

    /// Releases the request, whose attempt is run again after that wait.
    ///
    /// # Errors
    /// [`Refusal::Step`] when no worker has it.
    pub fn release(
        &self,
        reason: &str,
        doubt: Doubt,
        wait: Duration,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = self.unleased(now)?;
        let attempt = open(&mut change.request)?;
        let attempt_no = attempt.attempt_no;
        attempt.due_after(wait, now);
        if attempt.resolve_doubt(doubt) {
            change = change
                .with_timeline_entry("in_doubt", None, None)
                .with_entry(EntryKind::InDoubt { attempt_no });
        }
        Ok(change.with_entry(EntryKind::Released { reason: reason.to_owned() }))
    }

    /// Fulfills the request: the money moved, the card is saved, or the claims are here.
    ///
    /// # Errors
    /// [`Refusal::Step`] when the money was never about to move, or when a card or claims came through another browser.
    pub fn fulfill(
        &self,
        code: String,
        receipt: Details,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        if attempt.started_at().is_none() || !self.may_keep() {
            return Err(Refusal::Step);
        }
        attempt.finish(AttemptEnd::Charged);
        let attempt_no = attempt.attempt_no;
        let processor = attempt.processor.clone();
        let outcome = Outcome::Fulfilled { transaction_code: code, processor, receipt };
        change.request.state = State::Closed { outcome, at: now };
        Ok(change
            .with_entry(EntryKind::Fulfilled { attempt_no })
            .with_webhook(WebhookEventType::Fulfilled))
    }

    /// Ends an attempt that never will charge. The authorization is gone.
    ///
    /// The customer may try again while there is time and an attempt left. Otherwise the request fails.
    ///
    /// # Errors
    /// [`Refusal::Step`] when no worker has it.
    pub fn record_declined(
        &self,
        code: &str,
        can_retry: bool,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        let abandoned_by = attempt.redirect.as_ref().and_then(Redirect::abandoned_by);
        attempt.finish(AttemptEnd::NotCharged);
        let attempt_no = attempt.attempt_no;
        if abandoned_by == Some(CancelRedirect::Requester) {
            change.request.state = State::Closed { outcome: Outcome::Cancelled, at: now };
            return Ok(change
                .with_entry(EntryKind::Cancelled)
                .with_webhook(WebhookEventType::Cancelled));
        }
        if abandoned_by == Some(CancelRedirect::WrongCode) {
            let reason = DenialReason::WrongSessionCode;
            change.request.state = State::Closed { outcome: Outcome::Denied { reason }, at: now };
            return Ok(change
                .with_entry(EntryKind::Denied { reason, prompt: None })
                .with_webhook(WebhookEventType::Denied));
        }
        let used = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        if !can_retry || now >= self.expires_at || used >= self.attempts_max {
            change.request.state =
                State::Closed { outcome: Outcome::Failed { reason: code.to_owned() }, at: now };
            let what = EntryKind::Failed { reason: code.to_owned() };
            return Ok(change.with_entry(what).with_webhook(WebhookEventType::Failed));
        }
        change.request.state = State::Prompted;
        // A customer who left, and an identity provider, declined no card.
        let is_card_declined = match &self.ask {
            Ask::Payment { .. } | Ask::PaymentMethod { .. } => code != "customer_left",
            Ask::Identity { .. } => false,
        };
        let word = if is_card_declined { "card_declined" } else { "attempt_failed" };
        Ok(change
            .with_timeline_entry(word, None, Some(code))
            .with_entry(EntryKind::AttemptFailed { attempt_no, code: code.to_owned() }))
    }

    /// Ends the lease now.
    pub(super) fn unleased(&self, now: Timestamp) -> Result<Change, Refusal> {
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

    /// Returns the approval and what it carries, while there is one.
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

impl Attempt {
    /// Applies what is known of the money. Returns whether the requester is now to be told of a doubt for the first time.
    const fn resolve_doubt(&mut self, doubt: Doubt) -> bool {
        let AttemptState::Started { in_doubt, doubt_reported, .. } = &mut self.state else {
            return false;
        };
        match doubt {
            Doubt::Cleared => {
                *in_doubt = false;
                false
            }
            Doubt::Unchanged => false,
            Doubt::Reported => {
                let is_new = !*doubt_reported;
                *doubt_reported = true;
                is_new
            }
        }
    }
}

pub(super) fn open(request: &mut Request) -> Result<&mut Attempt, Refusal> {
    request.attempts.last_mut().filter(|attempt| attempt.is_open()).ok_or(Refusal::Step)
}
