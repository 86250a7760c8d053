//! OpenID Connect's wire format: what each call sends, and what the provider's reply means.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::authorization::Grant;
use domain::processor_result::ClaimsReceipt;
use domain::released_claims::ReleasedClaims;
use domain::values::time::Timestamp;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use ports::{AttemptContext, Confirmed, Fulfillment, Rejection};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::authorization::{PHONE, Pairs, SignIn};
use super::claims;
use super::client_auth::{AuthenticatedCall, ClientAuthError, ClientProof};
use super::endpoint_error::EndpointError;
use super::endpoints::Endpoints;
use super::settings::Provider;
use super::state::AttemptState;
use super::tokens::{self, IdToken};

/// The limit for the released claims, in bytes.
const CLAIMS_MAX: usize = 32 * 1024;

/// The code that a customer returned with.
#[derive(Serialize, Deserialize)]
struct ReturnedCode {
    code: String,
    /// Whether the return named its issuer (RFC 9207).
    iss: bool,
}

/// Returns the code as the grant that replaces the approval alone.
pub(super) fn returned(code: String, named_issuer: bool) -> Grant {
    let text = json!(ReturnedCode { code, iss: named_issuer }).to_string();
    Grant::Code(text.into())
}

/// Returns the parameters of the token request, and whether the return named its issuer; `None` without a code.
pub(super) fn exchange(
    attempt: &AttemptContext<'_>,
    code: &SecretString,
    state: &AttemptState,
) -> Option<(Pairs, bool)> {
    let ReturnedCode { code, iss } = serde_json::from_str(code.expose_secret()).ok()?;
    let asked = vec![
        ("grant_type", "authorization_code".to_owned()),
        ("code", code),
        ("redirect_uri", attempt.callback.to_owned()),
        ("code_verifier", state.verifier().to_owned()),
    ];
    Some((asked, iss))
}

