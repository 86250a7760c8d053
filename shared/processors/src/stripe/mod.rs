//! Stripe: a PaymentIntent is created, then confirmed, so that whatever is in doubt can be read, and cancelled.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ask::Ask;
use domain::authorization::AuthorizationKind;
use domain::brand::Mode;
use domain::ports::{
    Answer, CallbackError, Heard, Http, HttpError, Prepared, Processor, Reach, Reference, Refund,
    Refunded, UnverifiedCallback, Use, Way,
};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use secrecy::ExposeSecret;

use self::errors::{Call, Failure};
use self::wallets::{ApplePay, GooglePayError};
use self::wire::{Reply, Request};
use crate::Kind;

pub(crate) mod amounts;
mod errors;
mod form;
pub(crate) mod keys;
mod settings;
mod wallets;
mod wire;

pub(crate) use self::settings::Account;

pub(crate) const KIND: Kind = Kind {
    name: "stripe",
    open: |opening| {
        let account = Account::read(opening.mode, opening.settings)?;
        Ok(Box::new(Stripe { account, http: Arc::clone(&opening.outside.http) }))
    },
};

/// One Stripe account, and the way to it.
pub(crate) struct Stripe {
    pub(crate) account: Account,
    pub(crate) http: Arc<dyn Http>,
}

#[async_trait]
impl Processor for Stripe {
    fn ways(&self, ask: &Ask) -> Vec<Way> {
        match (self.account.mode, ask) {
            (Mode::Test, Ask::Payment { card: None, .. }) => vec![Way::TestCard],
            (Mode::Live, Ask::Payment { .. })
            | (
                Mode::Test | Mode::Live,
                Ask::Payment { .. } | Ask::PaymentMethod { .. } | Ask::Identity { .. },
            ) => Vec::new(),
        }
    }

    async fn prepare(&self, charge: &Use<'_>) -> Prepared {
        match self.create(charge).await {
            Ok(reference) => Prepared::Ready(reference),
            Err(failure) => Prepared::Not(failure.into()),
        }
    }

    async fn execute(&self, charge: &Use<'_>, reference: &Reference) -> Answer {
        let Some(id) = intent(reference) else { return Answer::Unknown };
        match self.send(wire::confirm(charge, id, &self.account.dialect)).await {
            Ok(reply) => wire::outcome(Call::Confirm, &reply, id),
            Err(error) => unanswered(Call::Confirm, &error).into(),
        }
    }

    async fn look_up(&self, _charge: &Use<'_>, reference: &Reference) -> Answer {
        let Some(id) = intent(reference) else { return Answer::Unknown };
        self.read(id).await
    }

    async fn fence(&self, _charge: &Use<'_>, reference: &Reference) -> Answer {
        let Some(id) = intent(reference) else { return Answer::Unknown };
        let answer = match self.send(wire::cancel(id)).await {
            Ok(reply) => wire::outcome(Call::Cancel, &reply, id),
            Err(error) => unanswered(Call::Cancel, &error).into(),
        };
        // Cancelling may be refused because it is too late, or have worked unheard.
        if answer == Answer::Unknown { self.read(id).await } else { answer }
    }

    async fn refund(&self, _: &Refund<'_>) -> Refunded {
        Refunded::Failed { code: "not_supported" }
    }

    async fn apple_pay_session(&self, _: &str) -> Option<String> {
        None
    }

    fn receive(&self, _: &UnverifiedCallback) -> Result<Heard, CallbackError> {
        Err(CallbackError::None)
    }
}

impl Stripe {
    async fn create(&self, charge: &Use<'_>) -> Result<Reference, Failure> {
        let money = charge.money().ok_or(Failure::Invalid("ask_not_supported"))?;
        let amount =
            amounts::to_stripe(money).ok_or(Failure::Invalid("amount_not_representable"))?;
        let method = self.payment_method(charge).await?;
        let call = wire::create(charge, (amount, money), &method, &self.account.dialect);
        let reply = self.prepared(call).await?;
        wire::created(&reply, amount, money.currency().code())
    }

    /// The id of the payment method to charge, made of a wallet's token where the customer gave one.
    async fn payment_method(&self, charge: &Use<'_>) -> Result<String, Failure> {
        let malformed = Failure::Invalid("authorization_malformed");
        let secret = charge.authorization.secret.expose_secret();
        let token = match charge.authorization.kind {
            AuthorizationKind::PaymentMethod => {
                return wire::is_id(secret, "pm_").then(|| secret.to_owned()).ok_or(malformed);
            }
            AuthorizationKind::ApplePay => {
                let apple = ApplePay::read(secret).ok_or(malformed)?;
                let reply = self.prepared(wire::token(charge, &apple)).await?;
                wire::made(&reply, "token", "tok_")?
            }
            AuthorizationKind::Hosted
            | AuthorizationKind::KeptCard
            | AuthorizationKind::Code
            | AuthorizationKind::AccessToken
            | AuthorizationKind::Onward
            | AuthorizationKind::Claims => return Err(malformed),
            AuthorizationKind::GooglePay => match wallets::google_pay(secret, self.account.mode) {
                Ok(token) => token,
                Err(GooglePayError::Malformed) => return Err(malformed),
                Err(GooglePayError::OtherMode) => {
                    return Err(Failure::Invalid("livemode_mismatch"));
                }
            },
        };
        let reply = self.prepared(wire::payment_method(charge, &token)).await?;
        wire::made(&reply, "payment_method", "pm_")
    }

    async fn prepared(&self, call: Request) -> Result<Reply, Failure> {
        self.send(call).await.map_err(|error| unanswered(Call::Prepare, &error))
    }

    async fn read(&self, id: &str) -> Answer {
        match self.send(wire::read(id, &self.account.dialect)).await {
            Ok(reply) => wire::outcome(Call::Read, &reply, id),
            Err(error) => unanswered(Call::Read, &error).into(),
        }
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

/// The stored reference as the id it is; anything else never reaches a path.
fn intent(reference: &Reference) -> Option<&str> {
    wire::is_id(&reference.0, "pi_").then_some(reference.0.as_str())
}

/// What it means that there is no answer.
const fn unanswered(call: Call, error: &HttpError) -> Failure {
    match (call, error) {
        (Call::Read, HttpError::Forbidden | HttpError::NotSent(_) | HttpError::Lost(_))
        | (Call::Confirm | Call::Cancel, HttpError::Lost(_)) => Failure::Unknown,
        (Call::Prepare | Call::Confirm | Call::Cancel, HttpError::Forbidden) => {
            Failure::Blocked("address")
        }
        (Call::Prepare, HttpError::NotSent(_) | HttpError::Lost(_))
        | (Call::Confirm | Call::Cancel, HttpError::NotSent(_)) => Failure::Again,
    }
}

#[cfg(test)]
mod tests;
