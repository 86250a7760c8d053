//! One request at Adyen with the real worker. Its customer, its requester and Adyen act at random, from a seed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::ask::{Ask, AskHash};
use domain::authorization::{Authorization, Credential, CredentialKind};
use domain::brand::{Brand, Mode};
use domain::consent::{ApprovalMethod, Consent};
use domain::message::{Message, MessageResult, Step};
use domain::request::{CancelRedirect, Change, Refusal, Request, ReturnBrowser, State};
use domain::values::id::{ConsentId, PromptId, RequestId};
use domain::values::money::Money;
use domain::values::text::DisplayText;
use domain::values::time::Timestamp;
use fetch_info::FetchInfo;
use ports::Handler;
use ports::{
    Clock, Item, Key, Page, Ports, Processor, ProcessorEvent, Processors, Proof, Queue, QueueError,
    Range, Reach, Store, StoreError, UnverifiedCallback, Write,
};
use processors::{Deps, Registry};
use records::effects;
use records::storage;
use serde_json::{Value, json};
use tests::doubles::{ManualClock, OneBrand, SeededRandom, requested};
use tests::memory::MemoryStore;
use tests::sealing;
use tests::sim::Rng;
use tests::standins::adyen::{self, Adyen, Faults, Visitor};

const AMOUNT: u64 = 4250;
/// The pause between the checks of an open request.
const CHECK: Duration = Duration::from_secs(900);

/// A store that is unavailable at times, before a write or after it.
struct FaultyStore {
    inner: MemoryStore,
    rng: Mutex<Rng>,
    per_mille: u64,
}

impl FaultyStore {
    fn fails(&self) -> bool {
        self.rng.lock().unwrap().happens(self.per_mille)
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        if self.fails() {
            return Err(StoreError::Unavailable("shaky".into()));
        }
        self.inner.read(key).await
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        self.inner.list(range).await
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.inner.list_index(range).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        if self.fails() {
            return Err(StoreError::Unavailable("shaky".into()));
        }
        self.inner.write(writes).await?;
        if self.fails() { Err(StoreError::Unavailable("shaky".into())) } else { Ok(()) }
    }
}

/// A queue of messages, each with the time it is due.
struct DelayQueue {
    clock: Arc<ManualClock>,
    messages: Mutex<VecDeque<(Timestamp, Message)>>,
}

#[async_trait]
impl Queue for DelayQueue {
    async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError> {
        let at = self.clock.now().after(delay);
        self.messages.lock().unwrap().push_back((at, message.clone()));
        Ok(())
    }
}

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Fulfilled,
    NotCharged,
    InDoubt,
}

pub(super) struct World {
    clock: Arc<ManualClock>,
    store: Arc<FaultyStore>,
    queue: Arc<DelayQueue>,
    adyen: Arc<Adyen>,
    brand: Arc<Brand>,
    processor: Box<dyn Processor>,
    worker: FetchInfo,
    rng: Rng,
    /// The seed that repeats the run.
    seed: u64,
    id: RequestId,
    /// When the customer acts at Adyen, and how.
    visit: Option<(Timestamp, Visitor)>,
    abandons_at: Option<Timestamp>,
    decided: bool,
}

fn brand_text() -> String {
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let settings = json!({ "api_key": adyen::API_KEY, "merchant_account": adyen::ACCOUNT,
        "hmac_keys": [adyen::HMAC_KEY], "base_url": "https://adyen.example",
        "google_pay": { "country": "NL" } });
    json!({
        "version": "1", "name": "acme", "display_name": "Acme", "keys": [],
        "sealing": { "current": "1", "keys": { "1": key } }, "address_key": key, "link_key": key,
        "consent": { "current": "1", "keys": { "1": key } },
        "test": { "processors": [{ "name": "adyen", "kind": "adyen", "settings": settings }] },
    })
    .to_string()
}

/// A request that the customer approved.
fn approved(brand: &Brand, hosted: bool, now: Timestamp) -> Change {
    let id = RequestId::new(now, [1; 10]);
    let money = Money::new(AMOUNT, "EUR".parse().unwrap()).unwrap();
    let ask = Ask::Payment { money, description: DisplayText::new("Invoice").unwrap(), card: None };
    let authorization = if hosted {
        Authorization::Hosted
    } else {
        Credential::new(CredentialKind::GooglePay, "{}").into()
    };
    let consent = Consent {
        id: ConsentId::new(now, [3; 10]),
        at: now,
        ask_hash: AskHash::of(id, &brand.name, "Acme", &ask),
        prompt: PromptId::new(now, [4; 10]),
        channel: "rcs".parse().unwrap(),
        method: ApprovalMethod::Page,
        code_matched: false,
        signature: None,
    };
    let mut change = Request {
        processor: "adyen".parse().unwrap(),
        notify: false,
        attempts_max: 1,
        ..requested(id, &brand.name, "Acme", ask, now)
    }
    .accepted();
    let consent = consent.sign(brand, &change.request).unwrap();
    let sealed = sealing::sealed(brand, &change.request, &consent, 1, authorization);
    change.request.state = State::Authorized { consent, sealed };
    change
}

