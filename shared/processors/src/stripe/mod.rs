//! The processor adapter of kind `stripe`.
//!
//! An object is created first, then confirmed by us or completed by the customer on Stripe's page. An attempt in doubt can
//! therefore always be read and ended.
//!
//! | the approval carries | a payment | a card to save |
//! | --- | --- | --- |
//! | a token, a test card, a saved card | PaymentIntent, `pi_…` | SetupIntent, `seti_…` |
//! | nothing | Checkout Session, `cs_…` | Checkout Session, `cs_…` |

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ask::Ask;
use domain::authorization::{Authorization, Credential, CredentialKind};
use domain::guards;
use domain::guards::Guard;
use domain::processor_result::Reference;
use domain::values::money::Money;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ports::{
    AttemptContext, CARD_NOT_KEPT, CallbackError, Confirmed, Created, DetachResult, Http,
    HttpError, PaymentOption, Processor, Reach, Refund, RefundResult, Rejection, RequestLabels,
    Retrieved, UnsupportedAmount, UnsupportedLabel, UnverifiedCallback, VerifiedWebhook,
    VoidResult,
};
use secrecy::ExposeSecret;

use self::amounts::StripeAmount;
use self::errors::{StripeCall, unanswered};
use self::failure::StripeFailure;
use self::object::StripeObject;
use self::transport::{StripeReply, StripeRequest};
use self::wallets::{ApplePayToken, GooglePayError};
use self::wire::events::ReceivingAccount;
use self::wire::intents::ChargeMethod;
use self::wire::refunds::RefundSearch;
use self::wire::setups::StripeSavedCard;
use self::wire::{checkout, intents, methods, refunds, setups};
use crate::Kind;
use crate::checks::ThreeDSecure;
use crate::object_state::ObjectState;

pub(crate) mod amounts;
mod codes;
mod earlier_refund;
mod errors;
mod failure;
mod form;
mod ids;
pub(crate) mod keys;
mod labels;
mod merchant;
mod object;
pub(crate) mod payment_options;
mod refusals;
mod settings;
mod transport;
mod wallets;
mod wire;

pub(crate) use self::settings::StripeAccount;

pub(crate) const KIND: Kind = Kind {
    name: "stripe",
    open: |config| {
        let account = StripeAccount::read(config.mode, config.settings)?;
        let http = &config.deps.http;
        Ok(Box::new(Stripe { account, http: Arc::clone(http), web: Arc::clone(http) }))
    },
};

/// The adapter for one Stripe account.
pub(crate) struct Stripe {
    pub(crate) account: StripeAccount,
    /// Calls Stripe, or its stand-in.
    pub(crate) http: Arc<dyn Http>,
    /// Calls Apple, for merchant sessions.
    pub(crate) web: Arc<dyn Http>,
}

#[async_trait]
impl Processor for Stripe {
    fn payment_options(&self, ask: &Ask) -> Vec<PaymentOption> {
        self.account.offer.payment_options(ask)
    }

    fn check_amount(&self, money: Money) -> Result<(), UnsupportedAmount> {
        self.account.offer.check_amount(money)
    }

    fn check_labels(&self, labels: RequestLabels<'_>) -> Result<(), UnsupportedLabel> {
        self.account.dialect.labels.check(labels)
    }

    fn account(&self) -> Option<&str> {
        self.account.connected.as_deref()
    }

    async fn create(&self, attempt: &AttemptContext<'_>) -> Created {
        match self.create(attempt).await {
            Ok(reference) => Created::Ready(reference),
            Err(failure) => failure.into(),
        }
    }

    async fn confirm(&self, attempt: &AttemptContext<'_>, reference: &Reference) -> Confirmed {
        let Some(object) = StripeObject::of(reference) else { return Confirmed::Unknown };
        match object.confirm(attempt, &self.account.dialect) {
            Some(call) => match self.ask(attempt, object, StripeCall::Confirm, call).await {
                ObjectState::FailedForGood => self.end_failed(attempt, object).await.into(),
                state @ (ObjectState::Done(_)
                | ObjectState::SoftDeclined { .. }
                | ObjectState::HardDeclined { .. }
                | ObjectState::RequiresAction { .. }
                | ObjectState::Invalid { .. }
                | ObjectState::Blocked { .. }
                | ObjectState::Again
                | ObjectState::Processing
                | ObjectState::NotConfirmed
                | ObjectState::Unknown
                | ObjectState::Voided) => state.into(),
            },
            // The customer pays on Stripe's own page.
            None => self.read(attempt, object).await.into(),
        }
    }

    async fn retrieve(&self, attempt: &AttemptContext<'_>, reference: &Reference) -> Retrieved {
        match StripeObject::of(reference) {
            Some(object) => self.read(attempt, object).await.into(),
            None => Retrieved::Unknown,
        }
    }

