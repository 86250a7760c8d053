//! Refunds: Adyen acknowledges the call and reports the result by webhook.

use ports::{Refund, RefundResult};
use serde_json::json;

use super::{Amount, received};
use crate::adyen::errors::not_refunded;
use crate::adyen::reference::{self, MerchantReference, Step};
use crate::adyen::settings::Account;
use crate::adyen::transport::{Reply, Request};

/// Returns the call that refunds a payment by Adyen's id.
pub(in crate::adyen) fn create(
    refund: &Refund<'_>,
    account: &Account,
    psp: &str,
    amount: &Amount,
) -> Request {
    let named = MerchantReference::Refund { request: refund.request, seq: refund.seq };
    let body = json!({
        "merchantAccount": account.merchant_account,
        "amount": amount.json(),
        "reference": named.to_string(),
    });
    let key = reference::key(refund.request, Step::Refund, refund.seq);
    Request::post(format!("/payments/{psp}/refunds"), key, body)
}

/// Interprets the reply to a refund.
pub(in crate::adyen) fn outcome(reply: &Reply) -> RefundResult {
    match received(reply) {
        Some(reference) => RefundResult::Pending(reference),
        None if reply.status.is_success() => RefundResult::Unknown,
        None => not_refunded(reply),
    }
}
