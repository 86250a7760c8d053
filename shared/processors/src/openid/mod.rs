//! The processor adapter of kind `openid`: the customer signs in at an OpenID provider and releases claims.
//!
//! The flow is the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636). Where the provider takes them, it
//! begins with a pushed authorization request (RFC 9126) and carries authorization details (RFC 9396). State, nonce and
//! verifier are derived from the request, the attempt and the brand's key, and never stored. A code is exchanged once. When
//! the reply is lost, the customer is asked again, since a second exchange revokes the first one's tokens.

mod authorization;
mod claims;
mod client_auth;
mod discovery;
mod endpoint_error;
mod endpoints;
mod settings;
mod state;
mod tokens;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ask::Ask;
use domain::authorization::{Authorization, Grant};
use domain::brand::Key32;
use domain::guards;
use domain::guards::Guard;
use domain::keys;
use domain::processor_result::{Reference, ReportedResult};
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use ports::{
    AttemptContext, CallbackError, Clock, Confirmed, Created, Http, HttpError, PaymentOption,
    Processor, ProcessorEvent, Reach, RedirectUrl, Refund, RefundResult, Rejection, Retrieved,
    UnverifiedCallback, VerifiedWebhook, VoidResult, WebhookResponse,
};
use secrecy::SecretString;

pub(crate) use self::discovery::Documents;

use self::authorization::{AuthorizationResponse, SignIn};
use self::discovery::shortened;
use self::endpoint_error::EndpointError;
use self::endpoints::Endpoints;
use self::settings::Provider;
use self::state::AttemptState;
use self::tokens::IdTokenRejection;
use self::wire::AccessGrant;
use crate::Kind;

/// The adapter's entry in the list of kinds.
///
/// # Examples
/// Redirects the customer to the provider. No call is made before the customer returns with a code:
/// ```
#[doc = include_str!("../example.md")]
/// let http = scripted(vec![]);
/// let brand = brand("openid", json!({
///     "issuer": "https://id.example", "authorization_endpoint": "https://id.example/authorize",
///     "token_endpoint": "https://id.example/token", "userinfo_endpoint": "https://id.example/me",
///     "client_id": "acme", "client_secret": "s3cret",
/// }));
/// let openid = registry(&http).open(&brand, Mode::Test, &"openid".parse().unwrap()).unwrap();
///
/// let description = DisplayText::new("Opening an account").unwrap();
/// let ask = Ask::Identity { claims: [DisplayText::new("given_name").unwrap()].into(), description, acr: vec![], max_age: None };
/// let attempt = attempt(&ask, &Authorization::Hosted);
/// let Created::Ready(reference) = block_on(openid.create(&attempt)) else { panic!() };
/// let confirmed = block_on(openid.confirm(&attempt, &reference));
/// let Confirmed::RequiresAction { redirect: Some(RedirectUrl(url)) } = confirmed else { panic!() };
/// assert!(url.starts_with("https://id.example/authorize?"));
/// assert!(http.calls.lock().unwrap().is_empty());
/// ```
pub(crate) const KIND: Kind = Kind {
    name: "openid",
    open: |config| {
        Ok(Box::new(OpenId {
            provider: Provider::read(config.mode, config.settings)?,
            link_key: config.brand.link_key.clone(),
            address_key: config.brand.address_key.clone(),
            documents: Arc::clone(config.documents),
            http: Arc::clone(&config.deps.http),
            clock: Arc::clone(&config.deps.clock),
        }))
    },
};

/// The time limit of every call to a provider.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The adapter for one client at one OpenID provider.
struct OpenId {
    provider: Provider,
    /// The key from which state, nonce and verifier are derived.
    link_key: Key32,
    /// The key of the hash that replaces the customer's id at the provider.
    address_key: Key32,
    documents: Arc<Documents>,
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

