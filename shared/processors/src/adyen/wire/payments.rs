//! Payments with a wallet's token or with a saved card.
//!
//! Limits and result codes: Checkout v72, <https://github.com/Adyen/adyen-openapi>, read 2026-11-23.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::authorization::{Authorization, Credential, CredentialKind};
use domain::processor_result::{Receipt, Reference};
use domain::values::address;
use ports::{AttemptContext, Fulfillment, LateReversal, RedirectUrl};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Amount;
use super::links::name;
use super::stored::{AdyenSavedCard, is_last4};
use crate::adyen::errors::{AdyenCall, failure};
use crate::adyen::labels;
use crate::adyen::reference::{self, AdyenStep, MerchantReference, is_psp};
use crate::adyen::refusals::refusal;
use crate::adyen::reported::ReportedPayment;
use crate::adyen::settings::AdyenAccount;
use crate::adyen::transport::{AdyenReply, AdyenRequest, TIMEOUT_MONEY};
use crate::checks::ThreeDSecure;
use crate::object_state::ObjectState;

/// Adyen's limit for a wallet's token, in characters.
const TOKEN_MAX: usize = 10_000;
/// The limit for `redirectResult`, in bytes.
const RESULT_MAX: usize = 20_000;

/// The part of an Apple Pay token that Adyen takes.
#[derive(Deserialize)]
struct AdyenApplePayToken<'a> {
    #[serde(borrow, rename = "paymentData")]
    payment_data: &'a RawValue,
}

/// Returns whether Adyen takes credentials of this kind.
pub(in crate::adyen) const fn is_taken(kind: CredentialKind) -> bool {
    match kind {
        CredentialKind::ApplePay | CredentialKind::GooglePay | CredentialKind::SavedCard => true,
        CredentialKind::PaymentMethod => false,
    }
}

/// Returns `paymentMethod`; `None` where the credential cannot be paid with.
fn method(credential: &Credential) -> Option<(Value, Option<AdyenSavedCard>)> {
    let secret = credential.secret.expose_secret();
    let (method, kept) = match credential.kind {
        CredentialKind::ApplePay => {
            let token: AdyenApplePayToken<'_> = serde_json::from_str(secret).ok()?;
            // Byte for byte, since the token's signature covers it.
            let token = STANDARD.encode(token.payment_data.get());
            let fits = token.len() <= TOKEN_MAX;
            (fits.then(|| json!({ "type": "applepay", "applePayToken": token }))?, None)
        }
        CredentialKind::GooglePay => {
            let fits = (1..=TOKEN_MAX).contains(&secret.len());
            (fits.then(|| json!({ "type": "googlepay", "googlePayToken": secret }))?, None)
        }
        CredentialKind::SavedCard => {
            let kept = AdyenSavedCard::read(credential)?;
            (json!({ "type": "scheme", "storedPaymentMethodId": kept.stored }), Some(kept))
        }
        CredentialKind::PaymentMethod => return None,
    };
    Some((method, kept))
}

/// Returns the call that pays; `None` where the credential cannot be paid with.
pub(in crate::adyen) fn pay(
    attempt: &AttemptContext<'_>,
    credential: &Credential,
    account: &AdyenAccount,
    amount: &Amount,
    return_url: &str,
) -> Option<AdyenRequest> {
    let (method, kept) = method(credential)?;
    let mut body = json!({
        "merchantAccount": account.merchant_account,
        "amount": amount.json(),
        "reference": name(attempt).to_string(),
        "paymentMethod": method,
        "returnUrl": return_url,
        "channel": "Web",
        "shopperInteraction": "Ecommerce",
        "captureDelayHours": account.capture_delay_hours,
        "metadata": { "request_id": attempt.request.to_string() },
        // Native 3-D Secure needs a script on our page. A redirect does not.
        "authenticationData": { "threeDSRequestData": { "nativeThreeDS": "disabled" } },
    });
    if let Some(body) = body.as_object_mut() {
        labels::add(body, attempt, &account.labels);
        if let Some(country) = &account.country {
            body.insert("countryCode".to_owned(), json!(country));
        }
        if let Some(AdyenSavedCard { shopper, .. }) = kept {
            body.insert("shopperReference".to_owned(), json!(shopper));
            body.insert("shopperInteraction".to_owned(), json!("ContAuth"));
            body.insert("recurringProcessingModel".to_owned(), json!("CardOnFile"));
        }
    }
    let key = reference::key(attempt.request, AdyenStep::Payment, attempt.attempt_no);
    let request = AdyenRequest::post("/payments".to_owned(), key, body);
    Some(AdyenRequest { timeout: TIMEOUT_MONEY, ..request })
}

