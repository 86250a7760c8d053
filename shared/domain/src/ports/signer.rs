//! Signing a call with the identity the machine runs under, where a provider wants that instead of a key.

use async_trait::async_trait;
use bytes::Bytes;

use super::Source;

/// Signs calls to AWS services (Signature Version 4) with the credentials of the machine.
#[async_trait]
pub trait Signer: Send + Sync {
    /// Adds the signature's headers to `request` for `service` in `region`.
    ///
    /// # Errors
    /// [`SignError`] when the machine has no credentials to sign with.
    async fn sign(
        &self,
        request: http::Request<Bytes>,
        service: &str,
        region: &str,
    ) -> Result<http::Request<Bytes>, SignError>;
}

/// The machine has no credentials, or the call cannot be signed.
#[derive(Debug, thiserror::Error)]
#[error("the call cannot be signed")]
pub struct SignError(#[source] pub Source);
