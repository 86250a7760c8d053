//! The operations on SetupIntents.

use serde_json::json;

use super::StandIn;
use crate::calls::{ApiCall, ApiError, ApiReply, Form};
use crate::cards::{self, Refusal};
use crate::ids::id;
use crate::ledger::{Entry, SandboxObject};
use crate::objects::method::PaymentMethod;
use crate::objects::setup::{SetupIntent, SetupState, error};

impl StandIn {
    /// Reads a SetupIntent with its entry.
    pub(crate) async fn setup(&self, id: &str) -> Result<Option<(Entry, SetupIntent)>, ApiError> {
        let entry = self.ledger.find(id).await?;
        Ok(entry.and_then(|entry| match &entry.object {
            SandboxObject::Setup(setup) => {
                let setup = setup.clone();
                Some((entry, setup))
            }
            SandboxObject::Intent(_)
            | SandboxObject::Session(_)
            | SandboxObject::Method(_)
            | SandboxObject::Customer(_)
            | SandboxObject::Token(_) => None,
        }))
    }

    /// Returns whether a card is saved for a customer.
    pub(crate) async fn keeps(&self, customer: &str, method: &str) -> Result<bool, ApiError> {
        let entry = self.ledger.find(customer).await?;
        Ok(entry.is_some_and(|entry| entry.object.keeps(method)))
    }

    /// Serves `POST /v1/setup_intents`. A test card becomes a new payment method.
    pub(crate) async fn make_setup(&self, call: &ApiCall<'_>) -> Result<ApiReply, ApiError> {
        let form = Form::of(call.body);
        let customer = self.ledger.find(&form.text("customer")).await?;
        let method = self.method(&form.text("payment_method")).await?;
        let (Some(customer), Some(method)) = (customer, method) else {
            return Ok(ApiReply::invalid(400, "resource_missing"));
        };
        let id_of_method = id("pm_", &format!("{}|method", call.key));
        let saved_for = Some(customer.object.id().to_owned());
        let own = PaymentMethod { id: id_of_method, customer: saved_for, ..method };
        let known = self.ledger.read(&own.id).await?;
        let entry = self.entry(SandboxObject::Method(own.clone()));
        let also = known.is_none().then_some(entry);
        self.creates_with(call, "seti_", also, |id| {
            Ok(SandboxObject::Setup(SetupIntent {
                id,
                customer: customer.object.id().to_owned(),
                method: own.id,
                request_id: form.text("metadata[request_id]"),
                attempt: form.attempt(),
                return_url: None,
                state: SetupState::RequiresConfirmation,
            }))
        })
        .await
    }

    /// Serves `POST /v1/setup_intents/{id}/confirm`, which saves the card.
    pub(crate) async fn confirm_setup(
        &self,
        call: &ApiCall<'_>,
        id: &str,
    ) -> Result<ApiReply, ApiError> {
        let Some((entry, setup)) = self.setup(id).await? else { return Ok(ApiReply::missing()) };
        let method = self.method(&setup.method).await?;
        let refusal = method.as_ref().and_then(|method| cards::card(&method.card)?.refusal());
        let state = match refusal {
            None => SetupState::Succeeded,
            Some(Refusal::AuthenticationRequired) => SetupState::RequiresAction,
            Some(refusal) => SetupState::RequiresPaymentMethod { refusal },
        };
        let return_url = Form::of(call.body).some("return_url");
        let next = SetupIntent { state, return_url, ..setup.clone() };
        let kept = if next.is_kept() { self.customer_keeping(&next).await? } else { None };
        self.confirms(call, entry, kept, |_| {
            if setup.state != SetupState::RequiresConfirmation {
                return (None, ApiReply::invalid(400, "setup_intent_unexpected_state"));
            }
            let object = next.to_json(method.as_ref());
            let answer = match next.state {
                SetupState::RequiresPaymentMethod { refusal } => {
                    let mut error = error(refusal);
                    if let Some(map) = error.as_object_mut() {
                        map.insert("setup_intent".to_owned(), object);
                    }
                    ApiReply::new(402, &json!({ "error": error }))
                }
                SetupState::RequiresConfirmation
                | SetupState::RequiresAction
                | SetupState::Succeeded
                | SetupState::Canceled => ApiReply::new(200, &object),
            };
            (Some(SandboxObject::Setup(next)), answer)
        })
        .await
    }

    /// Returns the entry of a SetupIntent's customer with the card added.
    pub(crate) async fn customer_keeping(
        &self,
        setup: &SetupIntent,
    ) -> Result<Option<Entry>, ApiError> {
        let entry = self.ledger.find(&setup.customer).await?;
        Ok(entry.map(|mut entry| {
            if let SandboxObject::Customer(customer) = &mut entry.object {
                customer.keep(&setup.method);
            }
            entry
        }))
    }

    /// Serves `POST /v1/setup_intents/{id}/cancel`.
    pub(crate) async fn cancel_setup(&self, id: &str) -> Result<ApiReply, ApiError> {
        let Some((entry, setup)) = self.setup(id).await? else { return Ok(ApiReply::missing()) };
        match setup.state {
            SetupState::Succeeded | SetupState::Canceled => {
                Ok(ApiReply::invalid(400, "setup_intent_unexpected_state"))
            }
            SetupState::RequiresConfirmation
            | SetupState::RequiresAction
            | SetupState::RequiresPaymentMethod { .. } => {
                let setup = SetupIntent { state: SetupState::Canceled, ..setup };
                let method = self.method(&setup.method).await?;
                let answer = ApiReply::new(200, &setup.to_json(method.as_ref()));
                self.ledger
                    .write(&[&Entry { object: SandboxObject::Setup(setup), ..entry }])
                    .await?;
                Ok(answer)
            }
        }
    }
}
