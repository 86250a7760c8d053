//! Customers of one machine. Each asks, learns of the prompt by webhook, approves it, and waits for the outcome's webhook.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use embedded::SystemClock;
use futures_util::future::join_all;
use http::Method;
use ports::{Clock, Http, Reach};
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::instant;

const WAIT_MAX: Duration = Duration::from_secs(60);

/// One machine's address and key, and the endpoint of its webhooks.
pub(crate) struct Customers {
    pub(crate) http: https::Client,
    pub(crate) api: String,
    pub(crate) key: String,
    pub(crate) endpoint: Endpoint,
    pub(crate) next: AtomicUsize,
}

impl Customers {
    async fn call(&self, method: Method, path: &str, key: &str, body: &Value) -> Value {
        let call = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.api))
            .header("authorization", format!("Bearer {}", self.key))
            .header("idempotency-key", key)
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let answer = self.http.call(call, Reach::Configured, WAIT_MAX).await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        serde_json::from_slice(answer.body()).unwrap()
    }

    /// Serves one customer, and returns the time from the approval to the webhook of the outcome.
    pub(crate) async fn serve(&self) -> Duration {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let phone = format!("+1777{number:06}1");
        let awaited = self.endpoint.expect(&phone);
        let body = json!({
            "customer": { "phone": phone, "name": "Ada", "language": "en-GB" },
            "session": { "kind": "voice", "id": format!("L{number}"), "agent": "a17" },
            "ask": { "kind": "payment", "amount": 4250, "currency": "EUR", "description": "Invoice 4711" },
            "metadata": { "phone": phone },
        });
        let made = self.call(Method::POST, "/v1/requests", &phone, &body).await;
        tokio::time::timeout(WAIT_MAX, awaited.prompted).await.unwrap().unwrap();
        let messages = format!("/sandbox/phones/{phone}/messages");
        let found = self.call(Method::GET, &messages, "", &Value::Null).await;
        let message = found["messages"][0]["id"].as_str().unwrap();
        let yes = json!({ "action": "approve", "session_code": made["session_code"] });
        let approved_at = instant();
        self.call(Method::POST, &format!("{messages}/{message}/tap"), "", &yes).await;
        let ended_at = tokio::time::timeout(WAIT_MAX, awaited.fulfilled).await.unwrap().unwrap();
        ended_at.duration_since(approved_at)
    }

    /// Serves `count` customers, one every `interval`, and returns their times from the approval to the webhook.
    pub(crate) async fn serve_every(&self, count: u32, interval: Duration) -> Vec<Duration> {
        let customers = (0..count).map(|place| async move {
            SystemClock.wait(interval.saturating_mul(place)).await;
            self.serve().await
        });
        join_all(customers).await
    }
}
