//! Looks names up, and keeps calls to brands' endpoints away from addresses that are not public.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use domain::ports::{Reach, Source};
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

use crate::address::is_public;

/// A name that has an address which is not public: one such address is enough, as the connection may go to any.
#[derive(Debug, thiserror::Error)]
#[error("the name has an address that is not public")]
pub(crate) struct NotPublic;

/// The system's resolver, whose answer is checked before anything connects to it. The connection is made to what was
/// checked: nothing looks the name up again.
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

/// The addresses `reach` allows among `found`: all of them or an error.
fn checked(found: Vec<SocketAddr>, reach: Reach) -> Result<Vec<SocketAddr>, NotPublic> {
    match reach {
        Reach::Configured => Ok(found),
        Reach::Public if found.iter().all(|address| is_public(address.ip())) => Ok(found),
        Reach::Public => Err(NotPublic),
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
        let looking = self.system.call(name);
        Box::pin(async move { Ok(checked(looking.await?.collect(), reach)?.into_iter()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_that_is_not_public_spoils_the_name() {
        let public: SocketAddr = "8.8.8.8:443".parse().unwrap();
        let metadata: SocketAddr = "169.254.169.254:443".parse().unwrap();
        assert!(checked(vec![public, metadata], Reach::Public).is_err());
        assert_eq!(checked(vec![public], Reach::Public).unwrap(), [public]);
        assert_eq!(checked(vec![metadata], Reach::Configured).unwrap(), [metadata]);
    }
}
