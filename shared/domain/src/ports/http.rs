//! Outgoing HTTPS calls.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::SecretString;

use super::Source;

/// Which addresses a call may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A provider named in an operator's settings: any address.
    Configured,
    /// An endpoint a brand chose: `https` on port 443, public addresses only, checked after the name is resolved, and
    /// the connection is made to the checked address.
    Public,
}

/// Who we are to a server that asks for a certificate of ours, as Apple Pay does. The caller puts it into the extensions of
/// its request; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct ClientIdentity {
    /// The certificate, and those between it and its root, as PEM.
    pub certificate_pem: SecretString,
    /// The certificate's private key, as PEM.
    pub key_pem: SecretString,
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity(…)")
    }
}

/// Makes one call. Redirects are never followed; at most 1 MiB of an answer is read (64 KiB under [`Reach::Public`]).
///
/// A request with a [`ClientIdentity`] among its extensions is made with that certificate, over connections that no other
/// call uses.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends `request` (absolute URI) and returns the answer, whatever its status.
    ///
    /// # Errors
    /// [`HttpError`] tells whether the other side may have acted.
    async fn call(
        &self,
        request: http::Request<Bytes>,
        reach: Reach,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, HttpError>;
}

/// Why there is no answer, told by whether the other side may have acted.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The call may not be made as it is: its address is not one it may reach, or its [`ClientIdentity`] is none. Nothing
    /// was sent, and nothing would be the next time.
    #[error("the address is not public, or the certificate to call with is none")]
    Forbidden,
    /// No connection was made. Nothing was sent.
    #[error("no connection was made")]
    NotSent(#[source] Source),
    /// The call was sent, in part or whole, and no whole answer came: the other side may have acted.
    #[error("the call was sent and its answer was lost")]
    Lost(#[source] Source),
}