impl World {
    pub(super) async fn new(seed: u64, hosted: bool, faults: Faults, shaky: u64) -> Self {
        let mut rng = Rng::new(seed);
        let clock = Arc::new(ManualClock::default());
        let adyen = Arc::new(Adyen::new(Rng::new(rng.roll()), faults, Arc::clone(&clock)));
        let secrets = Arc::new(OneBrand::new(&brand_text()).unwrap());
        let brand = secrets.now();
        let queue = Arc::new(DelayQueue { clock: Arc::clone(&clock), messages: Mutex::default() });
        let shaken = Mutex::new(Rng::new(rng.roll()));
        let store =
            Arc::new(FaultyStore { inner: MemoryStore::default(), rng: shaken, per_mille: shaky });
        let registry = || {
            let (http, clock) = (Arc::<Adyen>::clone(&adyen), Arc::<ManualClock>::clone(&clock));
            Registry::new(Deps { http, clock })
        };
        let name = "adyen".parse().unwrap();
        let processor = registry().open(&brand, Mode::Test, &name).ok().unwrap();
        let worker = FetchInfo {
            ports: Ports {
                clock: Arc::<ManualClock>::clone(&clock),
                random: Arc::new(SeededRandom::new(seed)),
                store: Arc::<FaultyStore>::clone(&store),
                queue: Arc::<DelayQueue>::clone(&queue),
                secrets,
            },
            processors: Arc::new(registry()),
            http: Arc::<Adyen>::clone(&adyen),
            public_base: "https://pay.example.com".to_owned(),
            webhook_reach: Reach::Public,
            delivery_limit: fetch_info::InFlightLimit::default(),
        };
        let change = approved(&brand, hosted, clock.now());
        let id = change.request.id;
        storage::commit(&store.inner, None, change, Vec::new()).await.unwrap();
        effects::send(queue.as_ref(), Step::Fetch, id, Duration::ZERO).await.unwrap();
        let (visit, abandons_at, decided) = (None, None, false);
        Self {
            clock,
            store,
            queue,
            adyen,
            brand,
            processor,
            worker,
            rng,
            id,
            visit,
            abandons_at,
            decided,
            seed,
        }
    }

    async fn stored(&self) -> storage::VersionedRequest {
        storage::load(&self.store.inner, self.id).await.unwrap().unwrap()
    }

    /// Commits a change from outside the worker, and has the worker look.
    async fn record(&self, command: impl Fn(&Request) -> Result<Change, Refusal>) {
        let loaded = self.stored().await;
        let Ok(change) = command(&loaded.request) else { return };
        let (store, queue) = (&self.store.inner, self.queue.as_ref());
        let events = u32::try_from(change.webhooks.len()).unwrap();
        let stored = storage::commit(store, Some(loaded.version), change, Vec::new()).await;
        let seqs = stored.unwrap().request.webhooks;
        effects::send(queue, Step::Fetch, self.id, Duration::ZERO).await.unwrap();
        for seq in (seqs - events + 1)..=seqs {
            effects::send(queue, Step::Webhook { seq }, self.id, Duration::ZERO).await.unwrap();
        }
    }

    async fn receive(&self, method: http::Method, url: String, body: &Value) {
        let now = self.clock.now();
        let callback = UnverifiedCallback {
            method,
            url,
            headers: http::HeaderMap::new(),
            body: body.to_string().into(),
            now,
            proof: Proof::None,
        };
        for events in self.processor.receive(&callback).unwrap().events {
            match events {
                ProcessorEvent::AttemptReported { attempt_no, reported, .. } => {
                    self.record(|request| {
                        request.record_reported(attempt_no, reported.clone(), now)
                    })
                    .await;
                }
                ProcessorEvent::Returned { attempt_no, grant, .. } => {
                    let authorization = Authorization::Grant(grant);
                    self.record(|request| {
                        let browser = ReturnBrowser::Same;
                        let (consent, _) = request.approval().unwrap();
                        let (brand, grant) = (&self.brand, authorization.clone());
                        let sealed = sealing::sealed(brand, request, consent, attempt_no, grant);
                        request.record_returned(attempt_no, sealed, browser, now)
                    })
                    .await;
                }
                ProcessorEvent::StatusChanged(id) => {
                    let queue = self.queue.as_ref();
                    effects::send(queue, Step::Fetch, id, Duration::ZERO).await.unwrap();
                }
                ProcessorEvent::RefundReported { .. } | ProcessorEvent::ChargeReported { .. } => {
                    panic!("no refund was asked for")
                }
            }
        }
    }

