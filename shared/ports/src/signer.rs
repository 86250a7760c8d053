//! Signs calls with the function's own role, for providers that take that in place of a key.

use async_trait::async_trait;
use bytes::Bytes;

use super::Source;

/// The signer of calls to AWS services (Signature Version 4).
///
/// ```
/// use bytes::Bytes;
/// use ports::{SignError, Signer};
///
/// /// Writes the service and the region in place of a signature.
/// struct Unsigned;
///
/// #[async_trait::async_trait]
/// impl Signer for Unsigned {
///     async fn sign(
///         &self,
///         mut request: http::Request<Bytes>,
///         service: &str,
///         region: &str,
///     ) -> Result<http::Request<Bytes>, SignError> {
///         let header = format!("{service}/{region}").parse();
///         let header = header.map_err(|error: http::header::InvalidHeaderValue| SignError(error.into()))?;
///         request.headers_mut().insert("authorization", header);
///         Ok(request)
///     }
/// }
///
/// let request = http::Request::post("https://sms-voice.eu-west-1.amazonaws.com/").body(Bytes::new());
/// let signed = pollster::block_on(Unsigned.sign(request.unwrap(), "sms-voice", "eu-west-1"));
/// assert_eq!(signed.unwrap().headers()["authorization"], "sms-voice/eu-west-1");
/// ```
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
