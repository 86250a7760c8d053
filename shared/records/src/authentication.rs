//! Authentication of the requester by its API key, or by a client token that the key made.

use std::sync::Arc;

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue, ORIGIN};

use domain::api_key::{ApiKey, ClientScope, KeySettings, SignedToken, Visibility};
use domain::brand::{Brand, BrandScope, Mode};
use domain::caller::Caller;
use domain::guards;
use domain::guards::Guard;
use domain::problem::{Code, Problem};
use domain::request::Request;
use domain::values::name::BrandName;
use domain::values::time::Timestamp;
use ports::{Secrets, SecretsError};

use crate::caller;

/// An authenticated requester.
#[derive(Clone, Debug)]
pub struct Requester {
    /// The brand of the key.
    pub brand: Arc<Brand>,
    /// The mode of the key. The other mode stays invisible.
    pub mode: Mode,
    /// The key, as the brand's secret describes it.
    pub key: KeySettings,
    /// The call, for the journal.
    pub caller: Caller,
    /// What a client token is for; `None` for the key itself.
    pub client: Option<ClientScope>,
}

impl Requester {
    /// Returns the brand and mode that the caller acts in.
    #[must_use]
    pub fn scope(&self) -> BrandScope<'_> {
        BrandScope { brand: &self.brand.name, mode: self.mode }
    }

    /// Returns whether the caller may know of a request.
    #[must_use]
    pub fn sees(&self, request: &Request) -> bool {
        let is_brands = request.brand == self.brand.name && request.mode == self.mode;
        let is_keys = match self.key.sessions {
            Visibility::All => true,
            Visibility::Own => {
                request.key.as_ref().is_some_and(|key| key.id == self.key.id())
                    || guards::is_disabled(Guard::KeyRights)
            }
        };
        let is_clients = match &self.client {
            None => true,
            Some(_) if guards::is_disabled(Guard::ClientTokenScope) => true,
            Some(ClientScope::Request(id)) => request.id == *id,
            Some(ClientScope::Session(id)) => request.session.id == *id,
        };
        is_brands && is_keys && is_clients
    }
}

/// A credential whose claims are not verified yet.
enum Credential<'a> {
    Key(ApiKey<'a>),
    Client(SignedToken<'a>),
}

impl<'a> Credential<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let key = ApiKey::read(text).map(Self::Key);
        key.or_else(|| SignedToken::read(text).map(Self::Client))
    }

    const fn brand(&self) -> &BrandName {
        match self {
            Self::Key(key) => &key.brand,
            Self::Client(token) => &token.claimed.brand,
        }
    }

    /// Returns the requester that the credential proves; `None` where it proves none.
    fn requester(
        &self,
        brand: &Arc<Brand>,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<Requester> {
        let (mode, key, client) = match self {
            Self::Key(key) => (key.mode, key.find(brand, now)?.clone(), None),
            Self::Client(token) => {
                let token = token.verify(brand, now)?;
                let origin = headers.get(ORIGIN).map(HeaderValue::as_bytes);
                // A page of the same origin sends no `Origin` when it reads.
                if origin.is_some_and(|origin| origin != token.origin.as_bytes()) {
                    return None;
                }
                let mut keys = brand.keys.iter().filter(|key| key.mode == token.mode);
                let key = keys.find(|key| key.id() == token.key && key.is_in_force(now))?;
                (token.mode, key.clone(), Some(token.scope.clone()))
            }
        };
        let caller = Caller { key: Some(key.id()), ..caller::of(headers) };
        Some(Requester { brand: Arc::clone(brand), mode, key, caller, client })
    }
}

/// Authenticates the caller by `Authorization: Bearer sk_…`, `rk_…` or `ct_…`.
///
/// A wrong key, a missing key and an unknown brand get the same answer.
///
/// # Errors
/// A [`Problem`]: unauthenticated, or the secrets store is unavailable.
pub async fn authenticate(
    secrets: &dyn Secrets,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Requester, Problem> {
    let refused = || Problem::new(Code::Unauthenticated, "the API key is missing or not valid");
    let token = presented(headers).ok_or_else(refused)?;
    let credential = Credential::read(token).ok_or_else(refused)?;
    let brand = known_brand(secrets, credential.brand()).await?.ok_or_else(refused)?;
    if let Some(requester) = credential.requester(&brand, headers, now) {
        return Ok(requester);
    }
    // A key that was added a moment ago is not in the cache yet.
    let brand = secrets.refresh(credential.brand()).await?;
    credential.requester(&brand, headers, now).ok_or_else(refused)
}

/// Authenticates a platform that invokes a function itself, by its ARN. It acts as the key of the brand that lists the ARN.
///
/// The invocation must come from the platform: its own service tells the ARN, and IAM decides who may invoke. `call` is the
/// invocation's id.
///
/// # Errors
/// A [`Problem`]: no key in force lists the ARN, or the secrets store is unavailable.
pub async fn by_caller(
    secrets: &dyn Secrets,
    brand: &BrandName,
    arn: &str,
    call: &str,
    now: Timestamp,
) -> Result<Requester, Problem> {
    let refused = || Problem::new(Code::Unauthenticated, "no key of the brand lists this caller");
    let acting = |brand: &Arc<Brand>| {
        let mut keys = brand.keys.iter().filter(|key| key.is_in_force(now));
        let key = keys.find(|key| {
            key.is_for(arn) || (guards::is_disabled(Guard::ListedCaller) && !key.callers.is_empty())
        })?;
        let caller = Caller { key: Some(key.id()), call: call.to_owned(), ..Caller::default() };
        let (brand, mode) = (Arc::clone(brand), key.mode);
        Some(Requester { brand, mode, key: key.clone(), caller, client: None })
    };
    let known = known_brand(secrets, brand).await?.ok_or_else(refused)?;
    if let Some(requester) = acting(&known) {
        return Ok(requester);
    }
    // A caller that was listed a moment ago is not in the cache yet.
    acting(&secrets.refresh(brand).await?).ok_or_else(refused)
}

/// Loads a brand; `None` where none has the name.
///
/// An unknown name costs the same look-ups as a known brand with another key. So the time of a refusal names no brand.
///
/// # Errors
/// [`SecretsError`]: the secret is damaged, or the secrets store is unavailable.
pub async fn known_brand(
    secrets: &dyn Secrets,
    name: &BrandName,
) -> Result<Option<Arc<Brand>>, SecretsError> {
    match secrets.brand(name).await {
        Ok(brand) => Ok(Some(brand)),
        Err(SecretsError::Unknown) => match secrets.refresh(name).await {
            Ok(_) | Err(SecretsError::Unknown) => Ok(None),
            Err(error @ (SecretsError::Damaged(_) | SecretsError::Unavailable(_))) => Err(error),
        },
        Err(error @ (SecretsError::Damaged(_) | SecretsError::Unavailable(_))) => Err(error),
    }
}

/// Returns the token of `Authorization: Bearer …`; `None` without one.
pub(crate) fn presented(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok())?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
