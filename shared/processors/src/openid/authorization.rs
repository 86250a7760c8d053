//! The authorization request: what the provider is asked, and the customer's return from it.

use bytes::Bytes;
use domain::ask::Ask;
use domain::values::text::DisplayText;
use http::Method;
use http::header::CONTENT_TYPE;
use ports::{AttemptContext, CallbackError, UnverifiedCallback};
use serde_json::{Map, Value, json};

use super::endpoints::Endpoints;
use super::settings::{Provider, ResponseMode};
use super::state::AttemptState;

/// The longest code that is taken. Codes of Azure AD B2C and Entra have more than two thousand characters.
const CODE_MAX: usize = 16 * 1024;

/// The claims that tell whether the customer has the number that was asked.
pub(super) const PHONE: [&str; 2] = ["phone_number", "phone_number_verified"];

/// The provider's errors on a customer's return, and our code for each.
///
/// RFC 6749, section 4.1.2.1; OpenID Connect Core 1.0, section 3.1.2.6. OpenID Connect Unmet Authentication Requirements
/// 1.0 has one more. UNVERIFIED: `user_cancelled_authorize` is Apple's. Cancel once at Apple before going live.
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
    ("unmet_authentication_requirements", "acr_not_met"),
    ("unsupported_response_type", "provider_refused"),
    ("user_cancelled_authorize", "access_denied"),
];

/// Returns our code for the error of a return.
pub(super) fn reported(code: Option<&str>) -> &'static str {
    let known = RETURNS.iter().find(|(_, word)| code == Some(word));
    known.map_or("provider_refused", |(_, word)| word)
}

/// The parameters of a call, by name.
pub(super) type Pairs = Vec<(&'static str, String)>;

/// The requirements of an identity ask for a sign-in.
#[derive(Clone, Copy)]
pub(super) struct SignIn<'a> {
    pub(super) claims: &'a [DisplayText<64>],
    pub(super) description: &'a str,
    /// The most seconds since the customer signed in.
    pub(super) max_age: Option<u32>,
    acr: &'a [DisplayText<128>],
}

impl<'a> SignIn<'a> {
    /// Reads an ask; `None` for one that is no identity ask.
    pub(super) fn of(ask: &'a Ask) -> Option<Self> {
        match ask {
            Ask::Identity { claims, description, max_age, acr } => {
                Some(Self { claims, description: description.as_str(), max_age: *max_age, acr })
            }
            Ask::Payment { .. } | Ask::PaymentMethod { .. } => None,
        }
    }

    /// Returns the authentication context classes, one of which is to be met.
    pub(super) fn acr(&self) -> Vec<&'a str> {
        self.acr.iter().map(DisplayText::as_str).collect()
    }

    /// Returns the names of the claims that were asked for.
    pub(super) fn asked(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.claims.iter().map(DisplayText::as_str)
    }

    /// Returns the names of the claims to take: those that were asked for, and the phone number to compare.
    pub(super) fn taken(&self, compares_phone_number: bool) -> Vec<&'a str> {
        let compared = PHONE.iter().copied().filter(|_| compares_phone_number);
        let mut names: Vec<&str> = self.asked().collect();
        let compared: Vec<&str> = compared.filter(|name| !names.contains(name)).collect();
        names.extend(compared);
        names
    }
}

/// Returns the parameters of the authorization request.
pub(super) fn asked(
    attempt: &AttemptContext<'_>,
    provider: &Provider,
    endpoints: &Endpoints,
    state: &AttemptState,
) -> Option<Pairs> {
    let sign_in = SignIn::of(attempt.ask)?;
    let mut asked = vec![
        ("response_type", "code".to_owned()),
        ("redirect_uri", attempt.callback.to_owned()),
        ("state", state.to_string()),
        ("nonce", state.nonce.clone()),
        ("code_challenge", state.challenge()),
        ("code_challenge_method", "S256".to_owned()),
    ];
    if !provider.prompt.is_empty() {
        asked.push(("prompt", provider.prompt.clone()));
    }
    match provider.response_mode {
        ResponseMode::Query => {}
        ResponseMode::FormPost => asked.push(("response_mode", "form_post".to_owned())),
    }
    if let Some(max_age) = sign_in.max_age {
        asked.push(("max_age", max_age.to_string()));
    }
    if !sign_in.acr.is_empty() {
        asked.push(("acr_values", sign_in.acr().join(" ")));
    }
    let taken = sign_in.taken(endpoints.compares_phone_number);
    let scopes = match &provider.scopes {
        Some(scopes) => format!("openid {}", scopes.join(" ")),
        None if endpoints.claims_parameter => "openid".to_owned(),
        None => scopes(&taken),
    };
    asked.push(("scope", scopes.trim_end().to_owned()));
    if endpoints.claims_parameter {
        asked.push(("claims", claims(sign_in, &taken, provider).to_string()));
    }
    if let Some(details) = details(attempt, provider) {
        asked.push(("authorization_details", details.to_string()));
    }
    Some(asked)
}

