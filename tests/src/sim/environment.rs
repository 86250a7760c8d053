//! Everything outside the machine: the generator, the faults, the fakes of providers, and the oracle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use domain::values::time::Timestamp;
use http::Request;
use ports::{HttpError, Write};
use serde_json::{Value, json};

use super::attacker::Attacker;
use super::faults::FaultRates;
use super::opt_outs::OptOuts;
use super::oracle::{FakeStates, Oracle};
use super::replays::Replay;
use super::sandbox_stripe::SandboxStripe;
use super::whatsapp::Meta;
use crate::providers::adyen::{ADYEN_HOST, Adyen, AdyenFaults};
use crate::providers::endpoint::Endpoint;
use crate::providers::openid::OpenIdProvider;
use crate::providers::stripe::{ChargeRecord, RefundEntry, Stripe};
use crate::providers::twilio::Twilio;
use crate::providers::{Answer, whatsapp};
use crate::rng::Rng;

/// How long Stripe says that it knows an idempotency key, and how long one does that forgets them.
const KEYS_KEPT: Duration = Duration::from_secs(86_400);
const KEYS_FORGOTTEN: Duration = Duration::from_secs(45);

/// The outside, as each port and the world hold it.
#[derive(Clone)]
pub struct SharedEnvironment(Arc<Mutex<Environment>>);

impl SharedEnvironment {
    pub(super) fn new(environment: Environment) -> Self {
        Self(Arc::new(Mutex::new(environment)))
    }

    /// Locks the outside for a moment.
    pub fn lock(&self) -> MutexGuard<'_, Environment> {
        crate::lock::lock(&self.0)
    }
}

/// A use of a port that goes wrong, apart from the faults that are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortFault {
    /// The number of the use, from 1.
    pub using: usize,
    /// How it goes wrong.
    pub how: FaultKind,
}

/// A fault of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing is done, and there is no answer.
    Fails,
    /// It is done, and there is no answer.
    Lost,
    /// A write meets another one on the same item.
    Conflicts,
}

impl FaultKind {
    /// The ways in which a read can fail. A read whose answer is lost is one that was never made.
    pub(super) const OF_READ: &[Self] = &[Self::Fails];
    /// The ways in which a call or a message can fail.
    pub(super) const OF_CALL: &[Self] = &[Self::Fails, Self::Lost];
    /// The ways in which a write can fail.
    pub(super) const OF_WRITE: &[Self] = &[Self::Fails, Self::Lost, Self::Conflicts];
}

/// A long outage of the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// Our key is no longer in force, and we were not told.
    RefusesKey,
    /// Calls get no answer, whether they are acted on or not.
    Silent,
}

/// A webhook of a processor that is on its way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ProcessorWebhook {
    /// The processor's name in the brand.
    pub(super) processor: &'static str,
    pub(super) body: Value,
    /// Whether the processor sends it until it is accepted.
    pub(super) repeats: bool,
}

/// Everything outside the machine, with the run's generator and its oracle.
pub struct Environment {
    /// The run's generator.
    pub rng: Rng,
    /// What goes wrong now.
    pub faults: FaultRates,
    /// The fake of Stripe.
    pub stripe: Stripe,
    /// The sandbox's Stripe, where it stands in place of the fake.
    pub(super) sandbox: Option<Arc<SandboxStripe>>,
    /// The fake of Adyen.
    pub(super) adyen: Adyen,
    /// The fake of an OpenID provider.
    pub provider: OpenIdProvider,
    /// The webhooks of processors that did not come yet.
    pub(super) webhooks: Vec<ProcessorWebhook>,
    /// Whether the worker at hand does what was sent without any authority.
    pub unauthenticated: bool,
    /// Whether what the worker at hand brings must touch no request.
    pub forged: bool,
    /// The fake of Twilio.
    pub twilio: Twilio,
    /// WhatsApp.
    pub(super) meta: Meta,
    /// The requester's endpoint.
    pub endpoint: Endpoint,
    /// What checks C1 to C6.
    pub oracle: Oracle,
    /// Calls that got no answer and have their effect later: when, and which.
    pub late: Vec<(Timestamp, Request<Bytes>)>,
    /// The idempotency keys under which Stripe keeps a failure.
    pub(super) failed_keys: BTreeSet<String>,
    /// How often each fault and each action happened.
    pub(super) occurrences: BTreeMap<&'static str, u64>,
    /// Each use of a port, by the ways in which it can fail.
    pub(super) uses: Vec<&'static [FaultKind]>,
    /// Which use of a port goes wrong.
    pub port_fault: Option<PortFault>,
    /// The long outage of the processor, if there is one.
    pub outage: Option<Outage>,
    /// The step at hand.
    pub step: u64,
    /// The step at which the worker at hand began.
    pub working_since: u64,
    /// The stops and starts of customers.
    pub(super) opt_outs: OptOuts,
    /// The attacker who writes the table, in some runs.
    pub(super) attacker: Option<Attacker>,
    /// The webhooks that providers may repeat.
    pub(super) repeats: Vec<Replay>,
    /// What happened, while a failed run is repeated.
    pub trace: Option<Vec<String>>,
}

