//! Outgoing HTTPS calls.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

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

/// Makes one call. Redirects are never followed; at most 1 MiB of an answer is read (64 KiB under [`Reach::Public`]).
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
    /// The address is not one this call may reach. Nothing was sent.
    #[error("the address is not public")]
    Forbidden,
    /// No connection was made. Nothing was sent.
    #[error("no connection was made")]
    NotSent(#[source] Source),
    /// The call was sent, in part or whole, and no whole answer came: the other side may have acted.
    #[error("the call was sent and its answer was lost")]
    Lost(#[source] Source),
}