    /// Draws what a redirected customer will do, and whether the requester abandons the redirect.
    async fn plan_visit(&mut self) {
        let redirected =
            self.stored().await.request.open_attempt().is_some_and(|a| a.redirect.is_some());
        if self.decided || !redirected {
            return;
        }
        self.decided = true;
        let now = self.clock.now();
        let visitor = if self.rng.happens(800) { Visitor::Pays } else { Visitor::Fails };
        if self.rng.happens(800) {
            self.visit = Some((now.after(Duration::from_secs(self.rng.between(1, 700))), visitor));
        }
        if self.rng.happens(300) {
            self.abandons_at = Some(now.after(Duration::from_secs(self.rng.between(1, 300))));
        }
    }

    fn name(&self) -> String {
        format!("{}.1", self.id)
    }

    async fn step(&mut self) -> bool {
        self.plan_visit().await;
        let next = {
            let messages = self.queue.messages.lock().unwrap();
            let message = messages.iter().map(|(at, _)| *at).min();
            let visit = self.visit.map(|(at, _)| at);
            [message, self.adyen.next(), visit, self.abandons_at].into_iter().flatten().min()
        };
        // Each open request has a check, which finds work that a crash left undone.
        let open = self.stored().await.request.open_attempt().is_some();
        let next = match next {
            Some(next) => next,
            None if open => {
                let queue = self.queue.as_ref();
                effects::send(queue, Step::Fetch, self.id, CHECK).await.unwrap();
                self.clock.now().after(CHECK)
            }
            None => return false,
        };
        self.clock.pass_until(next);
        let now = self.clock.now();
        for body in self.adyen.passes() {
            let url = "https://pay.example.com/callbacks/acme/adyen".to_owned();
            self.receive(http::Method::POST, url, &body).await;
        }
        if let Some((_, visitor)) = self.visit.take_if(|(at, _)| *at <= now)
            && let Some(url) = self.adyen.visited(&self.name(), visitor)
        {
            self.receive(http::Method::GET, url, &Value::Null).await;
        }
        if self.abandons_at.take_if(|at| *at <= now).is_some() {
            self.record(|request| request.abandon(CancelRedirect::Requester, now)).await;
        }
        let due = {
            let mut messages = self.queue.messages.lock().unwrap();
            let place = messages.iter().position(|(at, _)| *at <= now);
            place.and_then(|place| messages.remove(place))
        };
        if let Some((_, message)) = due
            && self.worker.handle(&message).await == MessageResult::Again
        {
            self.queue.send(&message, Duration::from_secs(30)).await.unwrap();
        }
        true
    }

    /// Runs until no message or event is left, or for three days, and returns the end.
    ///
    /// The end is compared with Adyen's charges.
    pub(super) async fn run(mut self) -> End {
        let until = self.clock.now().after(Duration::from_secs(3 * 86_400));
        for _ in 0..20_000 {
            if self.clock.now() > until || !self.step().await {
                break;
            }
        }
        assert_eq!(self.adyen.complaints(), Vec::<String>::new(), "seed {}", self.seed);
        let request = self.stored().await.request;
        let charges = self.adyen.charges(&self.name());
        let fulfilled = matches!(&request.state, State::Closed { outcome, .. } if outcome.state_name() == "fulfilled");
        match request.open_attempt() {
            Some(attempt) => {
                assert!(
                    attempt.is_doubt_reported(),
                    "seed {}: neither ended nor in doubt",
                    self.seed
                );
                End::InDoubt
            }
            None if fulfilled => {
                assert_eq!(charges.len(), 1, "seed {}: {:?}", self.seed, request.attempts);
                assert_eq!(charges[0].amount, AMOUNT);
                End::Fulfilled
            }
            None => {
                assert_eq!(charges, [], "seed {}: {:?}", self.seed, request.attempts);
                End::NotCharged
            }
        }
    }
}
