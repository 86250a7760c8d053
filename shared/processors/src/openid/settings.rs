//! The settings of kind `openid`, checked once when the processor is opened.

use domain::brand::{InvalidSettings, Mode, Settings};
use secrecy::SecretString;
use serde::Deserialize;

use crate::checks::{enabled, is_address_with_query, schemes};

/// The claims of OpenID Connect Core 1.0, section 5.1, that describe a person.
const STANDARD_CLAIMS: &[&str] = &[
    "address",
    "birthdate",
    "email",
    "email_verified",
    "family_name",
    "given_name",
    "middle_name",
    "name",
    "phone_number",
    "phone_number_verified",
    "updated_at",
];

/// The settings as the brand's secret has them. The addresses are those of the provider's discovery document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenIdSettings {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    #[serde(default)]
    pushed_authorization_request_endpoint: Option<String>,
    client_id: String,
    client_secret: SecretString,
    #[serde(default)]
    client_auth: ClientAuth,
    /// The claims that the provider releases; `None` for every standard claim.
    #[serde(default)]
    claims: Option<Vec<String>>,
    /// Whether the provider takes the parameter `claims`. Without it claims are asked for by scopes, which release more.
    #[serde(default = "enabled")]
    claims_parameter: bool,
    /// The `type` of the authorization details (RFC 9396), where the provider takes them.
    #[serde(default)]
    authorization_details_type: Option<String>,
    /// `authorization_response_iss_parameter_supported` (RFC 9207). A return without `iss` is then refused.
    #[serde(default)]
    names_issuer: bool,
}

/// How the client authenticates at the token endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ClientAuth {
    /// `client_secret_basic`.
    #[default]
    Basic,
    /// `client_secret_post`.
    Post,
}

/// One client at one provider, ready to be used.
pub(super) struct Provider {
    pub(super) issuer: String,
    authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) userinfo_endpoint: String,
    pub(super) pushed_authorization_request_endpoint: Option<String>,
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
    pub(super) client_auth: ClientAuth,
    claims: Option<Vec<String>>,
    pub(super) claims_parameter: bool,
    pub(super) authorization_details_type: Option<String>,
    pub(super) names_issuer: bool,
}

/// The reason why settings cannot be used. No setting's value is quoted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    #[error("failed to read the settings")]
    Unread(#[source] InvalidSettings),
    #[error("{0} is not an https address (http in test mode only)")]
    Address(&'static str),
    #[error("client_id is empty")]
    ClientId,
}

impl Provider {
    /// Reads and checks the settings of one mode.
    pub(super) fn read(mode: Mode, settings: &Settings) -> Result<Self, ProviderError> {
        let text: OpenIdSettings = settings.read().map_err(ProviderError::Unread)?;
        let pushed = text.pushed_authorization_request_endpoint.as_deref();
        for (name, address) in [
            ("issuer", Some(text.issuer.as_str())),
            ("authorization_endpoint", Some(&text.authorization_endpoint)),
            ("token_endpoint", Some(&text.token_endpoint)),
            ("userinfo_endpoint", Some(&text.userinfo_endpoint)),
            ("pushed_authorization_request_endpoint", pushed),
        ] {
            if address.is_some_and(|address| !is_address_with_query(address, schemes(mode))) {
                return Err(ProviderError::Address(name));
            }
        }
        if text.client_id.is_empty() {
            return Err(ProviderError::ClientId);
        }
        Ok(Self {
            issuer: text.issuer,
            authorization_endpoint: text.authorization_endpoint,
            token_endpoint: text.token_endpoint,
            userinfo_endpoint: text.userinfo_endpoint,
            pushed_authorization_request_endpoint: text.pushed_authorization_request_endpoint,
            client_id: text.client_id,
            client_secret: text.client_secret,
            client_auth: text.client_auth,
            claims: text.claims,
            claims_parameter: text.claims_parameter,
            authorization_details_type: text.authorization_details_type,
            names_issuer: text.names_issuer,
        })
    }

    /// Returns whether the provider releases a claim.
    pub(super) fn releases(&self, claim: &str) -> bool {
        match &self.claims {
            Some(claims) => claims.iter().any(|known| known == claim),
            None => STANDARD_CLAIMS.contains(&claim),
        }
    }

    /// Returns the authorization endpoint's URL with the client's id and these parameters.
    pub(super) fn authorize(&self, asked: &[(&'static str, String)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("client_id", &self.client_id);
        query.extend_pairs(asked);
        let joint = if self.authorization_endpoint.contains('?') { '&' } else { '?' };
        format!("{}{joint}{}", self.authorization_endpoint, query.finish())
    }
}
