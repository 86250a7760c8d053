//! Payments made with what the customer gave on our page, or with a card on file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::authorization::AuthorizationKind;
use domain::ports::{Fetched, Receipt, RedirectUrl, Reference, Use};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::links::name;
use super::stored::{Kept, is_last4};
use super::{Amount, Reply, Request, TIMEOUT_MONEY};
use crate::adyen::errors::{Call, failure};
use crate::adyen::reference::{self, Named, Paid, Step, is_psp};
use crate::adyen::refusals::refusal;
use crate::adyen::settings::{Account, ThreeDSecure, is_address};
use crate::object_state::ObjectState;

/// Adyen's limit for tokens of wallets.
const TOKEN_MAX: usize = 10_000;
/// Adyen's limit for what a customer comes back with.
const RESULT_MAX: usize = 20_000;

/// An Apple Pay payment token, as far as Adyen wants it.
#[derive(Deserialize)]
struct ApplePay<'a> {
    #[serde(borrow, rename = "paymentData")]
    payment_data: &'a RawValue,
}

/// What is paid with; `None` where the authorization is nothing that a payment can be made with.
fn method(what: &Use<'_>) -> Option<(Value, Option<Kept>)> {
    let secret = what.authorization.secret.expose_secret();
    let (method, kept) = match what.authorization.kind {
        AuthorizationKind::ApplePay => {
            let token: ApplePay<'_> = serde_json::from_str(secret).ok()?;
            // Byte for byte, as the signature within covers it.
            let token = STANDARD.encode(token.payment_data.get());
            let fits = token.len() <= TOKEN_MAX;
            (fits.then(|| json!({ "type": "applepay", "applePayToken": token }))?, None)
        }
        AuthorizationKind::GooglePay => {
            let fits = (1..=TOKEN_MAX).contains(&secret.len());
            (fits.then(|| json!({ "type": "googlepay", "googlePayToken": secret }))?, None)
        }
        AuthorizationKind::KeptCard => {
            let kept = Kept::read(what.authorization)?;
            (json!({ "type": "scheme", "storedPaymentMethodId": kept.stored }), Some(kept))
        }
        AuthorizationKind::PaymentMethod
        | AuthorizationKind::Hosted
        | AuthorizationKind::Code
        | AuthorizationKind::AccessToken
        | AuthorizationKind::RedirectUrl
        | AuthorizationKind::Claims => return None,
    };
    Some((method, kept))
}

/// The call that pays; `None` where nothing can be paid with what the customer gave.
pub(in crate::adyen) fn pay(
    what: &Use<'_>,
    account: &Account,
    amount: &Amount,
    return_url: &str,
) -> Option<Request> {
    let (method, kept) = method(what)?;
    let mut body = json!({
        "merchantAccount": account.merchant_account,
        "amount": amount.json(),
        "reference": name(what).to_string(),
        "paymentMethod": method,
        "returnUrl": return_url,
        "channel": "Web",
        "shopperInteraction": "Ecommerce",
        "captureDelayHours": account.capture_delay_hours,
        "metadata": { "request_id": what.request.to_string() },
        // Only a page that customers can be sent on to is of use here.
        "authenticationData": { "threeDSRequestData": { "nativeThreeDS": "disabled" } },
    });
    if let Some(body) = body.as_object_mut() {
        if let Some(country) = &account.country {
            body.insert("countryCode".to_owned(), json!(country));
        }
        if let Some(Kept { shopper, .. }) = kept {
            body.insert("shopperReference".to_owned(), json!(shopper));
            body.insert("shopperInteraction".to_owned(), json!("ContAuth"));
            body.insert("recurringProcessingModel".to_owned(), json!("CardOnFile"));
        }
    }
    let key = reference::key(what.request, Step::Payment, what.attempt_no);
    let request = Request::post("/payments".to_owned(), key, body);
    Some(Request { timeout: TIMEOUT_MONEY, ..request })
}

/// The call that ends what the customer did on their bank's page; `None` where that cannot be it.
pub(in crate::adyen) fn details(what: &Use<'_>) -> Option<Request> {
    let result = what.authorization.secret.expose_secret();
    let fits = (1..=RESULT_MAX).contains(&result.len());
    let known = what.authorization.kind == AuthorizationKind::Code && fits;
    let body = json!({ "details": { "redirectResult": result } });
    let key = reference::key(what.request, Step::Details, what.attempt_no);
    let request = known.then(|| Request::post("/payments/details".to_owned(), key, body))?;
    Some(Request { timeout: TIMEOUT_MONEY, ..request })
}

/// The call that ends a payment of which only our own name is known. What becomes of it is told by webhook.
pub(in crate::adyen) fn cancel(what: &Use<'_>, account: &Account) -> Request {
    let end = Named::End { request: what.request, attempt_no: what.attempt_no };
    let body = json!({
        "merchantAccount": account.merchant_account,
        "paymentReference": name(what).to_string(),
        "reference": end.to_string(),
    });
    let key = reference::key(what.request, Step::Cancel, what.attempt_no);
    Request::post("/cancels".to_owned(), key, body)
}

/// The call that takes back a payment, captured or not. What becomes of it is told by webhook.
pub(in crate::adyen) fn reverse(what: &Use<'_>, account: &Account, paid: &Paid) -> Request {
    let end = Named::End { request: what.request, attempt_no: what.attempt_no };
    let body = json!({
        "merchantAccount": account.merchant_account,
        "reference": end.to_string(),
    });
    let key = reference::key(what.request, Step::Reversal, what.attempt_no);
    Request::post(format!("/payments/{}/reversals", paid.psp), key, body)
}

