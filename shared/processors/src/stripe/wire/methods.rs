//! What a customer gave becomes what Stripe charges: tokens, payment methods, customers.

use domain::ports::Use;

use super::{Request, key};
use crate::stripe::form::Form;
use crate::stripe::keys::Step;
use crate::stripe::wallets::ApplePay;

/// An Apple Pay token becomes a Stripe token.
pub(in crate::stripe) fn token(what: &Use<'_>, apple: &ApplePay<'_>) -> Request {
    let card = &apple.payment_method;
    let form = Form::default()
        .field(&["pk_token"], apple.payment_data())
        .field_if_some(&["pk_token_instrument_name"], card.display_name.as_deref())
        .field_if_some(&["pk_token_payment_network"], card.network.as_deref())
        .field(&["pk_token_transaction_id"], &apple.transaction_identifier);
    Request::post("/v1/tokens", key(what, Step::Token), form)
}

/// A Stripe token becomes a payment method.
pub(in crate::stripe) fn payment_method(what: &Use<'_>, token: &str) -> Request {
    let form = Form::default().field(&["type"], "card").field(&["card", "token"], token);
    Request::post("/v1/payment_methods", key(what, Step::PaymentMethod), form)
}

/// Somebody whose card is kept. Stripe learns no name, number or address: the hash stands for them, in this brand only.
pub(in crate::stripe) fn customer(what: &Use<'_>) -> Request {
    let form = Form::default()
        .field(&["metadata", "customer"], what.customer)
        .field(&["metadata", "request_id"], what.request);
    Request::post("/v1/customers", key(what, Step::Customer), form)
}
