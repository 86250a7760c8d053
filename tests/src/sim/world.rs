//! The world: what can happen next, one thing at a time.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use domain::message::{Message, MessageResult};
use domain::problem::Problem;
use domain::values::time::Timestamp;
use embedded::{Database, ReceivedMessage};
use local::Machine;
use ports::{Clock, Http, Ports};
use tracing::Dispatch;

use super::brand::{BASE, Credentials};
use super::faults::FaultRates;
use super::oracle::{besides_claims, shows_a_secret};
use super::outside::{Outage, Outside, Shared, Wire};
use super::plan::{Failure, Plan};
use super::ports::{Keeper, Kept, Patient};
use super::rng::{Rng, RngRandom};
use super::work::{End, Running, Work, Worker};
use crate::doubles::ManualClock;
use crate::logs::Logs;

/// The simulated world.
pub struct World {
    /// Everything outside the machine.
    pub shared: Shared,
    pub(super) machine: Arc<Machine>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) database: Database,
    pub(super) keeper: Arc<Keeper>,
    pub(super) credentials: Credentials,
    pub(super) workers: Vec<Worker>,
    pub(super) calls: Vec<super::calls::Call>,
    pub(super) recent: Vec<Message>,
    /// The pages of processors that customers have open.
    pub(super) tabs: Vec<super::away::Tab>,
    /// The queries that customers' browsers brought back from a provider.
    pub(super) returns: Vec<String>,
    /// Whether the call at hand was answered.
    pub(super) heard: bool,
    /// The log, kept in some runs only since it takes time.
    logs: Option<(Logs, Dispatch)>,
    /// How many turns were taken, and at which of them a worker dies.
    pub(super) turns: u64,
    pub(super) dies_at_turn: Option<u64>,
    pub(super) steps: u64,
    pub(super) plan: Plan,
}

/// Every so many seeds' logs are read.
const LOGGED: u64 = 8;

/// The most workers at once: more find no more races, and a run gets less far.
const WORKERS_MAX: usize = 6;

impl World {
    /// The world of a plan.
    ///
    /// # Errors
    /// When the store or the brand cannot be made.
    pub fn new(plan: Plan) -> Result<Self, Box<dyn std::error::Error>> {
        let mut rng = Rng::new(plan.seed);
        let credentials = Credentials::first(plan.own_policy, &mut rng);
        let faults = plan.faults.clone().unwrap_or_else(|| FaultRates::drawn(&mut rng));
        let random = RngRandom::new(rng.roll());
        let shared = Shared::new(Outside::new(rng));
        shared.lock().begins(faults);
        let clock = Arc::new(ManualClock::default());
        let database = Database::in_memory(Arc::<ManualClock>::clone(&clock))?;
        let kept = Arc::new(Kept {
            database: database.clone(),
            shared: shared.clone(),
            clock: Arc::clone(&clock),
        });
        let brands = (credentials.brand()?, Credentials::other_brand()?);
        let keeper = Arc::new(Keeper::new(shared.clone(), Arc::clone(&clock), brands));
        let wire = Wire { shared: shared.clone(), clock: Arc::clone(&clock) };
        let ports = Ports {
            clock: Arc::new(Patient(Arc::clone(&clock))),
            random: Arc::new(random),
            store: Arc::<Kept>::clone(&kept),
            queue: kept,
            secrets: Arc::<Keeper>::clone(&keeper),
        };
        let http: Arc<dyn Http> = Arc::new(wire);
        let machine = Arc::new(Machine::new(&ports, &http, BASE));
        let logs = plan.seed.is_multiple_of(LOGGED).then(|| {
            let logs = Logs::default();
            let dispatch = logs.dispatch();
            (logs, dispatch)
        });
        let mut world = Self {
            shared,
            machine,
            clock,
            database,
            keeper,
            credentials,
            workers: Vec::new(),
            calls: Vec::new(),
            recent: Vec::new(),
            tabs: Vec::new(),
            returns: Vec::new(),
            heard: false,
            logs,
            turns: 0,
            dies_at_turn: None,
            steps: 0,
            plan,
        };
        world.hand_out();
        Ok(world)
    }

