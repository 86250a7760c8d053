//! Authentication of the requester by its API key.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use domain::api_key::{ApiKey, KeySettings};
use domain::brand::{Brand, Mode};
use domain::caller::Caller;
use domain::problem::{Code, Problem};
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
}

/// Authenticates the caller by `Authorization: Bearer sk_…`.
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
    let key = ApiKey::read(token).ok_or_else(refused)?;
    let brand = match secrets.brand(&key.brand).await {
        Ok(brand) => brand,
        Err(SecretsError::Unknown) => {
            // The same look-ups as for a brand with another key, so that the time of a refusal names no brand.
            return match secrets.refresh(&key.brand).await {
                Ok(_) | Err(SecretsError::Unknown) => Err(refused()),
                Err(error @ (SecretsError::Damaged(_) | SecretsError::Unavailable(_))) => {
                    Err(error.into())
                }
            };
        }
        Err(error @ (SecretsError::Damaged(_) | SecretsError::Unavailable(_))) => {
            return Err(error.into());
        }
    };
    if let Some(found) = key.find(&brand, now).cloned() {
        return Ok(requester(brand, key.mode, found, headers));
    }
    // A key that was added a moment ago is not in the cache yet.
    let brand = secrets.refresh(&key.brand).await?;
    let found = key.find(&brand, now).cloned().ok_or_else(refused)?;
    Ok(requester(brand, key.mode, found, headers))
}

/// Returns the token of `Authorization: Bearer …`; `None` without one.
pub(crate) fn presented(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok())?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn requester(brand: Arc<Brand>, mode: Mode, key: KeySettings, headers: &HeaderMap) -> Requester {
    let caller = Caller { key: Some(key.id()), ..caller::of(headers) };
    Requester { brand, mode, key, caller }
}
