//! Money given back: Adyen takes the call, and tells by webhook what became of it.

use domain::ports::{Refund, RefundResult};
use serde_json::json;

use super::{Amount, Reply, Request, received};
use crate::adyen::errors::not_refunded;
use crate::adyen::reference::{self, Named, Step};
use crate::adyen::settings::Account;

/// The call that gives money back, for the payment of that id.
pub(in crate::adyen) fn create(
    refund: &Refund<'_>,
    account: &Account,
    psp: &str,
    amount: &Amount,
) -> Request {
    let named = Named::Refund { request: refund.request, seq: refund.seq };
    let body = json!({
        "merchantAccount": account.merchant_account,
        "amount": amount.json(),
        "reference": named.to_string(),
    });
    let key = reference::key(refund.request, Step::Refund, refund.seq);
    Request::post(format!("/payments/{psp}/refunds"), key, body)
}

/// What the answer means.
pub(in crate::adyen) fn outcome(reply: &Reply) -> RefundResult {
    match received(reply) {
        Some(reference) => RefundResult::Pending(reference),
        None if reply.status.is_success() => RefundResult::Unknown,
        None => not_refunded(reply),
    }
}
