//! The calls of a processor to us.

use super::{CallbackReply, ReportedResult};
use domain::authorization::Grant;
use domain::processor_result::{ChargeReport, Reference};
use domain::values::id::RequestId;

/// A processor's call to us whose sender is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedWebhook {
    /// What it said, in order.
    pub events: Vec<ProcessorEvent>,
    /// What to answer.
    pub reply: WebhookResponse,
    /// The parts that are acknowledged and have no effect, each by its reason.
    pub ignored: Vec<IgnoredPart>,
}

/// The reason why a part of a verified webhook has no effect.
///
/// The sender is proven, so the part is acknowledged. A refusal would only make the processor repeat it for days and hold
/// back what comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IgnoredPart {
    /// It is about the other mode.
    OtherMode,
    /// It is about another account of the processor.
    OtherAccount,
    /// It is about an object that no request of ours has.
    OtherObject,
    /// Nothing here follows from its type.
    OtherType,
    /// Its body has another format than the one that is read here.
    OtherFormat,
    /// Its signature could belong to several texts.
    Ambiguous,
}

impl IgnoredPart {
    /// Returns the reason as the log names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OtherMode => "other_mode",
            Self::OtherAccount => "other_account",
            Self::OtherObject => "other_object",
            Self::OtherType => "other_type",
            Self::OtherFormat => "other_format",
            Self::Ambiguous => "ambiguous",
        }
    }
}

/// The response to a processor, or to the customer whom it redirected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookResponse {
    /// The same response whether or not an event was recorded.
    Plain(CallbackReply),
    /// The customer's browser called, and goes back to the consent page of this request.
    ToPage(RequestId),
}

/// An event that a processor reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessorEvent {
    /// The request's attempt or one of its refunds changed, and a status look-up follows.
    StatusChanged(RequestId),
    /// The result of an attempt that cannot be looked up.
    AttemptReported {
        /// The request that the attempt belongs to.
        request: RequestId,
        /// The attempt's number, from 1.
        attempt_no: u32,
        /// The result that the processor reported.
        reported: ReportedResult,
    },
    /// The result of a refund that cannot be looked up.
    RefundReported {
        /// The request that the refund belongs to.
        request: RequestId,
        /// The refund's number, from 1.
        seq: u32,
        /// The result that the processor reported.
        reported: ReportedResult,
    },
    /// The events of a charge after its request had ended.
    ChargeReported {
        /// The charge that the report is about.
        charge: ChargeSelector,
        /// What happened to it.
        report: ChargeReport,
    },
    /// The customer returned with an authorization, such as an OAuth code.
    Returned {
        /// The request that the customer returned to.
        request: RequestId,
        /// The attempt's number, from 1.
        attempt_no: u32,
        /// The grant that the browser carried.
        grant: Grant,
    },
}

/// A charge, as the processor's webhooks name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChargeSelector {
    /// The charge of an attempt.
    Attempt {
        /// The request that the attempt belongs to.
        request: RequestId,
        /// The attempt's number, from 1.
        attempt_no: u32,
    },
    /// The charge that has this id at the processor.
    Reference(Reference),
}
