//! A world for tests: the four functions on one machine, whose time, randomness and network a test controls.
//!
//! Calls go through the real routers, messages through the real handlers. C1 to C6 are checked at every write. When a
//! world is dropped, nothing may be due. It is then brought to its end, where C3 must hold. All that it logged, stored,
//! queued, sent and answered is searched for secrets.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a world fails the test it is in"
)]

mod audit;
pub mod brand;
pub mod calls;
mod customer;
pub mod fake_channel;
pub mod fake_processor;
mod identity;
mod network;
mod ports;
mod time;
pub mod topics;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Deref;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::ports::{Clock, Http, Item, Ports};
use axum::Router;
use domain::message::Message as Owed;
use domain::request::Request;
use domain::values::time::Timestamp;
use embedded::Database;
use http::Method;
use local::Machine;
use records::storage;
use sandbox::SandboxAccess;
use serde_json::{Value, json};
use tracing::Dispatch;

pub use calls::{Answer, Call};
pub use customer::{BROWSER, Customer, Message};
pub use network::{RecordedCall, Reply};

use self::ports::{Hooks, Queues, ScriptedRandom, Table, WorldClock};
use crate::aws_bill::{Meter, MeteredQueue, MeteredStore};
use crate::doubles::{START_TIME, SeededRandom};
use crate::identity::identify;
use crate::lock::lock;
use crate::logs::Logs;
use crate::providers::event_bus;
use brand::Brands;
use network::FakeNetwork;

/// Where a world's links and callbacks begin.
pub const PUBLIC_BASE: &str = "https://pay.example.com";
/// The customer's number, unless another one is named.
pub const PHONE: &str = "+15551230001";
/// More messages than any story has: beyond it, the functions send each other in circles.
const STEPS_MAX: u32 = 50_000;

/// A world to tell stories in.
pub struct World(Arc<Core>);

/// The parts of a world, for what happens during something else.
pub struct Core {
    clock: Arc<WorldClock>,
    meter: Arc<Meter>,
    table: Arc<Table>,
    queues: Arc<Queues>,
    talk: Arc<fake_channel::FakeChannelLog>,
    books: Arc<fake_processor::FakeProcessorState>,
    network: Arc<FakeNetwork>,
    brands: Arc<Brands>,
    hooks: Arc<Hooks>,
    /// What the functions are wired to.
    pub ports: Ports,
    /// The four functions.
    pub machine: Machine,
    intake: Router,
    consent: Router,
    agents: Router,
    logs: Logs,
    dispatch: Dispatch,
    answered: Mutex<Vec<Answer>>,
    phones: Mutex<Vec<String>>,
    left: AtomicBool,
    /// The cookies of the one browser of this world.
    cookies: Mutex<BTreeMap<String, String>>,
}

/// The starting state of a world.
pub struct WorldBuilder {
    at: Timestamp,
    secret: Value,
    phone: SandboxAccess,
    planned: VecDeque<Vec<u8>>,
}

/// A request that was accepted.
#[derive(Clone, Debug)]
pub struct CreatedRequest {
    /// Its id.
    pub id: String,
    /// Its path.
    pub path: String,
    /// What was answered when it was accepted.
    pub answer: Value,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for World {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.0
    }
}

impl WorldBuilder {
    /// Begins at another time.
    #[must_use]
    pub const fn at(mut self, at: Timestamp) -> Self {
        self.at = at;
        self
    }

    /// Changes the demo brand's secret, at a JSON Pointer's place.
    #[must_use]
    pub fn with(mut self, pointer: &str, value: &Value) -> Self {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer has a slash");
        self.secret.pointer_mut(parent).expect("the place is there")[name] = value.clone();
        self
    }

    /// Sends texts through Twilio in test mode, after the sandbox's rich channel where `first` says so.
    #[must_use]
    pub fn texting(self) -> Self {
        let sms = json!({ "name": "sms", "kind": "sms", "settings": brand::twilio() });
        self.with("/test/channels", &json!([sms]))
    }

    /// Sets who may use the sandbox phone, which is open to all otherwise.
    #[must_use]
    pub const fn phone_for(mut self, access: SandboxAccess) -> Self {
        self.phone = access;
        self
    }