/// A payment, as far as it is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payment {
    result_code: String,
    psp_reference: Option<String>,
    merchant_reference: Option<String>,
    refusal_reason_code: Option<String>,
    amount: Option<Amount>,
    action: Option<Action>,
    payment_method: Option<Card>,
    #[serde(default)]
    additional_data: Additional,
}

/// Where the customer would have to go on.
#[derive(Deserialize)]
struct Action {
    #[serde(rename = "type")]
    kind: String,
    method: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize)]
struct Card {
    brand: Option<String>,
}

/// Most of it is there only where the Customer Area says so.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Additional {
    card_summary: Option<String>,
    payment_method: Option<String>,
}

/// What an answer to a payment means.
pub(in crate::adyen) fn outcome(
    reply: &Reply,
    what: &Use<'_>,
    account: &Account,
    asked: &Amount,
) -> ObjectState {
    if !reply.status.is_success() {
        return failure(Call::Pay, reply);
    }
    let Ok(payment) = serde_json::from_slice::<Payment>(&reply.body) else {
        return ObjectState::Unknown;
    };
    let ours = payment
        .merchant_reference
        .as_ref()
        .is_none_or(|name| *name == self::name(what).to_string());
    if !ours {
        return ObjectState::Unknown;
    }
    match payment.result_code.as_str() {
        "Authorised" => {
            payment.receipt(what, asked).map_or(ObjectState::Unknown, ObjectState::Done)
        }
        "Refused" => refusal(payment.refusal_reason_code.as_deref()),
        "Cancelled" => ObjectState::SoftDeclined { code: "customer_cancelled" },
        "RedirectShopper" | "IdentifyShopper" | "ChallengeShopper" | "PresentToShopper" => {
            payment.redirect(account)
        }
        // Nothing was paid, and nothing of ours asks for these.
        "AuthenticationFinished" | "AuthenticationNotRequired" => {
            ObjectState::Invalid { code: "authentication_only" }
        }
        // The webhook tells: `Error` may hide an authorisation that the acquirer gave and nobody heard of, and less than
        // what was asked for is taken back at the end.
        "Error" | "PartiallyAuthorised" | "Received" | "Pending" | "Success" => {
            ObjectState::Unknown
        }
        _ => ObjectState::Unknown,
    }
}

impl Payment {
    /// Where the customer goes on to. Nobody but us has the action, and without it nothing is paid: where it is of no use
    /// to a customer, the payment is over.
    fn redirect(self, account: &Account) -> ObjectState {
        let over = ObjectState::SoftDeclined { code: "authentication_required" };
        let Some(Action { kind, method, url: Some(url) }) = self.action else { return over };
        let goes = kind == "redirect"
            && method.is_none_or(|method| method == "GET")
            && url.len() <= 8192
            && is_target(&url);
        match account.three_d_secure {
            ThreeDSecure::Redirect if goes => {
                ObjectState::RequiresAction { redirect: Some(RedirectUrl(url)) }
            }
            ThreeDSecure::Redirect | ThreeDSecure::Refuse => over,
        }
    }

    fn receipt(self, what: &Use<'_>, asked: &Amount) -> Option<Fetched> {
        let psp = self.psp_reference.filter(|psp| is_psp(psp))?;
        // The amount is left out where it is the one that was asked for.
        let (amount, currency) = self.amount.as_ref().unwrap_or(asked).iso()?;
        let wallet = match what.authorization.kind {
            AuthorizationKind::ApplePay => Some("apple_pay"),
            AuthorizationKind::GooglePay => Some("google_pay"),
            AuthorizationKind::PaymentMethod
            | AuthorizationKind::Hosted
            | AuthorizationKind::KeptCard
            | AuthorizationKind::Code
            | AuthorizationKind::AccessToken
            | AuthorizationKind::RedirectUrl
            | AuthorizationKind::Claims => None,
        };
        let brand = self.payment_method.and_then(|card| card.brand);
        let brand = brand.or(self.additional_data.payment_method);
        Some(Fetched::Payment(Receipt {
            reference: Reference(psp),
            amount,
            currency,
            method: "card".to_owned(),
            wallet: wallet.map(str::to_owned),
            card_brand: brand.as_deref().and_then(card_brand),
            last4: self.additional_data.card_summary.filter(|digits| is_last4(digits)),
        }))
    }
}

/// `visa` of `visa_applepay`.
fn card_brand(variant: &str) -> Option<String> {
    let brand = variant.split('_').next().unwrap_or_default();
    let known = (1..=30).contains(&brand.len()) && brand.bytes().all(|b| b.is_ascii_alphanumeric());
    known.then(|| brand.to_owned())
}

/// Whether a customer can be sent there: a query is allowed.
fn is_target(url: &str) -> bool {
    is_address(url.split_once('?').map_or(url, |(address, _)| address), &["http", "https"])
}

/// What is told of a payment that a webhook brought.
pub(in crate::adyen) fn reported(paid: &Paid) -> Option<Fetched> {
    let amount = Amount { value: paid.value, currency: paid.currency.clone() };
    receipt(Reference(paid.psp.clone()), &amount)
}

/// What little is known of a payment that was made on Adyen's page.
pub(in crate::adyen) fn receipt(reference: Reference, amount: &Amount) -> Option<Fetched> {
    let (amount, currency) = amount.iso()?;
    let (method, wallet, card_brand, last4) = ("card".to_owned(), None, None, None);
    Some(Fetched::Payment(Receipt {
        reference,
        amount,
        currency,
        method,
        wallet,
        card_brand,
        last4,
    }))
}
