//! The settings of kind `openid`, checked once when the processor is opened.

use std::collections::BTreeMap;

use domain::brand::{InvalidSettings, Mode, Settings};
use domain::values::address;
use secrecy::SecretString;
use serde::Deserialize;

use super::client_auth::{AssertionKey, ClientAuth};
use crate::checks::enabled;

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

/// What the issuer of Entra's shared endpoints holds in place of the customer's tenant.
const TENANT: &str = "{tenantid}";

/// The settings as the brand's secret has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenIdSettings {
    issuer: String,
    /// The discovery document, where it is not at the issuer's standard place.
    #[serde(default)]
    discovery_url: Option<String>,
    /// Hosts besides the issuer's that the discovery document may name.
    #[serde(default)]
    endpoint_hosts: Vec<String>,
    #[serde(default)]
    authorization_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint: Option<String>,
    #[serde(default)]
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    pushed_authorization_request_endpoint: Option<String>,
    client_id: String,
    #[serde(default)]
    client_secret: Option<SecretString>,
    #[serde(default)]
    client_auth: Option<ClientAuthMethod>,
    #[serde(default)]
    private_key: Option<AssertionKeySettings>,
    /// The claims that the provider releases; `None` for every standard claim.
    #[serde(default)]
    claims: Option<Vec<String>>,
    /// The provider's own names of claims.
    #[serde(default)]
    claim_names: BTreeMap<String, String>,
    /// Whether the provider takes the parameter `claims`. Without it claims are asked for by scopes, which release more.
    #[serde(default)]
    claims_parameter: Option<bool>,
    /// The scopes to ask for, where the provider has its own.
    #[serde(default)]
    scopes: Option<Vec<String>>,
    /// The parameter `prompt`; empty sends none.
    #[serde(default = "consent")]
    prompt: String,
    #[serde(default)]
    response_mode: ResponseMode,
    /// Whether the provider is asked for the phone number, to compare it with the customer's.
    #[serde(default = "enabled")]
    compare_phone_number: bool,
    /// The `type` of the authorization details (RFC 9396), where the provider takes them.
    #[serde(default)]
    authorization_details_type: Option<String>,
    /// `authorization_response_iss_parameter_supported` (RFC 9207). A return without `iss` is then refused.
    #[serde(default)]
    names_issuer: bool,
}

/// The key of a client that signs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AssertionKeySettings {
    /// PKCS#8 in PEM.
    pem: SecretString,
    #[serde(default)]
    id: Option<String>,
    /// Apple's team.
    #[serde(default)]
    team_id: Option<String>,
    /// The audience of assertions; the token endpoint by default.
    #[serde(default)]
    audience: Option<String>,
}

fn consent() -> String {
    "consent".to_owned()
}

/// The client's authentication method at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ClientAuthMethod {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
    /// `private_key_jwt` (RFC 7523).
    PrivateKeyJwt,
    /// Apple's secret, which is a token that the client signs.
    Apple,
}

/// The way in which the provider sends the customer back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ResponseMode {
    /// By a redirect with a query.
    #[default]
    Query,
    /// By a form that the browser posts.
    /// <https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html>
    FormPost,
}

/// One client at one provider, ready to be used.
pub(super) struct Provider {
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) client_auth: ClientAuth,
    pub(super) authorization_details_type: Option<String>,
    pub(super) claim_names: BTreeMap<String, String>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) prompt: String,
    pub(super) response_mode: ResponseMode,
    pub(super) names_issuer: bool,
    /// The mode, which decides on the schemes of addresses.
    pub(super) mode: Mode,
    pub(super) endpoint_hosts: Vec<String>,
    discovery_url: Option<String>,
    pub(super) copied: ConfiguredEndpoints,
    claims: Option<Vec<String>>,
    pub(super) claims_parameter: Option<bool>,
    pub(super) compare_phone_number: bool,
}

