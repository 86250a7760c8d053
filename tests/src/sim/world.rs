//! The world of a run: one thing happens at a time.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use domain::message::{Message, MessageResult};
use domain::problem::Problem;
use domain::values::time::Timestamp;
use local::Machine;
use ports::{Clock, Http, Ports};
use tracing::Dispatch;

use super::attacker::Attacker;
use super::brand::{BASE, Credentials};
use super::environment::{Environment, ProcessorWebhook, SharedEnvironment};
use super::faults::FaultRates;
use super::oracle::{approvals, besides_claims};
use super::plan::{Failure, Plan};
use super::ports::{FaultySecrets, FaultyStore, SimulatedClock};
use super::sandbox_stripe::SandboxStripe;
use super::scenario::ProcessorFake;
use super::tables::{ReceivedMessage, Tables};
use super::wire::Wire;
use super::work::{Work, WorkFuture, WorkResult, Worker};
use crate::doubles::{ManualClock, SeededRandom};
use crate::logs::Logs;
use crate::providers::shows_a_secret;
use crate::rng::Rng;

/// A machine of four functions with its environment, driven by one seed.
pub struct Simulation {
    /// The environment, which the machine's ports share.
    pub shared: SharedEnvironment,
    pub(super) machine: Arc<Machine>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) tables: Tables,
    pub(super) keeper: Arc<FaultySecrets>,
    pub(super) credentials: Credentials,
    pub(super) workers: Vec<Worker>,
    pub(super) calls: Vec<super::requester::Call>,
    /// The asks of AI agents.
    pub(super) agent_calls: Vec<super::agents::AgentCall>,
    pub(super) recent: Vec<Message>,
    /// The pages of processors that customers have open.
    pub(super) tabs: Vec<super::hosted_page::Tab>,
    /// What customers' browsers brought back from a provider.
    pub(super) returns: Vec<String>,
    /// Whether the call at hand was answered.
    pub(super) is_call_answered: bool,
    /// The logs, kept in some runs only since it takes time.
    logs: Option<(Logs, Dispatch)>,
    /// How many turns were taken, and at which of them a worker dies.
    pub(super) turns: u64,
    pub(super) dies_at_turn: Option<u64>,
    pub(super) steps: u64,
    pub(super) plan: Plan,
}

/// Every so many seeds' logs are read.
const LOGGED: u64 = 8;

