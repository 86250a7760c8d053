//! The provider's discovery document: where it is, what is believed of it, and for how long.
//!
//! OpenID Connect Discovery 1.0, sections 3 and 4. <https://openid.net/specs/openid-connect-discovery-1_0.html>

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::values::address;
use domain::values::time::Timestamp;
use http::header::ACCEPT;
use http::{Method, Request, Response, StatusCode, Uri};
use ports::{HttpError, Rejection};
use serde::Deserialize;

use super::client_auth::SecretPlace;
use super::endpoint_error::EndpointError;
use super::settings::Provider;

/// How long a document is used without being read again.
const FRESH: Duration = Duration::from_secs(3_600);
/// How long a document is used while the provider does not answer.
const STALE: Duration = Duration::from_secs(86_400);
/// The most documents that are kept.
const DOCUMENTS_MAX: usize = 256;

/// The used members of a discovery document.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    #[serde(rename = "authorization_endpoint")]
    pub(super) authorization: String,
    #[serde(rename = "token_endpoint")]
    pub(super) token: String,
    #[serde(rename = "userinfo_endpoint", default)]
    pub(super) userinfo: Option<String>,
    #[serde(rename = "pushed_authorization_request_endpoint", default)]
    pub(super) pushed: Option<String>,
    #[serde(rename = "require_pushed_authorization_requests", default)]
    pub(super) requires_pushed: bool,
    #[serde(rename = "claims_parameter_supported", default)]
    pub(super) claims_parameter: bool,
    #[serde(rename = "authorization_response_iss_parameter_supported", default)]
    pub(super) names_issuer: bool,
    #[serde(default)]
    scopes_supported: Option<Vec<String>>,
    #[serde(default)]
    claims_supported: Option<Vec<String>>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Metadata {
    /// Returns whether the phone number can be asked for. A document without these lists says nothing.
    ///
    /// With scopes of the brand's own no other scope is added, so that the list of claims alone tells.
    pub(super) fn has_phone_number(&self, own_scopes: bool) -> bool {
        let has = |list: &Option<Vec<String>>, name: &str| {
            list.as_ref().map(|list| list.iter().any(|known| known == name))
        };
        let scope = has(&self.scopes_supported, "phone").unwrap_or(true);
        let claim = has(&self.claims_supported, "phone_number").unwrap_or(true);
        claim && (scope || own_scopes)
    }

    /// Returns where the provider takes a client's secret.
    pub(super) fn secret_place(&self) -> SecretPlace {
        let methods = self.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
        let has = |name: &str| methods.iter().any(|method| method == name);
        if has("client_secret_post") && !has("client_secret_basic") {
            SecretPlace::Form
        } else {
            SecretPlace::Header
        }
    }

    /// Returns the first address at a host that is neither the issuer's, nor beneath it, nor listed in the settings.
    fn stranger(&self, provider: &Provider) -> Option<(&'static str, String)> {
        let host = |url: &str| {
            url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_ascii_lowercase))
        };
        let issuer = host(&provider.issuer.replace("{tenantid}", "tenant"))?;
        let known = |host: &str| {
            host == issuer
                || host.strip_suffix(&issuer).is_some_and(|above| above.ends_with('.'))
                || provider.endpoint_hosts.iter().any(|listed| listed.eq_ignore_ascii_case(host))
        };
        let addresses = [
            ("authorization_endpoint", Some(&self.authorization)),
            ("token_endpoint", Some(&self.token)),
            ("userinfo_endpoint", self.userinfo.as_ref()),
            ("pushed_authorization_request_endpoint", self.pushed.as_ref()),
        ];
        addresses.into_iter().find_map(|(name, address)| {
            let address = address?;
            let host = host(address).unwrap_or_default();
            let sound = address::is_allowed(address, provider.mode) && known(&host);
            (!sound).then_some((name, host))
        })
    }
}

/// The documents that were read, by their addresses. All processors of a program share one.
#[derive(Default)]
pub(crate) struct Documents(Mutex<BTreeMap<String, (Timestamp, Arc<Metadata>)>>);

impl Documents {
    /// Returns a document that is not older than `age`.
    pub(super) fn find(&self, url: &str, age: Duration, now: Timestamp) -> Option<Arc<Metadata>> {
        let documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, document) = documents.get(url)?;
        (now < read_at.after(age)).then(|| Arc::clone(document))
    }

    /// Returns a document that needs not be read again.
    pub(super) fn fresh(&self, url: &str, now: Timestamp) -> Option<Arc<Metadata>> {
        self.find(url, FRESH, now)
    }

    /// Forgets every document.
    #[cfg(test)]
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn keep(&self, url: String, document: &Arc<Metadata>, now: Timestamp) {
        let mut documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        documents.retain(|_, (read_at, _)| now < read_at.after(STALE));
        if documents.len() >= DOCUMENTS_MAX {
            documents.pop_first();
        }
        documents.insert(url, (now, Arc::clone(document)));
    }

    /// Takes the provider's answer. Only a document that is believed replaces the one from before.
    ///
    /// # Errors
    /// What an attempt comes to without a document: it is made again, or an operator must look.
    pub(super) fn receive(
        &self,
        url: String,
        answer: Result<Response<Bytes>, HttpError>,
        provider: &Provider,
        now: Timestamp,
    ) -> Result<Arc<Metadata>, EndpointError> {
        match read(answer, provider) {
            Ok(document) => {
                let document = Arc::new(document);
                self.keep(url, &document, now);
                Ok(document)
            }
            // Nothing was sent yet, so that an earlier document serves.
            Err(EndpointError::Again) => self.find(&url, STALE, now).ok_or(EndpointError::Again),
            Err(other) => Err(other),
        }
    }
}

/// Returns the call that reads a document.
pub(super) fn call(url: &str) -> Result<Request<Bytes>, http::Error> {
    let call = Request::builder().method(Method::GET).uri(url);
    call.header(ACCEPT, "application/json").body(Bytes::new())
}

/// Reads a document and decides whether it is believed.
fn read(
    answer: Result<Response<Bytes>, HttpError>,
    provider: &Provider,
) -> Result<Metadata, EndpointError> {
    let wrong = || EndpointError::Blocked(Rejection::Discovery);
    let answer = match answer {
        Ok(answer) => answer,
        Err(HttpError::Forbidden) => return Err(EndpointError::Blocked(Rejection::Address)),
        Err(HttpError::NotSent(_) | HttpError::Lost(_)) => return Err(EndpointError::Again),
    };
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::TOO_MANY_REQUESTS => return Err(EndpointError::Again),
        status if status.is_server_error() => return Err(EndpointError::Again),
        status => {
            tracing::error!(http.status = status.as_u16(), "discovery document not found");
            return Err(wrong());
        }
    }
    let Ok(metadata) = serde_json::from_slice::<Metadata>(answer.body()) else {
        tracing::error!("discovery document is not in the standard format");
        return Err(wrong());
    };
    if metadata.issuer != provider.issuer {
        tracing::error!(
            issuer.expected = provider.issuer, issuer.received = ?shortened(&metadata.issuer),
            "discovery document names another issuer; set `issuer` to what it names"
        );
        return Err(wrong());
    }
    if let Some((name, host)) = metadata.stranger(provider) {
        tracing::error!(
            endpoint.name = name, endpoint.host = ?shortened(&host),
            "discovery document names an address at another host; list it in `endpoint_hosts` if it is the provider's"
        );
        return Err(wrong());
    }
    Ok(metadata)
}

/// Returns the beginning of a text, for a log.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}
