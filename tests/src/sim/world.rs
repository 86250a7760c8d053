//! The world: what can happen next, one thing at a time, and the rest that must come once nothing goes wrong any more.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use domain::message::{Handled, Message, QueueName};
use domain::ports::{Clock, Http, Queue, Random, Secrets, Store};
use domain::problem::Problem;
use domain::values::time::Timestamp;
use embedded::{Database, Received};
use http::Response;
use local::{Machine, Ports};

use super::brand::{BASE, Credentials};
use super::dice::{Dice, DiceRandom};
use super::faults::Faults;
use super::outside::Wire;
use super::outside::{Outside, Shared};
use super::ports::{Keeper, Kept, Patient};
use crate::doubles::ManualClock;

/// How long a run is and what may go wrong in it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// How many steps until faults stop.
    pub steps: u64,
    /// What goes wrong; drawn from the seed where nothing is said.
    pub faults: Option<Faults>,
    /// How many requests may be made.
    pub requests: u64,
    /// Whether the brand has rules of the seed's choice, or those every brand has.
    pub own_policy: bool,
}

impl Plan {
    /// The usual run of a seed.
    #[must_use]
    pub const fn of(seed: u64) -> Self {
        Self { seed, steps: 1_500, faults: None, requests: 8, own_policy: true }
    }
}

/// How many steps a failure prints.
const LAST: usize = 80;

