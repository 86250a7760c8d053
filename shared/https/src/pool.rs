//! Pools of connections over TLS.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ports::Reach;
use rustls::client::WantsClientCert;

use crate::resolver::Resolver;

/// A pool of connections.
pub(crate) type Pool = legacy::Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>;

/// The time after which an idle connection is closed. Providers close theirs after about a minute. A thawed function
/// must not call on such a connection.
const IDLE: Duration = Duration::from_secs(20);

/// Begins a TLS configuration that trusts `roots`. The caller adds a client certificate or none.
///
/// # Errors
/// [`rustls::Error`] if the build has no usable cryptography.
pub(crate) fn trusting(
    roots: &Arc<rustls::RootCertStore>,
) -> Result<rustls::ConfigBuilder<rustls::ClientConfig, WantsClientCert>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(Arc::clone(roots));
    Ok(builder)
}

/// Creates a pool whose resolver allows the addresses of `reach`.
pub(crate) fn pool(reach: Reach, tls: rustls::ClientConfig) -> Pool {
    let mut tcp = HttpConnector::new_with_resolver(Resolver::new(reach));
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let tls = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls);
    let connector = match reach {
        Reach::Configured => tls.https_or_http().enable_http1().wrap_connector(tcp),
        Reach::Public | Reach::PublicProvider => {
            tls.https_only().enable_http1().wrap_connector(tcp)
        }
    };
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
    // The resolver checks a name at each look-up. So a call to a brand's endpoint never reuses a connection.
    match reach {
        Reach::Configured | Reach::PublicProvider => {}
        Reach::Public => {
            builder.pool_max_idle_per_host(0);
        }
    }
    builder.build(connector)
}