    /// Scripts the next draws of that many bytes.
    #[must_use]
    pub fn drawing(mut self, planned: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.planned.extend(planned);
        self
    }

    /// Begins.
    #[must_use]
    pub fn build(self) -> World {
        let hooks = Arc::new(Hooks::default());
        let clock = Arc::new(WorldClock::new(self.at, Arc::clone(&hooks)));
        let ticking: Arc<dyn Clock> = Arc::<WorldClock>::clone(&clock);
        let database = Database::in_memory(ticking).expect("a database fits into memory");
        let table = Arc::new(Table::new(database.clone(), Arc::clone(&hooks)));
        let queues = Arc::new(Queues { inner: database, sent: Mutex::default() });
        let network = Arc::new(FakeNetwork::new(Arc::clone(&clock), Arc::clone(&hooks)));
        let brands = Arc::new(Brands::new(&[self.secret, brand::other()]));
        let seeded = SeededRandom::new(7);
        let meter = Arc::new(Meter::default());
        let ports = Ports {
            clock: Arc::<WorldClock>::clone(&clock),
            random: Arc::new(ScriptedRandom { planned: Mutex::new(self.planned), seeded }),
            store: Arc::new(MeteredStore::new(Arc::<Table>::clone(&table), Arc::clone(&meter))),
            queue: Arc::new(MeteredQueue::new(Arc::<Queues>::clone(&queues), Arc::clone(&meter))),
            secrets: Arc::<Brands>::clone(&brands),
        };
        let http: Arc<dyn Http> = Arc::<FakeNetwork>::clone(&network);
        let mut machine = Machine::new(&ports, &http, PUBLIC_BASE);
        identify(&mut machine, &ports, &http);
        event_bus::join(&mut machine);
        let consent = Arc::get_mut(&mut machine.consent_callback);
        consent.expect("the machine has no other holder yet").sandbox =
            sandbox::routes(&ports, self.phone, PUBLIC_BASE);
        let talk = fake_channel::join(&mut machine);
        let books = fake_processor::join(&mut machine, &hooks);
        let logs = Logs::default();
        let core = Arc::new(Core {
            clock,
            meter,
            table,
            queues,
            talk,
            books,
            network,
            brands,
            hooks: Arc::clone(&hooks),
            ports,
            intake: intake::router(Arc::clone(&machine.intake)),
            consent: consent_callback::router(Arc::clone(&machine.consent_callback)),
            agents: agents::router(machine.agents()),
            machine,
            dispatch: logs.dispatch(),
            logs,
            answered: Mutex::default(),
            phones: Mutex::default(),
            left: AtomicBool::new(false),
            cookies: Mutex::default(),
        });
        hooks.core.set(Arc::downgrade(&core)).expect("hooks belong to one world");
        World(core)
    }
}

impl World {
    /// A world whose brand has a rich channel, a text channel and a processor of the sandbox, and takes webhooks.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns the starting state of a world, to be changed before it begins.
    #[must_use]
    pub fn builder() -> WorldBuilder {
        WorldBuilder {
            at: START_TIME,
            secret: brand::demo(),
            phone: SandboxAccess::Open,
            planned: VecDeque::new(),
        }
    }
}

