//! The sandbox's own calls: the phone as an API, the hosted page of its processor, and an OpenID provider.

pub(crate) mod checkout;
mod phone;
mod reports;

use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use domain::problem::Problem;
use http::{HeaderMap, Response};
use ports::{IdentityCall, MessagePath, Ports, SandboxReplies, SandboxRoutes};

use crate::Sandbox;
use crate::identity::IdentityProvider;
use crate::routes::phone::PhoneApi;

/// The visitors who may use the sandbox phone. The pages of the processor and of the OpenID provider need no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SandboxAccess {
    /// The sandbox is off.
    Off,
    /// Each holder of a test key, for the prompts of the key's brand.
    Key,
    /// Everyone, on a machine of one's own.
    Open,
}

/// The setting of an installation is neither `off` nor `key`.
#[derive(Debug, thiserror::Error)]
#[error("SANDBOX is `off` or `key`, not `{0}`")]
pub struct InvalidAccess(String);

/// Reads the setting of an installation. None is open to everyone.
impl FromStr for SandboxAccess {
    type Err = InvalidAccess;

    fn from_str(text: &str) -> Result<Self, InvalidAccess> {
        match text {
            "off" => Ok(Self::Off),
            "key" => Ok(Self::Key),
            other => Err(InvalidAccess(other.to_owned())),
        }
    }
}

/// Returns the sandbox's calls over a function's ports; `None` where the sandbox is off.
///
/// `public_base` is the installation's address, without a slash at its end.
///
/// ```
/// # use ports::Ports;
/// # fn example(ports: &Ports) -> Result<(), sandbox::InvalidAccess> {
/// let address = "https://pay.example.com";
/// assert!(sandbox::routes(ports, "off".parse()?, address).is_none());
/// assert!(sandbox::routes(ports, "key".parse()?, address).is_some());
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn routes(
    ports: &Ports,
    access: SandboxAccess,
    public_base: &str,
) -> Option<Arc<dyn SandboxRoutes>> {
    let needs_key = match access {
        SandboxAccess::Off => return None,
        SandboxAccess::Key => true,
        SandboxAccess::Open => false,
    };
    let phone = PhoneApi::new(ports.clone(), needs_key);
    let identity = IdentityProvider::new(ports, public_base);
    Some(Arc::new(Routes { ports: ports.clone(), phone, sandbox: Sandbox::new(ports), identity }))
}

/// The sandbox's calls.
struct Routes {
    ports: Ports,
    phone: PhoneApi,
    sandbox: Sandbox,
    identity: IdentityProvider,
}

#[async_trait::async_trait]
impl SandboxRoutes for Routes {
    async fn messages(&self, headers: &HeaderMap, phone: &str) -> Result<Response<Bytes>, Problem> {
        self.phone.messages(headers, phone).await
    }

    async fn tap(
        &self,
        headers: &HeaderMap,
        path: MessagePath<'_>,
        body: &[u8],
        replies: &dyn SandboxReplies,
    ) -> Result<Response<Bytes>, Problem> {
        self.phone.tap(headers, path, body, replies).await
    }

    async fn checkout(&self, id: &str, form: Option<&[u8]>) -> Result<Response<Bytes>, Problem> {
        checkout::serve(&self.sandbox, &self.ports, id, form).await
    }
    async fn identity(&self, call: IdentityCall<'_>) -> Result<Response<Bytes>, Problem> {
        self.identity.serve(&call).await
    }
}
