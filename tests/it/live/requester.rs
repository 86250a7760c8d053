//! The requester and a customer's phone, as calls of the API. An unanswered call is repeated.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use embedded::SystemClock;
use http::{Method, Request, header};
use ports::{Clock, Http, HttpError, Reach};
use serde_json::Value;
use tests::process::Local;
use tokio::sync::Notify;

/// The longest time for which a machine may be down.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// The longest time for one call, beyond the API's own longest wait.
const CALL_MAX: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// An answer: its status, and its JSON if it has any.
pub(crate) type Answer = (u16, Value);

/// A caller with an API key.
#[derive(Clone)]
pub(crate) struct Requester {
    http: Arc<dyn Http>,
    pub(crate) api: String,
    key: String,
    /// Signals that something is being asked or tapped.
    pub(crate) acts: Arc<Notify>,
}

impl Requester {
    pub(crate) fn new(local: &Local) -> Self {
        let http: Arc<dyn Http> = Arc::new(https::Client::new().unwrap());
        Self { http, api: local.api.clone(), key: local.key.clone(), acts: Arc::default() }
    }

    /// Returns the owner of `key` at a deployed stack.
    pub(crate) fn of(api: String, key: String) -> Self {
        let http: Arc<dyn Http> = Arc::new(https::Client::new().unwrap());
        Self { http, api, key, acts: Arc::default() }
    }

    async fn try_call(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        idempotency_key: Option<&str>,
    ) -> Result<Answer, HttpError> {
        if method == Method::POST {
            self.acts.notify_waiters();
        }
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.api))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key));
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let answer =
            self.http.call(request.body(body).unwrap(), Reach::Configured, CALL_MAX).await?;
        let json = serde_json::from_slice(answer.body()).unwrap_or_default();
        Ok((answer.status().as_u16(), json))
    }

    /// Repeats a call until a running machine answers.
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        idempotency_key: Option<&str>,
    ) -> Answer {
        let deadline = SystemClock.now().after(WAIT_MAX);
        loop {
            let answer = self.try_call(&method, path, body, idempotency_key).await;
            match answer {
                Ok(answer) if answer.0 < 500 => return answer,
                unanswered => assert!(
                    SystemClock.now() < deadline,
                    "{method} {path} is not answered: {unanswered:?}"
                ),
            }
            SystemClock.wait(POLL_INTERVAL).await;
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, json) = self.call(Method::GET, path, None, None).await;
        assert_eq!(status, 200, "GET {path}: {json}");
        json
    }

    /// Sends a `POST` under an idempotency key, and repeats it until it is answered.
    pub(crate) async fn post(&self, path: &str, body: &Value, key: &str) -> Answer {
        self.call(Method::POST, path, Some(body), Some(key)).await
    }

    /// Sends a request that must be accepted.
    pub(crate) async fn ask(&self, body: &Value, key: &str) -> Value {
        let (status, json) = self.post("/v1/requests", body, key).await;
        assert_eq!(status, 201, "{key}: {json}");
        json
    }

    /// Returns the request once it has changed since `version`, or after two seconds unchanged.
    pub(crate) async fn changed(&self, id: &str, version: u64) -> Value {
        self.get(&format!("/v1/requests/{id}?wait=2&after={version}")).await
    }

    /// Returns the request once it fits the condition.
    pub(crate) async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = SystemClock.now().after(WAIT_MAX);
        let mut request = self.get(&format!("/v1/requests/{id}")).await;
        while !wanted(&request) {
            assert!(SystemClock.now() < deadline, "it is not what is waited for: {request:#}");
            request = self.changed(id, request["version"].as_u64().unwrap()).await;
        }
        request
    }

    /// Returns all requests of a session.
    pub(crate) async fn of_session(&self, session: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut path = format!("/v1/requests?session={session}");
        loop {
            let page = self.get(&path).await;
            found.extend(page["requests"].as_array().unwrap().iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else { return found };
            path = format!("/v1/requests?session={session}&cursor={cursor}");
        }
    }

    /// Returns the newest message of a request on that phone that was not retracted.
    pub(crate) async fn message(&self, phone: &str, request: &str) -> Option<Value> {
        let phone = self.get(&format!("/sandbox/phones/{phone}/messages")).await;
        let messages = phone["messages"].as_array().unwrap();
        let is_asking = |message: &&Value| {
            message["request"] == request && message["retracted"] == Value::Bool(false)
        };
        messages.iter().find(is_asking).cloned()
    }

    /// Taps once. A customer who sees no effect looks at the phone before tapping again.
    pub(crate) async fn tap(&self, phone: &str, message: &str, tap: &Value) -> Option<Answer> {
        let path = format!("/sandbox/phones/{phone}/messages/{message}/tap");
        self.try_call(&Method::POST, &path, Some(tap), None).await.ok()
    }
}