    async fn void(&self, attempt: &AttemptContext<'_>, reference: &Reference) -> VoidResult {
        let Some(object) = StripeObject::of(reference) else { return VoidResult::Unknown };
        let state = self.ask(attempt, object, StripeCall::Cancel, object.end()).await;
        // The call may be refused as too late, or have worked although its answer was lost.
        if state != ObjectState::Unknown {
            return state.into();
        }
        if guards::is_disabled(Guard::RetrieveAfterLateVoid) {
            return VoidResult::Voided;
        }
        self.read(attempt, object).await.into()
    }

    async fn refund(&self, refund: &Refund<'_>) -> RefundResult {
        let Some(StripeObject::Intent(charge)) = StripeObject::of(refund.charge) else {
            return RefundResult::Failed { code: "not_supported" };
        };
        let Some(amount) = amounts::to_stripe(refund.money) else {
            return RefundResult::Failed { code: "amount_not_representable" };
        };
        // Stripe forgets the key after a day, and a repeat would be a second refund. The label in the metadata stays.
        if refund.again && !guards::is_disabled(Guard::RefundLookUp) {
            match self.refunded_before(refund, charge, amount).await {
                RefundSearch::There(refunded) => return refunded,
                RefundSearch::No => {}
                RefundSearch::NotYet(_) | RefundSearch::Unknown => return RefundResult::Unknown,
            }
        }
        match self.send(refunds::create(refund, charge, amount)).await {
            Ok(reply) => refunds::outcome(&reply, amount),
            Err(HttpError::Forbidden) => RefundResult::Blocked { by: Rejection::Address },
            Err(HttpError::NotSent(_)) => RefundResult::Again,
            Err(HttpError::Lost(_)) => RefundResult::Unknown,
        }
    }

    async fn detach(&self, saved: &Credential) -> DetachResult {
        let card = StripeSavedCard::read(saved.secret.expose_secret());
        let card = card.filter(|_| saved.kind == CredentialKind::SavedCard);
        let Some(StripeSavedCard { payment_method: id, .. }) = card else {
            return DetachResult::Failed { code: "card_malformed" };
        };
        match self.detaching(methods::detach(&id), &id).await {
            Some(result) => result,
            None => {
                let read = self.detaching(methods::read(&id), &id).await;
                // A refused read says nothing of the card.
                read.unwrap_or(DetachResult::Again)
            }
        }
    }

    async fn apple_pay_session(&self, host: &str) -> Option<String> {
        merchant::session(self.web.as_ref(), self.account.offer.merchant()?, host).await
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<VerifiedWebhook, CallbackError> {
        let secrets = &self.account.webhook_secrets;
        if secrets.is_empty() {
            return Err(CallbackError::None);
        }
        let account = ReceivingAccount {
            mode: self.account.mode,
            connected: self.account.connected.as_deref(),
        };
        wire::events::receive(account, secrets, callback)
    }
}

impl Stripe {
    async fn create(&self, attempt: &AttemptContext<'_>) -> Result<Reference, StripeFailure> {
        let hosted = *attempt.authorization == Authorization::Hosted;
        let dialect = &self.account.dialect;
        match attempt.ask {
            Ask::Identity { .. } => Err(StripeFailure::Invalid("ask_not_supported")),
            Ask::Payment { money, .. } => {
                let amount = StripeAmount::of(*money)
                    .ok_or(StripeFailure::Invalid("amount_not_representable"))?;
                if hosted {
                    return self.create_session(attempt, Some(amount)).await;
                }
                let method = self.method(attempt).await?;
                let reply =
                    self.created(intents::create(attempt, amount, &method, dialect)).await?;
                if method.customer.is_some() && errors::is_saved_card_gone(&reply) {
                    return Err(StripeFailure::SoftDeclined(CARD_NOT_KEPT));
                }
                intents::created(&reply, amount)
            }
            Ask::PaymentMethod { .. } if hosted => self.create_session(attempt, None).await,
            Ask::PaymentMethod { .. } => {
                let method = self.method(attempt).await?;
                if method.customer.is_some() {
                    return Err(StripeFailure::Invalid("card_on_file_already"));
                }
                let reply = self.created(methods::customer(attempt)).await?;
                let customer = wire::made(&reply, "customer", "cus_")?;
                let call = setups::create(attempt, &method.id, &customer, dialect);
                setups::created(&self.created(call).await?)
            }
        }
    }

    async fn create_session(
        &self,
        attempt: &AttemptContext<'_>,
        amount: Option<StripeAmount>,
    ) -> Result<Reference, StripeFailure> {
        let call = checkout::create(attempt, amount, &self.account.dialect);
        checkout::created(&self.created(call).await?, amount)
    }

