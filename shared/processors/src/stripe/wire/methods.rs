//! Tokens, payment methods and customers: how an approval becomes something that Stripe can charge.

use ports::{AttemptContext, DetachResult};
use serde::Deserialize;
use serde_json::Value;

use super::key;
use crate::stripe::errors::not_detached;
use crate::stripe::form::Form;
use crate::stripe::keys::StripeStep;
use crate::stripe::transport::{StripeReply, StripeRequest};
use crate::stripe::wallets::ApplePayToken;

/// Returns the call that turns an Apple Pay token into a Stripe token.
///
/// UNVERIFIED: the parameters `pk_token…` are those of Stripe's iOS SDK, not of the public API. Pay with Apple Pay in
/// Stripe's test mode before going live.
pub(in crate::stripe) fn token(
    attempt: &AttemptContext<'_>,
    apple: &ApplePayToken<'_>,
) -> StripeRequest {
    let card = &apple.payment_method;
    let form = Form::default()
        .field(&["pk_token"], apple.payment_data())
        .field_if_some(&["pk_token_instrument_name"], card.display_name.as_deref())
        .field_if_some(&["pk_token_payment_network"], card.network.as_deref())
        .field(&["pk_token_transaction_id"], &apple.transaction_identifier);
    StripeRequest::post("/v1/tokens", key(attempt, StripeStep::Token), form)
}

/// Returns the call that turns a Stripe token into a payment method.
pub(in crate::stripe) fn payment_method(
    attempt: &AttemptContext<'_>,
    token: &str,
) -> StripeRequest {
    let form = Form::default().field(&["type"], "card").field(&["card", "token"], token);
    StripeRequest::post("/v1/payment_methods", key(attempt, StripeStep::PaymentMethod), form)
}

/// Returns the call that creates the customer of a saved card. Stripe gets only a keyed hash that is the brand's own.
pub(in crate::stripe) fn customer(attempt: &AttemptContext<'_>) -> StripeRequest {
    let form = Form::default()
        .field(&["metadata", "customer"], attempt.customer)
        .field(&["metadata", "request_id"], attempt.request);
    StripeRequest::post("/v1/customers", key(attempt, StripeStep::Customer), form)
}

/// Returns the call that takes a saved card off file. It has no key: a repeat is refused, and then the card is read.
///
/// <https://docs.stripe.com/api/payment_methods/detach>, read 2026-11-26: a detached card can neither be charged nor
/// attached again.
pub(in crate::stripe) fn detach(id: &str) -> StripeRequest {
    StripeRequest::post(format!("/v1/payment_methods/{id}/detach"), None, Form::default())
}

/// Returns the call that reads a payment method.
pub(in crate::stripe) fn read(id: &str) -> StripeRequest {
    StripeRequest::get(format!("/v1/payment_methods/{id}"), Form::default())
}

#[derive(Deserialize)]
struct StoredMethod {
    id: String,
    object: String,
    #[serde(default)]
    customer: Value,
}

/// Interprets a reply to [`detach`] or [`read`]; `None` where only a read tells whether the card is on file.
pub(in crate::stripe) fn detached(reply: &StripeReply, id: &str) -> Option<DetachResult> {
    if !reply.status.is_success() {
        return not_detached(reply);
    }
    match serde_json::from_slice::<StoredMethod>(&reply.body) {
        Ok(method) if method.object != "payment_method" || method.id != id => {
            Some(DetachResult::Again)
        }
        Ok(method) if method.customer.is_null() => Some(DetachResult::Detached),
        Ok(_) => Some(DetachResult::Failed { code: "refused_by_processor" }),
        Err(_) => Some(DetachResult::Again),
    }
}
