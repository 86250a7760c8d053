//! The doctor's calls. Each is printed before it is made, and none of them changes anything.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::brand::Brand;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Method, Request, Response};
use ports::{Http, HttpError, Reach, error_chain};
use serde_json::Value;

use super::report::Fault;
use crate::{Adapters, Context};

const TIMEOUT: Duration = Duration::from_secs(15);

/// The way out that prints each call. It refuses a call that could change something.
pub(crate) struct ReadOnlyHttp {
    http: Arc<dyn Http>,
    output: Arc<crate::Output>,
}

/// A call that the doctor may not make.
#[derive(Debug, thiserror::Error)]
#[error("the doctor makes no call that could change something")]
struct NotARead;

impl ReadOnlyHttp {
    /// Wraps a way out.
    pub(crate) const fn new(http: Arc<dyn Http>, output: Arc<crate::Output>) -> Self {
        Self { http, output }
    }
}

/// Returns whether a call only reads. Some providers read by `POST`.
fn is_read(request: &Request<Bytes>) -> bool {
    if request.method() == Method::GET || request.method() == Method::HEAD {
        return true;
    }
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    let described = ["PinpointSMSVoiceV2.Describe", "AWSEvents.Describe"];
    let is_described =
        target.is_some_and(|target| described.iter().any(|start| target.starts_with(start)));
    // A token call logs in, or is refused for its made-up code.
    let is_login =
        request.extensions().get::<Login>().is_some() || request.uri().path().ends_with("/token");
    is_described || is_login || request.uri().path().ends_with("/paymentMethods")
}

/// Marks a call that logs in, in the request's extensions.
#[derive(Clone, Copy)]
pub(crate) struct Login;

#[async_trait]
impl Http for ReadOnlyHttp {
    async fn call(
        &self,
        request: Request<Bytes>,
        reach: Reach,
        timeout: Duration,
    ) -> Result<Response<Bytes>, HttpError> {
        let is_read = is_read(&request);
        let (method, uri) = (request.method(), request.uri());
        let host = uri.authority().map_or("", |authority| authority.as_str());
        let scheme = uri.scheme_str().unwrap_or("https");
        let target = request.headers().get("x-amz-target").and_then(|name| name.to_str().ok());
        let target = target.map_or(String::new(), |name| format!(" {name}"));
        // The query is left out, since a token or a number may be in it.
        let line = format!("-> {method} {scheme}://{host}{}{target}", uri.path());
        let printed = self.output.note(&line);
        if printed.is_err() || !is_read {
            return Err(HttpError::NotSent(NotARead.into()));
        }
        self.http.call(request, reach, timeout).await
    }
}

/// An answer of a provider.
pub(crate) struct Answer {
    /// The status of HTTP.
    pub(crate) status: u16,
    /// The body as JSON; null for another body.
    pub(crate) value: Value,
}

impl Answer {
    /// Returns a text of the answer.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns a list of the answer.
    pub(crate) fn list(&self, pointer: &str) -> &[Value] {
        self.value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Returns the fault of an answer that no check expects.
    pub(crate) fn unexpected(&self, check: &'static str, provider: &str) -> Fault {
        Fault {
            check,
            says: format!("{provider} answers with status {}", self.status),
            mend: format!("look at the status page of {provider}, then repeat the command"),
        }
    }
}

/// One run of the doctor.
pub(crate) struct ProviderCalls<'a> {
    /// The ports that the commands have.
    pub(crate) context: &'a Context,
    /// The way out.
    pub(crate) http: &'a Arc<ReadOnlyHttp>,
    /// The adapters, which call through the same way out.
    pub(crate) adapters: &'a Adapters,
    /// The brand that is examined.
    pub(crate) brand: &'a Brand,
}

impl ProviderCalls<'_> {
    /// Makes a `GET` with these headers.
    ///
    /// # Errors
    /// The [`Fault`] of a call without an answer.
    pub(crate) async fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, Fault> {
        self.call(Request::get(url), headers, Bytes::new()).await
    }

    /// Makes a call.
    ///
    /// # Errors
    /// The [`Fault`] of a call without an answer.
    pub(crate) async fn call(
        &self,
        mut request: http::request::Builder,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, Fault> {
        for (name, value) in headers {
            let mut value = HeaderValue::try_from(*value).map_err(|_invalid| {
                Fault::new("settings", "a setting fits no header of a call", "enter it again")
            })?;
            value.set_sensitive(*name == AUTHORIZATION.as_str());
            request = request.header(*name, value);
        }
        let request = request.body(body).map_err(|_invalid| {
            Fault::new("settings", "a setting makes no valid address", "enter it again")
        })?;
        self.send(request).await
    }

    /// Sends a whole call.
    ///
    /// # Errors
    /// The [`Fault`] of a call without an answer.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Answer, Fault> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let answer = self.http.call(request, Reach::Configured, TIMEOUT).await;
        let answer = answer.map_err(|error| {
            let causes = error_chain(&error);
            let is_certificate = causes.to_ascii_lowercase().contains("certificate");
            let mend = if is_certificate {
                "renew the certificate of that address, or correct the address"
            } else {
                "check the address and this machine's network, then repeat the command"
            };
            Fault {
                check: "reach",
                says: format!("no answer from {host}: {causes}"),
                mend: mend.to_owned(),
            }
        })?;
        let value = serde_json::from_slice(answer.body()).unwrap_or_default();
        Ok(Answer { status: answer.status().as_u16(), value })
    }
}
