//! The input of the calls of one attempt.

use std::fmt;

use domain::ask::Ask;
use domain::authorization::Authorization;
use domain::processor_result::ReportedResult;
use domain::values::id::RequestId;
use domain::values::money::Money;
use domain::values::time::Timestamp;

use super::RequestLabels;

/// The input of every call of one attempt. It is the same however often the call is repeated.
#[derive(Clone, Copy)]
pub struct AttemptContext<'a> {
    /// The request it is for.
    pub request: RequestId,
    /// The attempt's number within its request, from 1. A new one begins only after the one before is known to have failed.
    ///
    /// Idempotency keys are derived from it and the request's id, never drawn.
    pub attempt_no: u32,
    /// What the customer approved.
    pub ask: &'a Ask,
    /// The requester's own words about the request. Only those that the brand's settings name go to the processor.
    pub labels: RequestLabels<'a>,
    /// What the approval carried, or what it was exchanged for since.
    pub authorization: &'a Authorization,
    /// The customer's name at the processor: the keyed hash of their address.
    pub customer: &'a str,
    /// The consent page, to which the customer returns from the processor's page.
    ///
    /// It has no query. An adapter appends `?done=1` for a customer who finished there; the page then waits for the result.
    /// A customer who gave up returns without a query, or with any other, and chooses whether to continue. Our page
    /// redirects by itself only a customer who approved on it a moment ago. So two pages never send a customer back and forth.
    pub page: &'a str,
    /// The address for the processor's webhooks, and to which it returns customers.
    pub callback: &'a str,
    /// When the attempt began.
    pub begun_at: Timestamp,
    /// Whether the customer was redirected to the processor's page.
    pub on_hosted_page: bool,
    /// Whether the code that the customer returned with may have been used before. A code works once.
    pub redeemed: bool,
    /// What a webhook reported of this attempt, if any did.
    pub reported: Option<&'a ReportedResult>,
}

impl AttemptContext<'_> {
    /// Returns the amount of a payment; `None` for other asks.
    #[must_use]
    pub const fn money(&self) -> Option<Money> {
        self.ask.money()
    }
}

impl fmt::Debug for AttemptContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptContext")
            .field("request", &self.request)
            .field("attempt_no", &self.attempt_no)
            .finish_non_exhaustive()
    }
}