    /// Hands the credentials to those they are for.
    fn hand_out(&mut self) {
        let mut outside = self.shared.lock();
        outside.stripe.key = self.credentials.stripe_key();
        outside.provider.secret = self.credentials.client_secret();
        outside.texts.token = self.credentials.twilio_token();
        outside.endpoint.secrets.push(self.credentials.endpoint_secret());
    }

    pub(super) fn rotate(&mut self) {
        let next = self.credentials.rotated();
        if let Ok(brand) = next.brand() {
            self.keeper.rotate(brand);
            self.credentials = next;
            self.hand_out();
            self.shared.lock().say(|| "secrets are rotated".to_owned());
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn roll(&self, bound: u64) -> u64 {
        self.shared.lock().rng.below(bound)
    }

    pub(super) fn happens(&self, often: impl FnOnce(&FaultRates) -> u64) -> bool {
        let mut outside = self.shared.lock();
        let often = often(&outside.faults);
        outside.rng.happens(often)
    }

    pub(super) fn say(&self, what: impl FnOnce() -> String) {
        self.shared.lock().say(what);
    }

    pub(super) fn employ(&mut self, work: Work, running: Running) {
        // A call ends when its caller gives up. A worker of a queue may be held up for long.
        let called = matches!(work, Work::Create(_));
        let long = !called && self.happens(|faults| faults.zombie);
        let life = if long { 20_000 } else { 30 };
        let dies_at = self.now().after(Duration::from_secs(life));
        self.workers.push(Worker { work, running, since_step: self.steps, dies_at });
    }

    /// One thing happens.
    pub(super) fn step(&mut self) -> Result<(), Failure> {
        self.steps = self.steps.saturating_add(1);
        let steps = self.steps;
        self.shared.lock().working_since = steps;
        let busy = !self.workers.is_empty();
        match self.roll(100) {
            0..70 if busy => self.turn(),
            70..84 if self.workers.len() < WORKERS_MAX => {
                if !self.deliver() && !busy {
                    self.idles();
                }
            }
            84..88 if self.workers.len() < WORKERS_MAX => self.requester_acts(),
            88..94 if self.workers.len() < WORKERS_MAX => self.customer_acts(),
            94..97 => self.time_passes(),
            97 => self.rare(),
            98 => {
                let now = self.now();
                self.shared.lock().arrive(now);
            }
            _ if busy => self.turn(),
            _ => {
                if !self.deliver() {
                    self.idles();
                }
            }
        }
        self.checked()
    }

    /// Lets time pass, or a requester or a customer act, when no worker is at work and nothing is due.
    fn idles(&mut self) {
        match self.roll(4) {
            0 => self.time_passes(),
            1 => self.requester_acts(),
            _ => self.customer_acts(),
        }
    }

    fn rare(&mut self) {
        if self.happens(|faults| faults.rotation.saturating_mul(10)) {
            self.rotate();
        }
        if self.happens(|faults| faults.outage) {
            self.outage();
        }
        if self.happens(|faults| faults.twice) {
            self.duplicate();
        }
        if self.happens(|faults| faults.leap) && self.database.sweep(self.now()).is_err() {
            self.say(|| "the sweep fails".to_owned());
        }
    }

    /// Something is wrong with the processor from now on, or no longer.
    fn outage(&self) {
        let outside = &mut *self.shared.lock();
        outside.outage = match (outside.outage, outside.rng.below(2)) {
            (Some(_), _) => None,
            (None, 0) => Some(Outage::RefusesKey),
            (None, _) => Some(Outage::Silent),
        };
        let outage = outside.outage;
        outside.say(|| format!("the processor's outage: {outage:?}"));
    }

    pub(super) fn checked(&self) -> Result<(), Failure> {
        let mut outside = self.shared.lock();
        if outside.oracle.broken.is_empty() {
            return Ok(());
        }
        let told = outside.told.take().unwrap_or_default();
        Err(Failure {
            seed: self.plan.seed,
            step: self.steps,
            broken: outside.oracle.broken.clone(),
            told,
        })
    }

    /// One worker takes one turn: up to its next use of a port. Or it dies there.
    pub(super) fn turn(&mut self) {
        let place = {
            let mut outside = self.shared.lock();
            outside.rng.place(self.workers.len())
        };
        if place >= self.workers.len() {
            return;
        }
        let mut worker = self.workers.swap_remove(place);
        self.turns = self.turns.saturating_add(1);
        let failed = self.dies_at_turn == Some(self.turns);
        let dead = failed || worker.dies_at <= self.now() || self.happens(|faults| faults.crash);
        if dead {
            self.died(&worker.work, worker.since_step);
            return;
        }
        {
            let mut outside = self.shared.lock();
            outside.step = self.steps;
            outside.working_since = worker.since_step;
            outside.unheard = matches!(worker.work, Work::Unheard);
            outside.made_up = matches!(worker.work, Work::MadeUp);
        }
        let mut poll = || worker.running.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let (polled, logged) = match &self.logs {
            Some((logs, dispatch)) => {
                (tracing::dispatcher::with_default(dispatch, poll), logs.new_text())
            }
            None => (poll(), String::new()),
        };
        {
            let mut outside = self.shared.lock();
            (outside.unheard, outside.made_up) = (false, false);
            if shows_a_secret(&logged) {
                outside.oracle.broken.push("C6: a log shows a secret".to_owned());
            }
        }
        match polled {
            Poll::Pending => self.workers.push(worker),
            Poll::Ready(end) => self.ended(worker.work, end),
        }
    }

    pub(super) fn died(&mut self, work: &Work, since: u64) {
        self.shared.lock().working_since = since;
        self.say(|| "dies".to_owned());
        if let Work::Create(call) = work {
            self.unanswered(*call);
        }
    }

    pub(super) fn ended(&mut self, work: Work, end: End) {
        match (work, end) {
            (Work::Message(received), End::Handled(handled)) => self.handled(&received, handled),
            (Work::Create(call), End::Answered(answer)) => self.answered(call, &answer),
            (Work::Stop(phone), End::Answered(Ok(_))) => {
                self.heard = true;
                let now = self.steps;
                self.say(|| format!("{phone} opted out"));
                self.shared.lock().stopped.insert(phone, now);
            }
            (Work::Page(request, prompt), End::Answered(answer)) => {
                let served = |problem: &Problem| problem.code.facts().1 < 500;
                self.heard = answer.as_ref().err().is_none_or(served);
                if let Ok(page) = answer {
                    self.shown(request, prompt, page.body());
                }
            }
            (Work::Other(what), End::Answered(answer)) => {
                // A browser gets a page for a problem, too, and is reloaded like any other.
                self.heard = match &answer {
                    Ok(page) => page.status().as_u16() < 500,
                    Err(problem) => problem.code.facts().1 < 500,
                };
                self.say(|| match &answer {
                    Ok(answer) => format!("{what} -> {}", answer.status()),
                    Err(problem) => format!("{what} -> {problem:?}"),
                });
                // The page that leads on is the customer's own; what requesters read is not.
                let read = answer.as_ref().ok().filter(|_| what == "read");
                if read.is_some_and(|read| shows_a_secret(&besides_claims(read.body()))) {
                    let broken = "C6: a requester reads a secret".to_owned();
                    self.shared.lock().oracle.broken.push(broken);
                }
            }
            (
                Work::Message(_)
                | Work::Duplicate
                | Work::Create(_)
                | Work::Other(_)
                | Work::Page(..)
                | Work::Unheard
                | Work::MadeUp
                | Work::Start
                | Work::Stop(_),
                End::Handled(_) | End::Answered(_),
            ) => {}
        }
    }

    fn handled(&self, received: &ReceivedMessage, handled: MessageResult) {
        self.say(|| format!("handled {:?}: {handled:?}", received.message.parts()));
        let lost = self.happens(|faults| faults.delete_lost);
        let done = match handled {
            _ if lost => Ok(()),
            MessageResult::Done => self.database.delete(received.receipt),
            MessageResult::Again => {
                let wait = Duration::from_secs(1_u64 << received.receives.min(6));
                self.database.release(received.receipt, wait)
            }
        };
        if let Err(error) = done {
            self.shared.lock().oracle.broken.push(format!("the queue failed: {error}"));
        }
    }
}
