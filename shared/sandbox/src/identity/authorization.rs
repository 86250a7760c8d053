//! The authorization endpoint: its page, and the return to the client.

use std::collections::BTreeSet;

use bytes::Bytes;
use domain::problem::Problem;
use http::{Response, StatusCode};
use ports::IdentityCall;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::IdentityProvider;
use super::params::Params;
use super::people::{CLAIMS, PEOPLE, Person, SCOPES, SignInScript};
use super::sign_in::Question;
use crate::page::{PageButton, SandboxPageTemplate};
use crate::page_response::respond;

/// The client to which a customer returns.
struct Client {
    id: String,
    redirect_uri: String,
}

/// The question of a client.
struct AuthorizationRequest {
    nonce: Option<String>,
    challenge: String,
    claims: Vec<String>,
    acr: Option<String>,
}

/// The parameter `claims` (OpenID Connect Core 1.0, section 5.5).
#[derive(Default, Deserialize)]
struct ClaimsParameter {
    #[serde(default)]
    userinfo: Map<String, Value>,
    #[serde(default)]
    id_token: IdTokenClaims,
}

#[derive(Default, Deserialize)]
struct IdTokenClaims {
    #[serde(default)]
    acr: Option<AcrClaim>,
}

#[derive(Deserialize)]
struct AcrClaim {
    #[serde(default)]
    values: Vec<String>,
}

impl IdentityProvider {
    /// Serves the page, and takes the choice of a person.
    pub(super) async fn authorize(
        &self,
        call: &IdentityCall<'_>,
    ) -> Result<Response<Bytes>, Problem> {
        let params = Params::read(call.query.as_bytes());
        let client = params.as_ref().and_then(|params| self.client(params));
        let (Some(params), Some(client)) = (params, client) else {
            return refused();
        };
        let back = |fields: &[(&str, &str)]| {
            let state = params.get("state").map(|state| ("state", state));
            let fields: Vec<_> = fields.iter().copied().chain(state).collect();
            returned(&client.redirect_uri, &fields)
        };
        let issuer = self.issuer();
        let asked = match AuthorizationRequest::read(&params) {
            Ok(asked) => asked,
            Err(error) => return back(&[("error", error), ("iss", &issuer)]),
        };
        let form = call.form.and_then(Params::read);
        let person = form.as_ref().and_then(|form| form.get("person")).and_then(Person::find);
        let Some(person) = person else { return page(call.query, &asked) };
        let issuer = match person.conduct {
            SignInScript::Fails(error) => return back(&[("error", error), ("iss", &issuer)]),
            SignInScript::ReturnsFromElsewhere => format!("{issuer}/another"),
            SignInScript::Releases
            | SignInScript::OtherNumber
            | SignInScript::ReleasesOne
            | SignInScript::ReleasesNone
            | SignInScript::CodeRefused
            | SignInScript::OtherIssuer
            | SignInScript::OtherNonce
            | SignInScript::Expired
            | SignInScript::OldSignIn
            | SignInScript::OtherSubject => issuer,
        };
        let AuthorizationRequest { nonce, challenge, claims, acr } = asked;
        let new = Question {
            client_id: client.id.clone(),
            redirect_uri: client.redirect_uri.clone(),
            nonce,
            challenge,
            claims,
            acr,
            person: person.id.to_owned(),
        };
        let code = self.begin(new).await?;
        back(&[("code", &code), ("iss", &issuer)])
    }

