//! PaymentIntents, by which a payment method is charged.

use domain::processor_result::{Receipt, Reference};
use ports::{AttemptContext, Fulfillment};
use serde::Deserialize;
use serde_json::Value;

use super::{StripeCard, done, id_of, key, labelled, made, next_action, with_statement, word};
use crate::checks::ThreeDSecure;
use crate::object_state::ObjectState;
use crate::stripe::amounts::{self, StripeAmount};
use crate::stripe::errors::{self, StripeCall, StripeErrorBody};
use crate::stripe::failure::StripeFailure;
use crate::stripe::form::Form;
use crate::stripe::keys::StripeStep;
use crate::stripe::settings::{Dialect, Parameter};
use crate::stripe::transport::{StripeReply, StripeRequest};

/// The payment method to charge, and the customer for whom it is saved, if any.
pub(in crate::stripe) struct ChargeMethod {
    pub(in crate::stripe) id: String,
    pub(in crate::stripe) customer: Option<String>,
}

/// Returns the call that creates a PaymentIntent without confirming it. A lost reply leaves only an unconfirmed orphan.
pub(in crate::stripe) fn create(
    attempt: &AttemptContext<'_>,
    amount: StripeAmount,
    method: &ChargeMethod,
    dialect: &Dialect,
) -> StripeRequest {
    let mut form = Form::default()
        .field(&["amount"], amount.minor_units)
        .field(&["currency"], amount.currency.code().to_ascii_lowercase())
        .field(&["payment_method"], &method.id)
        .field_if_some(&["customer"], method.customer.as_deref());
    if dialect.takes(Parameter::PaymentMethodTypes) {
        form = form.field(&[dialect.payment_method_types.as_str(), "0"], "card");
    }
    form = labelled(form.field(&["confirm"], false), &[], attempt, dialect);
    form = with_statement(form, &[], attempt, dialect);
    if dialect.takes(Parameter::Description) {
        form = form.field(&["description"], attempt.ask.description());
    }
    StripeRequest::post("/v1/payment_intents", key(attempt, StripeStep::Create), form)
}

/// Returns the call that moves the money. The customer is present, so `off_session` is never sent.
pub(in crate::stripe) fn confirm(
    attempt: &AttemptContext<'_>,
    id: &str,
    dialect: &Dialect,
) -> StripeRequest {
    let mut form = expanding(dialect);
    match dialect.three_d_secure {
        ThreeDSecure::Redirect if dialect.takes(Parameter::ReturnUrl) => {
            form = form.field(&["return_url"], done(attempt));
        }
        ThreeDSecure::Refuse if dialect.takes(Parameter::ErrorOnRequiresAction) => {
            form = form.field(&["error_on_requires_action"], true);
        }
        ThreeDSecure::Redirect | ThreeDSecure::Refuse => {}
    }
    let path = format!("/v1/payment_intents/{id}/confirm");
    StripeRequest::post(path, key(attempt, StripeStep::Confirm), form).that_moves_money()
}

/// Returns the call that makes the confirmation impossible. It has no key: see [`StripeStep`].
pub(in crate::stripe) fn cancel(id: &str) -> StripeRequest {
    StripeRequest::post(format!("/v1/payment_intents/{id}/cancel"), None, Form::default())
}

/// Returns the call that reads a PaymentIntent.
pub(in crate::stripe) fn read(id: &str, dialect: &Dialect) -> StripeRequest {
    StripeRequest::get(format!("/v1/payment_intents/{id}"), expanding(dialect))
}

fn expanding(dialect: &Dialect) -> Form {
    let form = Form::default();
    if dialect.takes(Parameter::Expand) {
        form.field(&["expand", "0"], "latest_charge")
    } else {
        form
    }
}

#[derive(Deserialize)]
pub(super) struct PaymentIntent {
    id: String,
    object: String,
    status: String,
    amount: Option<u64>,
    amount_received: Option<u64>,
    currency: Option<String>,
    last_payment_error: Option<StripeErrorBody>,
    #[serde(default)]
    next_action: Value,
    /// An id, or the expanded object.
    #[serde(default)]
    latest_charge: Value,
}

/// Returns the created PaymentIntent, if its amount is the asked one.
pub(in crate::stripe) fn created(
    reply: &StripeReply,
    amount: StripeAmount,
) -> Result<Reference, StripeFailure> {
    let id = made(reply, "payment_intent", "pi_")?;
    let Ok(intent) = serde_json::from_slice::<PaymentIntent>(&reply.body) else {
        return Err(StripeFailure::Again);
    };
    let currency = intent.currency.unwrap_or_default();
    if intent.amount != Some(amount.minor_units)
        || !currency.eq_ignore_ascii_case(amount.currency.code())
    {
        return Err(StripeFailure::Invalid("amount_mismatch"));
    }
    Ok(Reference(id))
}

/// Interprets a reply about one PaymentIntent.
pub(in crate::stripe) fn outcome(
    call: StripeCall,
    reply: &StripeReply,
    reference: &str,
) -> ObjectState {
    if !reply.status.is_success() {
        return errors::failure(call, reply, Some(reference)).into();
    }
    let Ok(intent) = serde_json::from_slice::<PaymentIntent>(&reply.body) else {
        return ObjectState::Unknown;
    };
    if intent.id != reference { ObjectState::Unknown } else { interpret_status(intent) }
}

/// Interprets the status of a PaymentIntent.
pub(super) fn interpret_status(intent: PaymentIntent) -> ObjectState {
    if intent.object != "payment_intent" {
        return ObjectState::Unknown;
    }
    match intent.status.as_str() {
        "succeeded" => {
            let receipt = receipt(intent).map(Fulfillment::Payment);
            receipt.map_or(ObjectState::Unknown, ObjectState::Done)
        }
        // Capture is automatic here, so this status is on its way to another.
        "processing" | "requires_capture" => ObjectState::Processing,
        "requires_action" => {
            ObjectState::RequiresAction { redirect: next_action(&intent.next_action) }
        }
        "requires_confirmation" => ObjectState::NotConfirmed,
        "requires_payment_method" => match &intent.last_payment_error {
            Some(error) => errors::declined(error).into(),
            None => ObjectState::Invalid { code: "payment_method_missing" },
        },
        "canceled" => ObjectState::Voided,
        _ => ObjectState::Unknown,
    }
}

fn receipt(intent: PaymentIntent) -> Option<Receipt> {
    let amount = intent.amount_received.or(intent.amount)?;
    let (amount, currency) = amounts::from_stripe(amount, &intent.currency?)?;
    let details = intent.latest_charge.get("payment_method_details");
    let details = details.unwrap_or(&Value::Null);
    let card = StripeCard::read(details.get("card").unwrap_or(&Value::Null));
    let id = Value::String(intent.id);
    Some(Receipt {
        reference: Reference(id_of(&id, "pi_")?.to_owned()),
        amount,
        currency: currency.code().to_owned(),
        method: word(details.get("type")).unwrap_or_else(|| "card".to_owned()),
        wallet: card.wallet,
        card_brand: card.brand,
        last4: card.last4,
    })
}
