//! A customer on the processor's page: redirected, returned or abandoned, and what the processor reports meanwhile.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fetching::open;
use super::{Change, Refusal, Request, State};
use crate::guards;
use crate::guards::Guard;
use crate::journal::EntryKind;
use crate::processor_result::ReportedResult;
use crate::seal::Sealed;
use crate::values::time::Timestamp;

/// A customer's redirect to the processor's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// The sealed address.
    pub sealed: Sealed,
    /// When the customer was redirected.
    pub at: Timestamp,
    /// Where the customer is.
    pub state: RedirectState,
}

/// Where a redirected customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum RedirectState {
    /// On the processor's page, as far as is known.
    OnHostedPage,
    /// The page is abandoned, and its attempt is to be cancelled.
    Abandoned {
        /// Who cancelled.
        by: CancelRedirect,
    },
    /// Back on our page, with something to use.
    Returned {
        /// When the customer returned.
        at: Timestamp,
        /// Whether what the customer brought was used, or is about to be.
        redeemed: bool,
    },
}

/// Who cancels a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelRedirect {
    /// The customer, who wants another payment option.
    Customer,
    /// The requester, who cancels the request.
    Requester,
}

impl Redirect {
    /// Returns when the customer returned with something to use, if they did.
    #[must_use]
    pub const fn returned_at(&self) -> Option<Timestamp> {
        match self.state {
            RedirectState::Returned { at, .. } => Some(at),
            RedirectState::OnHostedPage | RedirectState::Abandoned { .. } => None,
        }
    }

    /// Whether what the customer brought was used, or is about to be.
    #[must_use]
    pub const fn is_redeemed(&self) -> bool {
        matches!(self.state, RedirectState::Returned { redeemed: true, .. })
    }

    /// Returns who cancelled it, if it is abandoned.
    #[must_use]
    pub const fn abandoned_by(&self) -> Option<CancelRedirect> {
        match self.state {
            RedirectState::Abandoned { by } => Some(by),
            RedirectState::OnHostedPage | RedirectState::Returned { .. } => None,
        }
    }

    /// Marks what the customer brought as used, if they returned.
    pub(super) const fn redeem(&mut self) {
        if let RedirectState::Returned { redeemed, .. } = &mut self.state {
            *redeemed = true;
        }
    }
}

impl Request {
    /// Records that the customer goes to the processor's page at the `sealed` address, and releases the request.
    ///
    /// No worker waits for the customer. The next one looks after that wait, unless a result is reported before.
    ///
    /// # Errors
    /// [`Refusal::Step`] when the attempt is not at that point.
    pub fn record_redirected(
        &self,
        sealed: Sealed,
        wait: Duration,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = self.unleased(now)?;
        let attempt = open(&mut change.request)?;
        if attempt.started_at().is_none() {
            return Err(Refusal::Step);
        }
        let attempt_no = attempt.attempt_no;
        // A look at whether the customer is done says nothing about how the processor is.
        attempt.tries = 0;
        attempt.due_after(wait, now);
        if attempt.redirect.is_some() {
            return Ok(change.with_entry(EntryKind::Released { reason: "customer".to_owned() }));
        }
        attempt.redirect = Some(Redirect { sealed, at: now, state: RedirectState::OnHostedPage });
        Ok(change
            .with_timeline_entry("redirected", None, None)
            .with_entry(EntryKind::Redirected { attempt_no }))
    }

    /// Records that the customer returned with something to use, which replaces what the approval carried. A repeat changes
    /// nothing.
    ///
    /// # Errors
    /// - [`Refusal::Step`] when that attempt redirected no customer, or is to be cancelled.
    /// - [`Refusal::Closed`].
    pub fn record_returned(
        &self,
        attempt_no: u32,
        sealed: Sealed,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        let ours =
            attempt.attempt_no == attempt_no || guards::is_disabled(Guard::ReturnForOpenAttempt);
        let redirect = attempt.redirect.as_mut().filter(|_| ours).ok_or(Refusal::Step)?;
        let redeemed = match redirect.state {
            RedirectState::OnHostedPage => false,
            RedirectState::Abandoned { .. } => return Err(Refusal::Step),
            RedirectState::Returned { redeemed, .. } if guards::is_disabled(Guard::ReturnOnce) => {
                redeemed
            }
            RedirectState::Returned { .. } => return Ok(Change::of(self, now)),
        };
        redirect.state = RedirectState::Returned { at: now, redeemed };
        attempt.retry_at = None;
        attempt.tries = 0;
        carries(&mut change.request, sealed);
        Ok(change
            .with_timeline_entry("returned", None, None)
            .with_entry(EntryKind::Returned { attempt_no }))
    }

    /// Records what the authorization was exchanged for.
    ///
    /// # Errors
    /// [`Refusal::Step`] when no worker has the request.
    pub fn record_exchanged(&self, sealed: Sealed, now: Timestamp) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt_no = open(&mut change.request)?.attempt_no;
        carries(&mut change.request, sealed);
        Ok(change.with_entry(EntryKind::Exchanged { attempt_no }))
    }

    /// Abandons the processor's page: a worker voids the attempt, then ends it.
    ///
    /// # Errors
    /// - [`Refusal::Step`] when no customer was redirected, or the customer has returned.
    /// - [`Refusal::Closed`].
    pub fn abandon(&self, by: CancelRedirect, now: Timestamp) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        let attempt_no = attempt.attempt_no;
        let redirect = attempt.redirect.as_mut().ok_or(Refusal::Step)?;
        match redirect.state {
            RedirectState::Returned { .. } => return Err(Refusal::Step),
            RedirectState::Abandoned { by: known }
                if known == by || known == CancelRedirect::Requester =>
            {
                return Ok(Change::of(self, now));
            }
            RedirectState::OnHostedPage | RedirectState::Abandoned { .. } => {}
        }
        redirect.state = RedirectState::Abandoned { by };
        attempt.retry_at = None;
        Ok(change.with_entry(EntryKind::RedirectCancelled { attempt_no, by }))
    }

    /// Records the result that a webhook reported of an attempt.
    ///
    /// No later report undoes a success, except a cancellation by the processor, which is final.
    ///
    /// # Errors
    /// - [`Refusal::Step`] when that attempt is not open.
    /// - [`Refusal::Closed`].
    pub fn record_reported(
        &self,
        attempt_no: u32,
        reported: ReportedResult,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        if attempt.attempt_no != attempt_no {
            return Err(Refusal::Step);
        }
        let holds = |known: &ReportedResult| {
            known.is_cancelled()
                || *known == reported
                || (known.success && !reported.is_cancelled())
        };
        if attempt.reported.as_ref().is_some_and(holds) {
            return Ok(Change::of(self, now));
        }
        let success = reported.success;
        attempt.reported = Some(reported);
        attempt.retry_at = None;
        Ok(change.with_entry(EntryKind::AttemptReported { attempt_no, success }))
    }
}

/// Replaces what the request carries to the processor.
fn carries(request: &mut Request, carried: Sealed) {
    if let State::Processing { sealed, .. } = &mut request.state {
        *sealed = carried;
    }
}
