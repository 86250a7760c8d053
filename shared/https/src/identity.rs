//! Pools of connections with a client certificate, one for each identity, as a connection belongs to its certificate.

use std::sync::{Arc, Mutex, PoisonError};

use domain::keys;
use ports::{ClientIdentity, HttpError, Reach};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};

use crate::pool::{Pool, pool, trusting};

/// The most pools: more than the brands of one machine use at once. Then the oldest pool is dropped.
const POOLS_MAX: usize = 16;

/// The pools of the latest identities.
pub(crate) struct IdentityPools {
    roots: Arc<rustls::RootCertStore>,
    pools: Mutex<Vec<IdentityPool>>,
}

struct IdentityPool {
    identity: ClientIdentity,
    reach: Reach,
    pool: Pool,
}

impl IdentityPools {
    pub(crate) fn new(roots: Arc<rustls::RootCertStore>) -> Self {
        Self { roots, pools: Mutex::default() }
    }

    /// Returns the pool of an identity, and creates it for a new identity.
    ///
    /// # Errors
    /// [`HttpError::Forbidden`] if the certificate or the key does not parse, or they do not match.
    pub(crate) fn pool(&self, reach: Reach, identity: &ClientIdentity) -> Result<Pool, HttpError> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |known: &&IdentityPool| known.reach == reach && same(&known.identity, identity);
        if let Some(known) = pools.iter().find(known) {
            return Ok(known.pool.clone());
        }
        let tls = self.tls(identity).ok_or(HttpError::Forbidden)?;
        let created = pool(reach, tls);
        if pools.len() >= POOLS_MAX {
            pools.remove(0);
        }
        pools.push(IdentityPool { identity: identity.clone(), reach, pool: created.clone() });
        Ok(created)
    }

    fn tls(&self, identity: &ClientIdentity) -> Option<rustls::ClientConfig> {
        let (chain, key) = (identity.certificate_pem.expose_secret(), &identity.key_pem);
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
        let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes()).ok()?;
        let chain = chain.ok().filter(|chain| !chain.is_empty())?;
        trusting(&self.roots).ok()?.with_client_auth_cert(chain, key).ok()
    }
}

fn same(one: &ClientIdentity, other: &ClientIdentity) -> bool {
    let equal = |one: &SecretString, other: &SecretString| {
        keys::same(one.expose_secret(), other.expose_secret())
    };
    equal(&one.certificate_pem, &other.certificate_pem) && equal(&one.key_pem, &other.key_pem)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use ports::Http;
    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use rustls::RootCertStore;
    use rustls::server::WebPkiClientVerifier;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::Client;

    fn identity(name: &str) -> (ClientIdentity, CertificateDer<'static>) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([name.to_owned()]).unwrap();
        let certificate_pem = cert.pem().into();
        let key_pem = signing_key.serialize_pem().into();
        (ClientIdentity { certificate_pem, key_pem }, cert.der().clone())
    }

    fn roots(certificates: &[&CertificateDer<'static>]) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots.add((*certificate).clone()).unwrap();
        }
        roots
    }

    /// Serves connections with one of these certificates, and answers with its index.
    ///
    /// Returns the port, and a client that trusts the server.
    async fn serve(customers: &[&CertificateDer<'static>]) -> (u16, Client) {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let (own, certificate) = identity("localhost");
        let key = PrivateKeyDer::from_pem_slice(own.key_pem.expose_secret().as_bytes()).unwrap();
        let known = Arc::new(roots(customers));
        let verifier =
            WebPkiClientVerifier::builder_with_provider(known, Arc::clone(&provider)).build();
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.unwrap())
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let customers: Vec<_> = customers.iter().map(|der| (*der).clone()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        #[expect(
            clippy::disallowed_methods,
            reason = "the server of a test outlives the calls to it"
        )]
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(tls));
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let shown = stream.get_ref().1.peer_certificates().unwrap().first().cloned();
                let place = customers.iter().position(|known| Some(known) == shown.as_ref());
                let mut buffer = [0; 1024];
                assert_ne!(stream.read(&mut buffer).await.unwrap(), 0);
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\n{}",
                    place.unwrap()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        (port, Client::trusting(roots(&[&certificate])).unwrap())
    }

    async fn get(
        client: &Client,
        port: u16,
        identity: Option<&ClientIdentity>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let mut request =
            http::Request::get(format!("https://localhost:{port}/")).body(Bytes::new()).unwrap();
        if let Some(identity) = identity {
            request.extensions_mut().insert(identity.clone());
        }
        client.call(request, Reach::Configured, Duration::from_secs(10)).await
    }

    #[tokio::test]
    async fn call_uses_its_own_certificate_or_none() {
        let (acme, acmes) = identity("acme");
        let (zoo, zoos) = identity("zoo");
        let (stranger, _) = identity("stranger");
        let (port, client) = serve(&[&acmes, &zoos]).await;
        for (who, place) in [(&acme, "0"), (&zoo, "1"), (&acme, "0"), (&zoo, "1")] {
            assert_eq!(get(&client, port, Some(who)).await.unwrap().body(), place);
        }
        assert!(get(&client, port, None).await.is_err(), "the server asks for a certificate");
        assert!(get(&client, port, Some(&stranger)).await.is_err());
        assert_eq!(get(&client, port, Some(&acme)).await.unwrap().body(), "0");
    }

    #[tokio::test]
    async fn certificate_without_its_key_is_forbidden() {
        let (acme, acmes) = identity("acme");
        let (zoo, _) = identity("zoo");
        let (port, client) = serve(&[&acmes]).await;
        let with = |certificate_pem: &SecretString, key_pem: &SecretString| ClientIdentity {
            certificate_pem: certificate_pem.clone(),
            key_pem: key_pem.clone(),
        };
        let nothing = SecretString::from("");
        for unusable in [
            with(&acme.certificate_pem, &zoo.key_pem),
            with(&acme.certificate_pem, &nothing),
            with(&nothing, &acme.key_pem),
            with(&acme.key_pem, &acme.certificate_pem),
            with(
                &"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----".into(),
                &acme.key_pem,
            ),
        ] {
            let answer = get(&client, port, Some(&unusable)).await;
            assert!(matches!(answer, Err(HttpError::Forbidden)), "{answer:?}");
        }
        assert!(!format!("{acme:?}").contains("BEGIN"));
    }

    #[test]
    fn new_identity_drops_the_oldest_pool_at_the_limit() {
        let pools = IdentityPools::new(Arc::new(RootCertStore::empty()));
        let all: Vec<_> =
            (0..=POOLS_MAX).map(|number| identity(&format!("brand-{number}")).0).collect();
        for identity in all.iter().chain(&all) {
            pools.pool(Reach::Configured, identity).unwrap();
            pools.pool(Reach::Configured, identity).unwrap();
            assert!(pools.pools.lock().unwrap().len() <= POOLS_MAX);
        }
    }
}
