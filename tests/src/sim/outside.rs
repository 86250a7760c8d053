//! Everything outside the machine, with the run's generator, its faults, and the oracle that checks C1 to C6.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::values::time::Timestamp;
use http::{Request, Response};
use ports::{Clock, Http, HttpError, Reach, Write};
use serde_json::{Value, json};

use super::accounts::busy;
use super::endpoint::Endpoint;
use super::faults::FaultRates;
use super::oracle::Oracle;
use super::ports::{Broken, Turn};
use super::provider::Provider;
use super::refunds::GivenBack;
use super::rng::Rng;
use super::stripe::{Answer, Charged, Stripe};
use super::texts::Texts;
use super::whatsapp::Chats;
use crate::doubles::ManualClock;
use crate::standins::whatsapp;

/// For how long Stripe says that it knows an idempotency key, and how long one does that forgets them.
const KEYS_KEPT: Duration = Duration::from_secs(86_400);
const KEYS_FORGOTTEN: Duration = Duration::from_secs(45);

/// The outside, as every port and the world itself hold it.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Outside>>);

impl Shared {
    pub(super) fn new(outside: Outside) -> Self {
        Self(Arc::new(Mutex::new(outside)))
    }

    /// The outside, for a moment.
    pub fn lock(&self) -> MutexGuard<'_, Outside> {
        super::lock(&self.0)
    }
}

/// A use of a port that goes wrong in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortFault {
    /// The how many-th use.
    pub using: u64,
    /// The kind of fault.
    pub how: FaultKind,
}

/// A kind of fault at a use of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing is done, and there is no answer.
    Fails,
    /// It is done, and there is no answer.
    Lost,
    /// A write meets another that touches the same; anything else goes well.
    Conflicts,
}

/// A long outage of the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// Our key was revoked without a notice.
    RefusesKey,
    /// Calls get no answer, whether they are acted on or not.
    Silent,
}

/// Everything outside the machine.
pub struct Outside {
    /// The run's random numbers.
    pub rng: Rng,
    /// The faults that can happen now.
    pub faults: FaultRates,
    /// The fake of Stripe.
    pub stripe: Stripe,
    /// The provider of customers' claims.
    pub provider: Provider,
    /// The processor's webhooks that are not delivered yet.
    pub hooks: Vec<Value>,
    /// Whether the worker at hand handles a message that must have no effect.
    pub unheard: bool,
    /// Whether what the worker at hand brings has no say in any request.
    pub made_up: bool,
    /// The provider of texts.
    pub texts: Texts,
    /// WhatsApp.
    pub(super) chats: Chats,
    /// The requester's endpoint.
    pub endpoint: Endpoint,
    /// The oracle, which checks C1 to C6.
    pub oracle: Oracle,
    /// Calls that got no answer and will be acted on: when, and which.
    pub late: Vec<(Timestamp, Request<Bytes>)>,
    /// The number of uses of ports so far.
    pub uses: u64,
    /// The use of a port that goes wrong.
    pub port_fault: Option<PortFault>,
    /// The processor's long outage, if there is one.
    pub outage: Option<Outage>,
    /// The step at hand.
    pub step: u64,
    /// Since which step the worker at hand is at work.
    pub working_since: u64,
    /// Since which step each phone wants no messages.
    pub stopped: BTreeMap<String, u64>,
    /// The story of the run; `None` where it is not recorded.
    pub told: Option<Vec<String>>,
}

impl Outside {
    pub(super) fn new(rng: Rng) -> Self {
        Self {
            rng,
            faults: FaultRates::none(),
            stripe: Stripe::default(),
            provider: Provider::default(),
            hooks: Vec::new(),
            unheard: false,
            made_up: false,
            texts: Texts::default(),
            chats: Chats::default(),
            endpoint: Endpoint::default(),
            oracle: Oracle::default(),
            late: Vec::new(),
            uses: 0,
            port_fault: None,
            outage: None,
            step: 0,
            working_since: 0,
            stopped: BTreeMap::new(),
            told: None,
        }
    }

    /// Begins with these faults. Where a processor forgets its idempotency keys early, no call is under way for longer.
    pub(super) fn begins(&mut self, faults: FaultRates) {
        let forgets = self.rng.happens(faults.forgets);
        self.stripe.keys_kept = if forgets { KEYS_FORGOTTEN } else { KEYS_KEPT };
        self.faults =
            if forgets { FaultRates { acts_late: 0, zombie: 0, ..faults } } else { faults };
    }

