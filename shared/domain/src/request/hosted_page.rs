//! A customer on the processor's page: redirected, returned or abandoned, and what the processor reports meanwhile.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fetching::open;
use super::{Change, Refusal, Request, Reversal, State};
use crate::ask::Ask;
use crate::consent::ApprovalMethod;
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
    /// The browser in which the customer came back; `None` until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<ReturnBrowser>,
}

/// The browser in which a customer comes back from the processor's page (RFC 9700, section 2.1.1).
///
/// A link that is forwarded brings another person to the processor. What that person does there is not the customer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnBrowser {
    /// The browser that left.
    Same,
    /// Another browser.
    Other,
    /// Another browser, in which the customer gave the session code.
    Confirmed,
}

impl ReturnBrowser {
    /// Returns whether what the customer brings counts.
    #[must_use]
    pub fn counts(self) -> bool {
        match self {
            Self::Same | Self::Confirmed => true,
            Self::Other => guards::is_disabled(Guard::SameBrowser),
        }
    }

    const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Same => None,
            Self::Other => Some("other_browser"),
            Self::Confirmed => Some("session_code"),
        }
    }
}

/// The place of a redirected customer.
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

/// The party that cancels a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelRedirect {
    /// The customer, who wants another payment option.
    Customer,
    /// The requester, who cancels the request.
    Requester,
    /// The customer who returned in another browser and gave a wrong session code. It denies the request.
    WrongCode,
    /// Time: what the customer gave is not kept, and no later return changes that.
    Deadline,
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

    /// Returns whether what the customer brought was used, or is about to be.
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
        let state = RedirectState::OnHostedPage;
        attempt.redirect = Some(Redirect { sealed, at: now, state, browser: None });
        Ok(change
            .with_timeline_entry("redirected", None, None)
            .with_entry(EntryKind::Redirected { attempt_no }))
    }

    /// Records that the customer returned with something to use, which replaces what the approval carried. A repeat changes
    /// nothing.
    ///
    /// # Errors
    /// - [`Refusal::Step`] when that attempt redirected no customer, or is to be cancelled, or the browser does not count.
    /// - [`Refusal::Closed`].
    pub fn record_returned(
        &self,
        attempt_no: u32,
        sealed: Sealed,
        browser: ReturnBrowser,
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
        if !browser.counts() {
            return Err(Refusal::Step);
        }
        redirect.state = RedirectState::Returned { at: now, redeemed };
        redirect.browser = Some(browser);
        attempt.retry_at = None;
        attempt.tries = 0;
        carries(&mut change.request, sealed);
        Ok(change
            .with_timeline_entry("returned", None, browser.reason())
            .with_entry(EntryKind::Returned { attempt_no, browser: Some(browser) }))
    }

    /// Records the browser in which a customer came back from a page that itself collects what was asked.
    ///
    /// Another browser counts more than the one that left, which any person may open again meanwhile.
    ///
    /// # Errors
    /// - [`Refusal::Step`] when no customer is on the processor's page.
    /// - [`Refusal::Closed`].
    pub fn record_arrival(
        &self,
        browser: ReturnBrowser,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        let attempt_no = attempt.attempt_no;
        let redirect = attempt.redirect.as_mut().ok_or(Refusal::Step)?;
        if redirect.state != RedirectState::OnHostedPage {
            return Err(Refusal::Step);
        }
        let known = redirect.browser;
        let holds = match (known, browser) {
            (None, _) => false,
            (Some(ReturnBrowser::Confirmed), _) => true,
            (Some(ReturnBrowser::Same), new) => new == ReturnBrowser::Same,
            (Some(ReturnBrowser::Other), new) => new != ReturnBrowser::Confirmed,
        };
        if holds {
            return Ok(Change::of(self, now));
        }
        redirect.browser = Some(browser);
        attempt.retry_at = None;
        Ok(change
            .with_timeline_entry("returned", None, browser.reason())
            .with_entry(EntryKind::Returned { attempt_no, browser: Some(browser) }))
    }

    /// Returns whether what the customer gave on the processor's page may be kept: a card, or claims.
    ///
    /// A payment is the payer's own, and what was approved without our page came with the approval.
    #[must_use]
    pub fn may_keep(&self) -> bool {
        let asks_to_keep = match self.ask {
            Ask::Payment { .. } => false,
            Ask::PaymentMethod { .. } | Ask::Identity { .. } => true,
        };
        let on_page =
            self.approval().is_some_and(|(consent, _)| consent.method == ApprovalMethod::Page);
        let redirect = self.open_attempt().and_then(|attempt| attempt.redirect.as_ref());
        let Some(redirect) = redirect.filter(|_| asks_to_keep && on_page) else { return true };
        redirect
            .browser
            .map_or_else(|| guards::is_disabled(Guard::SameBrowser), ReturnBrowser::counts)
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
                if known == by
                    || matches!(known, CancelRedirect::Requester | CancelRedirect::WrongCode) =>
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
    /// No later report undoes a success, except a cancellation by the processor, which is final. A cancellation that failed
    /// replaces no other report. A reversal that failed is kept with the success that it was to reverse.
    ///
    /// # Errors
    /// - [`Refusal::Step`] when that attempt is not open, or the processor took a cancellation back.
    /// - [`Refusal::Closed`].
    pub fn record_reported(
        &self,
        attempt_no: u32,
        reported: ReportedResult,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let mut change = self.at_processor(now)?;
        let attempt = open(&mut change.request)?;
        if attempt.attempt_no != attempt_no || reported.is_reversed() {
            return Err(Refusal::Step);
        }
        if reported.is_reversal_failed() {
            // The payment is as it was before its reversal was requested, and no other reversal follows.
            let paid =
                attempt.reported.as_mut().filter(|known| known.success && known.code.is_none());
            let Some(paid) = paid.filter(|paid| reported.is_of(&paid.payment())) else {
                return Ok(Change::of(self, now));
            };
            paid.code = reported.code;
            attempt.retry_at = None;
            let reversal = Reversal::Failed;
            return Ok(change.with_entry(EntryKind::ReversalReported { attempt_no, reversal }));
        }
        let holds = |known: &ReportedResult| {
            known.is_cancelled()
                || *known == reported
                || reported.is_cancel_failed()
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
