//! OpenID Connect's wire format: what each call sends, and what the provider's reply means.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::ask::Ask;
use domain::authorization::{Authorization, AuthorizationKind};
use domain::processor_result::ClaimsReceipt;
use domain::values::text::DisplayText;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use ports::{CallbackError, Confirmed, Fetched, Use};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::settings::{ClientAuth, Provider};
use super::state::AttemptState;

/// The limit for the released claims, in bytes.
const CLAIMS_MAX: usize = 32 * 1024;

/// The provider's errors on a customer's return, and our code for each.
///
/// RFC 6749, section 4.1.2.1; OpenID Connect Core 1.0, section 3.1.2.6.
pub(super) const RETURNS: &[(&str, &str)] = &[
    ("access_denied", "access_denied"),
    ("account_selection_required", "login_required"),
    ("consent_required", "access_denied"),
    ("interaction_required", "login_required"),
    ("invalid_authorization_details", "provider_refused"),
    ("invalid_request", "provider_refused"),
    ("invalid_request_uri", "provider_refused"),
    ("invalid_scope", "provider_refused"),
    ("login_required", "login_required"),
    ("server_error", "provider_unavailable"),
    ("temporarily_unavailable", "provider_unavailable"),
    ("unauthorized_client", "provider_refused"),
    ("unsupported_response_type", "provider_refused"),
];

/// Returns our code for the error of a return.
pub(super) fn reported(code: Option<&str>) -> &'static str {
    let known = RETURNS.iter().find(|(_, word)| code == Some(word));
    known.map_or("provider_refused", |(_, word)| word)
}

type Pairs = Vec<(&'static str, String)>;

/// Returns the parameters of the authorization request.
pub(super) fn asked(what: &Use<'_>, provider: &Provider, state: &AttemptState) -> Pairs {
    let claims: &[DisplayText<64>] = match what.ask {
        Ask::Identity { claims, .. } => claims,
        Ask::Payment { .. } | Ask::PaymentMethod { .. } => &[],
    };
    let mut asked = vec![
        ("response_type", "code".to_owned()),
        ("redirect_uri", what.callback.to_owned()),
        ("state", state.to_string()),
        ("nonce", state.nonce.clone()),
        ("code_challenge", state.challenge()),
        ("code_challenge_method", "S256".to_owned()),
        ("prompt", "consent".to_owned()),
    ];
    if provider.claims_parameter {
        let wanted = claims.iter().map(|claim| (claim.as_str().to_owned(), essential()));
        let wanted: Map<String, Value> = wanted.collect();
        asked.push(("scope", "openid".to_owned()));
        asked.push(("claims", json!({ "userinfo": wanted }).to_string()));
    } else {
        asked.push(("scope", scopes(claims)));
    }
    if let Some(details) = details(what, provider) {
        asked.push(("authorization_details", details.to_string()));
    }
    asked
}

fn essential() -> Value {
    json!({ "essential": true })
}

/// Returns the scopes that hold the claims (OpenID Connect Core 1.0, section 5.4). Claims that were not asked are dropped.
fn scopes(claims: &[DisplayText<64>]) -> String {
    let mut scopes = "openid".to_owned();
    let any = |names: &[&str]| claims.iter().any(|claim| names.contains(&claim.as_str()));
    for (scope, names) in [
        ("address", &["address"][..]),
        ("email", &["email", "email_verified"]),
        ("phone", &["phone_number", "phone_number_verified"]),
        (
            "profile",
            &["birthdate", "family_name", "given_name", "middle_name", "name", "updated_at"],
        ),
    ] {
        if any(names) {
            scopes.push(' ');
            scopes.push_str(scope);
        }
    }
    scopes
}

/// Returns the authorization details that the provider displays; `None` where it takes none (RFC 9396).
fn details(what: &Use<'_>, provider: &Provider) -> Option<Value> {
    let kind = provider.authorization_details_type.as_ref()?;
    let Ask::Identity { claims, description } = what.ask else { return None };
    let fields: Vec<&str> = claims.iter().map(DisplayText::as_str).collect();
    Some(json!([{
        "type": kind,
        "request_id": what.request.to_string(),
        "purpose": description.as_str(),
        "fields": fields,
    }]))
}

/// Returns whether the granted details are among the asked ones. A provider may leave some out, but change none.
pub(super) fn same_details(what: &Use<'_>, provider: &Provider, granted: Option<&Value>) -> bool {
    match (details(what, provider), granted) {
        (_, None) => true,
        (None, Some(granted)) => granted.as_array().is_some_and(Vec::is_empty),
        (Some(Value::Array(asked)), Some(Value::Array(granted))) => granted.iter().all(|granted| {
            let fields = |one: &Value| {
                ["type", "request_id", "purpose", "fields"].map(|name| one.get(name).cloned())
            };
            asked.iter().any(|asked| fields(asked) == fields(granted))
        }),
        (Some(_), Some(_)) => false,
    }
}

/// Returns the parameters of the token request; `None` where the authorization has no code.
pub(super) fn exchange(what: &Use<'_>, state: &AttemptState) -> Option<Pairs> {
    let code = what.authorization.secret.expose_secret();
    let known = what.authorization.kind == AuthorizationKind::Code && !code.is_empty();
    known.then(|| {
        vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", what.callback.to_owned()),
            ("code_verifier", state.verifier().to_owned()),
        ]
    })
}

