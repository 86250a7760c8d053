//! Signs calls with the function's own role, for providers that take that in place of a key.

use async_trait::async_trait;
use bytes::Bytes;

use super::Source;

/// The signer of calls to AWS services (Signature Version 4).
#[async_trait]
pub trait Signer: Send + Sync {
    /// Adds the signature's headers to `request` for `service` in `region`.
    ///
    /// # Errors
    /// [`SignError`] when the function has no credentials.
    async fn sign(
        &self,
        request: http::Request<Bytes>,
        service: &str,
        region: &str,
    ) -> Result<http::Request<Bytes>, SignError>;
}

/// A call that cannot be signed, as without credentials.
#[derive(Debug, thiserror::Error)]
#[error("failed to sign the call")]
pub struct SignError(#[source] pub Source);
