//! Signs calls to AWS services that have no client here, with the role the function runs under.

use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_types::SdkConfig;
use bytes::Bytes;
use domain::values::time::Timestamp;
use ports::{Clock, SignError, Signer};

use crate::clock::SystemClock;

/// The credentials of the function's role, as a signer of calls.
#[derive(Debug)]
pub(crate) struct RoleSigner {
    credentials: Option<SharedCredentialsProvider>,
}

impl RoleSigner {
    /// Makes a signer with the configuration's credentials.
    #[must_use]
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self { credentials: config.credentials_provider() }
    }

    async fn sign_at(
        &self,
        mut request: http::Request<Bytes>,
        service: &str,
        region: &str,
        now: Timestamp,
    ) -> Result<http::Request<Bytes>, SignError> {
        let provider =
            self.credentials.as_ref().ok_or_else(|| SignError("no credentials".into()))?;
        let identity = provider.provide_credentials().await.map_err(failed)?.into();
        let since = Duration::from_millis(u64::try_from(now.as_millis()).map_err(failed)?);
        let settings = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service)
            .time(UNIX_EPOCH.checked_add(since).ok_or_else(|| SignError("no such time".into()))?)
            .settings(SigningSettings::default())
            .build()
            .map_err(failed)?
            .into();
        let mut headers = Vec::new();
        for (name, value) in request.headers() {
            headers.push((name.as_str(), value.to_str().map_err(failed)?));
        }
        let uri = request.uri().to_string();
        let body = SignableBody::Bytes(request.body());
        let signable =
            SignableRequest::new(request.method().as_str(), uri, headers.into_iter(), body);
        let (instructions, _) =
            sign(signable.map_err(failed)?, &settings).map_err(failed)?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> SignError {
    SignError(Box::new(error))
}

#[async_trait]
impl Signer for RoleSigner {
    async fn sign(
        &self,
        request: http::Request<Bytes>,
        service: &str,
        region: &str,
    ) -> Result<http::Request<Bytes>, SignError> {
        self.sign_at(request, service, region, SystemClock.now()).await
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;

    use super::*;

    /// The example `get-vanilla` that AWS publishes for Signature Version 4.
    #[tokio::test]
    async fn signer_reproduces_the_published_example() {
        let credentials = Credentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            None,
            None,
            "test",
        );
        let config = SdkConfig::builder()
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let request =
            http::Request::get("https://example.amazonaws.com/").body(Bytes::new()).unwrap();
        let at = "2015-08-30T12:36:00Z".parse().unwrap();
        let signed =
            RoleSigner::new(&config).sign_at(request, "service", "us-east-1", at).await.unwrap();
        assert_eq!(signed.headers()["x-amz-date"], "20150830T123600Z");
        assert_eq!(
            signed.headers()["authorization"],
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
    }

    #[tokio::test]
    async fn signer_without_credentials_is_an_error() {
        let request =
            http::Request::get("https://example.amazonaws.com/").body(Bytes::new()).unwrap();
        let signer = RoleSigner::new(&SdkConfig::builder().build());
        assert!(signer.sign(request, "service", "us-east-1").await.is_err());
    }
}
