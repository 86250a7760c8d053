//! An OpenID provider: the customer signs in there and releases facts, which are read once and handed on.
//!
//! The authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636), begun by a pushed authorization request (RFC
//! 9126) and with authorization details (RFC 9396) where the provider takes them. Nothing of it is stored: state, nonce and
//! verifier are derived from the request, the attempt and the brand's key. A code is exchanged once, whatever happens; when
//! the answer is lost, the customer is asked again, since a second exchange would revoke what the first one gave.

mod settings;
mod state;
mod tokens;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ask::Ask;
use domain::authorization::{Authorization, AuthorizationKind};
use domain::brand::Key32;
use domain::guards::{self, Guard};
use domain::ports::{
    Answer, CallbackError, Clock, Http, HttpError, Onward, PaymentOption, Prepared, Processor,
    ProcessorEvent, Reach, Reference, Refund, Refunded, Told, UnverifiedCallback, Use,
    VerifiedWebhook, WebhookResponse,
};
use http::Method;

use self::settings::Provider;
use self::state::State;
use crate::Kind;

/// OpenID Connect.
pub(crate) const KIND: Kind = Kind {
    name: "openid",
    open: |opening| {
        Ok(Box::new(OpenId {
            provider: Provider::read(opening.mode, opening.settings)?,
            link_key: opening.brand.link_key.clone(),
            address_key: opening.brand.address_key.clone(),
            http: Arc::clone(&opening.outside.http),
            clock: Arc::clone(&opening.outside.clock),
        }))
    },
};

/// Nobody waits longer for any of a provider's answers.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One client at one OpenID provider.
struct OpenId {
    provider: Provider,
    /// What state, nonce and verifier are derived from.
    link_key: Key32,
    /// What the hash that stands for a customer is made with.
    address_key: Key32,
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Processor for OpenId {
    fn payment_options(&self, ask: &Ask) -> Vec<PaymentOption> {
        match ask {
            Ask::Identity { claims, .. }
                if claims.iter().all(|claim| self.provider.releases(claim.as_str())) =>
            {
                vec![PaymentOption::Hosted]
            }
            Ask::Identity { .. } | Ask::Payment { .. } | Ask::PaymentMethod { .. } => Vec::new(),
        }
    }

    /// Nothing is there before the customer goes to the provider; the state names what they go there for.
    async fn prepare(&self, what: &Use<'_>) -> Prepared {
        match (what.ask, what.authorization.kind) {
            (Ask::Identity { .. }, AuthorizationKind::Hosted) => {
                Prepared::Ready(Reference(self.state(what).to_string()))
            }
            (Ask::Identity { .. } | Ask::Payment { .. } | Ask::PaymentMethod { .. }, _) => {
                Prepared::Not(Answer::Invalid { code: "authorization_malformed" })
            }
        }
    }

    async fn execute(&self, what: &Use<'_>, reference: &Reference) -> Answer {
        if !self.knows(what, reference) {
            return Answer::Unknown;
        }
        match what.authorization.kind {
            AuthorizationKind::Hosted => self.send_on(what).await,
            AuthorizationKind::Code if is_used(what) => LOST,
            AuthorizationKind::Code => self.exchange(what).await,
            AuthorizationKind::AccessToken => self.user_info(what).await,
            AuthorizationKind::PaymentMethod
            | AuthorizationKind::ApplePay
            | AuthorizationKind::GooglePay
            | AuthorizationKind::KeptCard
            | AuthorizationKind::Onward
            | AuthorizationKind::Claims => Answer::Invalid { code: "authorization_malformed" },
        }
    }

    async fn look_up(&self, what: &Use<'_>, reference: &Reference) -> Answer {
        if !self.knows(what, reference) {
            return Answer::Unknown;
        }
        match what.authorization.kind {
            AuthorizationKind::Hosted => match what.told {
                Some(told) => Answer::Refused { code: wire::told(told.code.as_deref()) },
                // Whether the customer signs in, nobody but the provider knows until they come back.
                None if what.away => Answer::Working,
                None => Answer::NotExecuted,
            },
            AuthorizationKind::Code if is_used(what) => LOST,
            AuthorizationKind::Code | AuthorizationKind::AccessToken => Answer::NotExecuted,
            AuthorizationKind::PaymentMethod
            | AuthorizationKind::ApplePay
            | AuthorizationKind::GooglePay
            | AuthorizationKind::KeptCard
            | AuthorizationKind::Onward
            | AuthorizationKind::Claims => Answer::Invalid { code: "authorization_malformed" },
        }
    }

    /// Nothing more is read for an attempt that is over: its code would have to be brought to us, and is refused then.
    async fn fence(&self, what: &Use<'_>, reference: &Reference) -> Answer {
        if self.knows(what, reference) { Answer::Fenced } else { Answer::Unknown }
    }

    async fn refund(&self, _: &Refund<'_>) -> Refunded {
        Refunded::Failed { code: "not_supported" }
    }

    async fn apple_pay_session(&self, _: &str) -> Option<String> {
        None
    }

    /// The customer's browser comes back. The state proves which request sent it, and the issuer that it was ours (RFC 9207).
    fn receive(&self, callback: &UnverifiedCallback) -> Result<VerifiedWebhook, CallbackError> {
        if callback.method != Method::GET {
            return Err(CallbackError::None);
        }
        let returned = wire::Returned::read(&callback.url)?;
        let state = State::read(&returned.state, &self.link_key, &self.provider.issuer)
            .ok_or(CallbackError::Forged)?;
        let issuer = match &returned.issuer {
            Some(issuer) => *issuer == self.provider.issuer,
            None => !self.provider.names_issuer,
        };
        if !issuer {
            return Err(CallbackError::Forged);
        }
        let State { request, generation, .. } = state;
        let events = match returned.outcome {
            Ok(code) => {
                let authorization =
                    Authorization { kind: AuthorizationKind::Code, secret: code.into() };
                ProcessorEvent::Returned { request, generation, authorization }
            }
            Err(error) => {
                let reference = Reference(returned.state);
                let told = Told { success: false, reference, code: Some(error) };
                ProcessorEvent::Told { request, generation, told }
            }
        };
        Ok(VerifiedWebhook { events: vec![events], reply: WebhookResponse::ToPage(request) })
    }
}

/// The code may have been used, and a second use would revoke what the first one gave: the customer is asked again.
const LOST: Answer = Answer::Refused { code: "authentication_lost" };

/// Returns whether the code may have been used.
fn is_used(what: &Use<'_>) -> bool {
    what.redeemed && !guards::is_disabled(Guard::CodeUsedOnce)
}

impl OpenId {
    /// Whether the reference is the one this attempt was prepared under.
    fn knows(&self, what: &Use<'_>, reference: &Reference) -> bool {
        matches!(what.ask, Ask::Identity { .. }) && reference.0 == self.state(what).to_string()
    }

