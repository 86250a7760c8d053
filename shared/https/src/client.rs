//! The client: one pool of connections for each reach, over one TLS configuration.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use ports::{BodyHead, ClientIdentity, Http, HttpError, Reach, Source};
use rustls::pki_types::ServerName;

use crate::address::is_public;
use crate::identity::IdentityPools;
use crate::pool::{Pool, pool, trusting};
use crate::resolver::PrivateAddress;

/// The longest answer from a configured address.
const CONFIGURED_BYTES: usize = 1024 * 1024;
/// The longest answer from a brand's endpoint.
const PUBLIC_BYTES: usize = 64 * 1024;
/// How long the beginning of a body may take after its headers.
const BODY_HEAD_WAIT: Duration = Duration::from_millis(200);

/// Makes calls over HTTP/1.1, with Mozilla's root certificates linked in. Clones are cheap and share connections.
///
/// ```
/// use std::time::Duration;
///
/// use ports::{Http, HttpError, Reach};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let client = https::Client::new().unwrap();
/// // A brand's endpoint must have a public address. This call is refused before a connection is made.
/// let call = http::Request::get("https://127.0.0.1/").body(bytes::Bytes::new()).unwrap();
/// let answer = client.call(call, Reach::Public, Duration::from_secs(1)).await;
/// assert!(matches!(answer, Err(HttpError::Forbidden)));
/// # });
/// ```
#[derive(Clone)]
pub struct Client {
    configured: Pool,
    public: Pool,
    providers: Pool,
    identities: Arc<IdentityPools>,
    configured_bytes: usize,
}

/// The build has no usable cryptography.
#[derive(Debug, thiserror::Error)]
#[error("failed to create the TLS client")]
pub struct CreateClientError(#[source] rustls::Error);

impl Client {
    /// Creates a client without a connection.
    ///
    /// # Errors
    /// [`CreateClientError`], never in a build whose tests passed.
    pub fn new() -> Result<Self, CreateClientError> {
        Self::trusting(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect())
    }

    /// Creates a client that trusts `roots` only.
    pub(crate) fn trusting(roots: rustls::RootCertStore) -> Result<Self, CreateClientError> {
        let roots = Arc::new(roots);
        let tls = trusting(&roots).map_err(CreateClientError)?.with_no_client_auth();
        Ok(Self {
            configured: pool(Reach::Configured, tls.clone()),
            public: pool(Reach::Public, tls.clone()),
            providers: pool(Reach::PublicProvider, tls),
            identities: Arc::new(IdentityPools::new(roots)),
            configured_bytes: CONFIGURED_BYTES,
        })
    }

    /// Returns a client with the same connections that reads longer answers from configured addresses.
    ///
    /// The AWS SDK needs that.
    #[must_use]
    pub fn with_answers_up_to(&self, bytes: usize) -> Self {
        Self { configured_bytes: bytes, ..self.clone() }
    }

    fn pool(&self, reach: Reach, identity: Option<&ClientIdentity>) -> Result<Pool, HttpError> {
        match (identity, reach) {
            (Some(identity), _) => self.identities.pool(reach, identity),
            (None, Reach::Configured) => Ok(self.configured.clone()),
            (None, Reach::Public) => Ok(self.public.clone()),
            (None, Reach::PublicProvider) => Ok(self.providers.clone()),
        }
    }

    const fn bytes_max(&self, reach: Reach) -> usize {
        match reach {
            Reach::Configured | Reach::PublicProvider => self.configured_bytes,
            Reach::Public => PUBLIC_BYTES,
        }
    }
}

#[async_trait]
impl Http for Client {
    async fn call(
        &self,
        request: http::Request<Bytes>,
        reach: Reach,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, HttpError> {
        check(request.uri(), reach)?;
        let bytes_max = self.bytes_max(reach);
        let mut request = request.map(Full::new);
        let identity = request.extensions_mut().remove::<ClientIdentity>();
        let pool = self.pool(reach, identity.as_ref())?;
        let body_head = request.extensions_mut().remove::<BodyHead>();
        let connection = capture_connection(&mut request);
        if let Some(BodyHead(most)) = body_head {
            let answer = match tokio::time::timeout(timeout, pool.request(request)).await {
                Ok(answered) => answered.map_err(call_error)?,
                Err(late) => return Err(timeout_error(&connection, late)),
            };
            let (parts, body) = answer.into_parts();
            return Ok(http::Response::from_parts(parts, head(body, most).await));
        }
        let exchange = async {
            let answer = pool.request(request).await.map_err(call_error)?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, bytes_max).collect().await.map_err(HttpError::Lost)?;
            Ok(http::Response::from_parts(parts, body.to_bytes()))
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(answered) => answered,
            Err(late) => Err(timeout_error(&connection, late)),
        }
    }
}

/// Reads the beginning of a body, for as long as it comes at once. The rest is dropped, which closes the connection.
async fn head(mut body: impl BodyExt<Data = Bytes> + Unpin, most: usize) -> Bytes {
    let mut read = Vec::new();
    let reading = async {
        while read.len() < most {
            let Some(Ok(frame)) = body.frame().await else { break };
            if let Ok(data) = frame.into_data() {
                read.extend_from_slice(&data);
            }
        }
    };
    // What came before the end of the wait is the beginning.
    let _late = tokio::time::timeout(BODY_HEAD_WAIT, reading).await;
    read.truncate(most);
    read.into()
}

/// Checks the address itself, before any look-up.
fn check(uri: &http::Uri, reach: Reach) -> Result<(), HttpError> {
    let (Some(authority), Some(host)) = (uri.authority(), uri.host()) else {
        return Err(HttpError::Forbidden);
    };
    // Credentials in an address end up in logs, and hide the host.
    if authority.as_str().contains('@') {
        return Err(HttpError::Forbidden);
    }
    match reach {
        Reach::Configured => Ok(()),
        Reach::Public | Reach::PublicProvider => {
            let is_https = uri.scheme() == Some(&http::uri::Scheme::HTTPS)
                && uri.port_u16().is_none_or(is_public_port);
            let is_allowed = match ServerName::try_from(host.trim_matches(['[', ']'])) {
                // The resolver never sees a literal address, so it is checked here.
                Ok(ServerName::IpAddress(address)) => is_public(address.into()),
                // Some odd spellings of addresses (`0x7f000001`) parse as names. The resolver reads and checks them.
                Ok(ServerName::DnsName(_)) => true,
                // No certificate can have any other spelling (`127.1`, `2130706433`) as its name.
                Ok(_) | Err(_) => false,
            };
            if is_https && is_allowed { Ok(()) } else { Err(HttpError::Forbidden) }
        }
    }
}

/// Returns whether a brand's endpoint may have this port. Below 1024, all ports but 443 are other services', such as mail.
const fn is_public_port(port: u16) -> bool {
    port == 443 || port >= 1024
}

fn call_error(error: legacy::Error) -> HttpError {
    if caused_by::<PrivateAddress>(&error) {
        HttpError::Forbidden
    } else if error.is_connect() {
        HttpError::NotSent(error.into())
    } else {
        HttpError::Lost(error.into())
    }
}

fn caused_by<E: std::error::Error + 'static>(error: &dyn std::error::Error) -> bool {
    let mut next = error.source();
    while let Some(cause) = next {
        if cause.is::<E>() {
            return true;
        }
        next = cause.source();
    }
    false
}