    /// Returns the client of a call. Each brand is a client by its name, and returns to its own callbacks only.
    fn client(&self, params: &Params) -> Option<Client> {
        let (id, uri) = (params.get("client_id")?, params.get("redirect_uri")?);
        let is_name = |name: &str| {
            (1..=64).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        let processor =
            uri.strip_prefix(&format!("{}/callbacks/{id}/", self.public_base)).unwrap_or_default();
        let is_own = is_name(id) && is_name(processor);
        is_own.then(|| Client { id: id.to_owned(), redirect_uri: uri.to_owned() })
    }
}

impl AuthorizationRequest {
    /// Reads what a client asks.
    ///
    /// # Errors
    /// The code with which the customer is sent back (RFC 6749, section 4.1.2.1).
    fn read(params: &Params) -> Result<Self, &'static str> {
        let scopes: BTreeSet<&str> =
            params.get("scope").unwrap_or_default().split_ascii_whitespace().collect();
        for (is_wrong, error) in [
            (params.get("request").is_some(), "request_not_supported"),
            (params.get("request_uri").is_some(), "request_uri_not_supported"),
            (params.get("response_type") != Some("code"), "unsupported_response_type"),
            (!matches!(params.get("response_mode"), None | Some("query")), "invalid_request"),
            (!scopes.contains("openid"), "invalid_scope"),
            // Customers sign in each time, so that none is known already.
            (params.get("prompt") == Some("none"), "login_required"),
            (params.get("code_challenge_method") != Some("S256"), "invalid_request"),
        ] {
            if is_wrong {
                return Err(error);
            }
        }
        let challenge = params.get("code_challenge").filter(|challenge| challenge.len() == 43);
        let challenge = challenge.ok_or("invalid_request")?.to_owned();
        let claims = match params.get("claims").map(serde_json::from_str::<ClaimsParameter>) {
            Some(Ok(claims)) => claims,
            Some(Err(_)) => return Err("invalid_request"),
            None => ClaimsParameter::default(),
        };
        let of_scopes = SCOPES.iter().filter(|(scope, _)| scopes.contains(scope));
        let of_scopes: Vec<&str> =
            of_scopes.flat_map(|(_, claims)| claims.iter().copied()).collect();
        let is_asked =
            |claim: &&str| claims.userinfo.contains_key(*claim) || of_scopes.contains(claim);
        let asked = CLAIMS.into_iter().filter(is_asked).map(str::to_owned).collect();
        let essential = claims.id_token.acr.and_then(|acr| acr.values.into_iter().next());
        let preferred = params.get("acr_values").and_then(|acr| acr.split(' ').next());
        Ok(Self {
            nonce: params.get("nonce").map(str::to_owned),
            challenge,
            claims: asked,
            acr: essential.or_else(|| preferred.map(str::to_owned)),
        })
    }
}

/// Returns the page on which a person is chosen.
fn page(query: &str, asked: &AuthorizationRequest) -> Result<Response<Bytes>, Problem> {
    let button = |person: &Person| PageButton {
        name: "person",
        value: person.id,
        label: person.label,
        class: if matches!(person.conduct, SignInScript::Releases | SignInScript::OtherNumber) {
            "yes"
        } else {
            "no"
        },
    };
    let buttons: Vec<PageButton> = PEOPLE.iter().map(button).collect();
    let shown = SandboxPageTemplate {
        title: "Sign in",
        description: &format!("To be shared: {}.", asked.claims.join(", ")),
        action: format!("{}/authorize?{query}", super::PATH),
        buttons: &buttons,
        ..SandboxPageTemplate::blank()
    };
    respond(shown.shown(), StatusCode::OK)
}

/// Returns the page for a call that names no client, which is never sent back.
fn refused() -> Result<Response<Bytes>, Problem> {
    let shown = SandboxPageTemplate {
        title: "This sign-in cannot begin",
        description: "The client or its redirect URI is unknown here.",
        ..SandboxPageTemplate::blank()
    };
    respond(shown.shown(), StatusCode::BAD_REQUEST)
}

/// Returns the redirect to the client with these fields.
fn returned(redirect_uri: &str, fields: &[(&str, &str)]) -> Result<Response<Bytes>, Problem> {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let url = format!("{redirect_uri}?{query}");
    respond(crate::SandboxPage::Redirect(url), StatusCode::OK)
}
