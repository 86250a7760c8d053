//! A proxy between us and stand-ins for Stripe: it breaks what it is told to break, and keeps idempotency keys.
//!
//! `localstripe` ignores keys and knows no wallet tokens; `emulate`, which has the hosted page, says little of its result.
//! Here all is as Stripe documents it, so that a repeat does what it would do there. What moved money, and what is
//! counted, is theirs.

mod calls;
mod emulate;
mod handle;
mod localstripe;
mod totals;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ports::Http;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinHandle};

use crate::lock::lock;

pub use calls::{Call, ProxyFault};

/// How long the stand-in may take; it writes its whole state to disk at every change.
const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(20);

/// A proxy that runs until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    server: AbortHandle,
}

struct State {
    upstream: String,
    /// Where the hosted page is.
    checkout: String,
    http: Arc<dyn Http>,
    script: Mutex<BTreeMap<Call, VecDeque<ProxyFault>>>,
    keys: Mutex<BTreeMap<String, StoredAnswer>>,
    tokens: Mutex<BTreeSet<String>>,
    intents: Mutex<BTreeSet<String>>,
    setups: Mutex<BTreeMap<String, localstripe::Setup>>,
    sessions: Mutex<BTreeMap<String, emulate::Session>>,
    acted: Mutex<Vec<Call>>,
    held: Semaphore,
    released: Semaphore,
}

/// The binding of a key: its first call, and the answer once there is one.
struct StoredAnswer {
    call: (String, Bytes),
    answer: Option<Answer>,
}

#[derive(Clone)]
struct Answer {
    status: u16,
    body: Bytes,
    replayed: bool,
    /// `Stripe-Should-Retry`.
    should_retry: Option<bool>,
}

impl Answer {
    fn error(status: u16, kind: &str, code: Option<&str>) -> Self {
        let body = json!({ "error": { "type": kind, "code": code } }).to_string();
        Self { status, body: body.into(), replayed: false, should_retry: None }
    }

    /// A success with another body.
    fn success(body: &Value) -> Self {
        Self { body: body.to_string().into(), ..Self::error(200, "", None) }
    }

    /// Returns the body as JSON; null where it is not JSON.
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns whether Stripe keeps such an answer: not where nothing began, or the call itself was wrong.
    const fn is_kept(&self) -> bool {
        matches!(self.status, 200..=299 | 402 | 500..=599)
    }
}

/// One call, read whole.
#[derive(Clone)]
struct IncomingCall {
    call: Call,
    method: Method,
    path_and_query: String,
    headers: HeaderMap,
    body: Bytes,
}

impl IncomingCall {
    /// A call of the proxy's own.
    fn own(method: Method, path: impl Into<String>, form: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let headers = [
            (header::AUTHORIZATION, HeaderValue::from_static("Bearer sk_test_proxy")),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
        ];
        Self {
            call: Call::Other,
            method,
            path_and_query: path.into(),
            headers: headers.into_iter().collect(),
            body: body.into(),
        }
    }

    /// The fields of the form, in their order.
    fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// A field of the form.
    fn field(&self, name: &str) -> Option<String> {
        self.form().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The id in the path: what stands after the kind of object.
    fn id(&self) -> String {
        let path = self.path_and_query.split('?').next().unwrap_or_default();
        let ids = ["pi_", "seti_", "cs_"];
        let mut parts = path.split('/');
        let id = parts.find(|part| ids.iter().any(|prefix| part.starts_with(prefix)));
        id.unwrap_or_default().to_owned()
    }

    fn key(&self) -> Option<String> {
        let key = self.headers.get("idempotency-key")?.to_str().ok()?;
        (self.method == Method::POST).then(|| key.to_owned())
    }
}

/// The connection is to break.
#[derive(Debug, thiserror::Error)]
#[error("the connection breaks here")]
struct ConnectionBroken;

#[expect(
    clippy::disallowed_methods,
    reason = "the proxy is the other side, which goes on when a caller hangs up"
)]
fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(task)
}

impl Proxy {
    /// Starts a proxy on a free port of this machine, in front of the stand-in at `upstream`.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(upstream: &str, http: Arc<dyn Http>) -> std::io::Result<Self> {
        Self::with_checkout(upstream, "http://127.0.0.1:9", http).await
    }

    /// The same, with the stand-in at `checkout` for what is about hosted pages.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn with_checkout(
        upstream: &str,
        checkout: &str,
        http: Arc<dyn Http>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            upstream: upstream.trim_end_matches('/').to_owned(),
            checkout: checkout.trim_end_matches('/').to_owned(),
            http,
            script: Mutex::default(),
            keys: Mutex::default(),
            tokens: Mutex::default(),
            intents: Mutex::default(),
            setups: Mutex::default(),
            sessions: Mutex::default(),
            acted: Mutex::default(),
            held: Semaphore::new(0),
            released: Semaphore::new(0),
        });
        let server = spawn(serve(listener, Arc::clone(&state))).abort_handle();
        Ok(Self { address, state, server })
    }

    /// Returns the address where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Something goes wrong with the next such call that has nothing planned yet.
    pub fn plan(&self, call: Call, fault: ProxyFault) {
        lock(&self.state.script).entry(call).or_default().push_back(fault);
    }

    /// Returns whether everything planned has happened.
    #[must_use]
    pub fn is_played(&self) -> bool {
        lock(&self.state.script).values().all(VecDeque::is_empty)
    }

    /// Lets one call go on that was held by [`ProxyFault::Late`], and waits until it is done.
    pub async fn release(&self) {
        self.state.held.add_permits(1);
        if let Ok(done) = self.state.released.acquire().await {
            done.forget();
        }
    }

    /// A day goes by: no key is known any more.
    pub fn forgets_keys(&self) {
        lock(&self.state.keys).clear();
    }

    /// The calls that the stand-in carried out or refused, in order.
    #[must_use]
    pub fn acted(&self) -> Vec<Call> {
        lock(&self.state.acted).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&state), request));
            // A connection that ends badly is what the proxy is for.
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
    }
}

async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, ConnectionBroken> {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Err(ConnectionBroken) };
    let arrived = IncomingCall {
        call: Call::of(&parts.method, parts.uri.path()),
        method: parts.method,
        path_and_query: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: parts.headers,
        body: body.to_bytes(),
    };
    // A task of its own, as the other side does not stop when the caller hangs up.
    let handled = spawn(async move { state.handle(&arrived).await });
    let Ok(answer) = handled.await else { return Err(ConnectionBroken) };
    let answer = answer?;
    let mut response =
        Response::builder().status(answer.status).header("content-type", "application/json");
    if answer.replayed {
        response = response.header("idempotent-replayed", "true");
    }
    if let Some(should_retry) = answer.should_retry {
        response = response.header("stripe-should-retry", should_retry.to_string());
    }
    let Ok(response) = response.body(Full::new(answer.body)) else { return Err(ConnectionBroken) };
    Ok(response)
}
