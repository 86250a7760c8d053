//! An identity at AWS, as the functions have one on Lambda, for a machine that has none.
#![expect(clippy::expect_used, reason = "a machine with another holder fails the test it is in")]

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, HeaderValue};
use local::Machine;
use ports::{Channels, Http, Ports, SignError, Signer};

/// Signs nothing, and says for which service and region.
struct NullSigner;

#[async_trait]
impl Signer for NullSigner {
    async fn sign(
        &self,
        mut call: Request<Bytes>,
        service: &str,
        region: &str,
    ) -> Result<Request<Bytes>, SignError> {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261201/{region}/{service}/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=0"
        );
        let value = HeaderValue::from_str(&scope).map_err(|error| SignError(error.into()))?;
        call.headers_mut().insert(AUTHORIZATION, value);
        Ok(call)
    }
}

/// The channels over these ports, with an identity.
#[must_use]
pub fn channels(ports: &Ports, http: &Arc<dyn Http>) -> channels::Registry {
    let deps = channels::Deps::new(ports, http, Some(Arc::new(NullSigner)));
    channels::Registry::new(deps).with(sandbox::Sandbox::new(ports))
}

/// Gives a machine without another holder an identity.
///
/// # Panics
/// When the machine has another holder.
pub fn identify(machine: &mut Machine, ports: &Ports, http: &Arc<dyn Http>) {
    let channels: Arc<dyn Channels> = Arc::new(channels(ports, http));
    let alone = "the machine has no other holder yet";
    Arc::get_mut(&mut machine.intake).expect(alone).channels = Arc::clone(&channels);
    Arc::get_mut(&mut machine.send_prompt).expect(alone).channels = Arc::clone(&channels);
    Arc::get_mut(&mut machine.consent_callback).expect(alone).channels = channels;
}
