//! Payment links: Adyen's own page, where the customer pays once or leaves a card.

use std::time::Duration;

use domain::ports::{Created, RedirectUrl, Reference, Use};
use domain::values::time::Timestamp;
use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::{Amount, Reply, Request};
use crate::adyen::errors::{Call, failure, not_created};
use crate::adyen::reference::{self, Named, Step, is_link};
use crate::adyen::settings::{Account, is_address};
use crate::object_state::ObjectState;

/// How long a link could be paid if nobody ended it before: longer than any request waits, and far below Adyen's 70 days.
const OPEN_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// The call that makes the link, over nothing where a card is to be kept.
pub(in crate::adyen) fn create(what: &Use<'_>, account: &Account, amount: &Amount) -> Request {
    let reference = name(what).to_string();
    let mut body = json!({
        "merchantAccount": account.merchant_account,
        "amount": amount.json(),
        "reference": reference,
        "returnUrl": what.page,
        "reusable": false,
        "expiresAt": what.begun_at.after(OPEN_FOR).to_string(),
        "allowedPaymentMethods": account.allowed_payment_methods,
        "captureDelayHours": account.capture_delay_hours,
        "description": what.ask.description(),
    });
    if let Some(body) = body.as_object_mut() {
        if let Some(country) = &account.country {
            body.insert("countryCode".to_owned(), json!(country));
        }
        if what.money().is_none() {
            // A shopper of its own for every card, so that what is listed for it is what this customer left here.
            body.insert("shopperReference".to_owned(), json!(reference));
            body.insert("storePaymentMethodMode".to_owned(), json!("enabled"));
            body.insert("recurringProcessingModel".to_owned(), json!("CardOnFile"));
        }
    }
    let key = reference::key(what.request, Step::Link, what.attempt_no);
    Request::post("/paymentLinks".to_owned(), key, body)
}

/// The call that tells how a link stands.
pub(in crate::adyen) fn read(id: &str) -> Request {
    Request::get(format!("/paymentLinks/{id}"))
}

/// The call that makes a link unusable. It has no key: done twice it is the same.
pub(in crate::adyen) fn expire(id: &str) -> Request {
    let body = Some(json!({ "status": "expired" }));
    Request { method: Method::PATCH, body, ..read(id) }
}

/// What the attempt is called.
pub(in crate::adyen) const fn name(what: &Use<'_>) -> Named {
    Named::Attempt { request: what.request, attempt_no: what.attempt_no }
}

/// A link, as far as it is looked at.
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

/// How a link stands.
pub(in crate::adyen) enum Stands {
    /// This is all that is to be said.
    State(ObjectState),
    /// The customer is done, since then; what became of it is told elsewhere. With the amount the link was made for.
    Completed { since: Option<Timestamp>, amount: Amount },
}

/// What an answer about that link means.
pub(in crate::adyen) fn outcome(
    (call, reply): (Call, &Reply),
    what: &Use<'_>,
    account: &Account,
    id: &str,
) -> Stands {
    if !reply.status.is_success() {
        return Stands::State(failure(call, reply));
    }
    let Some(link) = link(reply, what, account).filter(|link| link.id == id) else {
        return Stands::State(ObjectState::Unknown);
    };
    Stands::State(match link.status.as_str() {
        "active" => ObjectState::RequiresAction { redirect: Some(RedirectUrl(link.url)) },
        "paymentPending" => ObjectState::Processing,
        "expired" => ObjectState::Voided,
        "completed" | "paid" => {
            let since = link.updated_at.or(link.expires_at);
            return Stands::Completed { since, amount: link.amount };
        }
        _ => ObjectState::Unknown,
    })
}

/// What making a link came to.
pub(in crate::adyen) fn created(
    reply: &Reply,
    what: &Use<'_>,
    account: &Account,
    amount: &Amount,
) -> Created {
    if !reply.status.is_success() {
        return not_created(reply);
    }
    match link(reply, what, account) {
        Some(link) if link.amount == *amount => Created::Ready(Reference(link.id)),
        Some(_) | None => Created::Again,
    }
}

fn link(reply: &Reply, what: &Use<'_>, account: &Account) -> Option<Link> {
    let link: Link = serde_json::from_slice(&reply.body).ok()?;
    let ours = link.reference == name(what).to_string()
        && link.merchant_account == account.merchant_account;
    let leads = link.url.len() <= 2048 && is_address(&link.url, &["http", "https"]);
    (ours && leads && is_link(&link.id)).then_some(link)
}
