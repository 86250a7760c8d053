//! A refund, and what it can come to.

use super::{Reference, Rejection, ReportedResult};
use domain::values::id::RequestId;
use domain::values::money::Money;

/// A refund to make.
#[derive(Clone, Copy, Debug)]
pub struct Refund<'a> {
    /// The request whose charge it is.
    pub request: RequestId,
    /// The refund's number within its request, from 1. The idempotency key is derived from it and the request's id.
    pub seq: u32,
    /// The charge's [`Receipt::reference`](domain::processor_result::Receipt::reference).
    pub charge: &'a Reference,
    /// The amount to refund.
    pub money: Money,
    /// Whether the call may have been made before, with its answer lost.
    pub again: bool,
    /// What a webhook reported of it, if any did.
    pub reported: Option<&'a ReportedResult>,
}

/// A payment to reverse, because it succeeded after its attempt had ended.
#[derive(Clone, Copy, Debug)]
pub struct LateReversal<'a> {
    /// The request that the attempt belongs to.
    pub request: RequestId,
    /// The attempt's number, from 1. The idempotency key is derived from it and the request's id.
    pub attempt_no: u32,
    /// The processor's id of the payment.
    pub payment: &'a Reference,
}

/// The result of [`refund`](super::Processor::refund).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundResult {
    /// The money is on its way back, under this id.
    Done(Reference),
    /// The processor accepted the refund and reports its result later.
    Pending(Reference),
    /// The money will not be refunded.
    Failed {
        /// Such as `already_refunded`, `amount_too_large` or `not_supported`.
        code: &'static str,
    },
    /// Nothing happened yet; the same call with the same key is safe.
    Again,
    /// The money may have been refunded: the same call with the same key tells.
    Unknown,
    /// The processor rejected our account or credentials; nothing happened.
    Blocked {
        /// Why, and whether it concerns all calls.
        by: Rejection,
    },
}