    /// Creates nothing at the provider. The reference is the state that the customer takes there.
    async fn create(&self, attempt: &AttemptContext<'_>) -> Created {
        match (attempt.ask, attempt.authorization) {
            (Ask::Identity { .. }, Authorization::Hosted) => {
                Created::Ready(Reference(self.state(attempt).to_string()))
            }
            (Ask::Identity { .. } | Ask::Payment { .. } | Ask::PaymentMethod { .. }, _) => {
                Created::Invalid { code: MALFORMED }
            }
        }
    }

    async fn confirm(&self, attempt: &AttemptContext<'_>, reference: &Reference) -> Confirmed {
        if !self.knows(attempt, reference) {
            return Confirmed::Unknown;
        }
        match attempt.authorization {
            Authorization::Hosted => self.send_on(attempt).await,
            Authorization::Grant(Grant::Code(_)) if is_used(attempt) => {
                Confirmed::SoftDeclined { code: LOST }
            }
            Authorization::Grant(Grant::Code(code)) => self.exchange(attempt, code).await,
            Authorization::Grant(Grant::AccessToken(token)) => self.user_info(attempt, token).await,
            Authorization::Credential(_) => Confirmed::Invalid { code: MALFORMED },
        }
    }

    async fn retrieve(&self, attempt: &AttemptContext<'_>, reference: &Reference) -> Retrieved {
        if !self.knows(attempt, reference) {
            return Retrieved::Unknown;
        }
        match attempt.authorization {
            Authorization::Hosted => match attempt.reported {
                Some(reported) => Retrieved::SoftDeclined {
                    code: authorization::reported(reported.code.as_deref()),
                },
                // Only the provider knows about the sign-in until the customer returns.
                None if attempt.on_hosted_page => Retrieved::Processing,
                None => Retrieved::NotConfirmed,
            },
            Authorization::Grant(Grant::Code(_)) if is_used(attempt) => {
                Retrieved::SoftDeclined { code: LOST }
            }
            Authorization::Grant(_) => Retrieved::NotConfirmed,
            Authorization::Credential(_) => Retrieved::Invalid { code: MALFORMED },
        }
    }

    /// Makes no call: the code of an ended attempt is refused when the customer returns with it.
    async fn void(&self, attempt: &AttemptContext<'_>, reference: &Reference) -> VoidResult {
        if self.knows(attempt, reference) { VoidResult::Voided } else { VoidResult::Unknown }
    }

    async fn refund(&self, _: &Refund<'_>) -> RefundResult {
        RefundResult::Failed { code: "not_supported" }
    }

    async fn apple_pay_session(&self, _: &str) -> Option<String> {
        None
    }

    /// Reads the return of the customer's browser. The state proves the request, and `iss` the provider (RFC 9207).
    fn receive(&self, callback: &UnverifiedCallback) -> Result<VerifiedWebhook, CallbackError> {
        let returned = AuthorizationResponse::read(callback)?;
        let state = AttemptState::read(&returned.state, &self.link_key, &self.provider.issuer)
            .ok_or(CallbackError::Forged)?;
        if !self.is_named(returned.issuer.as_deref(), callback.now) {
            tracing::error!(
                request.id = %state.request, issuer.expected = self.provider.issuer,
                issuer.received = ?returned.issuer.as_deref().map(shortened),
                "customer returned from another issuer"
            );
            return Err(CallbackError::Forged);
        }
        let AttemptState { request, attempt_no, .. } = state;
        let named = returned.issuer.is_some();
        let events = match returned.outcome {
            Some(Ok(code)) => {
                let grant = wire::returned(code, named);
                ProcessorEvent::Returned { request, attempt_no, grant }
            }
            Some(Err(error)) => {
                let reference = Reference(returned.state);
                let reported =
                    ReportedResult { success: false, reference, code: Some(error), original: None };
                ProcessorEvent::AttemptReported { request, attempt_no, reported }
            }
            None => return Err(CallbackError::Malformed),
        };
        let reply = WebhookResponse::ToPage(request);
        Ok(VerifiedWebhook { events: vec![events], reply, ignored: Vec::new() })
    }
}

/// The answer after a lost exchange. A second use of the code would revoke the first one's tokens.
const LOST: &str = "authentication_lost";

