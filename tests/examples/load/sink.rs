//! Webhook endpoints: one that answers at once, and one that is slow. Waiting requests are notified.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use embedded::SystemClock;
use http::StatusCode;
use ports::Clock;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::instant;

/// The delay of the slow endpoint.
const SLOW: Duration = Duration::from_secs(15);

/// The requests that wait for their last webhook.
#[derive(Clone, Default)]
pub(crate) struct Sink(Arc<Mutex<BTreeMap<String, oneshot::Sender<Instant>>>>);

impl Sink {
    /// Returns a receiver of the request's fulfilled webhook.
    pub(crate) fn expect(&self, request: &str) -> oneshot::Receiver<Instant> {
        let (sender, receiver) = oneshot::channel();
        self.0.lock().unwrap().insert(request.to_owned(), sender);
        receiver
    }

    /// Listens, and returns its address and its server.
    pub(crate) async fn listen(&self) -> (String, impl Future<Output = ()> + use<>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/fast", post(take))
            .route("/slow", post(take_slowly))
            .with_state(self.clone());
        (base, async move { axum::serve(listener, router).await.unwrap() })
    }
}

async fn take(State(sink): State<Sink>, body: Bytes) -> StatusCode {
    let event_body: Value = serde_json::from_slice(&body).unwrap();
    if event_body["type"] == "request.fulfilled" {
        let waiting = sink.0.lock().unwrap().remove(event_body["data"]["id"].as_str().unwrap());
        // The waiting side may be gone.
        waiting.and_then(|waiting| waiting.send(instant()).ok());
    }
    StatusCode::NO_CONTENT
}

async fn take_slowly() -> StatusCode {
    SystemClock.wait(SLOW).await;
    StatusCode::NO_CONTENT
}
