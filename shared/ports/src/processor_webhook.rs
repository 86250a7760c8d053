//! What a processor says by calling us.

use super::{CallbackReply, ReportedResult};
use domain::authorization::Authorization;
use domain::values::id::RequestId;

/// What a processor said by calling us, its sender proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedWebhook {
    /// What it said, in order.
    pub events: Vec<ProcessorEvent>,
    /// What to answer.
    pub reply: WebhookResponse,
}

/// What to answer to a processor, or to the customer it sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookResponse {
    /// This.
    Plain(CallbackReply),
    /// It is the customer's browser that called: it goes back to the consent page of this request.
    ToPage(RequestId),
}

/// One thing a processor said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessorEvent {
    /// Something happened to the request's attempt or one of its refunds: it is to be looked up now.
    StatusChanged(RequestId),
    /// What became of an attempt, where it cannot be looked up.
    AttemptReported {
        /// Of which request.
        request: RequestId,
        /// Which attempt.
        attempt_no: u32,
        /// What.
        reported: ReportedResult,
    },
    /// What became of a refund, where it cannot be looked up.
    RefundReported {
        /// Of which request.
        request: RequestId,
        /// Which refund.
        seq: u32,
        /// What.
        reported: ReportedResult,
    },
    /// The customer came back with what is to be used, such as an OAuth code.
    Returned {
        /// To which request.
        request: RequestId,
        /// Which attempt.
        attempt_no: u32,
        /// With what.
        authorization: Authorization,
    },
}