    /// Counts one use of a port, and says whether and how it goes wrong.
    pub(super) fn used(&mut self) -> Option<FaultKind> {
        self.uses = self.uses.saturating_add(1);
        self.port_fault
            .filter(|port_fault| port_fault.using == self.uses)
            .map(|port_fault| port_fault.how)
    }

    /// The same, where conflicts cannot be.
    pub(super) fn used_plainly(&mut self) -> Option<FaultKind> {
        self.used().filter(|how| *how != FaultKind::Conflicts)
    }

    /// Records what happens, where a caller reads it.
    pub fn say(&mut self, what: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(format!("  [{}] {}", self.working_since, what()));
        }
    }

    /// Sees what was committed, and whether all that must hold still does.
    pub(super) fn committed(&mut self, writes: &[Write], now: Timestamp) {
        let about_requests = |write: &Write| match write {
            Write::Put { item, .. } => item.key.pk.starts_with("REQ#"),
            Write::Delete { key } => key.pk.starts_with("REQ#"),
        };
        let unheard = self.unheard && !writes.is_empty();
        if unheard || (self.made_up && writes.iter().any(about_requests)) {
            self.oracle.broken.push("C5: a sender without authority was heard".to_owned());
        }
        for charge in Charged::by_sandbox(writes) {
            if self.stripe.charges.iter().all(|known| known.object != charge.object) {
                self.say(|| format!("the sandbox charges {charge:?}"));
                self.stripe.charges.push(charge.clone());
                self.oracle.charged(&charge, &self.stripe, now);
            }
        }
        for refund in GivenBack::by_sandbox(writes) {
            if !self.stripe.given_back.contains(&refund) {
                self.say(|| format!("the sandbox gives back {refund:?}"));
                self.stripe.given_back.push(refund.clone());
                self.oracle.gave_back(&refund, &self.stripe, now);
            }
        }
        self.oracle.learns_of_accounts(writes, self.step);
        let books = (&self.stripe, &self.provider, &self.endpoint);
        let seen = self.oracle.committed(writes, books, now);
        for line in seen.lines {
            self.say(|| line);
        }
        for phone in seen.asked {
            self.sends_to(&phone);
        }
    }

    /// A worker that began after an account was known to reject us must not call it.
    fn calls(&mut self, request: &Request<Bytes>, now: Timestamp) {
        if self.oracle.is_shut(request, now, self.working_since) {
            self.oracle.broken.push("SHUT: a call with an account that refuses us".to_owned());
        }
    }

    /// A customer whose STOP was recorded before this worker began gets nothing more.
    pub(super) fn sends_to(&mut self, phone: &str) {
        if self.stopped.get(phone).is_some_and(|since| *since < self.working_since) {
            self.oracle.broken.push("STOP: a prompt to a customer who opted out".to_owned());
        }
    }

    /// Something happens at the processor: each charge is seen, and what it tells of it comes sometime, twice or never.
    pub(super) fn at_stripe<T>(&mut self, now: Timestamp, act: impl FnOnce(&mut Stripe) -> T) -> T {
        let before = (self.stripe.charges.len(), self.stripe.given_back.len());
        let done = act(&mut self.stripe);
        for charge in self.stripe.charges.iter().skip(before.0) {
            self.oracle.charged(charge, &self.stripe, now);
        }
        for refund in self.stripe.given_back.iter().skip(before.1) {
            self.oracle.gave_back(refund, &self.stripe, now);
        }
        for events in std::mem::take(&mut self.stripe.events) {
            let copies = self.rng.below(3);
            self.hooks.extend((0..copies).map(|_| events.clone()));
        }
        done
    }

    /// The other side takes a call.
    fn acts(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        match request.uri().host() {
            Some("stripe.test") => self.at_stripe(now, |stripe| stripe.take(request, now)),
            Some("id.test") => {
                let answer = self.provider.take(request, now);
                let broken = self.provider.broken.drain(..).map(str::to_owned);
                self.oracle.broken.extend(broken);
                answer
            }
            Some(whatsapp::HOST) => self.at_meta(request, now),
            Some("twilio.test") => {
                let before = self.texts.sent.len();
                let answer = self.texts.take(request);
                let to = self.texts.sent.get(before).map(|text| text.to.clone());
                if let Some(to) = to {
                    self.sends_to(&to);
                }
                answer
            }
            _ => match self.endpoint.take(request, now) {
                Ok(status) => (status, Value::Null),
                Err(what) => {
                    self.oracle.broken.push(what.to_owned());
                    (500, Value::Null)
                }
            },
        }
    }

    /// Calls whose answers were lost long ago arrive.
    pub(super) fn arrive(&mut self, now: Timestamp) -> bool {
        let Some(place) = self.late.iter().position(|(at, _)| *at <= now) else { return false };
        let (_, request) = self.late.swap_remove(place);
        self.working_since = 0;
        let (status, _) = self.acts(&request, now);
        self.say(|| format!("late {} {} -> {status}", request.method(), request.uri()));
        true
    }
}

