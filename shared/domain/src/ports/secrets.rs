//! A brand's secret: its key digests, channel and processor credentials, and keys for sealing and signing.

use std::sync::Arc;

use async_trait::async_trait;

use super::Source;
use crate::brand::Brand;
use crate::values::name::BrandName;

/// Reads what a brand keeps secret.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The brand's secret, from a short-lived memory (60 s at most) where that holds it.
    ///
    /// # Errors
    /// [`SecretsError`].
    async fn brand(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError>;

    /// The brand's secret as it is now, past the memory: asked for after a provider refused a credential.
    ///
    /// # Errors
    /// [`SecretsError`].
    async fn refresh(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError>;
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// There is no such brand.
    #[error("there is no such brand")]
    Unknown,
    /// The secret's text is not what [`crate::brand`] documents: an operator must look. The source never quotes it.
    #[error("the brand's secret cannot be read")]
    Damaged(#[source] Source),
    /// The keeper of secrets did not answer.
    #[error("the keeper of secrets did not answer")]
    Unavailable(#[source] Source),
}
