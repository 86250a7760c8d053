//! A proxy between us and a stand-in for Stripe: it breaks what it is told to break, and keeps idempotency keys.
//!
//! The stand-in (`localstripe`) ignores keys and knows no wallet tokens. Here both are as Stripe documents them, so that
//! what a repeat does is what it would do there.

mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::ports::{Http, HttpError, Reach};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinHandle};

pub use words::{Call, Fault};

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
    http: Arc<dyn Http>,
    script: Mutex<BTreeMap<Call, VecDeque<Fault>>>,
    keys: Mutex<BTreeMap<String, Kept>>,
    tokens: Mutex<BTreeSet<String>>,
    intents: Mutex<BTreeSet<String>>,
    acted: Mutex<Vec<Call>>,
    held: Semaphore,
    released: Semaphore,
}

/// What a key is bound to: the call it came with first, and its answer once there is one.
struct Kept {
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
        let body = serde_json::json!({ "error": { "type": kind, "code": code } }).to_string();
        Self { status, body: body.into(), replayed: false, should_retry: None }
    }

    /// Whether Stripe keeps such an answer: not where nothing began, or the call itself was wrong.
    const fn is_kept(&self) -> bool {
        matches!(self.status, 200..=299 | 402 | 500..=599)
    }
}

/// One call, read whole.
#[derive(Clone)]
struct Arrived {
    call: Call,
    method: Method,
    path_and_query: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Arrived {
    fn key(&self) -> Option<String> {
        let key = self.headers.get("idempotency-key")?.to_str().ok()?;
        (self.method == Method::POST).then(|| key.to_owned())
    }
}

/// The connection is to break.
#[derive(Debug, thiserror::Error)]
#[error("the connection breaks here")]
struct Broken;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

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
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            upstream: upstream.trim_end_matches('/').to_owned(),
            http,
            script: Mutex::default(),
            keys: Mutex::default(),
            tokens: Mutex::default(),
            intents: Mutex::default(),
            acted: Mutex::default(),
            held: Semaphore::new(0),
            released: Semaphore::new(0),
        });
        let server = spawn(serve(listener, Arc::clone(&state))).abort_handle();
        Ok(Self { address, state, server })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Something goes wrong with the next such call that has nothing planned yet.
    pub fn plan(&self, call: Call, fault: Fault) {
        lock(&self.state.script).entry(call).or_default().push_back(fault);
    }

    /// Whether everything planned has happened.
    #[must_use]
    pub fn is_played(&self) -> bool {
        lock(&self.state.script).values().all(VecDeque::is_empty)
    }

    /// Lets one call go on that was held by [`Fault::Late`], and waits until it is done.
    pub async fn release(&self) {
        self.state.held.add_permits(1);
        if let Ok(done) = self.state.released.acquire().await {
            done.forget();
        }
    }

    /// The calls that the stand-in carried out or refused, in order.
    #[must_use]
    pub fn acted(&self) -> Vec<Call> {
        lock(&self.state.acted).clone()
    }

    /// How many charges the stand-in made for what came through here, as it says itself.
    ///
    /// # Errors
    /// When the stand-in does not answer.
    pub async fn charges(&self) -> Result<usize, HttpError> {
        let intents = lock(&self.state.intents).clone();
        let mut charges = 0;
        for id in intents {
            let arrived = Arrived {
                call: Call::Other,
                method: Method::GET,
                path_and_query: format!("/v1/payment_intents/{id}"),
                headers: [(http::header::AUTHORIZATION, "Bearer sk_test_count".parse())]
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value.ok()?)))
                    .collect(),
                body: Bytes::new(),
            };
            let answer = self.state.forward(&arrived).await?;
            let intent: serde_json::Value = serde_json::from_slice(&answer.body)
                .map_err(|error| HttpError::Lost(error.into()))?;
            let made = intent.pointer("/charges/data").and_then(serde_json::Value::as_array);
            let is_made = |charge: &&serde_json::Value| {
                charge.get("status").and_then(serde_json::Value::as_str) == Some("succeeded")
            };
            charges += made.map_or(0, |made| made.iter().filter(is_made).count());
        }
        Ok(charges)
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
) -> Result<Response<Full<Bytes>>, Broken> {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Err(Broken) };
    let arrived = Arrived {
        call: Call::of(&parts.method, parts.uri.path()),
        method: parts.method,
        path_and_query: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: parts.headers,
        body: body.to_bytes(),
    };
    // A task of its own, as the other side does not stop when the caller hangs up.
    let handled = spawn(async move { state.handle(&arrived).await });
    let Ok(answer) = handled.await else { return Err(Broken) };
    let answer = answer?;
    let mut response =
        Response::builder().status(answer.status).header("content-type", "application/json");
    if answer.replayed {
        response = response.header("idempotent-replayed", "true");
    }
    if let Some(should_retry) = answer.should_retry {
        response = response.header("stripe-should-retry", should_retry.to_string());
    }
    let Ok(response) = response.body(Full::new(answer.body)) else { return Err(Broken) };
    Ok(response)
}

impl State {
    fn next_fault(&self, call: Call) -> Option<Fault> {
        lock(&self.script).get_mut(&call)?.pop_front()
    }

