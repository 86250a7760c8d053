//! What a brand's settings say about its client at an OpenID provider, checked once.

use domain::brand::{InvalidSettings, Mode, Settings};
use http::Uri;
use secrecy::SecretString;
use serde::Deserialize;

/// The claims of OpenID Connect Core, section 5.1, that say something about a person.
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

/// The settings of kind `openid`; the addresses are those of the provider's discovery document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
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
    /// What the provider releases, if that is not every standard claim.
    #[serde(default)]
    claims: Option<Vec<String>>,
    /// Whether the provider takes the `claims` parameter; otherwise claims are asked for by scopes, which ask for more.
    #[serde(default = "yes")]
    claims_parameter: bool,
    /// The `type` of the authorization details to send along, where the provider takes them.
    #[serde(default)]
    authorization_details_type: Option<String>,
    /// `authorization_response_iss_parameter_supported`: then nobody comes back without the issuer's name.
    #[serde(default)]
    names_issuer: bool,
}

const fn yes() -> bool {
    true
}

/// How the client proves who it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ClientAuth {
    /// `client_secret_basic`.
    #[default]
    Basic,
    /// `client_secret_post`.
    Post,
}

/// One client at one provider.
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

/// Why settings cannot be used. Nothing of them is quoted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    #[error("the settings cannot be read")]
    Unread(#[source] InvalidSettings),
    #[error("{0} is not an https address (http in test mode only)")]
    Address(&'static str),
    #[error("client_id is empty")]
    ClientId,
}

impl Provider {
    pub(super) fn read(mode: Mode, settings: &Settings) -> Result<Self, ProviderError> {
        let text: Text = settings.read().map_err(ProviderError::Unread)?;
        let pushed = text.pushed_authorization_request_endpoint.as_deref();
        for (name, address) in [
            ("issuer", Some(text.issuer.as_str())),
            ("authorization_endpoint", Some(&text.authorization_endpoint)),
            ("token_endpoint", Some(&text.token_endpoint)),
            ("userinfo_endpoint", Some(&text.userinfo_endpoint)),
            ("pushed_authorization_request_endpoint", pushed),
        ] {
            if address.is_some_and(|address| !is_address(mode, address)) {
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

    /// Whether the provider releases that claim.
    pub(super) fn releases(&self, claim: &str) -> bool {
        match &self.claims {
            Some(claims) => claims.iter().any(|known| known == claim),
            None => STANDARD_CLAIMS.contains(&claim),
        }
    }

    /// The address at which the customer is asked, with these parameters besides the client's id.
    pub(super) fn authorize(&self, asked: &[(&'static str, String)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("client_id", &self.client_id);
        query.extend_pairs(asked);
        let joint = if self.authorization_endpoint.contains('?') { '&' } else { '?' };
        format!("{}{joint}{}", self.authorization_endpoint, query.finish())
    }
}

fn is_address(mode: Mode, text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    let known = match mode {
        Mode::Test => matches!(uri.scheme_str(), Some("http" | "https")),
        Mode::Live => uri.scheme_str() == Some("https"),
    };
    plain && known && !text.contains('#')
}
