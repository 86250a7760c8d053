//! The requester's webhook endpoint: verifies and records deliveries, and sometimes answers 500.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use domain::brand::Brand;
use domain::values::time::Timestamp;
use domain::webhook;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

/// One delivery of a webhook.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) body: Bytes,
    /// Whether the brand's secret made its signature.
    pub(crate) verified: bool,
    /// Whether the endpoint accepted it; the others were answered with 500.
    pub(crate) taken: bool,
}

#[derive(Default)]
struct EndpointState {
    brand: OnceLock<Brand>,
    deliveries: Mutex<BTreeMap<String, Vec<Delivery>>>,
}

/// An endpoint that runs as long as the test.
pub(crate) struct Endpoint {
    address: SocketAddr,
    state: Arc<EndpointState>,
}

#[expect(clippy::disallowed_methods, reason = "the endpoint is the other side")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}

impl Endpoint {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<EndpointState>::default();
        spawn(serve(listener, Arc::clone(&state)));
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/webhooks", self.address)
    }

    /// Reads the signing secret from the machine's settings, as a requester would.
    pub(crate) fn trust(&self, data: &Path) {
        let text = std::fs::read_to_string(data.join("brand.json")).unwrap();
        self.state.brand.set(Brand::parse(&text).unwrap()).unwrap();
    }

    /// Returns every delivery so far, by the webhook's id.
    pub(crate) fn deliveries(&self) -> BTreeMap<String, Vec<Delivery>> {
        self.state.deliveries.lock().unwrap().clone()
    }

    /// Returns the types of the accepted webhooks of the request `id`.
    pub(crate) fn taken(&self, id: &str) -> Vec<String> {
        let deliveries = self.state.deliveries.lock().unwrap();
        let taken = deliveries.values().filter_map(|all| all.iter().find(|one| one.taken));
        let event_body = taken.filter_map(|one| serde_json::from_slice::<Value>(&one.body).ok());
        event_body
            .filter(|event_body| event_body["data"]["id"] == id)
            .map(|event_body| event_body["type"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

async fn serve(listener: TcpListener, state: Arc<EndpointState>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        spawn(async move {
            let service = service_fn(move |request| {
                let state = Arc::clone(&state);
                async move { Ok::<_, Infallible>(state.take(request).await) }
            });
            // A killed machine breaks its connections.
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
    }
}

impl EndpointState {
    async fn take(&self, request: Request<Incoming>) -> Response<Empty<Bytes>> {
        let (parts, body) = request.into_parts();
        let mut answer = Response::new(Empty::new());
        let Ok(body) = body.collect().await else { return answer };
        let body = body.to_bytes();
        let id = text(&parts.headers, "webhook-id").to_owned();
        let verified = self.brand.get().is_some_and(|brand| verifies(brand, &parts.headers, &body));
        let mut deliveries = self.deliveries.lock().unwrap();
        let before = deliveries.entry(id.clone()).or_default();
        let refused = verified && is_rejected(&id, before.len());
        before.push(Delivery { body, verified, taken: verified && !refused });
        *answer.status_mut() = match (verified, refused) {
            (false, _) => StatusCode::UNAUTHORIZED,
            (true, true) => StatusCode::INTERNAL_SERVER_ERROR,
            (true, false) => StatusCode::NO_CONTENT,
        };
        answer
    }
}

/// Every fifth webhook is rejected at first, and every twenty-fifth once more.
fn is_rejected(id: &str, before: usize) -> bool {
    let sum: usize = id.bytes().map(usize::from).sum();
    match before {
        0 => sum.is_multiple_of(5),
        1 => sum.is_multiple_of(25),
        _ => false,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn verifies(brand: &Brand, headers: &HeaderMap, body: &[u8]) -> bool {
    let (Some(setup), Ok(payload)) = (&brand.test.webhooks, std::str::from_utf8(body)) else {
        return false;
    };
    let Ok(seconds) = text(headers, "webhook-timestamp").parse::<i64>() else { return false };
    let sent_at = Timestamp::from_millis(seconds * 1000);
    let id = text(headers, "webhook-id");
    webhook::signature(setup.secret_texts(), id, sent_at, payload)
        .is_ok_and(|signature| signature == text(headers, "webhook-signature"))
}