/// Returns the call that finishes a payment after the bank's page; `None` where `redirectResult` is malformed.
pub(in crate::adyen) fn details(
    attempt: &AttemptContext<'_>,
    result: &SecretString,
) -> Option<AdyenRequest> {
    let result = result.expose_secret();
    let fits = (1..=RESULT_MAX).contains(&result.len());
    let body = json!({ "details": { "redirectResult": result } });
    let key = reference::key(attempt.request, AdyenStep::Details, attempt.attempt_no);
    let request = fits.then(|| AdyenRequest::post("/payments/details".to_owned(), key, body))?;
    Some(AdyenRequest { timeout: TIMEOUT_MONEY, ..request })
}

/// Returns the call that cancels a payment by our merchant reference. A webhook reports the result.
pub(in crate::adyen) fn cancel(
    attempt: &AttemptContext<'_>,
    account: &AdyenAccount,
) -> AdyenRequest {
    let end = MerchantReference::End { request: attempt.request, attempt_no: attempt.attempt_no };
    let body = json!({
        "merchantAccount": account.merchant_account,
        "paymentReference": name(attempt).to_string(),
        "reference": end.to_string(),
    });
    let key = reference::key(attempt.request, AdyenStep::Cancel, attempt.attempt_no);
    AdyenRequest::post("/cancels".to_owned(), key, body)
}

/// Returns the call that reverses a payment, captured or not. A webhook reports the result.
pub(in crate::adyen) fn reverse(
    attempt: &AttemptContext<'_>,
    account: &AdyenAccount,
    paid: &ReportedPayment,
) -> AdyenRequest {
    let payment = Reference(paid.psp.clone());
    let (request, attempt_no) = (attempt.request, attempt.attempt_no);
    reverse_late(&LateReversal { request, attempt_no, payment: &payment }, account)
}

/// Returns the call that reverses a payment which was reported after its attempt had ended.
pub(in crate::adyen) fn reverse_late(
    late: &LateReversal<'_>,
    account: &AdyenAccount,
) -> AdyenRequest {
    let end = MerchantReference::End { request: late.request, attempt_no: late.attempt_no };
    let body = json!({
        "merchantAccount": account.merchant_account,
        "reference": end.to_string(),
    });
    let key = reference::reversal_key(late);
    AdyenRequest::post(format!("/payments/{}/reversals", late.payment.0), key, body)
}

/// The fields of a payment that are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payment {
    result_code: String,
    psp_reference: Option<String>,
    merchant_reference: Option<String>,
    refusal_reason_code: Option<String>,
    amount: Option<Amount>,
    action: Option<Action>,
    payment_method: Option<AdyenCard>,
    #[serde(default)]
    additional_data: AdditionalData,
}

/// The next step that the customer would have to take.
#[derive(Deserialize)]
struct Action {
    #[serde(rename = "type")]
    kind: String,
    method: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize)]
struct AdyenCard {
    brand: Option<String>,
}

/// The additional data. Most of it must be switched on in the Customer Area.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AdditionalData {
    card_summary: Option<String>,
    payment_method: Option<String>,
}