impl Environment {
    pub(super) fn new(mut rng: Rng) -> Self {
        Self {
            adyen: Adyen::new(Rng::new(rng.roll())),
            rng,
            faults: FaultRates::none(),
            stripe: Stripe::default(),
            sandbox: None,
            provider: OpenIdProvider::default(),
            webhooks: Vec::new(),
            unauthenticated: false,
            forged: false,
            twilio: Twilio::default(),
            meta: Meta::default(),
            endpoint: Endpoint::default(),
            oracle: Oracle::default(),
            late: Vec::new(),
            failed_keys: BTreeSet::new(),
            occurrences: BTreeMap::new(),
            uses: Vec::new(),
            port_fault: None,
            outage: None,
            step: 0,
            working_since: 0,
            opt_outs: OptOuts::default(),
            attacker: None,
            repeats: Vec::new(),
            trace: None,
        }
    }

    /// Lets these things go wrong from now on.
    ///
    /// Some processors forget their idempotency keys sooner than a call is repeated. Then no call is on its way for longer.
    pub(super) fn begins(&mut self, faults: FaultRates) {
        let forgets = self.rng.happens(faults.forgets) && self.attacker.is_none();
        self.stripe.key_retention = if forgets { KEYS_FORGOTTEN } else { KEYS_KEPT };
        self.adyen.set_faults(AdyenFaults {
            acquirer_silent: faults.acquirer_silent,
            late_webhooks: faults.late_webhooks,
            webhooks_twice: faults.webhooks_twice,
        });
        self.faults =
            if forgets { FaultRates { acts_late: 0, zombie: 0, ..faults } } else { faults };
    }

    /// Lets nothing go wrong from now on.
    pub(super) fn stops_faults(&mut self) {
        self.faults = FaultRates::none();
        self.adyen.set_faults(AdyenFaults::default());
    }

    /// Records one use of a port, which can fail in these ways. Returns how it fails, if it does.
    pub(super) fn used(&mut self, kinds: &'static [FaultKind]) -> Option<FaultKind> {
        self.uses.push(kinds);
        let at_this_use = self.port_fault.filter(|fault| fault.using == self.uses.len());
        at_this_use.map(|fault| fault.how).filter(|how| kinds.contains(how))
    }

    /// Draws whether something happens, and counts it.
    pub(super) fn happens(&mut self, what: &'static str, per_mille: u64) -> bool {
        let happens = self.rng.happens(per_mille);
        if happens {
            self.count(what);
        }
        happens
    }

    /// Counts that something happened.
    pub(super) fn count(&mut self, what: &'static str) {
        let count = self.occurrences.entry(what).or_default();
        *count = count.saturating_add(1);
    }

