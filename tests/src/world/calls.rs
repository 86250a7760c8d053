//! Calls to a world's addresses, and their answers.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use bytes::Bytes;
use domain::caller::Caller;
use http::{HeaderMap, Method, Request, header};
use http_body_util::BodyExt;
use ports::Http;
use serde_json::Value;
use tower::ServiceExt;

use super::brand::TEST_KEY;
use super::network::FakeNetwork;
use super::{Core, PUBLIC_BASE};
use crate::aws_bill::Meter;
use crate::lock::lock;
use crate::openapi::{self, Exchange};

/// A call that is being put together. It carries the demo brand's test key and, if it is a `POST`, a fresh
/// `Idempotency-Key`, unless told otherwise.
pub struct Call<'a> {
    core: &'a Core,
    method: Method,
    uri: String,
    key: Option<String>,
    idempotency: Option<String>,
    headers: Vec<(String, String)>,
    caller: Option<Caller>,
    body: Bytes,
}

/// The answer to a call.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The path and query that were called.
    pub uri: String,
    /// The HTTP status.
    pub status: u16,
    /// The HTTP headers.
    pub headers: HeaderMap,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl<'a> Call<'a> {
    pub(super) fn new(core: &'a Core, method: Method, uri: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let idempotency = (method == Method::POST).then(|| format!("call-{count}"));
        Self {
            core,
            method,
            uri: uri.to_owned(),
            key: Some(TEST_KEY.to_owned()),
            idempotency,
            headers: Vec::new(),
            caller: None,
            body: Bytes::new(),
        }
    }

    /// Carries another API key, or none.
    #[must_use]
    pub fn key<'k>(mut self, key: impl Into<Option<&'k str>>) -> Self {
        self.key = key.into().map(str::to_owned);
        self
    }

    /// Carries another `Idempotency-Key`, or none.
    #[must_use]
    pub fn idempotency<'k>(mut self, key: impl Into<Option<&'k str>>) -> Self {
        self.idempotency = key.into().map(str::to_owned);
        self
    }

    /// Carries a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Comes from this address, under this id, as the server in front of the functions says.
    #[must_use]
    pub fn from(mut self, call: &str, source: IpAddr) -> Self {
        let (call, source) = (call.to_owned(), Some(source));
        self.caller = Some(Caller { call, source, ..Caller::default() });
        self
    }

    /// Carries a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Carries a JSON body. A request is asked for although the same is open, unless the body says otherwise.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        let mut body = body.clone();
        if let Some(fields) = body.as_object_mut().filter(|_| self.uri == "/v1/requests") {
            fields.entry("allow_duplicate").or_insert(Value::Bool(true));
        }
        self.body(body.to_string())
    }

    /// Carries a form.
    #[must_use]
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// Makes the call. Nothing that follows from it is done yet.
    pub fn send(self) -> Answer {
        let mut request = Request::builder().method(self.method).uri(&self.uri);
        if let Some(key) = self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        if let Some(key) = self.idempotency {
            request = request.header("idempotency-key", key);
        }
        if !self.headers.iter().any(|(name, _)| name == "cookie") {
            request = self.core.with_cookies(request);
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let mut request = request.body(Body::from(self.body)).expect("a call is a call");
        if let Some(caller) = self.caller {
            request.extensions_mut().insert(caller);
        }
        self.core.answers(request)
    }
}

impl Answer {
    /// Returns the body as JSON, or null where it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns a header, or an empty text where it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Fails the test unless the status is this one.
    pub fn ok(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} answered {}", self.uri, self.text());
        self
    }

    /// Fails the test unless this is a well-formed problem of that status and code.
    pub fn problem(self, status: u16, code: &str) -> Self {
        let this = self.ok(status);
        let problem = this.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(this.header("content-type"), "application/problem+json");
        assert_eq!(this.header("cache-control"), "no-store");
        assert_eq!(problem["type"], format!("{PUBLIC_BASE}/problems/{code}"));
        for member in ["title", "detail", "instance"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        assert_eq!(problem["retryable"], matches!(status, 429 | 500 | 503), "{problem}");
        this
    }
}

impl Core {
    /// Adds the browser's cookies to a call. A call with a cookie of its own is another browser's.
    fn with_cookies(&self, call: http::request::Builder) -> http::request::Builder {
        let cookies = lock(&self.cookies);
        if cookies.is_empty() {
            return call;
        }
        let pairs: Vec<String> =
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        call.header(header::COOKIE, pairs.join("; "))
    }

    /// Keeps the cookies that an answer sets.
    fn keep_cookies(&self, headers: &HeaderMap) {
        let mut cookies = lock(&self.cookies);
        for cookie in headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().expect("a cookie is text");
            let pair = text.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// The meter of the calls of AWS.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The way out of the machine.
    #[must_use]
    pub fn http(&self) -> Arc<dyn Http> {
        Arc::<FakeNetwork>::clone(&self.network)
    }

    /// Serves a call that a function makes to its own installation.
    pub(super) async fn serves(&self, request: Request<Bytes>) -> http::Response<Bytes> {
        let answered = self.consent.clone().oneshot(request.map(Body::from)).await;
        let (parts, body) = answered.unwrap_or_else(|never| match never {}).into_parts();
        let body = body.collect().await.expect("an answer has a whole body").to_bytes();
        http::Response::from_parts(parts, body)
    }

    /// Hands a call to the function whose address it is.
    pub(super) fn answers(&self, request: Request<Body>) -> Answer {
        let uri = request.uri().to_string();
        let (parts, body) = request.into_parts();
        let sent =
            self.run(async { body.collect().await.expect("a call has a whole body").to_bytes() });
        let (method, sent_headers) = (parts.method.clone(), parts.headers.clone());
        let request = Request::from_parts(parts, Body::from(sent.clone()));
        self.meter.turn(|| {
            let shown = uri.split_once("/c/").map_or(uri.as_str(), |_| "/c/{token}");
            format!("{method} {shown}")
        });
        let router = match uri.split(['/', '?']).nth(1).unwrap_or_default() {
            "c" | "callbacks" | "reports" | "sandbox" | "u" => &self.consent,
            "agents" | "mcp" => &self.agents,
            _ => &self.intake,
        };
        let answer = self.run(async {
            let answered = router.clone().oneshot(request).await;
            let (parts, body) = answered.unwrap_or_else(|never| match never {}).into_parts();
            let body = body.collect().await.expect("an answer has a whole body").to_bytes();
            Answer { uri, status: parts.status.as_u16(), headers: parts.headers, body }
        });
        self.keep_cookies(&answer.headers);
        openapi::check(Exchange {
            method: &method,
            uri: &answer.uri,
            sent_headers: &sent_headers,
            sent: &sent,
            status: answer.status,
            headers: &answer.headers,
            body: &answer.body,
        });
        lock(&self.answered).push(answer.clone());
        answer
    }
}