impl Core {
    /// Runs what is asynchronous to its end.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime can be made");
        tracing::dispatcher::with_default(&self.dispatch, || runtime.block_on(work))
    }

    /// A call of the demo brand's requester.
    #[must_use]
    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        Call::new(self, method, path)
    }

    /// `GET`, by the requester.
    pub fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).send()
    }

    /// `POST`, by the requester. Nothing that follows from it is done yet.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path).json(body).send()
    }

    /// Returns a body that asks the customer at `phone` for a payment.
    #[must_use]
    pub fn payment(&self, phone: &str, amount: u64) -> Value {
        lock(&self.phones).push(phone.to_owned());
        json!({
            "customer": { "phone": phone, "name": "Ada Byron", "language": "en-GB" },
            "session": { "kind": "voice", "id": "CA123", "agent": "a17" },
            "ask": { "kind": "payment", "amount": amount, "currency": "EUR", "description": "Invoice 4711" },
        })
    }

    /// Asks the customer for a payment, and puts the prompt in front of them.
    pub fn asks(&self, amount: u64) -> CreatedRequest {
        self.asks_for(&self.payment(PHONE, amount))
    }

    /// Asks the customer at `phone` for a payment.
    pub fn asks_at(&self, phone: &str, amount: u64) -> CreatedRequest {
        self.asks_for(&self.payment(phone, amount))
    }

    /// Asks for what the body says.
    pub fn asks_for(&self, body: &Value) -> CreatedRequest {
        let asked = self.accepted(body);
        self.run_until_idle();
        self.a_moment_passes();
        asked
    }

    /// Asks for what the body says, and runs no step that follows.
    pub fn accepted(&self, body: &Value) -> CreatedRequest {
        let answer = self.post("/v1/requests", body).ok(201);
        let path = answer.header("location").to_owned();
        let answer = answer.json();
        CreatedRequest { id: answer["id"].as_str().unwrap_or_default().to_owned(), path, answer }
    }

    /// Acts on a request and does what follows from it.
    pub fn acts(&self, asked: &CreatedRequest, what: &str, body: &Value) -> Answer {
        let answer = self.post(&format!("{}/{what}", asked.path), body);
        self.run_until_idle();
        self.a_moment_passes();
        answer
    }

    /// Moves the clock, so that what comes next is newer in an order by time.
    fn a_moment_passes(&self) {
        self.clock.pass_until(self.now().after(Duration::from_millis(1)));
    }

    /// The request, as its requester sees it.
    #[must_use]
    pub fn reads(&self, asked: &CreatedRequest) -> Value {
        self.get(&asked.path).ok(200).json()
    }

    /// The state of a request.
    #[must_use]
    pub fn state(&self, asked: &CreatedRequest) -> String {
        self.reads(asked)["state"].as_str().unwrap_or_default().to_owned()
    }

    /// The timeline of a request: what, over which channel and why, in words.
    #[must_use]
    pub fn timeline(&self, asked: &CreatedRequest) -> Vec<String> {
        let facts = self.reads(asked)["timeline"].as_array().cloned().unwrap_or_default();
        let words = |fact: &Value| {
            let words = ["what", "channel", "reason"].map(|word| fact[word].as_str());
            words.into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        facts.iter().map(words).collect()
    }

    /// The request, as it is stored.
    #[must_use]
    pub fn stored(&self, asked: &CreatedRequest) -> Request {
        let id = asked.id.parse().expect("a request's id is one");
        let loaded = self.run(storage::load(self.table.as_ref(), id));
        loaded.expect("the table is there").expect("the request is there").request
    }

    /// Every item that is stored now.
    #[must_use]
    pub fn items(&self) -> Vec<Item> {
        self.table.kept()
    }

    /// Every item that was ever written, as it was then.
    #[must_use]
    pub fn all_written_items(&self) -> Vec<Item> {
        self.table.ever()
    }

    /// Puts an item into the table, as an older release may have left it there.
    pub fn put_item(&self, item: Item) {
        self.run(self.table.put_as_it_is(item)).expect("the table is there");
    }

    /// Every step that was ever sent, with its delay.
    #[must_use]
    pub fn sent(&self) -> Vec<(Owed, Duration)> {
        lock(&self.queues.sent).clone()
    }

    /// Returns the customer at the usual number.
    #[must_use]
    pub fn customer(&self) -> Customer<'_> {
        self.customer_at(PHONE)
    }

    /// Returns the customer at that number.
    #[must_use]
    pub fn customer_at(&self, phone: &str) -> Customer<'_> {
        lock(&self.phones).push(phone.to_owned());
        Customer { core: self, phone: phone.to_owned() }
    }

    /// Puts another secret in place of a brand's, changed at a JSON Pointer's place.
    pub fn rotates(&self, pointer: &str, value: &Value) {
        let mut secret = brand::demo();
        *secret.pointer_mut(pointer).expect("the place is there") = value.clone();
        self.brands.put(&secret);
    }

    /// Runs something once during something else.
    ///
    /// The moments are `called shop.example` (a call to that host was taken) and `waited` (a worker waits). `storing PHONE#`
    /// and `stored PHONE#` are the moments before and after such an item is written.
    pub fn meanwhile(&self, moment: &str, happens: impl FnOnce(&Self) + Send + 'static) {
        self.hooks.add(moment.to_owned(), Box::new(happens));
    }
}
