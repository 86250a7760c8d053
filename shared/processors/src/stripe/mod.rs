//! Stripe: what an attempt acts on is created, then confirmed or visited, so that whatever is in doubt can be read, and
//! ended.
//!
//! | the yes | a payment | a card to keep |
//! | --- | --- | --- |
//! | a token, a test card, a card on file | PaymentIntent, `pi_…` | SetupIntent, `seti_…` |
//! | nothing but the yes | Checkout Session, `cs_…` | Checkout Session, `cs_…` |

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ask::Ask;
use domain::authorization::AuthorizationKind;
use domain::guards::{self, Guard};
use domain::ports::{
    Answer, CallbackError, Http, HttpError, PaymentOption, Prepared, Processor, Reach, Reference,
    Refund, Refunded, UnverifiedCallback, Use, VerifiedWebhook,
};
use domain::values::money::Money;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use secrecy::ExposeSecret;

use self::errors::{Call, Failure, unanswered};
use self::object::Object;
use self::settings::ThreeDSecure;
use self::wallets::{ApplePay, GooglePayError};
use self::wire::intents::Method;
use self::wire::refunds::Found;
use self::wire::setups::Kept;
use self::wire::{Reply, Request, checkout, intents, methods, refunds, setups};
use crate::Kind;

pub(crate) mod amounts;
mod codes;
mod errors;
mod form;
pub(crate) mod keys;
mod merchant;
mod object;
pub(crate) mod payment_options;
mod refusals;
mod settings;
mod wallets;
mod wire;

pub(crate) use self::settings::Account;

pub(crate) const KIND: Kind = Kind {
    name: "stripe",
    open: |opening| {
        let account = Account::read(opening.mode, opening.settings)?;
        let http = &opening.outside.http;
        Ok(Box::new(Stripe { account, http: Arc::clone(http), web: Arc::clone(http) }))
    },
};

/// How many pages of a charge's refunds are looked through: more than any charge has.
const PAGES_MAX: u32 = 20;

/// One Stripe account, and the way to it.
pub(crate) struct Stripe {
    pub(crate) account: Account,
    /// The way to Stripe.
    pub(crate) http: Arc<dyn Http>,
    /// The way to everybody else: Apple, for its merchant sessions.
    pub(crate) web: Arc<dyn Http>,
}

#[async_trait]
impl Processor for Stripe {
    fn payment_options(&self, ask: &Ask) -> Vec<PaymentOption> {
        self.account.offer.payment_options(ask)
    }

    async fn prepare(&self, what: &Use<'_>) -> Prepared {
        match self.create(what).await {
            Ok(reference) => Prepared::Ready(reference),
            Err(failure) => Prepared::Not(failure.into()),
        }
    }

    async fn execute(&self, what: &Use<'_>, reference: &Reference) -> Answer {
        let Some(object) = Object::of(reference) else { return Answer::Unknown };
        match object.confirm(what, &self.account.dialect) {
            Some(call) => self.ask(what, object, (Call::Confirm, call)).await,
            // The customer does it, on Stripe's own page.
            None => self.read(what, object).await,
        }
    }

    async fn look_up(&self, what: &Use<'_>, reference: &Reference) -> Answer {
        match Object::of(reference) {
            Some(object) => self.read(what, object).await,
            None => Answer::Unknown,
        }
    }

    async fn fence(&self, what: &Use<'_>, reference: &Reference) -> Answer {
        let Some(object) = Object::of(reference) else { return Answer::Unknown };
        let answer = self.ask(what, object, (Call::Cancel, object.end())).await;
        // Ending it may be refused because it is too late, or have worked unheard.
        if answer != Answer::Unknown {
            return answer;
        }
        if guards::is_disabled(Guard::RetrieveAfterLateVoid) {
            return Answer::Fenced;
        }
        self.read(what, object).await
    }

    async fn refund(&self, refund: &Refund<'_>) -> Refunded {
        let Some(Object::Intent(charge)) = Object::of(refund.charge) else {
            return Refunded::Failed { code: "not_supported" };
        };
        let Some(amount) = amounts::to_stripe(refund.money) else {
            return Refunded::Failed { code: "amount_not_representable" };
        };
        // Beyond a day the key is forgotten, and the same call would be another refund: its label is not.
        if refund.again && !guards::is_disabled(Guard::RefundLookUp) {
            match self.refunded_before(refund, charge, amount).await {
                Found::There(refunded) => return refunded,
                Found::No => {}
                Found::NotYet(_) | Found::Unknown => return Refunded::Unknown,
            }
        }
        match self.send(refunds::create(refund, charge, amount)).await {
            Ok(reply) => refunds::outcome(&reply, amount),
            Err(HttpError::Forbidden) => Refunded::Blocked { code: "address" },
            Err(HttpError::NotSent(_)) => Refunded::Again,
            Err(HttpError::Lost(_)) => Refunded::Unknown,
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
        wire::events::receive(self.account.mode, secrets, callback)
    }
}

impl Stripe {
    async fn create(&self, what: &Use<'_>) -> Result<Reference, Failure> {
        let hosted = what.authorization.kind == AuthorizationKind::Hosted;
        let dialect = &self.account.dialect;
        match what.ask {
            Ask::Identity { .. } => Err(Failure::Invalid("ask_not_supported")),
            Ask::Payment { money, .. } => {
                let money = countable(*money)?;
                if hosted {
                    return self.create_session(what, Some(money)).await;
                }
                let method = self.method(what).await?;
                let reply = self.prepared(intents::create(what, money, &method, dialect)).await?;
                intents::created(&reply, money.0, money.1.currency().code())
            }
            Ask::PaymentMethod { .. } if hosted => self.create_session(what, None).await,
            Ask::PaymentMethod { .. } => {
                let method = self.method(what).await?;
                if method.customer.is_some() {
                    return Err(Failure::Invalid("card_on_file_already"));
                }
                let reply = self.prepared(methods::customer(what)).await?;
                let customer = wire::made(&reply, "customer", "cus_")?;
                let call = setups::create(what, &method.id, &customer, dialect);
                setups::created(&self.prepared(call).await?)
            }
        }
    }