impl Simulation {
    /// The world of a plan.
    ///
    /// # Errors
    /// When the store or the brand cannot be made.
    pub fn new(plan: Plan) -> Result<Self, Box<dyn std::error::Error>> {
        let mut rng = Rng::new(plan.seed);
        let credentials = Credentials::first(&plan, &mut rng)?;
        let random = SeededRandom::new(rng.roll());
        let clock = Arc::new(ManualClock::default());
        let mut environment = Environment::new(rng);
        if plan.scenario.processor == ProcessorFake::SandboxStripe {
            let sandbox = SandboxStripe::new(Arc::<ManualClock>::clone(&clock));
            environment.sandbox = Some(Arc::new(sandbox));
        }
        environment.attacker = Self::has_attacker(&plan).then(Attacker::default);
        environment.begins(FaultRates::none());
        let shared = SharedEnvironment::new(environment);
        // Storms of many requests also prove the store that ships.
        let in_memory = plan.scenario.processor != ProcessorFake::Stripe;
        let tables = Tables::new(&clock, in_memory)?;
        let kept = Arc::new(FaultyStore {
            tables: tables.clone(),
            shared: shared.clone(),
            clock: Arc::clone(&clock),
        });
        let (brand, other) = (credentials.brand()?, Credentials::other_brand()?);
        let keeper = Arc::new(FaultySecrets::new(shared.clone(), Arc::clone(&clock), brand, other));
        let wire = Wire { shared: shared.clone(), clock: Arc::clone(&clock) };
        let ports = Ports {
            clock: Arc::new(SimulatedClock(Arc::clone(&clock))),
            random: Arc::new(random),
            store: Arc::<FaultyStore>::clone(&kept),
            queue: kept,
            secrets: Arc::<FaultySecrets>::clone(&keeper),
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
            tables,
            keeper,
            credentials,
            workers: Vec::new(),
            calls: Vec::new(),
            agent_calls: Vec::new(),
            recent: Vec::new(),
            tabs: Vec::new(),
            returns: Vec::new(),
            is_call_answered: false,
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
        let mut environment = self.shared.lock();
        environment.stripe.key = self.credentials.stripe_key();
        environment.provider.secret = self.credentials.client_secret();
        environment.twilio.token = self.credentials.twilio_token();
        environment.endpoint.secrets.push(self.credentials.endpoint_secret());
    }

    pub(super) fn rotate(&mut self) {
        let next = self.credentials.rotated();
        if let Ok(brand) = next.brand() {
            self.keeper.rotate(brand);
            self.credentials = next;
            self.hand_out();
            self.shared.lock().trace(|| "secrets are rotated".to_owned());
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn roll(&self, bound: u64) -> u64 {
        self.shared.lock().rng.below(bound)
    }

    pub(super) fn happens(&self, often: impl FnOnce(&FaultRates) -> u64) -> bool {
        let mut environment = self.shared.lock();
        let often = often(&environment.faults);
        environment.rng.happens(often)
    }

    pub(super) fn trace(&self, what: impl FnOnce() -> String) {
        self.shared.lock().trace(what);
    }

    pub(super) fn employ(&mut self, work: Work, running: WorkFuture) {
        // A caller gives up after a while. A worker of a queue may be held up for long.
        let called = matches!(work, Work::Create(_) | Work::Agent(_));
        let long = !called && self.happens(|faults| faults.zombie);
        let life = if long { 20_000 } else { 30 };
        let dies_at = self.now().after(Duration::from_secs(life));
        self.workers.push(Worker { work, running, since_step: self.steps, dies_at });
    }

    pub(super) fn checked(&self) -> Result<(), Failure> {
        let environment = &mut *self.shared.lock();
        if environment.attacker.is_some() {
            // By design, a writer of the table can break the other rules.
            let holds =
                |line: &String| line.starts_with(approvals::WORD) || line.starts_with("C6: a");
            environment.oracle.broken.retain(holds);
        }
        if environment.oracle.broken.is_empty() {
            return Ok(());
        }
        let trace = environment.trace.take().unwrap_or_default();
        Err(Failure {
            seed: self.plan.seed,
            step: self.steps,
            broken: environment.oracle.broken.clone(),
            trace,
        })
    }

    /// One worker takes one turn: up to its next use of a port. Or it dies there.
    pub(super) fn turn(&mut self) {
        let place = {
            let mut environment = self.shared.lock();
            environment.rng.place(self.workers.len())
        };
        if place >= self.workers.len() {
            return;
        }
        let mut worker = self.workers.swap_remove(place);
        self.turns = self.turns.saturating_add(1);
        let failed = self.dies_at_turn == Some(self.turns);
        let dead = failed || worker.dies_at <= self.now() || self.crashes();
        if dead {
            self.worker_died(&worker.work, worker.since_step);
            return;
        }
        {
            let mut environment = self.shared.lock();
            environment.step = self.steps;
            environment.working_since = worker.since_step;
            environment.unauthenticated = matches!(worker.work, Work::Unauthenticated);
            environment.forged = matches!(worker.work, Work::Forged | Work::Refused(_));
        }
        let mut poll = || worker.running.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let (polled, logged) = match &self.logs {
            Some((logs, dispatch)) => {
                (tracing::dispatcher::with_default(dispatch, poll), logs.new_text())
            }
            None => (poll(), String::new()),
        };
        {
            let mut environment = self.shared.lock();
            (environment.unauthenticated, environment.forged) = (false, false);
            if shows_a_secret(&logged) {
                environment.oracle.broken.push("C6: a log shows a secret".to_owned());
            }
        }
        match polled {
            Poll::Pending => self.workers.push(worker),
            Poll::Ready(end) => self.ended(worker.work, end),
        }
    }

    fn crashes(&self) -> bool {
        let environment = &mut *self.shared.lock();
        let often = environment.faults.crash;
        environment.happens("a worker dies", often)
    }

    pub(super) fn worker_died(&mut self, work: &Work, since: u64) {
        self.shared.lock().working_since = since;
        self.trace(|| "dies".to_owned());
        if let Work::Create(call) = work {
            self.unanswered(*call);
        }
        if let Work::Webhook(webhook) = work {
            self.redelivers_webhook(webhook.clone());
        }
        if let Work::Start(start) = work {
            self.shared.lock().opt_outs.start_ends(start, self.now(), false);
        }
    }

    /// A webhook that was not accepted comes again, where the processor repeats it.
    fn redelivers_webhook(&self, webhook: ProcessorWebhook) {
        if webhook.repeats {
            self.shared.lock().webhooks.push(webhook);
        }
    }

    pub(super) fn ended(&mut self, work: Work, end: WorkResult) {
        match (work, end) {
            (Work::Message(received), WorkResult::Handled(handled)) => {
                self.handled(&received, handled);
            }
            (Work::Create(call), WorkResult::Answered(answer)) => self.answered(call, &answer),
            (Work::Agent(call), WorkResult::Answered(answer)) => {
                self.agent_answered(&call, &answer);
            }
            (Work::Stop(stop), WorkResult::Answered(Ok(_))) => {
                self.is_call_answered = true;
                self.trace(|| format!("{stop:?} is answered"));
                self.shared.lock().opt_outs.stop_ends(stop, self.steps);
            }
            (Work::Start(start), WorkResult::Answered(answer)) => {
                self.shared.lock().opt_outs.start_ends(&start, self.now(), answer.is_ok());
            }
            (Work::Refused(what), WorkResult::Answered(Ok(answer))) => {
                let accepted = format!("C5: {what}, and is answered {}", answer.status());
                self.shared.lock().oracle.broken.push(accepted);
            }
            (Work::Page(request, prompt), WorkResult::Answered(answer)) => {
                let served = |problem: &Problem| problem.code.facts().1 < 500;
                self.is_call_answered = answer.as_ref().err().is_none_or(served);
                if let Ok(page) = answer {
                    self.page_shown(request, prompt, page.body());
                }
            }
            (Work::Webhook(webhook), WorkResult::Answered(answer)) => {
                let served = |problem: &Problem| problem.code.facts().1 < 500;
                self.is_call_answered = answer.as_ref().err().is_none_or(served);
                if answer.is_err() {
                    self.redelivers_webhook(webhook);
                }
            }
            (Work::Other(what), WorkResult::Answered(answer)) => {
                // A browser gets a page for a problem, too, and is reloaded like any other.
                self.is_call_answered = match &answer {
                    Ok(page) => page.status().as_u16() < 500,
                    Err(problem) => problem.code.facts().1 < 500,
                };
                self.trace(|| match &answer {
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
                | Work::Agent(_)
                | Work::Other(_)
                | Work::Page(..)
                | Work::Unauthenticated
                | Work::Webhook(_)
                | Work::Forged
                | Work::Refused(_)
                | Work::Start(_)
                | Work::Stop(_),
                WorkResult::Handled(_) | WorkResult::Answered(_),
            ) => {}
        }
    }

    fn handled(&self, received: &ReceivedMessage, handled: MessageResult) {
        self.trace(|| format!("handled {:?}: {handled:?}", received.message.parts()));
        let lost = self.happens(|faults| faults.delete_lost);
        let done = match handled {
            _ if lost => Ok(()),
            MessageResult::Done => self.tables.delete(received),
            MessageResult::Again => {
                let wait = Duration::from_secs(1_u64 << received.receives.min(6));
                self.tables.release(received, wait)
            }
        };
        if let Err(error) = done {
            self.shared.lock().oracle.broken.push(format!("the queue failed: {error}"));
        }
    }
}
