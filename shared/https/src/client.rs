//! The client: two pools of connections, one for each reach, over one TLS configuration.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ports::{ClientIdentity, Http, HttpError, Reach, Source};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::client::WantsClientCert;
use rustls::pki_types::ServerName;

use crate::address::is_public;
use crate::identity::Identified;
use crate::resolver::{NotPublic, Resolver};

pub(crate) type Pool = legacy::Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>;

/// For how long an idle connection is kept. Providers close theirs after a minute or so, and a function that was
/// frozen must not wake up to a call on a connection that is long gone.
const IDLE: Duration = Duration::from_secs(20);

/// How much of an answer is read.
const CONFIGURED_BYTES: usize = 1024 * 1024;
const PUBLIC_BYTES: usize = 64 * 1024;

/// Makes calls over HTTP/1.1, with Mozilla's root certificates linked in. Cheap to clone: clones share connections.
#[derive(Clone)]
pub struct Client {
    configured: Pool,
    public: Pool,
    identified: Arc<Identified>,
    configured_bytes: usize,
}

/// The client cannot be made: this build of it has no usable cryptography.
#[derive(Debug, thiserror::Error)]
#[error("the TLS client cannot be made")]
pub struct Unusable(#[source] rustls::Error);

impl Client {
    /// A client with no connection yet.
    ///
    /// # Errors
    /// [`Unusable`], which a build whose tests passed never answers.
    pub fn new() -> Result<Self, Unusable> {
        Self::trusting(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect())
    }

    /// A client that trusts these roots only.
    pub(crate) fn trusting(roots: rustls::RootCertStore) -> Result<Self, Unusable> {
        let roots = Arc::new(roots);
        let tls = trusting(&roots).map_err(Unusable)?.with_no_client_auth();
        Ok(Self {
            configured: pool(Reach::Configured, tls.clone()),
            public: pool(Reach::Public, tls),
            identified: Arc::new(Identified::new(roots)),
            configured_bytes: CONFIGURED_BYTES,
        })
    }

    /// The same client and connections for one that needs longer answers from configured addresses, as the AWS SDK does.
    #[must_use]
    pub fn with_answers_up_to(&self, bytes: usize) -> Self {
        Self { configured_bytes: bytes, ..self.clone() }
    }

    fn pool(&self, reach: Reach, identity: Option<&ClientIdentity>) -> Result<Pool, HttpError> {
        match (identity, reach) {
            (Some(identity), _) => self.identified.pool(reach, identity),
            (None, Reach::Configured) => Ok(self.configured.clone()),
            (None, Reach::Public) => Ok(self.public.clone()),
        }
    }

    const fn bytes_max(&self, reach: Reach) -> usize {
        match reach {
            Reach::Configured => self.configured_bytes,
            Reach::Public => PUBLIC_BYTES,
        }
    }
}

/// How a client begins that trusts these roots; whether it has a certificate of its own is still to be said.
pub(crate) fn trusting(
    roots: &Arc<rustls::RootCertStore>,
) -> Result<rustls::ConfigBuilder<rustls::ClientConfig, WantsClientCert>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(Arc::clone(roots));
    Ok(builder)
}

pub(crate) fn pool(reach: Reach, tls: rustls::ClientConfig) -> Pool {
    let mut tcp = HttpConnector::new_with_resolver(Resolver::new(reach));
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let tls = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls);
    let connector = match reach {
        Reach::Configured => tls.https_or_http().enable_http1().wrap_connector(tcp),
        Reach::Public => tls.https_only().enable_http1().wrap_connector(tcp),
    };
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
    // A name is checked when it is looked up, so a call to a brand's endpoint never takes an older call's connection.
    match reach {
        Reach::Configured => {}
        Reach::Public => {
            builder.pool_max_idle_per_host(0);
        }
    }
    builder.build(connector)
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
        let connection = capture_connection(&mut request);
        let exchange = async {
            let answer = pool.request(request).await.map_err(unanswered)?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, bytes_max).collect().await.map_err(HttpError::Lost)?;
            Ok(http::Response::from_parts(parts, body.to_bytes()))
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(answered) => answered,
            Err(late) => Err(out_of_time(&connection, late)),
        }
    }
}

/// What the address itself tells, before anything is looked up.
fn check(uri: &http::Uri, reach: Reach) -> Result<(), HttpError> {
    let (Some(authority), Some(host)) = (uri.authority(), uri.host()) else {
        return Err(HttpError::Forbidden);
    };
    // Credentials in an address end up in logs, and hide which host is meant.
    if authority.as_str().contains('@') {
        return Err(HttpError::Forbidden);
    }
    match reach {
        Reach::Configured => Ok(()),
        Reach::Public => {
            let usual = uri.scheme() == Some(&http::uri::Scheme::HTTPS)
                && uri.port_u16().is_none_or(|port| port == 443);
            let allowed = match ServerName::try_from(host.trim_matches(['[', ']'])) {
                // The resolver never sees a literal address, so it is checked here.
                Ok(ServerName::IpAddress(address)) => is_public(address.into()),
                // Some odd spellings of addresses (`0x7f000001`) are names to us; the resolver reads and checks them.
                Ok(ServerName::DnsName(_)) => true,
                // All other spellings (`127.1`, `2130706433`) are no names that a certificate could have.
                Ok(_) | Err(_) => false,
            };
            if usual && allowed { Ok(()) } else { Err(HttpError::Forbidden) }
        }
    }
}

fn unanswered(error: legacy::Error) -> HttpError {
    if caused_by::<NotPublic>(&error) {
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

/// Time ran out: before there was a connection nothing was sent, after that anything may have been.
fn out_of_time(connection: &CaptureConnection, late: tokio::time::error::Elapsed) -> HttpError {
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
    async fn a_trusted_certificate_is_spoken_to() {
        let (port, certificate) = serve().await;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate).unwrap();
        let answer = get(&Client::trusting(roots).unwrap(), port).await.unwrap();
        assert_eq!(answer.body(), "ok");
    }

    #[tokio::test]
    async fn a_stranger_s_certificate_is_refused_before_anything_is_sent() {
        let (port, _) = serve().await;
        let answer = get(&Client::new().unwrap(), port).await;
        assert!(matches!(answer, Err(HttpError::NotSent(_))), "{answer:?}");
    }
}
