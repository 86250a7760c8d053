//! The HTTP client of the AWS SDK, over the `Http` port. The SDK and the adapters share its connections and its TLS.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use ports::{Http, HttpError, Reach};

/// The `Http` port in the SDK's shape.
#[derive(Clone)]
pub(crate) struct SdkHttp {
    http: Arc<dyn Http>,
    timeout: Duration,
}

impl SdkHttp {
    pub(crate) fn new(http: Arc<dyn Http>, timeout: Duration) -> Self {
        Self { http, timeout }
    }
}

impl fmt::Debug for SdkHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SdkHttp")
    }
}

impl HttpClient for SdkHttp {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SdkHttp {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { http, timeout } = self.clone();
        HttpConnectorFuture::new(async move {
            let request = translated(request)?;
            let answer = http.call(request, Reach::Configured, timeout).await;
            let answer = answer.map_err(unanswered)?.map(SdkBody::from);
            HttpResponse::try_from(answer)
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Translates the SDK's request. Its body is always in memory; nothing is streamed.
fn translated(request: HttpRequest) -> Result<http::Request<Bytes>, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let Some(bytes) = body.bytes() else {
        return Err(ConnectorError::user("streamed bodies are not supported".into()));
    };
    Ok(http::Request::from_parts(parts, Bytes::copy_from_slice(bytes)))
}

/// The SDK retries after either error. Whether that is safe depends on the call, not on this client.
fn unanswered(error: HttpError) -> ConnectorError {
    match error {
        HttpError::Forbidden => ConnectorError::user(error.into()),
        HttpError::NotSent(_) => ConnectorError::io(error.into()).never_connected(),
        HttpError::Lost(_) => ConnectorError::io(error.into()),
    }
}