    /// Returns the payment method to charge or save, created from a wallet's token where there is one.
    async fn method(&self, attempt: &AttemptContext<'_>) -> Result<ChargeMethod, StripeFailure> {
        let malformed = StripeFailure::Invalid("authorization_malformed");
        let Authorization::Credential(credential) = attempt.authorization else {
            return Err(malformed);
        };
        let secret = credential.secret.expose_secret();
        let token = match credential.kind {
            CredentialKind::PaymentMethod => {
                let id = ids::is_id(secret, "pm_").then(|| secret.to_owned()).ok_or(malformed)?;
                return Ok(ChargeMethod { id, customer: None });
            }
            CredentialKind::SavedCard => {
                let StripeSavedCard { customer, payment_method } =
                    StripeSavedCard::read(secret).ok_or(malformed)?;
                return Ok(ChargeMethod { id: payment_method, customer: Some(customer) });
            }
            CredentialKind::ApplePay => {
                let apple = ApplePayToken::read(secret).ok_or(malformed)?;
                let reply = self.created(methods::token(attempt, &apple)).await?;
                wire::made(&reply, "token", "tok_")?
            }
            CredentialKind::GooglePay => self.google_pay(secret)?,
        };
        let reply = self.created(methods::payment_method(attempt, &token)).await?;
        let id = wire::made(&reply, "payment_method", "pm_")?;
        Ok(ChargeMethod { id, customer: None })
    }

    fn google_pay(&self, secret: &str) -> Result<String, StripeFailure> {
        if self.account.offer.takes_examples && secret == wallets::GOOGLE_EXAMPLE {
            return Ok("tok_visa".to_owned());
        }
        wallets::google_pay(secret, self.account.mode).map_err(|error| match error {
            GooglePayError::Malformed => StripeFailure::Invalid("authorization_malformed"),
            GooglePayError::OtherMode => StripeFailure::Invalid("livemode_mismatch"),
        })
    }

    async fn created(&self, call: StripeRequest) -> Result<StripeReply, StripeFailure> {
        self.send(call).await.map_err(|error| unanswered(StripeCall::Create, &error))
    }

    /// Ends an object that was never confirmed, after its confirmation failed for good. The key of a new attempt is free.
    async fn end_failed(
        &self,
        attempt: &AttemptContext<'_>,
        object: StripeObject<'_>,
    ) -> ObjectState {
        let state = self.read(attempt, object).await;
        if state != ObjectState::NotConfirmed {
            return state;
        }
        let ended = self.ask(attempt, object, StripeCall::Cancel, object.end()).await;
        if ended == ObjectState::Voided {
            ObjectState::SoftDeclined { code: "processor_error" }
        } else {
            ObjectState::Unknown
        }
    }

    async fn read(&self, attempt: &AttemptContext<'_>, object: StripeObject<'_>) -> ObjectState {
        let call = object.read(attempt, &self.account.dialect);
        self.ask(attempt, object, StripeCall::Read, call).await
    }

    /// Makes a call about an object and interprets the reply.
    async fn ask(
        &self,
        attempt: &AttemptContext<'_>,
        object: StripeObject<'_>,
        call: StripeCall,
        request: StripeRequest,
    ) -> ObjectState {
        let reply = match self.send(request).await {
            Ok(reply) => reply,
            Err(error) => return unanswered(call, &error).into(),
        };
        match object.outcome(call, &reply) {
            checkout::SessionResult::State(state) => self.allowed(object, state),
            checkout::SessionResult::KeptBy(id) => {
                let setup = StripeObject::Setup(&id);
                match self.send(setup.read(attempt, &self.account.dialect)).await {
                    Ok(reply) => setups::outcome(StripeCall::Read, &reply, &id),
                    Err(error) => unanswered(StripeCall::Read, &error).into(),
                }
            }
        }
    }

    /// Drops the redirect to the bank where the settings refuse 3-D Secure.
    fn allowed(&self, object: StripeObject<'_>, state: ObjectState) -> ObjectState {
        let refuses = self.account.dialect.three_d_secure == ThreeDSecure::Refuse;
        match (object, state) {
            (
                StripeObject::Intent(_) | StripeObject::Setup(_),
                ObjectState::RequiresAction { .. },
            ) if refuses => ObjectState::RequiresAction { redirect: None },
            (_, state) => state,
        }
    }

    /// Makes a call about a card that is taken off file; `None` where the call was refused.
    async fn detaching(&self, call: StripeRequest, id: &str) -> Option<DetachResult> {
        match self.send(call).await {
            Ok(reply) => methods::detached(&reply, id),
            Err(error) => Some(DetachResult::from(&error)),
        }
    }

    async fn send(&self, call: StripeRequest) -> Result<StripeReply, HttpError> {
        let mut request = http::Request::builder()
            .method(call.method)
            .uri(format!("{}{}", self.account.base_url, call.path))
            .header(AUTHORIZATION, &self.account.authorization)
            .header("stripe-version", &self.account.version)
            .header(ACCEPT, "application/json");
        if let Some(connected) = &self.account.connected {
            request = request.header("stripe-account", connected);
        }
        if let Some(key) = call.key {
            request = request.header("idempotency-key", key);
        }
        if !call.body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request
            .body(Bytes::from(call.body))
            .map_err(|error| HttpError::NotSent(error.into()))?;
        let reply = self.http.call(request, Reach::Configured, call.timeout).await?;
        Ok(reply.into())
    }
}

#[cfg(test)]
mod tests;