/// Interprets the reply to a payment.
pub(in crate::adyen) fn outcome(
    reply: &AdyenReply,
    attempt: &AttemptContext<'_>,
    account: &AdyenAccount,
    asked: &Amount,
) -> ObjectState {
    if !reply.status.is_success() {
        return failure(AdyenCall::Pay, reply);
    }
    let Ok(payment) = serde_json::from_slice::<Payment>(&reply.body) else {
        return ObjectState::Unknown;
    };
    let ours = payment
        .merchant_reference
        .as_ref()
        .is_none_or(|name| *name == self::name(attempt).to_string());
    if !ours {
        return ObjectState::Unknown;
    }
    match payment.result_code.as_str() {
        "Authorised" => {
            payment.receipt(attempt, asked).map_or(ObjectState::Unknown, ObjectState::Done)
        }
        "Refused" => refusal(payment.refusal_reason_code.as_deref()),
        "Cancelled" => ObjectState::SoftDeclined { code: "customer_cancelled" },
        "RedirectShopper" | "IdentifyShopper" | "ChallengeShopper" | "PresentToShopper" => {
            payment.redirect(account)
        }
        // Nothing was paid. No call of ours asks for authentication alone.
        "AuthenticationFinished" | "AuthenticationNotRequired" => {
            ObjectState::Invalid { code: "authentication_only" }
        }
        // The webhook has the result. `Error` may hide an authorisation whose reply was lost at the acquirer. A partial
        // amount is reversed at the end.
        "Error" | "PartiallyAuthorised" | "Received" | "Pending" | "Success" => {
            ObjectState::Unknown
        }
        _ => ObjectState::Unknown,
    }
}

impl Payment {
    /// Returns the redirect to the bank's page. Only this reply has the action, and nothing is paid without it. So a payment
    /// whose action no browser can follow is over.
    fn redirect(self, account: &AdyenAccount) -> ObjectState {
        let over = ObjectState::SoftDeclined { code: "authentication_required" };
        let Some(Action { kind, method, url: Some(url) }) = self.action else { return over };
        let goes = kind == "redirect"
            && method.is_none_or(|method| method == "GET")
            && url.len() <= 8192
            && address::is_allowed(&url, account.mode);
        match account.three_d_secure {
            ThreeDSecure::Redirect if goes => {
                ObjectState::RequiresAction { redirect: Some(RedirectUrl(url)) }
            }
            ThreeDSecure::Redirect | ThreeDSecure::Refuse => over,
        }
    }

    fn receipt(self, attempt: &AttemptContext<'_>, asked: &Amount) -> Option<Fulfillment> {
        let psp = self.psp_reference.filter(|psp| is_psp(psp))?;
        // Adyen may leave out an amount that equals the requested one.
        let (amount, currency) = self.amount.as_ref().unwrap_or(asked).iso()?;
        let wallet = match attempt.authorization {
            Authorization::Credential(credential) => match credential.kind {
                CredentialKind::ApplePay => Some("apple_pay"),
                CredentialKind::GooglePay => Some("google_pay"),
                CredentialKind::PaymentMethod | CredentialKind::SavedCard => None,
            },
            Authorization::Grant(_) | Authorization::Hosted => None,
        };
        let brand = self.payment_method.and_then(|card| card.brand);
        let brand = brand.or(self.additional_data.payment_method);
        Some(Fulfillment::Payment(Receipt {
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

/// Returns the brand of a variant: `visa` of `visa_applepay`.
fn card_brand(variant: &str) -> Option<String> {
    let brand = variant.split('_').next().unwrap_or_default();
    let known = (1..=30).contains(&brand.len()) && brand.bytes().all(|b| b.is_ascii_alphanumeric());
    known.then(|| brand.to_owned())
}

/// Returns the result for a payment that a webhook reported.
pub(in crate::adyen) fn reported(paid: &ReportedPayment) -> Option<Fulfillment> {
    let amount = Amount { value: paid.value, currency: paid.currency.clone() };
    receipt(Reference(paid.psp.clone()), &amount)
}

/// Returns the receipt of a payment on Adyen's page. Its card is unknown.
pub(in crate::adyen) fn receipt(reference: Reference, amount: &Amount) -> Option<Fulfillment> {
    let (amount, currency) = amount.iso()?;
    let (method, wallet, card_brand, last4) = ("card".to_owned(), None, None, None);
    Some(Fulfillment::Payment(Receipt {
        reference,
        amount,
        currency,
        method,
        wallet,
        card_brand,
        last4,
    }))
}
