//! The fixture the targets stand on: one machine in memory, with requests a customer could answer right now.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::digest::digest_hex;
use domain::keys;
use domain::message::{Message, MessageResult, Step};
use domain::request::Request;
use domain::values::id::{PromptId, RequestId};
use http::{HeaderName, HeaderValue, Method, Uri, header};
use local::{Machine, ReceivedWebhooks, Site};
use ports::{Clock, Http, HttpError, Ports, Queue, Reach, Store};
use records::storage;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::apple;
use crate::doubles::{ManualClock, OneBrand, START_TIME, SeededRandom};
use crate::identity;
use crate::lock::lock;
use crate::memory::{CountingPorts, Counts, DiscardingQueue, MemoryStore};
use crate::providers::apple::{KEY_LINE, SECRET, paying_settings};
use crate::providers::{rbm, whatsapp};

/// The key every valid sample is called with.
pub const KEY: &str = "sk_test_acme_0123456789abcdefghijklmnop";
/// What Twilio signs with.
pub const AUTH_TOKEN: &str = "twilio-token-kept-private";
/// The address of the machine.
pub const BASE: &str = "https://pay.example.com";
/// The session the fixture's requests belong to.
pub const SESSION: &str = "CA123";

/// The secrets that no answer repeats, unless the caller sent them.
pub const SECRETS: [&str; 11] = [
    "0123456789abcdefghijklmnop",
    AUTH_TOKEN,
    "c2VhbGluZy1rZXktb2YtdGhlLWdyb3VuZC0zMi1ieXQ",
    "bGluay1rZXktb2YtdGhlLWdyb3VuZC0tLTMyLWJ5dGU",
    "YWRkcmVzcy1rZXktb2YtdGhlLWdyb3VuZC0zMi1ieXQ",
    whatsapp::ACCESS_TOKEN,
    whatsapp::APP_SECRET,
    whatsapp::VERIFY_TOKEN,
    SECRET,
    KEY_LINE,
    rbm::CLIENT_TOKEN,
];

/// Answers every call alike, but for those that ask for an access token, which is granted.
#[derive(Debug, Default)]
pub struct OneAnswerHttp {
    answer: Mutex<http::Response<Bytes>>,
    no_tokens: AtomicBool,
}

impl OneAnswerHttp {
    /// Sets the answer to every call from now on.
    pub fn answers(&self, answer: http::Response<Bytes>) {
        *lock(&self.answer) = answer;
    }

    /// Sets whether access tokens are granted from now on, or a call for one is answered like any other.
    pub fn grants_tokens(&self, grants: bool) {
        self.no_tokens.store(!grants, Ordering::SeqCst);
    }
}

#[async_trait]
impl Http for OneAnswerHttp {
    async fn call(
        &self,
        call: http::Request<Bytes>,
        _: Reach,
        _: Duration,
    ) -> Result<http::Response<Bytes>, HttpError> {
        if call.body().starts_with(b"grant_type=") && !self.no_tokens.load(Ordering::SeqCst) {
            let grant = r#"{"access_token": "ya29.ground", "expires_in": 3599}"#;
            return Ok(http::Response::new(Bytes::from_static(grant.as_bytes())));
        }
        Ok(lock(&self.answer).clone())
    }
}

/// A request that waits for its customer.
#[derive(Clone, Debug)]
pub struct Open {
    /// The request's id.
    pub id: RequestId,
    /// Its prompt.
    pub prompt: PromptId,
    /// Its link's token.
    pub token: String,
    /// Its page's nonce.
    pub nonce: String,
    /// The digits its agent reads out.
    pub code: String,
}

/// One machine in memory, and what is on it.
pub struct FuzzFixture {
    runtime: tokio::runtime::Runtime,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    counted: Arc<CountingPorts>,
    /// What the world outside answers.
    pub http: Arc<OneAnswerHttp>,
    /// The one brand that the fixture has.
    pub brand: Arc<OneBrand>,
    /// The four functions on one machine.
    pub machine: Machine,
    /// The routes of the requester's API.
    pub api: Router,
    /// Pages, callbacks and the sandbox phone.
    pub consent: Router,
    /// All addresses of the local machine.
    pub site: Router,
    /// A request on the sandbox phone.
    pub shown: Open,
    /// A request that went out as a text.
    pub texted: Open,
    /// A request that went out as a card, whose channel hears a topic.
    pub carded: Open,
    ports: Ports,
    /// A request that went out over WhatsApp.
    pub chatted: Open,
    /// A request over Apple's service, to the customer of the one before.
    pub greeted: Open,
}