/// The approval carries nothing that the provider takes.
const MALFORMED: &str = "authorization_malformed";

/// Returns whether the code may have been used.
fn is_used(attempt: &AttemptContext<'_>) -> bool {
    attempt.redeemed && !guards::is_disabled(Guard::CodeUsedOnce)
}

impl OpenId {
    /// Returns whether the reference is this attempt's.
    fn knows(&self, attempt: &AttemptContext<'_>, reference: &Reference) -> bool {
        matches!(attempt.ask, Ask::Identity { .. })
            && reference.0 == self.state(attempt).to_string()
    }

    fn state(&self, attempt: &AttemptContext<'_>) -> AttemptState {
        AttemptState::of(attempt.request, attempt.attempt_no, &self.link_key, &self.provider.issuer)
    }

    /// Returns whether a return names this issuer. A return without a name is judged again before its code is used.
    fn is_named(&self, issuer: Option<&str>, now: Timestamp) -> bool {
        let Some(issuer) = issuer else {
            let url = self.provider.discovery_url();
            let document = url.and_then(|url| self.documents.fresh(&url, now));
            let named = document.is_some_and(|document| document.names_issuer);
            return !named && !self.provider.names_issuer;
        };
        // UNVERIFIED: that providers with a template as their issuer name none in a return. Entra's document says so.
        issuer == self.provider.issuer
    }

    /// Returns the addresses of the provider: the settings' own, or those of the discovery document.
    async fn endpoints(&self) -> Result<Endpoints, EndpointError> {
        let document = match self.provider.discovery_url() {
            Some(url) => Some(self.document(url).await?),
            None => None,
        };
        let endpoints = self.provider.endpoints(document.as_deref());
        endpoints.ok_or(EndpointError::Blocked(Rejection::Discovery))
    }

    async fn document(&self, url: String) -> Result<Arc<discovery::Metadata>, EndpointError> {
        let now = self.clock.now();
        if let Some(document) = self.documents.fresh(&url, now) {
            return Ok(document);
        }
        let Ok(call) = discovery::call(&url) else {
            return Err(EndpointError::Blocked(Rejection::Discovery));
        };
        let answer = self.http.call(call, Reach::Configured, TIMEOUT).await;
        self.documents.receive(url, answer, &self.provider, now)
    }