    async fn handle(&self, arrived: &Arrived) -> Result<Answer, Broken> {
        let Some(fault) = self.next_fault(arrived.call) else {
            return self.keyed(arrived, None).await;
        };
        match fault {
            Fault::DropBefore => Err(Broken),
            Fault::DropAfter => {
                self.keyed(arrived, None).await?;
                Err(Broken)
            }
            Fault::Silent => {
                self.keyed(arrived, None).await?;
                match std::future::pending::<Infallible>().await {}
            }
            Fault::Slow(time) => {
                let answer = self.keyed(arrived, None).await;
                sleep(time).await;
                answer
            }
            Fault::Late | Fault::FailedAfter => self.keyed(arrived, Some(fault)).await,
            Fault::GatewayAfter => {
                self.keyed(arrived, None).await?;
                Ok(Answer { body: "<html>502</html>".into(), ..Answer::error(502, "", None) })
            }
            Fault::Locked => {
                Ok(Answer::error(409, "invalid_request_error", Some("idempotency_key_in_use")))
            }
            Fault::Throttled => Ok(Answer::error(429, "invalid_request_error", Some("rate_limit"))),
            Fault::Twice => {
                self.keyed(arrived, None).await?;
                self.keyed(arrived, None).await
            }
        }
    }

    /// Carries a call out as Stripe does: once for each key.
    async fn keyed(&self, arrived: &Arrived, fault: Option<Fault>) -> Result<Answer, Broken> {
        let Some(key) = arrived.key() else { return self.act(arrived, fault).await };
        if let Some(answer) = self.known(&key, arrived) {
            return Ok(answer);
        }
        let answer = self.act(arrived, fault).await;
        let mut keys = lock(&self.keys);
        match &answer {
            Ok(answer) if answer.is_kept() => {
                if let Some(kept) = keys.get_mut(&key) {
                    kept.answer = Some(answer.clone());
                }
            }
            Ok(_) | Err(Broken) => {
                keys.remove(&key);
            }
        }
        answer
    }

    /// What is answered to a key that came before; binds one that did not.
    fn known(&self, key: &str, arrived: &Arrived) -> Option<Answer> {
        let call = (arrived.path_and_query.clone(), arrived.body.clone());
        let mut keys = lock(&self.keys);
        let Some(kept) = keys.get(key) else {
            keys.insert(key.to_owned(), Kept { call, answer: None });
            return None;
        };
        Some(match &kept.answer {
            _ if kept.call != call => Answer::error(400, "idempotency_error", None),
            Some(answer) => Answer { replayed: true, ..answer.clone() },
            None => Answer::error(409, "invalid_request_error", Some("idempotency_key_in_use")),
        })
    }

    async fn act(&self, arrived: &Arrived, fault: Option<Fault>) -> Result<Answer, Broken> {
        let is_late = fault == Some(Fault::Late);
        if is_late && let Ok(permit) = self.held.acquire().await {
            permit.forget();
        }
        let answer = match arrived.call {
            Call::Token => Ok(self.token()),
            Call::PaymentMethod => self.payment_method(arrived).await,
            Call::Create | Call::Confirm | Call::Read | Call::Cancel | Call::Other => {
                self.forward(arrived).await
            }
        };
        lock(&self.acted).push(arrived.call);
        if is_late {
            self.released.add_permits(1);
        }
        let Ok(answer) = answer else { return Err(Broken) };
        if arrived.call == Call::Create {
            let id = serde_json::from_slice::<serde_json::Value>(&answer.body)
                .ok()
                .and_then(|intent| Some(intent.get("id")?.as_str()?.to_owned()));
            lock(&self.intents).extend(id);
        }
        if fault == Some(Fault::FailedAfter) {
            return Ok(Answer {
                should_retry: Some(false),
                ..Answer::error(500, "api_error", None)
            });
        }
        Ok(answer)
    }

    /// A wallet's token, which the stand-in does not know.
    fn token(&self) -> Answer {
        let mut tokens = lock(&self.tokens);
        let id = format!("tok_{}", tokens.len());
        let body = serde_json::json!({ "id": id, "object": "token", "livemode": false });
        tokens.insert(id);
        Answer { body: body.to_string().into(), ..Answer::error(200, "", None) }
    }

    /// A wallet's token becomes a test card; each can be used once.
    async fn payment_method(&self, arrived: &Arrived) -> Result<Answer, HttpError> {
        let form = form_urlencoded::parse(&arrived.body);
        let tokens: Vec<_> = form.filter(|(name, _)| name == "card[token]").collect();
        let Some((_, token)) = tokens.first() else { return self.forward(arrived).await };
        let spent = format!("spent {token}");
        if !lock(&self.tokens).contains(token.as_ref()) || !lock(&self.tokens).insert(spent) {
            return Ok(Answer::error(400, "invalid_request_error", Some("token_already_used")));
        }
        let card = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2030\
            &card[cvc]=123";
        self.forward(&Arrived { body: card.into(), ..arrived.clone() }).await
    }

    async fn forward(&self, arrived: &Arrived) -> Result<Answer, HttpError> {
        let mut request = Request::builder()
            .method(&arrived.method)
            .uri(format!("{}{}", self.upstream, arrived.path_and_query));
        for name in [http::header::AUTHORIZATION, http::header::CONTENT_TYPE] {
            if let Some(value) = arrived.headers.get(&name) {
                request = request.header(name, value);
            }
        }
        let request =
            request.body(arrived.body.clone()).map_err(|error| HttpError::NotSent(error.into()))?;
        let response = self.http.call(request, Reach::Configured, UPSTREAM_TIMEOUT).await?;
        Ok(Answer {
            status: response.status().as_u16(),
            body: response.into_body(),
            replayed: false,
            should_retry: None,
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "a slow answer takes time on the other side")]
async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}
