//! Calls of a deployment's API, with the key of the requester.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode};
use ports::Reach;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::Context;
use crate::arguments::Access;
use crate::failure::{Exit, Failure};
use crate::input;

/// The address of a machine that serves with its defaults.
const LOCAL: &str = "http://127.0.0.1:8787";
/// Longer than the longest wait of a read.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A deployment, called with one key.
pub(crate) struct Api<'a> {
    context: &'a Context,
    base: String,
    key: SecretString,
}

/// A call of the API.
pub(crate) struct Call<'a> {
    /// The method of HTTP.
    pub(crate) method: Method,
    /// The path, with its query.
    pub(crate) path: &'a str,
    /// The body; `None` for none.
    pub(crate) body: Option<&'a Value>,
    /// The `Idempotency-Key`; `None` where the call needs none.
    pub(crate) idempotency_key: Option<&'a str>,
}

impl<'a> Api<'a> {
    /// Opens the deployment that the arguments and the environment name.
    ///
    /// # Errors
    /// [`Failure`] without a key.
    pub(crate) fn open(context: &'a Context, access: &Access) -> Result<Self, Failure> {
        let variable = |name| (context.variable)(name).filter(|value: &String| !value.is_empty());
        let base = access.api.clone().or_else(|| variable("ASSENT_API"));
        let base = base.unwrap_or_else(|| LOCAL.to_owned());
        let kept = access.data.join("test-key");
        let key = match (&access.key_file, variable("ASSENT_KEY")) {
            (Some(path), _) => input::secret(path)?,
            (None, Some(key)) => key.trim().to_owned().into(),
            (None, None) if kept.exists() => input::secret(&kept)?,
            (None, None) => {
                return Err(Failure::new("no-key", "there is no API key to call with")
                    .with_exit(Exit::Usage)
                    .with_remedy("set ASSENT_KEY, or name a file with --key-file"));
            }
        };
        Ok(Self { context, base: base.trim_end_matches('/').to_owned(), key })
    }

    /// Makes a call and returns its answer.
    ///
    /// # Errors
    /// [`Failure`] without an answer, or with the problem that the API answers.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Value, Failure> {
        let url = format!("{}{}", self.base, call.path);
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", self.key.expose_secret()))
            .map_err(|error| Failure::usage(format!("the API key is not valid: {error}")))?;
        bearer.set_sensitive(true);
        let mut request = Request::builder()
            .method(&call.method)
            .uri(&url)
            .header(AUTHORIZATION, bearer)
            .header("user-agent", concat!("assent-cli/", env!("CARGO_PKG_VERSION")));
        if let Some(key) = call.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let body = match call.body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let answer = self.context.http.call(request.body(body)?, Reach::Configured, TIMEOUT).await;
        let answer = answer.map_err(|error| Failure::no_answer(&self.base, &error))?;
        let status = answer.status();
        let value: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        if status.is_success() { Ok(value) } else { Err(refusal(&self.base, status, &value)) }
    }

    /// Makes a `GET`.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Call { method: Method::GET, path, body: None, idempotency_key: None }).await
    }

    /// Makes a `POST`.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub(crate) async fn post(
        &self,
        path: &str,
        body: Option<&Value>,
        idempotency_key: Option<&str>,
    ) -> Result<Value, Failure> {
        self.call(Call { method: Method::POST, path, body, idempotency_key }).await
    }
}

/// Returns the failure of a problem that the API answers. Every fault of a field is on a line of its own.
fn refusal(base: &str, status: StatusCode, problem: &Value) -> Failure {
    let text = |name: &str| problem.get(name).and_then(Value::as_str).map(str::to_owned);
    let exit = if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        Exit::NoAnswer
    } else {
        Exit::Refused
    };
    let (Some(code), Some(title)) = (text("code"), text("title")) else {
        let message = format!("{base} answered {status}, which is no answer of this API");
        return Failure::new("not-the-api", message)
            .with_exit(exit)
            .with_remedy("check --api and ASSENT_API");
    };
    let mut message = format!("{title} ({}, {code})", status.as_u16());
    if let Some(detail) = text("detail") {
        message = format!("{message}: {detail}");
    }
    for fault in problem.get("errors").and_then(Value::as_array).into_iter().flatten() {
        let part = |name: &str| fault.get(name).and_then(Value::as_str).unwrap_or_default();
        let place = [part("pointer"), part("parameter"), part("field")].concat();
        let line = format!("{place}: {}", part("detail"));
        if !message.contains(&line) {
            message = format!("{message}\n  {line}");
        }
    }
    let failure = Failure::new(&code, message).with_exit(exit);
    match text("type") {
        Some(page) => failure.with_remedy(format!("see {page}")),
        None => failure,
    }
}