/// Converts a timeout. Nothing was sent before there was a connection; after that, the call may have been.
fn timeout_error(connection: &CaptureConnection, late: tokio::time::error::Elapsed) -> HttpError {
    let late = Source::from(late);
    if connection.connection_metadata().is_some() {
        HttpError::Lost(late)
    } else {
        HttpError::NotSent(late)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Serves one TLS connection with a certificate for `localhost`; returns the port and the certificate.
    async fn serve() -> (u16, rustls::pki_types::CertificateDer<'static>) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = cert.der().clone();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        #[expect(
            clippy::disallowed_methods,
            reason = "the server of a test outlives the call to it"
        )]
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) =
                tokio_rustls::TlsAcceptor::from(Arc::new(tls)).accept(stream).await
            else {
                return;
            };
            let mut buffer = [0; 1024];
            assert_ne!(stream.read(&mut buffer).await.unwrap(), 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        });
        (port, certificate)
    }

    async fn get(client: &Client, port: u16) -> Result<http::Response<Bytes>, HttpError> {
        let request =
            http::Request::get(format!("https://localhost:{port}/")).body(Bytes::new()).unwrap();
        client.call(request, Reach::Configured, Duration::from_secs(10)).await
    }

    #[tokio::test]
    async fn server_with_a_trusted_certificate_is_called() {
        let (port, certificate) = serve().await;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate).unwrap();
        let answer = get(&Client::trusting(roots).unwrap(), port).await.unwrap();
        assert_eq!(answer.body(), "ok");
    }

    #[tokio::test]
    async fn untrusted_certificate_is_refused_before_sending() {
        let (port, _) = serve().await;
        let answer = get(&Client::new().unwrap(), port).await;
        assert!(matches!(answer, Err(HttpError::NotSent(_))), "{answer:?}");
    }
}