    fn state(&self, what: &Use<'_>) -> State {
        State::of(what.request, what.generation, &self.link_key, &self.provider.issuer)
    }

    /// Where the customer goes on: the authorization endpoint, with what is asked or with where that was pushed to.
    async fn send_on(&self, what: &Use<'_>) -> Answer {
        let state = self.state(what);
        let asked = wire::asked(what, &self.provider, &state);
        let Some(endpoint) = &self.provider.pushed_authorization_request_endpoint else {
            let url = self.provider.authorize(&asked);
            return Answer::NeedsCustomer { onward: Some(Onward(url)) };
        };
        let answer = match self.post(endpoint, &asked).await {
            Ok(answer) => answer,
            // A push that was not heard of is of no consequence: the next one is another.
            Err(HttpError::Forbidden) => return Answer::Blocked { code: "address" },
            Err(HttpError::NotSent(_) | HttpError::Lost(_)) => return Answer::Again,
        };
        match wire::pushed(answer.status(), answer.body()) {
            Ok(pushed) => {
                let url = self.provider.authorize(&[("request_uri", pushed)]);
                Answer::NeedsCustomer { onward: Some(Onward(url)) }
            }
            Err(fault) => fault.into(),
        }
    }

    /// Exchanges the code, once.
    async fn exchange(&self, what: &Use<'_>) -> Answer {
        let state = self.state(what);
        let Some(asked) = wire::exchange(what, &state) else {
            return Answer::Invalid { code: "authorization_malformed" };
        };
        let answer = match self.post(&self.provider.token_endpoint, &asked).await {
            Ok(answer) => answer,
            Err(HttpError::Forbidden) => return Answer::Blocked { code: "address" },
            Err(HttpError::NotSent(_)) => return Answer::Again,
            Err(HttpError::Lost(_)) => return Answer::Unknown,
        };
        let tokens = match wire::tokens(answer.status(), answer.body()) {
            Ok(tokens) => tokens,
            Err(fault) => return fault.into(),
        };
        if !wire::same_details(what, &self.provider, tokens.authorization_details.as_ref()) {
            return Answer::Refused { code: "details_differ" };
        }
        let now = self.clock.now();
        match tokens::subject(&tokens.id_token, &self.provider, state.nonce.as_str(), now) {
            Ok(subject) => Answer::Exchanged(wire::access(&tokens, &subject)),
            Err(code) => Answer::Refused { code },
        }
    }

    /// Reads the facts, as often as need be.
    async fn user_info(&self, what: &Use<'_>) -> Answer {
        let (Some(access), Ask::Identity { claims, .. }) =
            (wire::Access::read(what.authorization), what.ask)
        else {
            return Answer::Invalid { code: "authorization_malformed" };
        };
        let Ok(call) = wire::user_info(&self.provider.userinfo_endpoint, &access) else {
            return Answer::Invalid { code: "authorization_malformed" };
        };
        match self.http.call(call, Reach::Configured, TIMEOUT).await {
            Ok(answer) => {
                let subject = domain::keys::subject_hash(
                    &self.address_key,
                    &self.provider.issuer,
                    &access.subject,
                );
                wire::facts(answer.status(), answer.body(), (claims, &access, subject))
            }
            Err(HttpError::Forbidden) => Answer::Blocked { code: "address" },
            Err(HttpError::NotSent(_) | HttpError::Lost(_)) => Answer::Again,
        }
    }

    async fn post(
        &self,
        endpoint: &str,
        asked: &[(&'static str, String)],
    ) -> Result<http::Response<Bytes>, HttpError> {
        let call = wire::form(endpoint, asked, &self.provider)
            .map_err(|error| HttpError::NotSent(error.into()))?;
        self.http.call(call, Reach::Configured, TIMEOUT).await
    }
}

#[cfg(test)]
mod tests;