/// The result of a call.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    NotSent,
    Lost,
    ActsLate,
    AnswerLost,
    BreaksBefore,
    BreaksAfter,
    Busy,
    RefusesKey,
    Down,
}

fn fate(outside: &mut Outside, host: Option<&str>) -> Fate {
    let to_shop = host == Some("shop.test");
    match outside.outage.filter(|_| host == Some("stripe.test")) {
        Some(Outage::RefusesKey) => return Fate::RefusesKey,
        Some(Outage::Silent) if outside.rng.happens(300) => return Fate::AnswerLost,
        Some(Outage::Silent) => return Fate::Lost,
        None => {}
    }
    match outside.used() {
        Some(FaultKind::Lost) => return Fate::AnswerLost,
        Some(FaultKind::Fails) => return Fate::Lost,
        Some(FaultKind::Conflicts) | None => {}
    }
    let faults = outside.faults.clone();
    let kinds = [
        (if to_shop { faults.endpoint_down } else { 0 }, Fate::Down),
        (faults.not_sent, Fate::NotSent),
        (faults.call_lost, Fate::Lost),
        (faults.acts_late, Fate::ActsLate),
        (faults.answer_lost, Fate::AnswerLost),
        (faults.breaks_before, Fate::BreaksBefore),
        (faults.breaks_after, Fate::BreaksAfter),
        (faults.busy, Fate::Busy),
        (if to_shop { 0 } else { faults.refuses_key }, Fate::RefusesKey),
    ];
    let rng = &mut outside.rng;
    kinds
        .into_iter()
        .find(|(often, _)| rng.happens(*often))
        .map_or(Fate::Answered, |(_, fate)| fate)
}

/// The `Http` port of a simulation.
pub(super) struct Wire {
    pub(super) shared: Shared,
    pub(super) clock: Arc<ManualClock>,
}

fn lost() -> HttpError {
    HttpError::Lost(Broken.into())
}

impl Wire {
    /// Everything that happens on the other side, in one moment.
    fn there(&self, request: &Request<Bytes>) -> Result<Answer, HttpError> {
        let now = self.clock.now();
        let mut outside = self.shared.lock();
        outside.calls(request, now);
        let fate = fate(&mut outside, request.uri().host());
        let name = format!("{} {}", request.method(), request.uri());
        let answer = match fate {
            Fate::NotSent => Err(HttpError::NotSent(Broken.into())),
            Fate::Lost => Err(lost()),
            Fate::ActsLate => {
                let wait = Duration::from_secs(outside.rng.between(1, 4000));
                outside.late.push((now.after(wait), request.clone()));
                Err(lost())
            }
            Fate::AnswerLost => {
                outside.acts(request, now);
                Err(lost())
            }
            Fate::BreaksBefore => Ok((500, json!({ "error": { "type": "api_error" } }))),
            Fate::BreaksAfter => {
                outside.acts(request, now);
                Ok((500, json!({ "error": { "type": "api_error" } })))
            }
            Fate::Busy => Ok(busy(&mut outside, request)),
            // A restricted key may lack one permission.
            Fate::RefusesKey if request.uri().path().starts_with("/v1/refunds") => {
                Ok((403, json!({ "error": {} })))
            }
            Fate::RefusesKey => Ok((401, json!({ "error": {}, "code": 20003 }))),
            Fate::Down => Ok((if outside.rng.happens(20) { 410 } else { 503 }, Value::Null)),
            Fate::Answered => Ok(outside.acts(request, now)),
        };
        if let Ok((status, _)) = &answer {
            outside.oracle.learns_of_answer(request, *status);
        }
        outside.say(|| {
            format!("{name}: {fate:?} -> {:?}", answer.as_ref().map(|(status, _)| *status))
        });
        answer
    }
}

#[async_trait]
impl Http for Wire {
    async fn call(
        &self,
        request: Request<Bytes>,
        _reach: Reach,
        _timeout: Duration,
    ) -> Result<Response<Bytes>, HttpError> {
        Turn::new().await;
        let answer = self.there(&request);
        // Between what happened there and hearing of it here lies a moment of its own.
        Turn::new().await;
        let (status, body) = answer?;
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .body(body)
            .map_err(|error| HttpError::Lost(error.into()))
    }
}
