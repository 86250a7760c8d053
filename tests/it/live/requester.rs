//! The requester's own system, and a customer's phone, as calls of the API. A call without an answer is made again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::ports::{Clock, Http, HttpError, Reach};
use embedded::SystemClock;
use http::{Method, Request, header};
use serde_json::Value;
use tests::process::Local;
use tokio::sync::Notify;

/// How long a machine may stay away before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one call may take: longer than the API makes anybody wait.
const CALL_MAX: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_millis(25);

/// An answer: its status and its JSON, if it is JSON.
pub(crate) type Answer = (u16, Value);

/// Somebody with a key.
#[derive(Clone)]
pub(crate) struct Requester {
    http: Arc<dyn Http>,
    pub(crate) api: String,
    key: String,
    /// Rung as something is asked or tapped.
    pub(crate) acts: Arc<Notify>,
}

impl Requester {
    pub(crate) fn new(local: &Local) -> Self {
        let http: Arc<dyn Http> = Arc::new(https::Client::new().unwrap());
        Self { http, api: local.api.clone(), key: local.key.clone(), acts: Arc::default() }
    }

    /// Whoever holds `key` at a deployed stack.
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

    /// Makes the same call until it is answered by a machine that is up.
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        idempotency_key: Option<&str>,
    ) -> Answer {
        let deadline = SystemClock.now().after(PATIENCE);
        loop {
            let answer = self.try_call(&method, path, body, idempotency_key).await;
            match answer {
                Ok(answer) if answer.0 < 500 => return answer,
                unanswered => assert!(
                    SystemClock.now() < deadline,
                    "{method} {path} is not answered: {unanswered:?}"
                ),
            }
            SystemClock.wait(SOON).await;
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, json) = self.call(Method::GET, path, None, None).await;
        assert_eq!(status, 200, "GET {path}: {json}");
        json
    }

    /// A `POST` under that idempotency key, repeated under it as long as no answer comes.
    pub(crate) async fn post(&self, path: &str, body: &Value, key: &str) -> Answer {
        self.call(Method::POST, path, Some(body), Some(key)).await
    }

    /// Sends a request that must be accepted.
    pub(crate) async fn ask(&self, body: &Value, key: &str) -> Value {
        let (status, json) = self.post("/v1/requests", body, key).await;
        assert_eq!(status, 201, "{key}: {json}");
        json
    }

    /// The request once it has changed since `version`, or after two seconds as it is.
    pub(crate) async fn changed(&self, id: &str, version: u64) -> Value {
        self.get(&format!("/v1/requests/{id}?wait=2&after={version}")).await
    }

    /// The request once it is as wanted.
    pub(crate) async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = SystemClock.now().after(PATIENCE);
        let mut request = self.get(&format!("/v1/requests/{id}")).await;
        while !wanted(&request) {
            assert!(SystemClock.now() < deadline, "it is not what is waited for: {request:#}");
            request = self.changed(id, request["version"].as_u64().unwrap()).await;
        }
        request
    }

    /// All requests of a session.
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

    /// The newest message of a request on that phone that was not taken back.
    pub(crate) async fn message(&self, phone: &str, request: &str) -> Option<Value> {
        let phone = self.get(&format!("/sandbox/phones/{phone}/messages")).await;
        let messages = phone["messages"].as_array().unwrap();
        let is_asking = |message: &&Value| {
            message["request"] == request && message["retracted"] == Value::Bool(false)
        };
        messages.iter().find(is_asking).cloned()
    }

    /// Taps. Not repeated: a customer who sees nothing happen looks at the phone first.
    pub(crate) async fn tap(&self, phone: &str, message: &str, tap: &Value) -> Option<Answer> {
        let path = format!("/sandbox/phones/{phone}/messages/{message}/tap");
        self.try_call(&Method::POST, &path, Some(tap), None).await.ok()
    }
}