/// A run that showed a fault.
#[derive(Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// After how many steps.
    pub step: u64,
    /// What no longer held.
    pub broken: Vec<String>,
    /// Everything that happened.
    pub told: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "seed {} failed after step {}:", self.seed, self.step)?;
        for line in &self.broken {
            writeln!(f, "  {line}")?;
        }
        let last = self.told.len().saturating_sub(LAST);
        writeln!(f, "the last steps:")?;
        for line in self.told.iter().skip(last) {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

/// What a worker came to.
pub(super) enum End {
    /// A message was handled.
    Handled(Handled),
    /// A call was answered.
    Answered(Result<Response<Bytes>, Problem>),
}

/// What a worker is at.
pub(super) enum Work {
    /// A message from a queue.
    Message(Received),
    /// The same message once more, at the same time.
    Duplicate,
    /// A requester's `POST /v1/requests`, by its place among the calls.
    Create(usize),
    /// Some other call: who makes it does not wait.
    Other(&'static str),
    /// A phone says STOP.
    Stop(String),
    /// A phone says START.
    Start,
}

pub(super) type Running = Pin<Box<dyn Future<Output = End> + Send>>;

/// A worker.
pub(super) struct Worker {
    pub(super) work: Work,
    pub(super) running: Running,
    pub(super) since_step: u64,
    pub(super) dies_at: Timestamp,
}

/// The world.
pub struct World {
    /// The outside.
    pub shared: Shared,
    pub(super) machine: Arc<Machine>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) database: Database,
    pub(super) keeper: Arc<Keeper>,
    pub(super) credentials: Credentials,
    pub(super) workers: Vec<Worker>,
    pub(super) calls: Vec<super::calls::Call>,
    pub(super) recent: Vec<Message>,
    /// Whether the call at hand was answered.
    pub(super) heard: bool,
    /// How many turns were taken, and at which of them somebody dies.
    pub(super) turns: u64,
    pub(super) dies_at_turn: Option<u64>,
    pub(super) steps: u64,
    pub(super) plan: Plan,
}

/// The most workers at once: more find no more races, and a run gets less far.
const WORKERS_MAX: usize = 6;

impl World {
    /// The world of a plan.
    ///
    /// # Errors
    /// When the store or the brand cannot be made.
    pub fn new(plan: Plan) -> Result<Self, Box<dyn std::error::Error>> {
        let mut dice = Dice::new(plan.seed);
        let credentials = Credentials::first(plan.own_policy, &mut dice);
        let faults = plan.faults.clone().unwrap_or_else(|| Faults::drawn(&mut dice));
        let random = DiceRandom::new(dice.roll());
        let shared = Shared::new(Outside::new(dice));
        shared.lock().faults = faults;
        let clock = Arc::new(ManualClock::default());
        let database = Database::in_memory(Arc::clone(&clock) as Arc<dyn Clock>)?;
        let kept = Arc::new(Kept {
            database: database.clone(),
            shared: shared.clone(),
            clock: Arc::clone(&clock),
        });
        let keeper =
            Arc::new(Keeper::new(shared.clone(), Arc::clone(&clock), credentials.brand()?));
        let wire = Wire { shared: shared.clone(), clock: Arc::clone(&clock) };
        let ports = Ports {
            clock: Arc::new(Patient(Arc::clone(&clock))) as Arc<dyn Clock>,
            random: Arc::new(random) as Arc<dyn Random>,
            store: Arc::clone(&kept) as Arc<dyn Store>,
            queue: kept as Arc<dyn Queue>,
            secrets: Arc::clone(&keeper) as Arc<dyn Secrets>,
            http: Arc::new(wire) as Arc<dyn Http>,
        };
        let machine = Arc::new(Machine::new(&ports, BASE));
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
            heard: false,
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
        outside.texts.token = self.credentials.twilio_token();
        outside.shop.secrets.push(self.credentials.notice_secret());
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
        self.shared.lock().dice.below(bound)
    }

    pub(super) fn happens(&self, often: impl FnOnce(&Faults) -> u64) -> bool {
        let mut outside = self.shared.lock();
        let often = often(&outside.faults);
        outside.dice.happens(often)
    }

    pub(super) fn say(&self, what: impl FnOnce() -> String) {
        self.shared.lock().say(what);
    }

    pub(super) fn employ(&mut self, work: Work, running: Running) {
        // A call has an end, as whoever holds the line gives up; a worker of a queue may be held up for long.
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

    /// Nobody is at work and nothing is due.
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
        if self.happens(|faults| faults.twice) {
            self.duplicate();
        }
        if self.happens(|faults| faults.leap) && self.database.sweep(self.now()).is_err() {
            self.say(|| "the sweep fails".to_owned());
        }
    }

    pub(super) fn checked(&self) -> Result<(), Failure> {
        let mut outside = self.shared.lock();
        if outside.watch.broken.is_empty() {
            return Ok(());
        }
        let told = outside.told.take().unwrap_or_default();
        Err(Failure {
            seed: self.plan.seed,
            step: self.steps,
            broken: outside.watch.broken.clone(),
            told,
        })
    }

    /// One worker takes one turn: up to its next use of a port. Or it dies there.
    pub(super) fn turn(&mut self) {
        let place = {
            let mut outside = self.shared.lock();
            outside.dice.place(self.workers.len())
        };
        if place >= self.workers.len() {
            return;
        }
        let mut worker = self.workers.swap_remove(place);
        self.turns = self.turns.saturating_add(1);
        let struck = self.dies_at_turn == Some(self.turns);
        let dead = struck || worker.dies_at <= self.now() || self.happens(|faults| faults.crash);
        if dead {
            self.died(&worker.work, worker.since_step);
            return;
        }
        self.shared.lock().working_since = worker.since_step;
        match worker.running.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
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
            (Work::Other(what), End::Answered(answer)) => {
                let served = |problem: &Problem| problem.code.facts().1 < 500;
                self.heard = answer.as_ref().err().is_none_or(served);
                self.say(|| match answer {
                    Ok(answer) => format!("{what} -> {}", answer.status()),
                    Err(problem) => format!("{what} -> {problem:?}"),
                });
            }
            (
                Work::Message(_)
                | Work::Duplicate
                | Work::Create(_)
                | Work::Other(_)
                | Work::Start
                | Work::Stop(_),
                End::Handled(_) | End::Answered(_),
            ) => {}
        }
    }

    fn handled(&self, received: &Received, handled: Handled) {
        self.say(|| format!("handled {:?}: {handled:?}", received.message.parts()));
        let lost = self.happens(|faults| faults.delete_lost);
        let done = match handled {
            _ if lost => Ok(()),
            Handled::Done => self.database.delete(received.receipt),
            Handled::Again => {
                let wait = Duration::from_secs(1_u64 << received.receives.min(6));
                self.database.release(received.receipt, wait)
            }
        };
        if let Err(error) = done {
            self.shared.lock().watch.broken.push(format!("the queue failed: {error}"));
        }
    }

    /// A message that is due goes to a worker.
    pub(super) fn deliver(&mut self) -> bool {
        let first = self.roll(3);
        let queues: Vec<QueueName> = QueueName::ALL
            .into_iter()
            .cycle()
            .skip(usize::try_from(first).unwrap_or(0))
            .take(3)
            .collect();
        for queue in queues {
            match self.database.receive(queue, self.now()) {
                Ok(Some(received)) => {
                    self.say(|| {
                        format!(
                            "delivers {:?}, time {}",
                            received.message.parts(),
                            received.receives
                        )
                    });
                    self.recent.push(received.message.clone());
                    let running = self.handling(received.message.clone());
                    self.employ(Work::Message(received), running);
                    return true;
                }
                Ok(None) => {}
                Err(error) => {
                    self.shared.lock().watch.broken.push(format!("the queue failed: {error}"));
                }
            }
        }
        false
    }

    fn handling(&self, message: Message) -> Running {
        let machine = Arc::clone(&self.machine);
        Box::pin(async move { End::Handled(machine.handle(&message).await) })
    }

    /// A message that was delivered a while ago is delivered once more.
    fn duplicate(&mut self) {
        let message = self.shared.lock().dice.pick(&self.recent).cloned();
        if let Some(message) = message {
            self.say(|| format!("delivers {:?} once more", message.parts()));
            let running = self.handling(message);
            self.employ(Work::Duplicate, running);
        }
    }

    /// The message that was delivered last is delivered once more.
    pub(super) fn duplicate_last(&mut self) {
        if let Some(message) = self.recent.last().cloned() {
            let running = self.handling(message);
            self.employ(Work::Duplicate, running);
        }
    }

    /// Time passes: a moment, or until something is due, or a leap.
    fn time_passes(&mut self) {
        let by = match self.roll(8) {
            0..4 => Duration::from_millis(self.roll(3_000)),
            4..7 => match self.next_due() {
                Some(due) => self.now().until(due).min(Duration::from_secs(1_000)),
                None => Duration::from_secs(self.roll(20)),
            },
            _ if self.happens(|faults| faults.leap) => Duration::from_secs(self.roll(40_000)),
            _ => Duration::from_secs(self.roll(100)),
        };
        self.clock.pass(by);
        let now = self.now();
        self.say(|| format!("{by:?} pass, it is {now}"));
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let late = self.shared.lock().late.iter().map(|(at, _)| *at).min();
        let due =
            QueueName::ALL.into_iter().filter_map(|queue| self.database.next_due(queue).ok()?);
        due.chain(late).min()
    }
}

