//! The result of any operation of a processor, for tests that compare several operations.

use crate::{Confirmed, Created, Fulfillment, RedirectUrl, Rejection, Retrieved, VoidResult};
use domain::authorization::Grant;
use domain::processor_result::Reference;

/// The union of the results of [`Processor`](crate::Processor)'s operations on an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is documented where an operation returns it")]
pub enum OperationResult {
    Ready(Reference),
    Done(Fulfillment),
    SoftDeclined { code: &'static str },
    HardDeclined { code: &'static str },
    RequiresAction { redirect: Option<RedirectUrl> },
    Exchanged(Grant),
    Invalid { code: &'static str },
    Blocked { by: Rejection },
    Again,
    NotConfirmed,
    Processing,
    Unknown,
    Voided,
}

impl From<Created> for OperationResult {
    fn from(result: Created) -> Self {
        match result {
            Created::Ready(reference) => Self::Ready(reference),
            Created::SoftDeclined { code } => Self::SoftDeclined { code },
            Created::HardDeclined { code } => Self::HardDeclined { code },
            Created::Invalid { code } => Self::Invalid { code },
            Created::Blocked { by } => Self::Blocked { by },
            Created::Again => Self::Again,
        }
    }
}

impl From<Confirmed> for OperationResult {
    fn from(result: Confirmed) -> Self {
        match result {
            Confirmed::Done(fulfillment) => Self::Done(fulfillment),
            Confirmed::SoftDeclined { code } => Self::SoftDeclined { code },
            Confirmed::HardDeclined { code } => Self::HardDeclined { code },
            Confirmed::RequiresAction { redirect } => Self::RequiresAction { redirect },
            Confirmed::Exchanged(grant) => Self::Exchanged(grant),
            Confirmed::Invalid { code } => Self::Invalid { code },
            Confirmed::Blocked { by } => Self::Blocked { by },
            Confirmed::Again => Self::Again,
            Confirmed::Processing => Self::Processing,
            Confirmed::Unknown => Self::Unknown,
            Confirmed::Voided => Self::Voided,
        }
    }
}

impl From<Retrieved> for OperationResult {
    fn from(result: Retrieved) -> Self {
        match result {
            Retrieved::Done(fulfillment) => Self::Done(fulfillment),
            Retrieved::SoftDeclined { code } => Self::SoftDeclined { code },
            Retrieved::HardDeclined { code } => Self::HardDeclined { code },
            Retrieved::RequiresAction { redirect } => Self::RequiresAction { redirect },
            Retrieved::Invalid { code } => Self::Invalid { code },
            Retrieved::Blocked { by } => Self::Blocked { by },
            Retrieved::NotConfirmed => Self::NotConfirmed,
            Retrieved::Processing => Self::Processing,
            Retrieved::Unknown => Self::Unknown,
            Retrieved::Voided => Self::Voided,
        }
    }
}

impl From<VoidResult> for OperationResult {
    fn from(result: VoidResult) -> Self {
        match result {
            VoidResult::Voided => Self::Voided,
            VoidResult::Done(fulfillment) => Self::Done(fulfillment),
            VoidResult::SoftDeclined { code } => Self::SoftDeclined { code },
            VoidResult::HardDeclined { code } => Self::HardDeclined { code },
            VoidResult::Invalid { code } => Self::Invalid { code },
            VoidResult::Blocked { by } => Self::Blocked { by },
            VoidResult::Again => Self::Again,
            VoidResult::Processing => Self::Processing,
            VoidResult::Unknown => Self::Unknown,
        }
    }
}