    /// Returns the redirect to the authorization endpoint, with the parameters or with the pushed request's URI.
    async fn send_on(&self, attempt: &AttemptContext<'_>) -> Confirmed {
        let endpoints = match self.endpoints().await {
            Ok(endpoints) => endpoints,
            Err(without) => return without.into(),
        };
        let state = self.state(attempt);
        let Some(asked) = authorization::asked(attempt, &self.provider, &endpoints, &state) else {
            return Confirmed::Invalid { code: MALFORMED };
        };
        let to = |asked: &[(&'static str, String)]| {
            let url = authorization::url(&endpoints.authorization, &self.provider, asked);
            Confirmed::RequiresAction { redirect: Some(RedirectUrl(url)) }
        };
        let Some(endpoint) = &endpoints.pushed else { return to(&asked) };
        let answer = match self.post(endpoint, &asked, &endpoints).await {
            Ok(answer) => answer,
            // A pushed request whose reply was lost is never used. The next attempt pushes another.
            Err(HttpError::Forbidden) => return Confirmed::Blocked { by: Rejection::Address },
            Err(HttpError::NotSent(_) | HttpError::Lost(_)) => return Confirmed::Again,
        };
        match wire::pushed(answer.status(), answer.body()) {
            Ok(pushed) => to(&[("request_uri", pushed)]),
            Err(fault) => fault.into(),
        }
    }

    /// Exchanges the code once.
    async fn exchange(&self, attempt: &AttemptContext<'_>, code: &SecretString) -> Confirmed {
        let state = self.state(attempt);
        let (Some((asked, named)), Some(sign_in)) =
            (wire::exchange(attempt, code, &state), SignIn::of(attempt.ask))
        else {
            return Confirmed::Invalid { code: MALFORMED };
        };
        let endpoints = match self.endpoints().await {
            Ok(endpoints) => endpoints,
            Err(without) => return without.into(),
        };
        if endpoints.names_issuer && !named {
            return Confirmed::Invalid { code: "issuer_missing" };
        }
        let answer = match self.post(&endpoints.token, &asked, &endpoints).await {
            Ok(answer) => answer,
            Err(HttpError::Forbidden) => return Confirmed::Blocked { by: Rejection::Address },
            Err(HttpError::NotSent(_)) => return Confirmed::Again,
            Err(HttpError::Lost(_)) => return Confirmed::Unknown,
        };
        let tokens = match wire::tokens(answer.status(), answer.body()) {
            Ok(tokens) => tokens,
            Err(fault) => return fault.into(),
        };
        let details = tokens.authorization_details.as_ref();
        if !authorization::same_details(attempt, &self.provider, details) {
            return Confirmed::SoftDeclined { code: "details_differ" };
        }
        let now = self.clock.now();
        let token = match tokens::verify(&tokens.id_token, &self.provider, &state.nonce, now) {
            Ok(token) => token,
            Err(IdTokenRejection::Check(code)) => return Confirmed::SoftDeclined { code },
            Err(IdTokenRejection::Issuer(issuer)) => {
                tracing::error!(
                    request.id = %attempt.request, issuer.expected = self.provider.issuer,
                    issuer.received = ?shortened(&issuer),
                    "ID token names another issuer; set `issuer` to exactly what the provider names"
                );
                return Confirmed::Invalid { code: "issuer_differs" };
            }
        };
        if let Err(code) = tokens::is_as_asked(&token, sign_in.max_age, &sign_in.acr(), now) {
            return Confirmed::SoftDeclined { code };
        }
        let taken = sign_in.taken(endpoints.compares_phone_number);
        Confirmed::Exchanged(AccessGrant::of(tokens, token, &taken, &self.provider).to_grant())
    }

    /// Reads the claims, unless the ID token had them all. It may be repeated.
    async fn user_info(&self, attempt: &AttemptContext<'_>, token: &SecretString) -> Confirmed {
        let (Some(mut grant), Some(sign_in)) = (AccessGrant::read(token), SignIn::of(attempt.ask))
        else {
            return Confirmed::Invalid { code: MALFORMED };
        };
        let endpoints = match self.endpoints().await {
            Ok(endpoints) => endpoints,
            Err(without) => return without.into(),
        };
        let taken = sign_in.taken(endpoints.compares_phone_number);
        if let Some(endpoint) = endpoints.userinfo.filter(|_| !grant.has(&taken)) {
            let Ok(call) = grant.user_info(&endpoint) else {
                return Confirmed::Invalid { code: MALFORMED };
            };
            let answer = match self.http.call(call, Reach::Configured, TIMEOUT).await {
                Ok(answer) => answer,
                Err(HttpError::Forbidden) => return Confirmed::Blocked { by: Rejection::Address },
                Err(HttpError::NotSent(_) | HttpError::Lost(_)) => return Confirmed::Again,
            };
            if let Err(without) = grant.add_user_info(&answer, &taken, &self.provider) {
                return without.into();
            }
        }
        let issuer = grant.issuer.as_deref().unwrap_or(&self.provider.issuer);
        let subject = keys::subject_hash(&self.address_key, issuer, &grant.subject);
        let is_customer = |phone: &Phone| {
            keys::same(&keys::address_hash(&self.address_key, phone), attempt.customer)
        };
        grant.released(sign_in, subject, is_customer)
    }

    async fn post(
        &self,
        endpoint: &str,
        asked: &[(&'static str, String)],
        endpoints: &Endpoints,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let now = self.clock.now();
        let call = wire::form(endpoint, asked, &self.provider, endpoints, now)
            .map_err(|error| HttpError::NotSent(error.into()))?;
        self.http.call(call, Reach::Configured, TIMEOUT).await
    }
}

#[cfg(test)]
mod tests;
