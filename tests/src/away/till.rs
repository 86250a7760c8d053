//! A till, one request on it, and everything around it. The story is run once until the prompt is there, then
//! continued from many seeds.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use domain::brand::Brand;
use domain::keys;
use domain::message::{Message, MessageResult};
use domain::request::Request;
use domain::values::id::{PromptId, RequestId};
use domain::values::time::Timestamp;
use http::{HeaderMap, HeaderValue};
use local::Machine;
use ports::{Clock, Http, Ports, Store};
use records::storage;
use records::storage::VersionedRequest;
use sandbox::{Books, Sandbox};
use serde_json::{Value, json};

use super::outside::{Shared, Wire};
use super::ports::{Messages, Table};
use super::stories::{Gives, Story};
use super::{Failure, Report};
use crate::doubles::{ManualClock, OneBrand, SeededRandom};
use crate::memory::MemoryStore;

/// Where everything is.
pub(super) const BASE: &str = "https://pay.example.com";
const KEY: &str = "sk_test_shop_0123456789abcdef0123456789abcdef";
/// The secret that Stripe signs webhooks with.
pub(super) const WEBHOOK_SECRET: &str = "whsec_of_the_till";

/// A till with a request that waits for its customer.
pub struct Till {
    pub(super) story: Story,
    pub(super) shared: Shared,
    pub(super) clock: Arc<ManualClock>,
    pub(super) machine: Arc<Machine>,
    pub(super) brand: Arc<Brand>,
    /// Where the sandbox's pages come from.
    pub(super) pages: Sandbox,
    pub(super) wire: Arc<Wire>,
    store: Arc<MemoryStore>,
    /// The sandbox's own books, apart from our table.
    books: Arc<MemoryStore>,
    began: (Timestamp, Vec<(Timestamp, Message)>),
    pub(super) request: RequestId,
    pub(super) prompt: PromptId,
}

/// Runs what only ever waits for its turn.
pub(super) fn finish<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        if let Poll::Ready(done) = poll(work.as_mut()) {
            return done;
        }
    }
}

/// Takes one turn.
pub(super) fn poll<T>(work: Pin<&mut (impl Future<Output = T> + ?Sized)>) -> Poll<T> {
    work.poll(&mut Context::from_waker(Waker::noop()))
}

fn secret() -> Value {
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let stripe = json!({
        "secret_key": "sk_test_away", "base_url": "https://stripe.test", "publishable_key": "pk_test_away",
        "google_pay": { "country": "DE" }, "webhook_secrets": [WEBHOOK_SECRET],
    });
    json!({
        "version": "1", "name": "shop", "display_name": "Corner Shop",
        "keys": [{ "mode": "test", "sha256": keys::digest_hex(KEY.as_bytes()) }],
        "sealing": { "current": "1", "keys": { "1": key } }, "address_key": key, "link_key": key,
        "consent": { "current": "1", "keys": { "1": key } },
        "test": {
            "channels": [{ "name": "rcs", "kind": "sandbox", "settings": { "style": "rcs" } }],
            "processors": [{ "name": "stripe", "kind": "stripe", "settings": stripe }],
        },
        "policy": { "session_code": false, "open_max": 20, "attempts_max": 4, "fallback_seconds": 30 },
    })
}

fn headers(key: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let bearer = HeaderValue::from_str(&format!("Bearer {KEY}"));
    headers.extend(bearer.ok().map(|bearer| (http::header::AUTHORIZATION, bearer)));
    let key = HeaderValue::from_str(key).ok();
    headers.extend(key.map(|key| (http::HeaderName::from_static("idempotency-key"), key)));
    headers
}

type Error = Box<dyn std::error::Error>;

impl Till {
    /// A till with a request of that story, whose customer has the prompt.
    ///
    /// # Errors
    /// When the story cannot be begun.
    pub fn new(story: Story) -> Result<Self, Error> {
        let (shared, clock) = (Shared::new(), Arc::new(ManualClock::default()));
        let (store, books) = (Arc::<MemoryStore>::default(), Arc::<MemoryStore>::default());
        let brand = OneBrand::new(&secret().to_string())?;
        let at_stripe: Arc<dyn Store> = Arc::<MemoryStore>::clone(&books);
        let ticking: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let wire = Arc::new(Wire {
            stripe: sandbox::stand_in(Arc::clone(&at_stripe), Arc::clone(&ticking)),
            shared: shared.clone(),
            clock: Arc::clone(&clock),
        });
        let pages = Sandbox::over(at_stripe, Arc::clone(&ticking));
        let known = brand.now();
        let ports = Ports {
            clock: ticking,
            random: Arc::new(SeededRandom::new(7)),
            store: Arc::new(Table { store: Arc::clone(&store), shared: shared.clone() }),
            queue: Arc::new(Messages { shared: shared.clone(), clock: Arc::clone(&clock) }),
            secrets: Arc::new(brand),
        };
        let http: Arc<dyn Http> = Arc::<Wire>::clone(&wire);
        let machine = Arc::new(Machine::new(&ports, &http, BASE));
        let nowhere = RequestId::new(Timestamp::EPOCH, [0; 10]);
        let mut till = Self {
            story,
            shared,
            clock,
            machine,
            brand: known,
            pages,
            wire,
            store,
            books,
            began: (Timestamp::EPOCH, Vec::new()),
            request: nowhere,
            prompt: PromptId::new(Timestamp::EPOCH, [0; 10]),
        };
        let card = if story.gives == Gives::Kept { Some(till.saved_card()?) } else { None };
        till.asks(&story.body(card.as_deref()), "the story")?;
        till.store.keep();
        till.books.keep();
        till.began = (till.clock.now(), till.shared.lock().messages.clone());
        Ok(till)
    }