/// The answer to a call.
#[derive(Debug)]
pub struct CallResult {
    /// The HTTP status.
    pub status: u16,
    /// The media type, without parameters.
    pub kind: String,
    /// The answer's headers and body as text.
    pub headers: http::HeaderMap,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl CallResult {
    /// Returns the body as JSON; null where it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// The brand's secret, all its adapters configured.
#[must_use]
pub fn secret() -> Value {
    let [_, _, sealing, link, address, ..] = SECRETS;
    let webhooks = STANDARD.encode([9; 32]);
    json!({
        "version": "1", "name": "acme", "display_name": "Acme Ltd", "language": "en",
        "keys": [{ "mode": "test", "sha256": digest_hex(KEY.as_bytes()) }],
        "sealing": { "current": "k1", "keys": { "k1": format!("{sealing}=") } },
        "consent": { "current": "k1", "keys": { "k1": format!("{sealing}=") } },
        "address_key": format!("{address}="), "link_key": format!("{link}="),
        "test": {
            "channels": [
                { "name": "chat", "kind": "sandbox" },
                { "name": "rcs", "kind": "sandbox", "settings": { "style": "rcs" } },
                { "name": "sms", "kind": "sms", "settings": {
                    "provider": "twilio", "account_sid": "AC00000000000000000000000000000000",
                    "auth_token": AUTH_TOKEN, "from": "+15005550006" } },
                { "name": "aws", "kind": "sms", "settings": {
                    "provider": "aws", "region": "eu-west-1", "origination_identity": "pool-1" } },
                { "name": "cards", "kind": "rcs", "settings": {
                    "provider": "aws", "region": "eu-west-1", "origination_identity": "rcs-1",
                    "configuration_set": "events" } },
                { "name": "whatsapp", "kind": "whatsapp", "settings": whatsapp::settings() },
                { "name": "apple", "kind": "apple", "settings": paying_settings() },
                { "name": "rbm", "kind": "rcs", "settings": rbm::settings() },
            ],
            "processors": [
                { "name": "sandbox", "kind": "sandbox" },
                { "name": "stripe", "kind": "stripe", "settings": { "secret_key": "sk_test_ground", "webhook_secrets": [super::stripe::SECRET] } },
            ],
            "webhooks": { "url": "https://hooks.example.com/", "secrets": [format!("whsec_{webhooks}")] },
        },
        "policy": { "open_max": 50, "prompts_per_ten_minutes": 50, "prompts_per_day": 50 },
    })
}

/// The body of a call that makes a request.
#[must_use]
pub fn wanted(phone: &str, channel: &str) -> Value {
    json!({
        "customer": { "phone": phone, "name": "Ada", "language": "en-GB" },
        "session": { "kind": "voice", "id": SESSION, "agent": "a17" },
        "ask": { "kind": "payment", "amount": 4250, "currency": "EUR", "description": "Invoice 4711" },
        "channels": [channel], "expires_in": 300, "metadata": { "ticket": "88" }, "allow_duplicate": true,
    })
}

fn ports(counted: &Arc<CountingPorts>, clock: &Arc<ManualClock>) -> (Ports, Arc<OneBrand>) {
    let brand = Arc::new(OneBrand::new(&secret().to_string()).expect("the fixture's brand"));
    let store: Arc<dyn Store> = Arc::<CountingPorts>::clone(counted);
    let queue: Arc<dyn Queue> = Arc::<CountingPorts>::clone(counted);
    let ports = Ports {
        clock: Arc::<ManualClock>::clone(clock),
        random: Arc::new(SeededRandom::new(1)),
        store,
        queue,
        secrets: Arc::<OneBrand>::clone(&brand),
    };
    (ports, brand)
}

impl FuzzFixture {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let (store, http) = (Arc::new(MemoryStore::default()), Arc::new(OneAnswerHttp::default()));
        let inner: Arc<dyn Store> = Arc::<MemoryStore>::clone(&store);
        let counted = Arc::new(CountingPorts::new(inner, Arc::new(DiscardingQueue)));
        let (ports, brand) = ports(&counted, &clock);
        let out: Arc<dyn Http> = Arc::<OneAnswerHttp>::clone(&http);
        let mut machine = Machine::new(&ports, &out, BASE);
        identity::identify(&mut machine, &ports, &out);
        let site = Site {
            api: BASE.to_owned(),
            key: KEY.to_owned(),
            brand: brand.now().name.clone(),
            phone: "+15551230001".to_owned(),
            secrets: Arc::clone(&ports.secrets),
            clock: Arc::clone(&ports.clock),
            received: ReceivedWebhooks::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let nobody = Open {
            id: RequestId::new(START_TIME, [0; 10]),
            prompt: PromptId::new(START_TIME, [0; 10]),
            token: String::new(),
            nonce: String::new(),
            code: String::new(),
        };
        let mut fuzz_fixture = Self {
            runtime: runtime.expect("a runtime"),
            api: intake::router(Arc::clone(&machine.intake)),
            consent: consent_callback::router(Arc::clone(&machine.consent_callback)),
            site: local::router(&machine, site),
            shown: nobody.clone(),
            texted: nobody.clone(),
            carded: nobody.clone(),
            chatted: nobody.clone(),
            greeted: nobody,
            ports,
            clock,
            store,
            counted,
            http,
            brand,
            machine,
        };
        let taken = r#"{"sid": "SM00000000000000000000000000000000", "status": "queued", "MessageId": "0a1b2c3d", "messages": [{"id": "wamid.1"}]}"#;
        fuzz_fixture.http.answers(http::Response::new(Bytes::from_static(taken.as_bytes())));
        fuzz_fixture.shown = fuzz_fixture.open("+15551230001", "chat");
        fuzz_fixture.texted = fuzz_fixture.open("+15551230002", "sms");
        fuzz_fixture.carded = fuzz_fixture.open("+15551230004", "cards");
        fuzz_fixture.chatted = fuzz_fixture.open("+15551230005", "whatsapp");
        fuzz_fixture.open("+15551230003", "chat");
        apple::introduce(&fuzz_fixture);
        fuzz_fixture.greeted = fuzz_fixture.open("+15551230002", "apple");
        fuzz_fixture.store.keep();
        fuzz_fixture
    }

    /// Makes a request and puts its prompt in front of the customer.
    fn open(&self, phone: &str, channel: &str) -> Open {
        let call = http::Request::post("/v1/requests")
            .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
            .header("idempotency-key", format!("{phone} {channel}"))
            .body(Body::from(wanted(phone, channel).to_string()));
        let made = self.ask(&self.api, call.expect("a call"));
        assert_eq!(made.status, 201, "{made:?}");
        let id: RequestId = made.json()["id"].as_str().expect("an id").parse().expect("an id");
        let handled = self.run(self.machine.handle(&Message::new(Step::Deliver, id)));
        assert_eq!(handled, MessageResult::Done);
        let request = self.request(id);
        let prompt = request.prompts.first().expect("a prompt").id;
        let link_key = &self.brand.now().link_key;
        Open {
            id,
            prompt,
            token: keys::link_token(link_key, prompt),
            nonce: keys::page_nonce(link_key, prompt, &request.ask_hash),
            code: request.session_code.expect("a session code").code,
        }
    }

    /// Runs what is asynchronous.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Makes a call and reads its answer.
    pub fn ask(&self, router: &Router, call: http::Request<Body>) -> CallResult {
        self.run(async {
            let answer = router.clone().oneshot(call).await.unwrap_or_else(|never| match never {});
            let (parts, body) = answer.into_parts();
            let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().to_owned();
            let body = to_bytes(body, usize::MAX).await.expect("an answer that is whole");
            CallResult { status: parts.status.as_u16(), kind, headers: parts.headers, body }
        })
    }

    /// A request as it is stored.
    pub fn request(&self, id: RequestId) -> Request {
        let loaded = self.run(storage::load(self.store.as_ref(), id)).expect("the store");
        loaded.expect("the fixture's request").request
    }

    /// The store, uncounted.
    pub fn store(&self) -> &MemoryStore {
        &self.store
    }

    /// Returns what was done to store and queue so far.
    pub fn counts(&self) -> Counts {
        self.counted.counts()
    }

    /// The channels, over the scripted world outside.
    pub fn channels(&self) -> channels::Registry {
        let http: Arc<dyn Http> = Arc::<OneAnswerHttp>::clone(&self.http);
        identity::channels(&self.ports, &http)
    }

    /// The processors, likewise.
    pub fn processors(&self) -> processors::Registry {
        let (http, store, clock) = self.outside();
        let sandbox = sandbox::Sandbox::over(store, Arc::clone(&clock));
        processors::Registry::new(processors::Deps { http, clock }).with(sandbox)
    }

    fn outside(&self) -> (Arc<dyn Http>, Arc<dyn Store>, Arc<dyn Clock>) {
        let store: Arc<dyn Store> = Arc::<CountingPorts>::clone(&self.counted);
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.clock);
        (Arc::<OneAnswerHttp>::clone(&self.http), store, clock)
    }

    /// Returns whether anything was stored or sent since.
    pub fn changed_since(&self, earlier: &Counts) -> bool {
        let since = self.counts().since(earlier);
        since.transactions > 0 || since.sends > 0
    }
}

thread_local! {
    static FIXTURE: FuzzFixture = FuzzFixture::new();
}

/// Runs on the fixture as it was at its start.
pub fn with_fixture<T>(work: impl FnOnce(&FuzzFixture) -> T) -> T {
    FIXTURE.with(|fuzz_fixture| {
        fuzz_fixture.store.restore();
        fuzz_fixture.clock.stand_at(START_TIME);
        work(fuzz_fixture)
    })
}

/// Reads a call from text: `METHOD address`, headers, an empty line, the body. Headers that are none are left out, as
/// the server in front of a function would refuse them.
#[must_use]
pub fn call(text: &[u8]) -> Option<http::Request<Body>> {
    let gap = text.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = text.split_at(gap.unwrap_or(text.len()));
    let mut lines = head.split(|byte| *byte == b'\n');
    let line = lines.next().unwrap_or_default();
    let (method, address) = line.split_at(line.iter().position(|byte| *byte == b' ')?);
    let mut call = http::Request::new(Body::from(body.get(2..).unwrap_or_default().to_vec()));
    *call.method_mut() = Method::from_bytes(method).ok()?;
    *call.uri_mut() = Uri::try_from(address.get(1..)?).ok()?;
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            call.headers_mut().append(name, value);
        }
    }
    Some(call)
}