    async fn create_session(
        &self,
        what: &Use<'_>,
        money: Option<(u64, Money)>,
    ) -> Result<Reference, Failure> {
        let call = checkout::create(what, money, &self.account.dialect);
        checkout::created(&self.prepared(call).await?, money)
    }

    /// What to charge or keep, made of a wallet's token where the customer gave one.
    async fn method(&self, what: &Use<'_>) -> Result<Method, Failure> {
        let malformed = Failure::Invalid("authorization_malformed");
        let secret = what.authorization.secret.expose_secret();
        let token = match what.authorization.kind {
            AuthorizationKind::PaymentMethod => {
                let id = wire::is_id(secret, "pm_").then(|| secret.to_owned()).ok_or(malformed)?;
                return Ok(Method { id, customer: None });
            }
            AuthorizationKind::KeptCard => {
                let Kept { customer, payment_method } = Kept::read(secret).ok_or(malformed)?;
                return Ok(Method { id: payment_method, customer: Some(customer) });
            }
            AuthorizationKind::ApplePay => {
                let apple = ApplePay::read(secret).ok_or(malformed)?;
                let reply = self.prepared(methods::token(what, &apple)).await?;
                wire::made(&reply, "token", "tok_")?
            }
            AuthorizationKind::GooglePay => self.google_pay(secret)?,
            AuthorizationKind::Hosted
            | AuthorizationKind::Code
            | AuthorizationKind::AccessToken
            | AuthorizationKind::Onward
            | AuthorizationKind::Claims => return Err(malformed),
        };
        let reply = self.prepared(methods::payment_method(what, &token)).await?;
        let id = wire::made(&reply, "payment_method", "pm_")?;
        Ok(Method { id, customer: None })
    }

    fn google_pay(&self, secret: &str) -> Result<String, Failure> {
        if self.account.offer.takes_examples && secret == wallets::GOOGLE_EXAMPLE {
            return Ok("tok_visa".to_owned());
        }
        wallets::google_pay(secret, self.account.mode).map_err(|error| match error {
            GooglePayError::Malformed => Failure::Invalid("authorization_malformed"),
            GooglePayError::OtherMode => Failure::Invalid("livemode_mismatch"),
        })
    }

    async fn prepared(&self, call: Request) -> Result<Reply, Failure> {
        self.send(call).await.map_err(|error| unanswered(Call::Prepare, &error))
    }

    async fn read(&self, what: &Use<'_>, object: Object<'_>) -> Answer {
        let call = object.read(what, &self.account.dialect);
        self.ask(what, object, (Call::Read, call)).await
    }

    /// Makes a call about an object, and says what its answer means.
    async fn ask(
        &self,
        what: &Use<'_>,
        object: Object<'_>,
        (call, request): (Call, Request),
    ) -> Answer {
        let reply = match self.send(request).await {
            Ok(reply) => reply,
            Err(error) => return unanswered(call, &error).into(),
        };
        match object.outcome(call, &reply) {
            checkout::Stands::Answer(answer) => self.allowed(object, answer),
            checkout::Stands::KeptBy(id) => {
                let setup = Object::Setup(&id);
                match self.send(setup.read(what, &self.account.dialect)).await {
                    Ok(reply) => setups::outcome(Call::Read, &reply, &id),
                    Err(error) => unanswered(Call::Read, &error).into(),
                }
            }
        }
    }

    /// Where 3-D Secure is not wanted, nobody is sent on to it.
    fn allowed(&self, object: Object<'_>, answer: Answer) -> Answer {
        let refuses = self.account.dialect.three_d_secure == ThreeDSecure::Refuse;
        match (object, answer) {
            (Object::Intent(_) | Object::Setup(_), Answer::NeedsCustomer { .. }) if refuses => {
                Answer::NeedsCustomer { onward: None }
            }
            (_, answer) => answer,
        }
    }

    /// Looks for a refund that may have been made before.
    async fn refunded_before(&self, refund: &Refund<'_>, charge: &str, amount: u64) -> Found {
        let mut after = None;
        for _ in 0..PAGES_MAX {
            let Ok(reply) = self.send(refunds::list(charge, after.as_deref())).await else {
                return Found::Unknown;
            };
            match refunds::found(&reply, refund, amount) {
                Found::NotYet(last) => after = Some(last),
                found @ (Found::There(_) | Found::No | Found::Unknown) => return found,
            }
        }
        Found::Unknown
    }

    async fn send(&self, call: Request) -> Result<Reply, HttpError> {
        let mut request = http::Request::builder()
            .method(call.method)
            .uri(format!("{}{}", self.account.base_url, call.path))
            .header(AUTHORIZATION, &self.account.authorization)
            .header("stripe-version", &self.account.version)
            .header(ACCEPT, "application/json");
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

/// The amount as Stripe counts it, beside itself.
fn countable(money: Money) -> Result<(u64, Money), Failure> {
    let amount = amounts::to_stripe(money).ok_or(Failure::Invalid("amount_not_representable"))?;
    Ok((amount, money))
}

#[cfg(test)]
mod tests;
