//! Outgoing HTTPS calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::SecretString;

use super::Source;

/// The addresses that a call may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A provider named in an operator's settings: any address.
    Configured,
    /// A provider named in settings of live mode: the addresses of [`Reach::Public`], with answers as long as a provider's.
    ///
    /// An idle connection may be used again, since its address was checked when it was made.
    PublicProvider,
    /// An endpoint that a brand chose: `https` on port 443 or any from 1024 up, public addresses only.
    ///
    /// The address is checked after resolution, and the connection goes to the checked address.
    Public,
}

/// The way out of live mode: what settings name is reached at public addresses only.
///
/// A wrong or malicious setting then reaches neither this machine, nor its network, nor a cloud's metadata service.
///
/// ```
/// use ports::{LiveHttp, Reach};
///
/// assert_eq!(LiveHttp::reach(Reach::Configured), Reach::PublicProvider);
/// assert_eq!(LiveHttp::reach(Reach::Public), Reach::Public);
/// ```
pub struct LiveHttp(pub Arc<dyn Http>);

impl LiveHttp {
    /// Returns the addresses that a call of live mode may reach.
    #[must_use]
    pub const fn reach(asked: Reach) -> Reach {
        match asked {
            Reach::Configured | Reach::PublicProvider => Reach::PublicProvider,
            Reach::Public => Reach::Public,
        }
    }
}

#[async_trait]
impl Http for LiveHttp {
    async fn call(
        &self,
        request: http::Request<Bytes>,
        reach: Reach,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, HttpError> {
        self.0.call(request, Self::reach(reach), timeout).await
    }
}

/// Marks a request whose caller needs the status, the headers and at most this many bytes of the response's body.
///
/// It is one of the request's extensions. Neither the length nor the pace of the body matters, nor does its end.
#[derive(Clone, Copy, Debug)]
pub struct BodyHead(pub usize);

/// A client certificate with its key, as Apple Pay requires. `Debug` hides it.
///
/// The caller puts it into the extensions of its request.
#[derive(Clone)]
pub struct ClientIdentity {
    /// The certificate and its intermediates, as PEM.
    pub certificate_pem: SecretString,
    /// The certificate's private key, as PEM.
    pub key_pem: SecretString,
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity(…)")
    }
}

/// The port of outgoing calls. It follows no redirects and reads at most 1 MiB (64 KiB under [`Reach::Public`]).
///
/// A request with [`BodyHead`] gets a response with the beginning of its body. One with a [`ClientIdentity`] uses that certificate, over connections of its own.
///
/// ```
/// use std::time::Duration;
///
/// use bytes::Bytes;
/// use ports::{Http, HttpError, Reach};
///
/// /// A network in which every server accepts every call.
/// struct Accepting;
///
/// #[async_trait::async_trait]
/// impl Http for Accepting {
///     async fn call(
///         &self,
///         _: http::Request<Bytes>,
///         _: Reach,
///         _: Duration,
///     ) -> Result<http::Response<Bytes>, HttpError> {
///         Ok(http::Response::new(Bytes::from_static(b"accepted")))
///     }
/// }
///
/// let request = http::Request::post("https://hooks.example.com/").body(Bytes::new()).unwrap();
/// let call = Accepting.call(request, Reach::Public, Duration::from_secs(10));
/// assert_eq!(pollster::block_on(call).unwrap().status(), 200);
/// ```
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends `request` (absolute URI) and returns the response, of any status.
    ///
    /// # Errors
    /// [`HttpError`], by whether the server may have acted.
    async fn call(
        &self,
        request: http::Request<Bytes>,
        reach: Reach,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, HttpError>;
}

/// A call without a response, by whether the server may have acted.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is out of reach, or the [`ClientIdentity`] is not valid. Nothing was sent, and a repeat fails too.
    #[error("the address is not public, or the client certificate is not valid")]
    Forbidden,
    /// The connection failed. Nothing was sent.
    #[error("failed to connect")]
    NotSent(#[source] Source),
    /// The call was sent, at least in part, and no whole response came: the server may have acted.
    #[error("the call was sent and its response was lost")]
    Lost(#[source] Source),
}

/// The error of a live setting that is an `http` address, which [`domain::values::address`] does not allow.
#[derive(Debug, thiserror::Error)]
#[error("setting `{0}` is an http address in live mode")]
pub struct PlainHttp(pub String);