/// The addresses that the settings have themselves.
pub(super) struct ConfiguredEndpoints {
    pub(super) authorization: Option<String>,
    pub(super) token: Option<String>,
    pub(super) userinfo: Option<String>,
    pub(super) pushed: Option<String>,
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
    #[error("client_auth needs {0}")]
    Missing(&'static str),
    #[error("private_key is no PKCS#8 key in PEM, RSA or P-256")]
    Key,
}

impl Provider {
    /// Reads and checks the settings of one mode.
    pub(super) fn read(mode: Mode, settings: &Settings) -> Result<Self, ProviderError> {
        let text: OpenIdSettings = settings.read().map_err(ProviderError::Unread)?;
        let pushed = text.pushed_authorization_request_endpoint.as_deref();
        for (name, address) in [
            ("issuer", Some(text.issuer.replace(TENANT, "tenant").as_str())),
            ("discovery_url", text.discovery_url.as_deref()),
            ("authorization_endpoint", text.authorization_endpoint.as_deref()),
            ("token_endpoint", text.token_endpoint.as_deref()),
            ("userinfo_endpoint", text.userinfo_endpoint.as_deref()),
            ("pushed_authorization_request_endpoint", pushed),
        ] {
            if address.is_some_and(|address| !address::is_allowed(address, mode)) {
                return Err(ProviderError::Address(name));
            }
        }
        if text.client_id.is_empty() {
            return Err(ProviderError::ClientId);
        }
        let client_auth = client_auth(text.client_auth, text.client_secret, text.private_key)?;
        Ok(Self {
            issuer: text.issuer,
            client_id: text.client_id,
            client_auth,
            authorization_details_type: text.authorization_details_type,
            claim_names: text.claim_names,
            scopes: text.scopes,
            prompt: text.prompt,
            response_mode: text.response_mode,
            names_issuer: text.names_issuer,
            mode,
            endpoint_hosts: text.endpoint_hosts,
            discovery_url: text.discovery_url,
            copied: ConfiguredEndpoints {
                authorization: text.authorization_endpoint,
                token: text.token_endpoint,
                userinfo: text.userinfo_endpoint,
                pushed: text.pushed_authorization_request_endpoint,
            },
            claims: text.claims,
            claims_parameter: text.claims_parameter,
            compare_phone_number: text.compare_phone_number,
        })
    }

    /// Returns whether the provider releases a claim.
    pub(super) fn releases(&self, claim: &str) -> bool {
        match &self.claims {
            Some(claims) => claims.iter().any(|known| known == claim),
            None => STANDARD_CLAIMS.contains(&claim),
        }
    }

    /// Returns whether a text is this provider's issuer. The issuer of a shared endpoint names the customer's tenant.
    ///
    /// <https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer>. UNVERIFIED: the form of a
    /// tenant's id, a UUID. Before going live, sign in once with an account of another tenant.
    pub(super) fn is_issuer(&self, issuer: &str, tenant: Option<&str>) -> bool {
        if !self.issuer.contains(TENANT) {
            return self.issuer == issuer;
        }
        let is_uuid = |text: &str| {
            text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
        };
        let tenant = tenant.filter(|tenant| is_uuid(tenant));
        tenant.is_some_and(|tenant| self.issuer.replace(TENANT, tenant) == issuer)
    }

    /// Returns the address of the discovery document; `None` where the settings have the addresses themselves.
    pub(super) fn discovery_url(&self) -> Option<String> {
        if let Some(url) = &self.discovery_url {
            return Some(url.clone());
        }
        // A slash at the issuer's end is left out (OpenID Connect Discovery 1.0, section 4.1).
        let issuer = self.issuer.trim_end_matches('/');
        let copied = self.copied.authorization.is_some() && self.copied.token.is_some();
        (!copied).then(|| format!("{issuer}/.well-known/openid-configuration"))
    }
}

/// Checks that the chosen way to authenticate has its secret or its key.
fn client_auth(
    method: Option<ClientAuthMethod>,
    secret: Option<SecretString>,
    key: Option<AssertionKeySettings>,
) -> Result<ClientAuth, ProviderError> {
    let secret = secret.ok_or(ProviderError::Missing("client_secret"));
    let signing = || {
        let key = key.ok_or(ProviderError::Missing("private_key"))?;
        let AssertionKeySettings { pem, id, team_id, audience } = key;
        let key = AssertionKey::read(&pem, id, audience).ok_or(ProviderError::Key)?;
        Ok((key, team_id))
    };
    match method {
        None => Ok(ClientAuth::Secret(secret?)),
        Some(ClientAuthMethod::Basic) => Ok(ClientAuth::Basic(secret?)),
        Some(ClientAuthMethod::Post) => Ok(ClientAuth::Post(secret?)),
        Some(ClientAuthMethod::PrivateKeyJwt) => Ok(ClientAuth::PrivateKeyJwt(signing()?.0)),
        Some(ClientAuthMethod::Apple) => {
            let (key, team_id) = signing()?;
            let team_id = team_id.ok_or(ProviderError::Missing("private_key.team_id"))?;
            Ok(ClientAuth::Apple { key, team_id })
        }
    }
}
