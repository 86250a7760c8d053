//! Looks names up, and refuses private addresses for calls to brands' endpoints.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use ports::{Reach, Source};
use tower_service::Service;

use crate::address::is_public;

/// A name has a private address. One is enough, as the connection may use any of a name's addresses.
#[derive(Debug, thiserror::Error)]
#[error("name resolves to a private address")]
pub(crate) struct PrivateAddress;

/// The system's resolver with a check of its answer. The connection uses the checked addresses, without a second look-up.
#[derive(Clone)]
pub(crate) struct Resolver {
    system: GaiResolver,
    reach: Reach,
}

impl Resolver {
    pub(crate) fn new(reach: Reach) -> Self {
        Self { system: GaiResolver::new(), reach }
    }
}

/// Returns `found` if `reach` allows all of them.
fn check(found: Vec<SocketAddr>, reach: Reach) -> Result<Vec<SocketAddr>, PrivateAddress> {
    match reach {
        Reach::Configured => Ok(found),
        Reach::Public | Reach::PublicProvider => {
            let is_allowed = found.iter().all(|address| is_public(address.ip()));
            if is_allowed { Ok(found) } else { Err(PrivateAddress) }
        }
    }
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = Source;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Source>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Source>> {
        self.system.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let reach = self.reach;
        let look_up = self.system.call(name);
        Box::pin(async move { Ok(check(look_up.await?.collect(), reach)?.into_iter()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_with_one_private_address_is_refused() {
        let public: SocketAddr = "8.8.8.8:443".parse().unwrap();
        let metadata: SocketAddr = "169.254.169.254:443".parse().unwrap();
        for reach in [Reach::Public, Reach::PublicProvider] {
            assert!(check(vec![public, metadata], reach).is_err());
            assert_eq!(check(vec![public], reach).unwrap(), [public]);
        }
        assert_eq!(check(vec![metadata], Reach::Configured).unwrap(), [metadata]);
    }
}