/// What runs came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many steps they took.
    pub steps: u64,
    /// How many requests came to each end.
    pub ends: BTreeMap<&'static str, u64>,
    /// How many attempts were made at the processor.
    pub attempts: u64,
    /// How many notices were delivered, and how many were given up on.
    pub notices: (u64, u64),
}

impl Report {
    /// Both together.
    pub fn add(&mut self, other: &Self) {
        self.steps = self.steps.saturating_add(other.steps);
        for (end, count) in &other.ends {
            let sum = self.ends.entry(end).or_default();
            *sum = sum.saturating_add(*count);
        }
        self.attempts = self.attempts.saturating_add(other.attempts);
        self.notices.0 = self.notices.0.saturating_add(other.notices.0);
        self.notices.1 = self.notices.1.saturating_add(other.notices.1);
    }
}

/// Runs a plan to its end, and says what it came to.
///
/// # Errors
/// A [`Failure`] that tells the last steps.
pub fn run(plan: &Plan) -> Result<Report, Failure> {
    let told = |told: bool| -> Result<Report, Failure> {
        let broken = |error: Box<dyn std::error::Error>| Failure {
            seed: plan.seed,
            step: 0,
            broken: vec![error.to_string()],
            told: Vec::new(),
        };
        let mut world = World::new(plan.clone()).map_err(broken)?;
        world.shared.lock().told = told.then(Vec::new);
        for _ in 0..plan.steps {
            world.step()?;
        }
        world.comes_to_rest()?;
        Ok(world.report())
    };
    // Nothing is told while it goes well; a run that fails is run once more by somebody who listens.
    told(false).or_else(|_| told(true))
}

impl World {
    /// Faults stop: everything must come to rest, in a bounded number of steps (C3).
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn comes_to_rest(&mut self) -> Result<u64, Failure> {
        self.shared.lock().faults = Faults::none();
        self.say(|| "faults stop".to_owned());
        // Somebody redrives what died while things went wrong; some of it dies only now, of what it went through before.
        let mut redrives = 2_u32;
        let bound = 20_000;
        for _ in 0..bound {
            self.steps = self.steps.saturating_add(1);
            let steps = self.steps;
            self.shared.lock().working_since = steps;
            let now = self.now();
            let arrived = self.workers.is_empty() && self.shared.lock().arrive(now);
            if !self.workers.is_empty() {
                // Somebody may wait for time to pass.
                self.clock.pass(Duration::from_millis(50));
                self.turn();
            } else if arrived || self.deliver() || self.asks_again() {
                // That was one step.
            } else if let Some(due) = self.next_due() {
                self.clock.pass_until(due);
            } else if redrives > 0 {
                redrives = redrives.saturating_sub(1);
                self.redrive();
            } else {
                return self.rests();
            }
            self.checked()?;
        }
        self.shared.lock().watch.broken.push(format!("C3: no rest within {bound} steps"));
        self.checked().map(|()| self.steps)
    }

    fn report(&self) -> Report {
        let outside = self.shared.lock();
        let mut report = Report { steps: self.steps, ..Report::default() };
        for seen in outside.watch.seen.values() {
            let end = report.ends.entry(seen.request.state_name()).or_default();
            *end = end.saturating_add(1);
            let attempts = u64::try_from(seen.request.attempts.len()).unwrap_or(0);
            report.attempts = report.attempts.saturating_add(attempts);
            for notice in seen.notices.values() {
                let (delivered, given_up) = &mut report.notices;
                let count = if notice.given_up { given_up } else { delivered };
                *count = count.saturating_add(1);
            }
        }
        report
    }

    fn redrive(&self) {
        for queue in QueueName::ALL {
            let count = self.database.redrive(queue);
            self.say(|| format!("{count:?} dead letters of {} are redriven", queue.as_str()));
        }
    }

    fn rests(&self) -> Result<u64, Failure> {
        let dead = self.database.dead_letters().map_or(1, |letters| letters.len());
        let mut outside = self.shared.lock();
        let unsettled = outside.watch.unsettled();
        outside.watch.broken.extend(unsettled);
        if dead > 0 {
            outside.watch.broken.push(format!("C3: {dead} dead letters"));
        }
        drop(outside);
        self.checked().map(|()| self.steps)
    }
}