/// A call to an endpoint that cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidCall {
    #[error(transparent)]
    Client(#[from] ClientAuthError),
    #[error(transparent)]
    Http(#[from] http::Error),
}

/// Returns the call to an endpoint at which the client authenticates.
pub(super) fn form(
    endpoint: &str,
    asked: &[(&'static str, String)],
    provider: &Provider,
    endpoints: &Endpoints,
    now: Timestamp,
) -> Result<Request<Bytes>, InvalidCall> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(asked);
    let written = form_urlencoded::Serializer::new(String::new()).extend_pairs(asked).finish();
    let proof = provider.client_auth.proof(AuthenticatedCall {
        client_id: &provider.client_id,
        token_endpoint: &endpoints.token,
        form: &written,
        secret_place: endpoints.secret_place,
        now,
    })?;
    let mut call = Request::builder()
        .method(Method::POST)
        .uri(endpoint)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let pushed = asked.iter().any(|(name, _)| *name == "response_type");
    match proof {
        ClientProof::Header(value) => {
            call = call.header(AUTHORIZATION, value);
            if pushed {
                form.append_pair("client_id", &provider.client_id);
            }
        }
        ClientProof::Fields(fields) => {
            form.append_pair("client_id", &provider.client_id);
            form.extend_pairs(fields);
        }
    }
    Ok(call.body(Bytes::from(form.finish()))?)
}

#[derive(Deserialize)]
struct OAuthError {
    error: String,
}

fn error(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<OAuthError>(body).ok().map(|error| error.error)
}

#[derive(Deserialize)]
struct PushedResponse {
    request_uri: String,
}

/// Returns the URI of a pushed request (RFC 9126, sections 2.2 and 2.3).
pub(super) fn pushed(status: StatusCode, body: &[u8]) -> Result<String, EndpointError> {
    if status.is_success() {
        let pushed = serde_json::from_slice::<PushedResponse>(body).ok();
        let plain = |uri: &String| uri.len() <= 1024 && uri.bytes().all(|b| b.is_ascii_graphic());
        return pushed.map(|pushed| pushed.request_uri).filter(plain).ok_or(EndpointError::Again);
    }
    match refused(status, error(body).as_deref()) {
        // A pushed request without a reply is never used, so it may be pushed again.
        EndpointError::Unknown => Err(EndpointError::Again),
        fault @ (EndpointError::SoftDeclined(_)
        | EndpointError::Invalid(_)
        | EndpointError::Blocked(_)
        | EndpointError::Again) => Err(fault),
    }
}

/// The tokens that a code was exchanged for.
#[derive(Deserialize)]
pub(super) struct Tokens {
    access_token: String,
    token_type: String,
    pub(super) id_token: String,
    pub(super) authorization_details: Option<Value>,
}

/// Reads the tokens, or interprets their absence.
pub(super) fn tokens(status: StatusCode, body: &[u8]) -> Result<Tokens, EndpointError> {
    if status.is_success() {
        let tokens = serde_json::from_slice::<Tokens>(body).ok();
        let bearer = |tokens: &Tokens| tokens.token_type.eq_ignore_ascii_case("bearer");
        let sent = |tokens: &Tokens| {
            let token = &tokens.access_token;
            (1..=8192).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic())
        };
        return tokens
            .filter(|tokens| bearer(tokens) && sent(tokens))
            .ok_or(EndpointError::SoftDeclined("authentication_lost"));
    }
    match error(body).as_deref() {
        Some("invalid_grant") => Err(EndpointError::SoftDeclined("authentication_lost")),
        other => Err(refused(status, other)),
    }
}

/// Interprets an endpoint's refusal of the client (RFC 6749, section 5.2).
fn refused(status: StatusCode, error: Option<&str>) -> EndpointError {
    match (status.as_u16(), error) {
        (_, Some("invalid_client")) | (401, _) => EndpointError::Blocked(Rejection::Credentials),
        (_, Some("unauthorized_client")) | (403, _) => {
            EndpointError::Blocked(Rejection::Permission)
        }
        (429, _) => EndpointError::Again,
        (400..=499, Some("invalid_scope" | "invalid_target")) => {
            EndpointError::Invalid("scope_refused")
        }
        (400..=499, Some("invalid_authorization_details")) => {
            EndpointError::Invalid("details_refused")
        }
        (400..=499, _) => EndpointError::Invalid("provider_refused"),
        (_, _) => EndpointError::Unknown,
    }
}

/// The access token with which the claims are read, and what the ID token told already.
#[derive(Serialize, Deserialize)]
pub(super) struct AccessGrant {
    token: String,
    /// The customer's id at the provider, from the ID token.
    pub(super) subject: String,
    /// The issuer of the ID token; `None` for that of the settings.
    #[serde(default)]
    pub(super) issuer: Option<String>,
    #[serde(default)]
    auth_time: Option<i64>,
    #[serde(default)]
    acr: Option<String>,
    /// The claims that the ID token has. Where user info has one too, that counts.
    #[serde(default)]
    claims: Map<String, Value>,
}

impl AccessGrant {
    pub(super) fn of(tokens: Tokens, token: IdToken, taken: &[&str], provider: &Provider) -> Self {
        let claims = claims::take(taken.iter().copied(), &token.claims, &provider.claim_names);
        let IdToken { issuer, subject, auth_time, acr, .. } = token;
        let acr = acr.and_then(|acr| claims::line(&acr.into()));
        Self { token: tokens.access_token, subject, issuer: Some(issuer), auth_time, acr, claims }
    }

    pub(super) fn read(token: &SecretString) -> Option<Self> {
        serde_json::from_str(token.expose_secret()).ok()
    }

    /// Returns the grant that replaces the code.
    pub(super) fn to_grant(&self) -> Grant {
        Grant::AccessToken(json!(self).to_string().into())
    }

    /// Returns whether the ID token had all of these claims.
    pub(super) fn has(&self, taken: &[&str]) -> bool {
        taken.iter().all(|claim| self.claims.contains_key(*claim))
    }

    /// Returns the call that reads the claims.
    pub(super) fn user_info(&self, endpoint: &str) -> Result<Request<Bytes>, http::Error> {
        let mut token = HeaderValue::try_from(format!("Bearer {}", self.token))?;
        token.set_sensitive(true);
        Request::builder()
            .method(Method::GET)
            .uri(endpoint)
            .header(ACCEPT, "application/json, application/jwt")
            .header(AUTHORIZATION, token)
            .body(Bytes::new())
    }

    /// Adds the claims that user info has.
    ///
    /// # Errors
    /// What the attempt comes to when the reply has no claims of this customer.
    pub(super) fn add_user_info(
        &mut self,
        answer: &http::Response<Bytes>,
        taken: &[&str],
        provider: &Provider,
    ) -> Result<(), EndpointError> {
        match answer.status().as_u16() {
            200 => {}
            401 => return Err(EndpointError::SoftDeclined("authentication_lost")),
            403 => return Err(EndpointError::SoftDeclined("not_released")),
            429 | 500..=599 => return Err(EndpointError::Again),
            _ => return Err(EndpointError::Invalid("provider_refused")),
        }
        let released = user_info(answer, self.issuer.as_deref(), provider)?;
        // Otherwise the token may be another person's (OpenID Connect Core 1.0, section 5.3.2).
        if released.get("sub").and_then(Value::as_str) != Some(self.subject.as_str()) {
            return Err(EndpointError::SoftDeclined("subject_differs"));
        }
        let names: &BTreeMap<String, String> = &provider.claim_names;
        self.claims.extend(claims::take(taken.iter().copied(), &released, names));
        Ok(())
    }

    /// Returns the claims that were asked for, with what the requester may know besides.
    ///
    /// `is_customer` tells whether a phone number is the one that was asked.
    pub(super) fn released(
        mut self,
        sign_in: SignIn<'_>,
        subject: String,
        is_customer: impl Fn(&domain::values::phone::Phone) -> bool,
    ) -> Confirmed {
        // A number that the provider has not verified may be any number that its customer typed.
        let unverified = self.claims.get(PHONE[1]) == Some(&Value::Bool(false));
        let number = claims::e164(&self.claims).filter(|_| !unverified);
        let phone_number_matches = number.as_ref().map(is_customer);
        self.claims.retain(|name, _| sign_in.asked().any(|asked| asked == name));
        if self.claims.is_empty() {
            return Confirmed::SoftDeclined { code: "not_released" };
        }
        let names = sign_in.asked().filter(|name| self.claims.contains_key(*name));
        let auth_time = self.auth_time.map(|seconds| seconds.saturating_mul(1000));
        let receipt = ClaimsReceipt {
            subject,
            released: names.map(str::to_owned).collect(),
            phone_number_matches,
            auth_time: auth_time.map(Timestamp::from_millis),
            acr: self.acr,
        };
        let text = Value::Object(self.claims).to_string();
        if text.len() > CLAIMS_MAX {
            return Confirmed::Invalid { code: "facts_too_large" };
        }
        let claims = ReleasedClaims(text.into());
        Confirmed::Done(Fulfillment::Claims { receipt, claims })
    }
}

/// Reads user info: plain JSON, or a signed token that names this client where it names one.
///
/// `OpenID` Connect Core 1.0, section 5.3.2. `ProConnect`, `FranceConnect` and `BankID` sign.
fn user_info(
    answer: &http::Response<Bytes>,
    issuer: Option<&str>,
    provider: &Provider,
) -> Result<Map<String, Value>, EndpointError> {
    let unreadable = || EndpointError::Invalid("facts_unreadable");
    if let Ok(Value::Object(plain)) = serde_json::from_slice(answer.body()) {
        return Ok(plain);
    }
    let Ok(text) = std::str::from_utf8(answer.body()) else { return Err(unreadable()) };
    if text.split('.').count() == 5 {
        tracing::error!(
            "user info is encrypted; register the client for signed or plain user info"
        );
        return Err(unreadable());
    }
    // Some providers write the token as a JSON text.
    let claims = tokens::payload(text.trim().trim_matches('"')).ok_or_else(unreadable)?;
    let named = claims.get("iss").and_then(Value::as_str);
    if named.is_some_and(|named| Some(named) != issuer && named != provider.issuer) {
        return Err(EndpointError::Invalid("issuer_differs"));
    }
    if claims.contains_key("aud") && tokens::is_for(&claims, &provider.client_id).is_err() {
        return Err(EndpointError::Invalid("facts_of_another_client"));
    }
    Ok(claims)
}
