//! A brand's secret: its key digests, channel and processor credentials, and keys for sealing and signing.

use std::sync::Arc;

use async_trait::async_trait;

use super::Source;
use domain::brand::Brand;
use domain::values::name::BrandName;

/// The store of the brands' secrets.
///
/// ```
/// use std::sync::Arc;
///
/// use domain::brand::Brand;
/// use domain::values::name::BrandName;
/// use ports::{Secrets, SecretsError};
///
/// /// The secrets of an installation without a brand.
/// struct NoBrands;
///
/// #[async_trait::async_trait]
/// impl Secrets for NoBrands {
///     async fn brand(&self, _: &BrandName) -> Result<Arc<Brand>, SecretsError> {
///         Err(SecretsError::Unknown)
///     }
///
///     async fn refresh(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
///         self.brand(name).await
///     }
/// }
///
/// let name = "acme".parse().unwrap();
/// let read = pollster::block_on(NoBrands.refresh(&name));
/// assert!(matches!(read, Err(SecretsError::Unknown)));
/// ```
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Returns the brand's secret, from a cache of at most 60 s. While a new text is damaged, the last good secret stays.
    ///
    /// # Errors
    /// [`SecretsError`].
    async fn brand(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError>;

    /// Returns the brand's secret past the cache, after a provider rejected a credential.
    ///
    /// # Errors
    /// [`SecretsError`].
    async fn refresh(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError>;
}

/// A secret that cannot be returned.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The brand is unknown.
    #[error("the brand is unknown")]
    Unknown,
    /// The text is not a valid brand secret: an operator must look. The source never quotes it.
    #[error("failed to parse the brand's secret")]
    Damaged(#[source] Source),
    /// The secrets store did not answer.
    #[error("the secrets store is unavailable")]
    Unavailable(#[source] Source),
}