/// Returns the parameter `claims` (OpenID Connect Core 1.0, section 5.5). The compared phone number is voluntary.
fn claims(sign_in: SignIn<'_>, taken: &[&str], provider: &Provider) -> Value {
    let essential = json!({ "essential": true });
    let wanted: Map<String, Value> = taken
        .iter()
        .map(|claim| {
            let name = provider.claim_names.get(*claim).map_or(*claim, String::as_str);
            let is_asked = sign_in.asked().any(|asked| asked == *claim);
            (name.to_owned(), if is_asked { essential.clone() } else { Value::Null })
        })
        .collect();
    let mut claims = json!({ "userinfo": wanted });
    if let (false, Some(claims)) = (sign_in.acr.is_empty(), claims.as_object_mut()) {
        let acr = json!({ "acr": { "essential": true, "values": sign_in.acr() } });
        claims.insert("id_token".to_owned(), acr);
    }
    claims
}

/// Returns the scopes that hold the claims (OpenID Connect Core 1.0, section 5.4). Claims that were not asked are dropped.
fn scopes(claims: &[&str]) -> String {
    let mut scopes = "openid".to_owned();
    for (scope, names) in [
        ("address", &["address"][..]),
        ("email", &["email", "email_verified"]),
        ("phone", &PHONE),
        (
            "profile",
            &["birthdate", "family_name", "given_name", "middle_name", "name", "updated_at"],
        ),
    ] {
        if claims.iter().any(|claim| names.contains(claim)) {
            scopes.push(' ');
            scopes.push_str(scope);
        }
    }
    scopes
}

/// Returns the authorization details that the provider displays; `None` where it takes none (RFC 9396).
fn details(attempt: &AttemptContext<'_>, provider: &Provider) -> Option<Value> {
    let kind = provider.authorization_details_type.as_ref()?;
    let sign_in = SignIn::of(attempt.ask)?;
    let fields: Vec<&str> = sign_in.asked().collect();
    Some(json!([{
        "type": kind,
        "request_id": attempt.request.to_string(),
        "purpose": sign_in.description,
        "fields": fields,
    }]))
}

/// Returns whether the granted details are among the asked ones. A provider may leave some out, but change none.
pub(super) fn same_details(
    attempt: &AttemptContext<'_>,
    provider: &Provider,
    granted: Option<&Value>,
) -> bool {
    match (details(attempt, provider), granted) {
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

/// Returns the authorization endpoint's URL with the client's id and these parameters.
pub(super) fn url(endpoint: &str, provider: &Provider, asked: &[(&'static str, String)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", &provider.client_id);
    query.extend_pairs(asked);
    let joint = if endpoint.contains('?') { '&' } else { '?' };
    format!("{endpoint}{joint}{}", query.finish())
}

/// A customer's return, with a code or with our code for the error.
pub(super) struct AuthorizationResponse {
    pub(super) state: String,
    pub(super) issuer: Option<String>,
    /// `None` where the return has neither a code nor an error, or both.
    pub(super) outcome: Option<Result<String, String>>,
}

impl AuthorizationResponse {
    /// Reads a return: the query of a redirect, or the form that the browser posted.
    ///
    /// # Errors
    /// [`CallbackError::None`] for any other call; [`CallbackError::Malformed`] for a repeated parameter.
    pub(super) fn read(callback: &UnverifiedCallback) -> Result<Self, CallbackError> {
        let fields = match callback.method {
            Method::GET => {
                let url = callback.url.split_once('#').map_or(&*callback.url, |(url, _)| url);
                let query = url.split_once('?').map_or("", |(_, query)| query);
                Bytes::copy_from_slice(query.as_bytes())
            }
            Method::POST if is_form(callback) => callback.body.clone(),
            _ => return Err(CallbackError::None),
        };
        let mut values: [Option<String>; 4] = Default::default();
        let names = ["state", "iss", "code", "error"];
        for (name, value) in form_urlencoded::parse(&fields) {
            let place = names.iter().position(|known| *known == name);
            let Some(place) = place.and_then(|place| values.get_mut(place)) else { continue };
            if place.replace(value.into_owned()).is_some() {
                return Err(CallbackError::Malformed);
            }
        }
        let [state, issuer, code, error] = values;
        let state = state.ok_or(CallbackError::None)?;
        let outcome = match (code, error) {
            (Some(code), None) if (1..=CODE_MAX).contains(&code.len()) => Some(Ok(code)),
            (None, Some(error)) => Some(Err(word(&error))),
            (Some(_), _) | (None, None) => None,
        };
        Ok(Self { state, issuer, outcome })
    }
}

fn is_form(callback: &UnverifiedCallback) -> bool {
    let kind = callback.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// Maps a provider's error to a code of ours.
fn word(error: &str) -> String {
    let known = RETURNS.iter().find(|(known, _)| *known == error);
    known.map_or("provider_refused", |(_, word)| word).to_owned()
}