/// Returns the call to an endpoint at which the client authenticates.
pub(super) fn form(
    endpoint: &str,
    asked: &[(&'static str, String)],
    provider: &Provider,
) -> Result<Request<Bytes>, http::Error> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(asked);
    let mut call = Request::builder()
        .method(Method::POST)
        .uri(endpoint)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    match provider.client_auth {
        ClientAuth::Basic => {
            // RFC 6749, section 2.3.1: both are form-encoded before they are joined.
            let encoded = |text: &str| -> String {
                form_urlencoded::byte_serialize(text.as_bytes()).collect()
            };
            let secret = encoded(provider.client_secret.expose_secret());
            let pair = format!("{}:{secret}", encoded(&provider.client_id));
            let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)))?;
            value.set_sensitive(true);
            call = call.header(AUTHORIZATION, value);
            if asked.iter().any(|(name, _)| *name == "response_type") {
                form.append_pair("client_id", &provider.client_id);
            }
        }
        ClientAuth::Post => {
            form.append_pair("client_id", &provider.client_id);
            form.append_pair("client_secret", provider.client_secret.expose_secret());
        }
    }
    call.body(Bytes::from(form.finish()))
}

/// The reason why an endpoint gave no result.
#[derive(Clone, Copy)]
pub(super) enum EndpointError {
    /// As in [`Confirmed`], and so on.
    SoftDeclined(&'static str),
    Invalid(&'static str),
    Blocked(&'static str),
    Again,
    Unknown,
}

impl From<EndpointError> for Confirmed {
    fn from(fault: EndpointError) -> Self {
        match fault {
            EndpointError::SoftDeclined(code) => Self::SoftDeclined { code },
            EndpointError::Invalid(code) => Self::Invalid { code },
            EndpointError::Blocked(code) => Self::Blocked { code },
            EndpointError::Again => Self::Again,
            EndpointError::Unknown => Self::Unknown,
        }
    }
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
        (_, Some("invalid_client")) | (401, _) => EndpointError::Blocked("credentials"),
        (_, Some("unauthorized_client")) | (403, _) => EndpointError::Blocked("permission"),
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

/// The access token with which the claims are read.
#[derive(Deserialize)]
pub(super) struct AccessToken {
    token: String,
    /// The customer's id at the provider, from the ID token.
    pub(super) subject: String,
}

impl AccessToken {
    pub(super) fn read(authorization: &Authorization) -> Option<Self> {
        let known = authorization.kind == AuthorizationKind::AccessToken;
        let text = authorization.secret.expose_secret();
        known.then(|| serde_json::from_str(text).ok()).flatten()
    }
}

/// Returns the access token as the authorization that replaces the code.
pub(super) fn access(tokens: &Tokens, subject: &str) -> Authorization {
    let text = json!({ "token": tokens.access_token, "subject": subject }).to_string();
    Authorization { kind: AuthorizationKind::AccessToken, secret: text.into() }
}

/// Returns the call that reads the claims.
pub(super) fn user_info(
    endpoint: &str,
    access: &AccessToken,
) -> Result<Request<Bytes>, http::Error> {
    let mut token = HeaderValue::try_from(format!("Bearer {}", access.token))?;
    token.set_sensitive(true);
    Request::builder()
        .method(Method::GET)
        .uri(endpoint)
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, token)
        .body(Bytes::new())
}

/// Reads the claims that were asked for, and drops all others.
pub(super) fn facts(
    status: StatusCode,
    body: &[u8],
    (claims, access, subject): (&[DisplayText<64>], &AccessToken, String),
) -> Confirmed {
    match status.as_u16() {
        200 => {}
        401 => return Confirmed::SoftDeclined { code: "authentication_lost" },
        403 => return Confirmed::SoftDeclined { code: "not_released" },
        429 | 500..=599 => return Confirmed::Again,
        _ => return Confirmed::Invalid { code: "provider_refused" },
    }
    let Ok(Value::Object(mut released)) = serde_json::from_slice::<Value>(body) else {
        // For example a signed reply. The client must be registered for plain JSON.
        return Confirmed::Invalid { code: "facts_unreadable" };
    };
    // Otherwise the token may be another person's (OpenID Connect Core 1.0, section 5.3.2).
    if released.get("sub").and_then(Value::as_str) != Some(access.subject.as_str()) {
        return Confirmed::SoftDeclined { code: "subject_differs" };
    }
    released.retain(|name, value| {
        !value.is_null() && claims.iter().any(|claim| claim.as_str() == name)
    });
    if released.is_empty() {
        return Confirmed::SoftDeclined { code: "not_released" };
    }
    let names = claims.iter().map(DisplayText::as_str).filter(|name| released.contains_key(*name));
    let receipt = ClaimsReceipt { subject, released: names.map(str::to_owned).collect() };
    let text = Value::Object(released).to_string();
    if text.len() > CLAIMS_MAX {
        return Confirmed::Invalid { code: "facts_too_large" };
    }
    let claims = Authorization { kind: AuthorizationKind::Claims, secret: text.into() };
    Confirmed::Done(Fetched::Claims { receipt, claims })
}

/// A customer's return, with a code or with our code for the error.
pub(super) struct AuthorizationResponse {
    pub(super) state: String,
    pub(super) issuer: Option<String>,
    pub(super) outcome: Result<String, String>,
}

impl AuthorizationResponse {
    /// Reads the URL of a return. A repeated parameter is malformed.
    pub(super) fn read(url: &str) -> Result<Self, CallbackError> {
        let url = url.split_once('#').map_or(url, |(url, _)| url);
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let mut values: [Option<String>; 4] = Default::default();
        let names = ["state", "iss", "code", "error"];
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = names.iter().position(|known| *known == name);
            let Some(place) = place.and_then(|place| values.get_mut(place)) else { continue };
            if place.replace(value.into_owned()).is_some() {
                return Err(CallbackError::Malformed);
            }
        }
        let [state, issuer, code, error] = values;
        let state = state.ok_or(CallbackError::None)?;
        let outcome = match (code, error) {
            (Some(code), None) if (1..=2048).contains(&code.len()) => Ok(code),
            (None, Some(error)) => Err(word(&error)),
            (Some(_), _) | (None, None) => return Err(CallbackError::Malformed),
        };
        Ok(Self { state, issuer, outcome })
    }
}

/// Maps a provider's error to a code of ours.
fn word(error: &str) -> String {
    let known = RETURNS.iter().find(|(known, _)| *known == error);
    known.map_or("provider_refused", |(_, word)| word).to_owned()
}
