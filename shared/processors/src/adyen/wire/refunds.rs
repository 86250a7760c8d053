//! Refunds: Adyen acknowledges the call and reports the result by webhook.

use ports::{HttpError, Refund, RefundResult, Rejection};
use serde_json::json;

use super::{Amount, received};
use crate::adyen::errors::not_refunded;
use crate::adyen::reference::{self, AdyenStep, MerchantReference};
use crate::adyen::settings::AdyenAccount;
use crate::adyen::transport::{AdyenReply, AdyenRequest};

/// Returns the call that refunds a payment by Adyen's id.
pub(in crate::adyen) fn create(
    refund: &Refund<'_>,
    account: &AdyenAccount,
    psp: &str,
    amount: &Amount,
) -> AdyenRequest {
    let named = MerchantReference::Refund { request: refund.request, seq: refund.seq };
    let body = json!({
        "merchantAccount": account.merchant_account,
        "amount": amount.json(),
        "reference": named.to_string(),
    });
    let key = reference::key(refund.request, AdyenStep::Refund, refund.seq);
    AdyenRequest::post(format!("/payments/{psp}/refunds"), key, body)
}

/// Interprets the reply to a refund.
pub(in crate::adyen) fn outcome(reply: &AdyenReply) -> RefundResult {
    match received(reply) {
        Some(reference) => RefundResult::Pending(reference),
        None if reply.status.is_success() => RefundResult::Unknown,
        None => not_refunded(reply),
    }
}

/// Interprets a refund or a reversal without a reply.
pub(in crate::adyen) const fn unanswered(error: &HttpError) -> RefundResult {
    match error {
        HttpError::Forbidden => RefundResult::Blocked { by: Rejection::Address },
        HttpError::NotSent(_) => RefundResult::Again,
        HttpError::Lost(_) => RefundResult::Unknown,
    }
}
