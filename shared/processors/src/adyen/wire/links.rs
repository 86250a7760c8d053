//! Payment links: Adyen's own page, where the customer pays once or saves a card.

use std::time::Duration;

use domain::processor_result::Reference;
use domain::values::time::Timestamp;
use http::Method;
use ports::{AttemptContext, Created, RedirectUrl};
use serde::Deserialize;
use serde_json::json;

use super::Amount;
use crate::adyen::errors::{AdyenCall, failure, not_created};
use crate::adyen::labels;
use crate::adyen::reference::{self, AdyenStep, MerchantReference, is_link};
use crate::adyen::settings::AdyenAccount;
use crate::adyen::transport::{AdyenReply, AdyenRequest};
use crate::checks::is_address;
use crate::object_state::ObjectState;

/// The lifetime of a link that is not expired before: longer than any request waits.
///
/// Adyen's maximum is 70 days (<https://github.com/Adyen/adyen-openapi>, Checkout v72, read 2026-11-23).
const OPEN_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns where the customer comes back. A card is kept only once they are back.
fn return_url(attempt: &AttemptContext<'_>) -> String {
    let done = if attempt.money().is_none() { "?done=1" } else { "" };
    format!("{}{done}", attempt.page)
}

/// Returns the call that creates a link; its amount is zero where a card is saved.
pub(in crate::adyen) fn create(
    attempt: &AttemptContext<'_>,
    account: &AdyenAccount,
    amount: &Amount,
) -> AdyenRequest {
    let reference = name(attempt).to_string();
    let mut body = json!({
        "merchantAccount": account.merchant_account,
        "amount": amount.json(),
        "reference": reference,
        "returnUrl": return_url(attempt),
        "reusable": false,
        "expiresAt": attempt.begun_at.after(OPEN_FOR).to_string(),
        "allowedPaymentMethods": account.allowed_payment_methods,
        "captureDelayHours": account.capture_delay_hours,
        "description": attempt.ask.description(),
    });
    if let Some(body) = body.as_object_mut() {
        labels::add(body, attempt, &account.labels);
        if let Some(country) = &account.country {
            body.insert("countryCode".to_owned(), json!(country));
        }
        if attempt.money().is_none() {
            // One shopper per card: its list then holds only the card that this customer saved here.
            body.insert("shopperReference".to_owned(), json!(reference));
            body.insert("storePaymentMethodMode".to_owned(), json!("enabled"));
            body.insert("recurringProcessingModel".to_owned(), json!("CardOnFile"));
        }
    }
    let key = reference::key(attempt.request, AdyenStep::Link, attempt.attempt_no);
    AdyenRequest::post("/paymentLinks".to_owned(), key, body)
}

/// Returns the call that reads a link.
pub(in crate::adyen) fn read(id: &str) -> AdyenRequest {
    AdyenRequest::get(format!("/paymentLinks/{id}"))
}

/// Returns the call that expires a link. It has no key, since a repeat changes nothing.
pub(in crate::adyen) fn expire(id: &str) -> AdyenRequest {
    let body = Some(json!({ "status": "expired" }));
    AdyenRequest { method: Method::PATCH, body, ..read(id) }
}

/// Returns the attempt's merchant reference.
pub(in crate::adyen) const fn name(attempt: &AttemptContext<'_>) -> MerchantReference {
    MerchantReference::Attempt { request: attempt.request, attempt_no: attempt.attempt_no }
}

/// The fields of a link that are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    id: String,
    url: String,
    status: String,
    reference: String,
    merchant_account: String,
    amount: Amount,
    updated_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
}

/// The status of a link.
pub(in crate::adyen) enum LinkResult {
    /// The link alone gives the answer.
    State(ObjectState),
    /// The customer finished. A webhook or the shopper's list has the result; `amount` is the link's own.
    Completed { since: Option<Timestamp>, amount: Amount },
}

/// Interprets a reply about a link.
pub(in crate::adyen) fn outcome(
    call: AdyenCall,
    reply: &AdyenReply,
    attempt: &AttemptContext<'_>,
    account: &AdyenAccount,
    id: &str,
) -> LinkResult {
    if !reply.status.is_success() {
        return LinkResult::State(failure(call, reply));
    }
    let Some(link) = link(reply, attempt, account).filter(|link| link.id == id) else {
        return LinkResult::State(ObjectState::Unknown);
    };
    LinkResult::State(match link.status.as_str() {
        "active" => ObjectState::RequiresAction { redirect: Some(RedirectUrl(link.url)) },
        "paymentPending" => ObjectState::Processing,
        "expired" => ObjectState::Voided,
        "completed" | "paid" => {
            let since = link.updated_at.or(link.expires_at);
            return LinkResult::Completed { since, amount: link.amount };
        }
        _ => ObjectState::Unknown,
    })
}

/// Interprets the reply to the creation of a link.
pub(in crate::adyen) fn created(
    reply: &AdyenReply,
    attempt: &AttemptContext<'_>,
    account: &AdyenAccount,
    amount: &Amount,
) -> Created {
    if !reply.status.is_success() {
        return not_created(reply);
    }
    match link(reply, attempt, account) {
        Some(link) if link.amount == *amount => Created::Ready(Reference(link.id)),
        Some(_) | None => Created::Again,
    }
}

fn link(reply: &AdyenReply, attempt: &AttemptContext<'_>, account: &AdyenAccount) -> Option<Link> {
    let link: Link = serde_json::from_slice(&reply.body).ok()?;
    let ours = link.reference == name(attempt).to_string()
        && link.merchant_account == account.merchant_account;
    let leads = link.url.len() <= 2048 && is_address(&link.url, account.mode);
    (ours && leads && is_link(&link.id)).then_some(link)
}
