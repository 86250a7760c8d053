//! The endpoint of the machine's webhooks. It notifies the customers who wait for an event.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::instant;

/// The endpoint: the customers who wait, by telephone number, and the number of webhooks so far.
#[derive(Clone, Default)]
pub(crate) struct Endpoint {
    waiting: Arc<Mutex<BTreeMap<String, Waiting>>>,
    pub(crate) received: Arc<AtomicU64>,
}

#[derive(Default)]
struct Waiting {
    prompted: Option<oneshot::Sender<Instant>>,
    fulfilled: Option<oneshot::Sender<Instant>>,
}

/// The events of one request that its customer waits for.
pub(crate) struct AwaitedEvents {
    pub(crate) prompted: oneshot::Receiver<Instant>,
    pub(crate) fulfilled: oneshot::Receiver<Instant>,
}

impl Endpoint {
    /// Returns the receivers of this customer's events.
    pub(crate) fn expect(&self, phone: &str) -> AwaitedEvents {
        let ((prompt, prompted), (end, fulfilled)) = (oneshot::channel(), oneshot::channel());
        let waiting = Waiting { prompted: Some(prompt), fulfilled: Some(end) };
        self.waiting.lock().unwrap().insert(phone.to_owned(), waiting);
        AwaitedEvents { prompted, fulfilled }
    }

    /// Listens, and returns the endpoint's address and its server.
    pub(crate) async fn listen(&self) -> (String, impl Future<Output = ()> + use<>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/webhooks", listener.local_addr().unwrap());
        let router = Router::new().route("/webhooks", post(take)).with_state(self.clone());
        (address, async move { axum::serve(listener, router).await.unwrap() })
    }
}

async fn take(State(endpoint): State<Endpoint>, body: Bytes) -> StatusCode {
    endpoint.received.fetch_add(1, Ordering::Relaxed);
    let event: Value = serde_json::from_slice(&body).unwrap();
    let phone = event["data"]["metadata"]["phone"].as_str().unwrap();
    let mut waiting = endpoint.waiting.lock().unwrap();
    let sender = waiting.get_mut(phone).and_then(|waiting| match event["type"].as_str() {
        Some("request.prompted") => waiting.prompted.take(),
        Some("request.fulfilled") => waiting.fulfilled.take(),
        Some(_) | None => None,
    });
    if event["type"] == "request.fulfilled" {
        waiting.remove(phone);
    }
    // The waiting side may be gone.
    sender.and_then(|sender| sender.send(instant()).ok());
    StatusCode::NO_CONTENT
}