    /// Records what happens, while a failed run is repeated.
    pub fn trace(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("  [{}] {}", self.working_since, what()));
        }
    }

    /// Shows the oracle what was committed.
    pub(super) fn committed(&mut self, writes: &[Write], now: Timestamp) {
        let about_requests = |write: &Write| match write {
            Write::Put { item, .. } => item.key.pk.starts_with("REQ#"),
            Write::Delete { key } => key.pk.starts_with("REQ#"),
        };
        let unauthenticated = self.unauthenticated && !writes.is_empty();
        if unauthenticated || (self.forged && writes.iter().any(about_requests)) {
            self.oracle.broken.push("C5: a sender without authority was heard".to_owned());
        }
        self.attacker_reads(writes);
        self.sandbox_wrote(writes, now);
        self.oracle.sees_circuit_breakers(writes, self.step);
        let (stripe, provider, endpoint) = (&self.stripe, &self.provider, &self.endpoint);
        let fakes = FakeStates { stripe, provider, endpoint, now };
        let seen = self.oracle.committed(writes, &fakes);
        for line in seen.lines {
            self.trace(|| line);
        }
        for phone in seen.asked {
            self.sends_to(&phone);
        }
    }

    /// Shows the oracle what the sandbox wrote to its books.
    fn sandbox_wrote(&mut self, writes: &[Write], now: Timestamp) {
        for charge in ChargeRecord::by_sandbox(writes) {
            if self.stripe.charges.iter().all(|known| known.object != charge.object) {
                self.trace(|| format!("the sandbox charges {charge:?}"));
                self.stripe.charges.push(charge.clone());
                self.oracle.charged(&charge, &self.stripe, now);
            }
        }
        for refund in RefundEntry::by_sandbox(writes) {
            if !self.stripe.refunds.contains(&refund) {
                self.trace(|| format!("the sandbox refunds {refund:?}"));
                self.stripe.refunds.push(refund.clone());
                self.oracle.check_refund(&refund, &self.stripe, now);
            }
        }
    }

    /// Checks that no worker calls a processor whose circuit was open when it began.
    pub(super) fn calls(&mut self, request: &Request<Bytes>, now: Timestamp) {
        if self.oracle.is_circuit_open(request, now, self.working_since) {
            self.oracle.broken.push("BREAKER: a call with an account that refuses us".to_owned());
        }
    }

    /// Checks that a phone gets nothing that opted out before this worker began.
    pub(super) fn sends_to(&mut self, phone: &str) {
        if self.opt_outs.is_stopped(phone, self.working_since) {
            self.oracle.broken.push("STOP: a prompt to a customer who opted out".to_owned());
        }
    }

    /// Acts at Stripe: the oracle sees each charge, and each event comes later, twice or never.
    pub(super) fn at_stripe<T>(&mut self, now: Timestamp, act: impl FnOnce(&mut Stripe) -> T) -> T {
        let before = (self.stripe.charges.len(), self.stripe.refunds.len());
        let done = act(&mut self.stripe);
        for charge in self.stripe.charges.iter().skip(before.0) {
            self.oracle.charged(charge, &self.stripe, now);
        }
        for refund in self.stripe.refunds.iter().skip(before.1) {
            self.oracle.check_refund(refund, &self.stripe, now);
        }
        for body in std::mem::take(&mut self.stripe.events) {
            let copies = self.rng.below(3);
            let webhook = ProcessorWebhook { processor: "stripe", body, repeats: false };
            self.webhooks.extend((0..copies).map(|_| webhook.clone()));
        }
        done
    }

    /// Acts at the sandbox's Stripe: the oracle sees each charge.
    pub(super) fn at_sandbox<T>(
        &mut self,
        sandbox: &SandboxStripe,
        now: Timestamp,
        act: impl FnOnce(&SandboxStripe) -> T,
    ) -> T {
        let done = act(sandbox);
        self.sandbox_wrote(&sandbox.new_writes(), now);
        done
    }

    /// Lets happen at Adyen what is due, and puts its webhooks on their way.
    pub(super) fn at_adyen(&mut self, now: Timestamp) {
        let due = self.adyen.due_webhooks(now).into_iter();
        let webhook = |body| ProcessorWebhook { processor: "adyen", body, repeats: true };
        self.webhooks.extend(due.map(webhook));
    }

    /// Carries out a call on the other side.
    pub(super) fn acts(
        &mut self,
        request: &Request<Bytes>,
        now: Timestamp,
    ) -> Result<Answer, HttpError> {
        Ok(match request.uri().host() {
            Some("stripe.test") => match self.sandbox.clone() {
                Some(sandbox) => {
                    return self.at_sandbox(&sandbox, now, |stripe| stripe.take(request.clone()));
                }
                None => self.at_stripe(now, |stripe| stripe.take(request, now)),
            },
            Some(ADYEN_HOST) => self.adyen.take(request, now),
            Some("id.test") => {
                let answer = self.provider.take(request, now);
                let broken = self.provider.broken.drain(..).map(str::to_owned);
                self.oracle.broken.extend(broken);
                for request in std::mem::take(&mut self.provider.exchanges) {
                    let unexplained = self.oracle.customer_approvals.explains_claims(&request);
                    self.oracle.broken.extend(unexplained);
                }
                answer
            }
            Some(whatsapp::HOST) => self.at_meta(request, now),
            Some("twilio.test") => {
                let before = self.twilio.sent.len();
                let answer = self.twilio.take(request);
                let to = self.twilio.sent.get(before).map(|text| text.to.clone());
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
        })
    }

    /// Carries out one call whose answer was lost long ago, if one is due.
    pub(super) fn arrive(&mut self, now: Timestamp) -> bool {
        let Some(place) = self.late.iter().position(|(at, _)| *at <= now) else { return false };
        let (_, request) = self.late.swap_remove(place);
        // The worker that sent it began long ago.
        self.working_since = 0;
        let status = self.acts(&request, now).map(|(status, _)| status);
        self.trace(|| format!("late {} {} -> {status:?}", request.method(), request.uri()));
        true
    }

    /// Stripe reports something about a request, true or not.
    pub(super) fn stripe_reports(&mut self, request: &str) {
        let body = json!({
            "id": "evt_1", "object": "event", "livemode": false, "type": "checkout.session.completed",
            "data": { "object": { "livemode": false, "metadata": { "request_id": request } } },
        });
        self.webhooks.push(ProcessorWebhook { processor: "stripe", body, repeats: false });
    }
}