    /// A card that was put on file an hour ago.
    fn saved_card(&mut self) -> Result<String, Error> {
        let gives = Gives::Card("pm_card_visa");
        let story = Story { name: "a card on file", amount: None, gives };
        self.asks(&story.body(None), "a card on file")?;
        finish(self.answers(gives)).map_err(|_unanswered| "no customer approved")?;
        self.does_what_is_due();
        let outcome = domain::view::request(&self.loaded().ok_or("it is gone")?.request, 1);
        let card =
            outcome.pointer("/outcome/card/id").or(outcome.pointer("/outcome/payment_method/id"));
        let card = card.and_then(Value::as_str).map(str::to_owned);
        self.clock.pass(Duration::from_secs(3_600));
        self.shared.lock().messages.clear();
        card.ok_or_else(|| format!("no card: {outcome}").into())
    }

    fn asks(&mut self, body: &Value, key: &str) -> Result<(), Error> {
        let body = body.to_string();
        let answer = finish(self.machine.intake.create(&headers(key), body.as_bytes()));
        let answer = answer.map_err(|problem| format!("{problem:?}"))?;
        let told: Value = serde_json::from_slice(answer.body())?;
        let id = told.get("id").and_then(Value::as_str).unwrap_or_default();
        self.request = id.parse()?;
        self.does_what_is_due();
        let loaded = self.loaded().ok_or("there is no request")?;
        self.prompt = loaded.request.prompts.first().ok_or("there is no prompt")?.id;
        Ok(())
    }

    /// Does what is due now, and what follows from it at once.
    fn does_what_is_due(&self) {
        while let Some(message) = self.next_due() {
            if finish(self.machine.handle(&message)) == MessageResult::Again {
                self.comes_again(message);
            }
        }
    }

    /// Takes a message that is due off the queue.
    pub(super) fn next_due(&self) -> Option<Message> {
        let outside = &mut *self.shared.lock();
        let now = self.clock.now();
        let due: Vec<usize> = (0..outside.messages.len())
            .filter(|place| outside.messages.get(*place).is_some_and(|(due, _)| *due <= now))
            .collect();
        let place = outside.rng.pick(&due).copied()?;
        Some(outside.messages.swap_remove(place).1)
    }

    /// A message that was not handled comes again.
    pub(super) fn comes_again(&self, message: Message) {
        let due = self.clock.now().after(Duration::from_secs(5));
        self.shared.lock().messages.push((due, message));
    }

    pub(super) fn loaded(&self) -> Option<VersionedRequest> {
        finish(storage::load(self.store.as_ref(), self.request)).ok().flatten()
    }

    pub(super) fn stored(&self) -> Option<Request> {
        self.loaded().map(|loaded| loaded.request)
    }

    /// What Stripe did for this request.
    pub(super) fn books(&self) -> Books {
        let (books, clock) = (Arc::<MemoryStore>::clone(&self.books), Arc::clone(&self.clock));
        finish(sandbox::books(books, clock, self.request, 9)).unwrap_or_default()
    }

    /// Runs the story from a seed, and says how it ended.
    ///
    /// # Errors
    /// A [`Failure`] that tells what happened.
    pub fn run(&self, seed: u64) -> Result<Report, Failure> {
        self.told(seed, false).or_else(|_| self.told(seed, true))
    }

    fn told(&self, seed: u64, listens: bool) -> Result<Report, Failure> {
        self.store.restore();
        self.books.restore();
        self.clock.stand_at(self.began.0);
        {
            let outside = &mut *self.shared.lock();
            *outside = super::outside::Outside::new();
            outside.rng = crate::sim::Rng::new(seed);
            outside.faults = super::outside::Faults::drawn(&mut outside.rng);
            outside.messages.clone_from(&self.began.1);
            outside.told = listens.then(Vec::new);
        }
        let ended = super::acts::run(self);
        let outside = &mut *self.shared.lock();
        match ended {
            Ok(end) => {
                let happened = std::mem::take(&mut outside.happened);
                Ok(Report { runs: 1, ends: [(end, 1)].into(), happened })
            }
            Err(broken) => {
                let told = outside.told.take().unwrap_or_default();
                Err(Failure { story: self.story.name, seed, broken, told })
            }
        }
    }
}
