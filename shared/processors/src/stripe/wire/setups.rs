//! SetupIntents, by which a card is saved.

use domain::authorization::{Credential, CredentialKind};
use domain::processor_result::{CardReceipt, Reference};
use ports::{AttemptContext, Fulfillment};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{StripeCard, done, id_of, key, labelled, made, next_action};
use crate::checks::ThreeDSecure;
use crate::object_state::ObjectState;
use crate::stripe::errors::{self, StripeCall, StripeErrorBody};
use crate::stripe::failure::StripeFailure;
use crate::stripe::form::Form;
use crate::stripe::ids::is_id;
use crate::stripe::keys::StripeStep;
use crate::stripe::settings::{Dialect, Parameter};
use crate::stripe::transport::{StripeReply, StripeRequest};

/// The ids that a saved card is charged by. They are stored sealed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::stripe) struct StripeSavedCard {
    pub(in crate::stripe) customer: String,
    pub(in crate::stripe) payment_method: String,
}

impl StripeSavedCard {
    /// Reads the ids from their stored text. Both go into forms, so both must have the form of ids.
    pub(in crate::stripe) fn read(text: &str) -> Option<Self> {
        let kept: Self = serde_json::from_str(text).ok()?;
        let sound = is_id(&kept.customer, "cus_") && is_id(&kept.payment_method, "pm_");
        sound.then_some(kept)
    }
}

/// Returns the call that creates a SetupIntent without confirming it.
pub(in crate::stripe) fn create(
    attempt: &AttemptContext<'_>,
    method: &str,
    customer: &str,
    dialect: &Dialect,
) -> StripeRequest {
    let mut form =
        Form::default().field(&["customer"], customer).field(&["payment_method"], method);
    if dialect.takes(Parameter::PaymentMethodTypes) {
        form = form.field(&[dialect.payment_method_types.as_str(), "0"], "card");
    }
    form = labelled(form.field(&["usage"], "off_session"), &[], attempt, dialect);
    if dialect.takes(Parameter::Description) {
        form = form.field(&["description"], attempt.ask.description());
    }
    StripeRequest::post("/v1/setup_intents", key(attempt, StripeStep::SetupCreate), form)
}

/// Returns the id of the created SetupIntent.
pub(in crate::stripe) fn created(reply: &StripeReply) -> Result<Reference, StripeFailure> {
    made(reply, "setup_intent", "seti_").map(Reference)
}

/// Returns the call that saves the card.
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
        // SetupIntents have no parameter against 3-D Secure. A card that asks for it is cancelled.
        ThreeDSecure::Redirect | ThreeDSecure::Refuse => {}
    }
    let path = format!("/v1/setup_intents/{id}/confirm");
    StripeRequest::post(path, key(attempt, StripeStep::SetupConfirm), form).that_moves_money()
}

/// Returns the call that makes the confirmation impossible. It has no key: see [`StripeStep`].
pub(in crate::stripe) fn cancel(id: &str) -> StripeRequest {
    StripeRequest::post(format!("/v1/setup_intents/{id}/cancel"), None, Form::default())
}

/// Returns the call that reads a SetupIntent.
pub(in crate::stripe) fn read(id: &str, dialect: &Dialect) -> StripeRequest {
    StripeRequest::get(format!("/v1/setup_intents/{id}"), expanding(dialect))
}

fn expanding(dialect: &Dialect) -> Form {
    let form = Form::default();
    if dialect.takes(Parameter::Expand) {
        form.field(&["expand", "0"], "payment_method")
    } else {
        form
    }
}

#[derive(Deserialize)]
pub(super) struct SetupIntent {
    id: String,
    object: String,
    status: String,
    #[serde(default)]
    customer: Value,
    /// An id, or the expanded object.
    #[serde(default)]
    payment_method: Value,
    #[serde(default)]
    next_action: Value,
    last_setup_error: Option<StripeErrorBody>,
}

/// Interprets a reply about one SetupIntent.
pub(in crate::stripe) fn outcome(
    call: StripeCall,
    reply: &StripeReply,
    reference: &str,
) -> ObjectState {
    if !reply.status.is_success() {
        return errors::failure(call, reply, Some(reference)).into();
    }
    let Ok(setup) = serde_json::from_slice::<SetupIntent>(&reply.body) else {
        return ObjectState::Unknown;
    };
    if setup.id != reference { ObjectState::Unknown } else { interpret_status(&setup) }
}

/// Interprets the status of a SetupIntent.
pub(super) fn interpret_status(setup: &SetupIntent) -> ObjectState {
    if setup.object != "setup_intent" || !is_id(&setup.id, "seti_") {
        return ObjectState::Unknown;
    }
    match setup.status.as_str() {
        "succeeded" => kept(setup).map_or(ObjectState::Unknown, ObjectState::Done),
        "processing" => ObjectState::Processing,
        "requires_action" => {
            ObjectState::RequiresAction { redirect: next_action(&setup.next_action) }
        }
        "requires_confirmation" => ObjectState::NotConfirmed,
        "requires_payment_method" => match &setup.last_setup_error {
            Some(error) => errors::declined(error).into(),
            None => ObjectState::Invalid { code: "payment_method_missing" },
        },
        "canceled" => ObjectState::Voided,
        _ => ObjectState::Unknown,
    }
}

fn kept(setup: &SetupIntent) -> Option<Fulfillment> {
    let kept = StripeSavedCard {
        customer: id_of(&setup.customer, "cus_")?.to_owned(),
        payment_method: id_of(&setup.payment_method, "pm_")?.to_owned(),
    };
    let card = StripeCard::read(setup.payment_method.get("card").unwrap_or(&Value::Null));
    let secret = serde_json::to_string(&kept).ok()?;
    Some(Fulfillment::Card {
        receipt: CardReceipt {
            reference: Reference(setup.id.clone()),
            wallet: card.wallet,
            card_brand: card.brand,
            last4: card.last4,
            exp_month: card.exp_month,
            exp_year: card.exp_year,
        },
        saved: Credential::new(CredentialKind::SavedCard, secret),
    })
}
