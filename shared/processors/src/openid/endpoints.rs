//! The addresses and rules of a provider, from the settings and its discovery document.

use super::client_auth::SecretPlace;
use super::discovery::Metadata;
use super::settings::Provider;

/// The addresses and rules of a provider that calls need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoints {
    pub(super) authorization: String,
    pub(super) token: String,
    /// `None` where the ID token alone has the claims, as at Apple.
    pub(super) userinfo: Option<String>,
    /// Where parameters are pushed (RFC 9126); `None` sends them with the browser.
    pub(super) pushed: Option<String>,
    pub(super) claims_parameter: bool,
    /// Whether a return names the issuer (RFC 9207).
    pub(super) names_issuer: bool,
    pub(super) secret_place: SecretPlace,
    pub(super) compares_phone_number: bool,
}

impl Provider {
    /// Returns what a call needs of the provider: the settings' own addresses, else those of its discovery document.
    ///
    /// `None` where neither has the authorization endpoint and the token endpoint.
    pub(super) fn endpoints(&self, metadata: Option<&Metadata>) -> Option<Endpoints> {
        let own = |copied: &Option<String>, found: Option<&String>| {
            copied.clone().or_else(|| found.cloned())
        };
        let of = |read: fn(&Metadata) -> Option<&String>| metadata.and_then(read);
        let pushed = metadata.filter(|metadata| metadata.requires_pushed);
        let pushed = pushed.and_then(|metadata| metadata.pushed.as_ref());
        let claims_parameter = metadata.is_none_or(|metadata| metadata.claims_parameter);
        let releases_phone_number = self.releases("phone_number")
            && metadata.is_none_or(|metadata| metadata.has_phone_number(self.scopes.is_some()));
        Some(Endpoints {
            authorization: own(&self.copied.authorization, of(|found| Some(&found.authorization)))?,
            token: own(&self.copied.token, of(|found| Some(&found.token)))?,
            userinfo: own(&self.copied.userinfo, of(|found| found.userinfo.as_ref())),
            pushed: own(&self.copied.pushed, pushed),
            claims_parameter: self.claims_parameter.unwrap_or(claims_parameter),
            names_issuer: self.names_issuer || metadata.is_some_and(|found| found.names_issuer),
            secret_place: metadata.map_or(SecretPlace::Header, Metadata::secret_place),
            compares_phone_number: self.compare_phone_number && releases_phone_number,
        })
    }
}
