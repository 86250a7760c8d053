//! Tells stories verb by verb, so that a fault can come at each use of a port.

use std::time::Duration;

use domain::request::Request;
use domain::values::id::{PromptId, RequestId};

use super::customer::CustomerReply;
use super::faults::FaultRates;
use super::plan::{Failure, Plan};
use super::requester::{claims_ask, save_card_ask};
use super::scenario::STORM;
use super::story::{Ending, Fault, OtherAsk, Racer, ToldStory, Verb};
use super::work::{Work, Worker};
use super::world::Simulation;

/// Tells a story to its end.
///
/// # Errors
/// A [`Failure`].
pub fn run_story(story: &[Verb], fault: Fault) -> Result<ToldStory, Failure> {
    let run = |is_traced: bool| {
        let mut world = quiet_world(is_traced)?;
        match fault {
            Fault::None => {}
            Fault::Crash(turn) => world.dies_at_turn = Some(turn),
            Fault::Port(port_fault) => world.shared.lock().port_fault = Some(port_fault),
        }
        for verb in story {
            world.action(*verb)?;
        }
        world.quiesce()?;
        let uses = std::mem::take(&mut world.shared.lock().uses);
        Ok(ToldStory { ending: world.ending(), turns: world.turns, uses })
    };
    run(false).or_else(|_: Failure| run(true))
}

/// Tells a story under the faults that a seed draws, and returns its end.
///
/// # Errors
/// A [`Failure`].
pub fn run_story_under_faults(story: &[Verb], seed: u64) -> Result<Ending, Failure> {
    let run = |is_traced: bool| {
        let mut world = one_request(seed, None, is_traced)?;
        world.open()?;
        for verb in story {
            world.action(*verb)?;
        }
        world.quiesce()?;
        world.revisit_pages()?;
        Ok(world.ending())
    };
    run(false).or_else(|_: Failure| run(true))
}

/// Lets two verbs race after a story. Returns the end, and the turns of the first and of both.
///
/// The first takes its turns, then the other begins and takes its own. Then the first ends, then the other.
///
/// # Errors
/// A [`Failure`].
pub fn race(
    story: &[Verb],
    first_actor: Racer,
    other_actor: Racer,
) -> Result<(Ending, u64, u64), Failure> {
    let run = |is_traced: bool| {
        let mut world = quiet_world(is_traced)?;
        for verb in story {
            world.action(*verb)?;
        }
        let before = world.turns;
        world.start_verb(first_actor.verb);
        let mut first = world.workers.pop();
        world.run_worker(&mut first, first_actor.turns)?;
        world.start_verb(other_actor.verb);
        let mut other = world.workers.pop();
        world.run_worker(&mut other, other_actor.turns)?;
        world.run_worker(&mut first, TURNS_MAX)?;
        let alone = world.turns.saturating_sub(before);
        world.run_worker(&mut other, TURNS_MAX)?;
        let both = world.turns.saturating_sub(before);
        world.quiesce()?;
        Ok((world.ending(), alone, both))
    };
    run(false).or_else(|_: Failure| run(true))
}

/// More turns than any worker takes.
const TURNS_MAX: u64 = 1_000;

/// A world of one request where nothing goes wrong by itself.
fn quiet_world(is_traced: bool) -> Result<Simulation, Failure> {
    one_request(7, Some(FaultRates::none()), is_traced)
}

fn one_request(
    seed: u64,
    faults: Option<FaultRates>,
    is_traced: bool,
) -> Result<Simulation, Failure> {
    let plan = Plan { seed, steps: 0, faults, requests: 1, own_policy: false, scenario: &STORM };
    let world = Simulation::new(plan).map_err(|error| Failure {
        seed,
        step: 0,
        broken: vec![error.to_string()],
        trace: Vec::new(),
    })?;
    world.shared.lock().trace = is_traced.then(Vec::new);
    Ok(world)
}

/// How often a caller repeats a call that got no answer.
const REPEATS: u32 = 4;
/// How soon something must be due to be waited for: longer than any message is hidden.
const DUE_WITHIN: Duration = Duration::from_secs(200);

impl Simulation {
    /// Does what a verb says, and waits until it is done.
    pub(super) fn action(&mut self, verb: Verb) -> Result<(), Failure> {
        match verb {
            Verb::Ask(..) | Verb::AskFor(..) | Verb::Refund(_) => {
                self.start_verb(verb);
                self.repeats_until_answered()?;
            }
            Verb::AskSlowly(..) => {
                self.start_verb(verb);
                self.runs_slow_call();
            }
            Verb::OpenPage => self.opens_page_until_redirected()?,
            Verb::RunUntilIdle => self.run_until_idle_for(DUE_WITHIN)?,
            Verb::RunUntilRedirected => self.run_until(DUE_WITHIN, Self::is_redirected)?,
            Verb::EndsWithin(seconds) => {
                self.run_until_idle_for(Duration::from_secs(seconds))?;
                if self.newest_request().is_none_or(|request| !request.is_closed()) {
                    let late = format!("SLOW: the request has not ended within {seconds} s");
                    self.shared.lock().oracle.broken.push(late);
                }
            }
            Verb::HandleNext | Verb::HandleAgain | Verb::Wait(_) => {
                self.start_verb(verb);
                self.run_workers()?;
            }
            Verb::Answer(..)
            | Verb::ReturnFromHostedPage
            | Verb::ChooseOtherOption
            | Verb::RepeatReturn
            | Verb::ActOnHostedPage(_)
            | Verb::ReceiveWebhook
            | Verb::CallApi(_)
            | Verb::ReportTextStatus(_)
            | Verb::Stop
            | Verb::WriteOnWhatsapp(_) => {
                self.repeat_until_accepted(&|world| world.start_verb(verb))?;
            }
        }
        self.checked()
    }

    /// Puts a worker on it, which takes no turn yet.
    fn start_verb(&mut self, verb: Verb) {
        match verb {
            Verb::Ask(phone, channels, seconds, amount)
            | Verb::AskSlowly(phone, channels, seconds, amount) => match self.calls.len() {
                0 => self.asks_for(phone, channels, seconds, amount),
                _ => self.call(0),
            },
            Verb::AskFor(what, phone, channels, seconds) => match what {
                OtherAsk::SavedCard => self.asks_with(phone, channels, seconds, &save_card_ask()),
                OtherAsk::Claims => self.asks_with(phone, channels, seconds, &claims_ask()),
                OtherAsk::PaymentBySavedCard(amount) => {
                    self.asks_with_saved_card(channels, seconds, amount);
                }
            },
            Verb::Refund(amount) => {
                if let Some(request) = self.newest_request() {
                    self.refunds_request(request.id, amount);
                }
            }
            Verb::Answer(reply, card) => self.replies_to_newest_prompt(reply, card),
            Verb::OpenPage => self.opens_answered("go=1"),
            Verb::ReturnFromHostedPage => self.opens_answered("done=1"),
            Verb::ChooseOtherOption => {
                if let Some((request, prompt)) = self.answered_prompt() {
                    self.chooses_other_option(request, prompt);
                }
            }
            Verb::RepeatReturn => self.repeats_return(),
            Verb::ActOnHostedPage(action) => {
                if let Some(tab) = self.tabs.last().cloned() {
                    self.acts_at(&tab, action);
                }
            }
            Verb::ReceiveWebhook => self.receives_processor_webhook(),
            Verb::RunUntilIdle | Verb::RunUntilRedirected | Verb::EndsWithin(_) => {}
            Verb::Wait(seconds) => self.clock.pass(Duration::from_secs(seconds)),
            Verb::CallApi(what) => self.calls_api_of_one(what),
            Verb::ReportTextStatus(status) => self.reports_text_status(status),
            Verb::Stop => self.writes_opt_out(PHONE, "STOP"),
            Verb::WriteOnWhatsapp(words) => self.writes_on_whatsapp(PHONE, words),
            Verb::HandleNext => {
                if let Some(due) = self.next_due() {
                    self.clock.pass_until(due);
                }
                self.deliver();
            }
            Verb::HandleAgain => self.duplicate_last(),
        }
    }

    /// The prompt that the newest request's customer said yes to, or was asked by last.
    fn answered_prompt(&self) -> Option<(RequestId, PromptId)> {
        let request = self.newest_request()?;
        let answered = request.approval().map(|(consent, _)| consent.prompt);
        let prompt = answered.or_else(|| request.prompts.last().map(|prompt| prompt.id))?;
        Some((request.id, prompt))
    }

    fn opens_answered(&mut self, query: &'static str) {
        if let Some((request, prompt)) = self.answered_prompt() {
            self.opens(request, prompt, query);
        }
    }

    /// The customer's browser looks until our page leads on: a worker that died is missed first.
    fn opens_page_until_redirected(&mut self) -> Result<(), Failure> {
        let before = self.tabs.len();
        for _ in 0..REPEATS {
            self.repeat_until_accepted(&|world| world.opens_answered("go=1"))?;
            let open = self.newest_request().is_some_and(|request| request.approval().is_some());
            if self.tabs.len() > before || !open {
                break;
            }
            self.run_until(DUE_WITHIN, Self::is_redirected)?;
        }
        Ok(())
    }

    /// One of two takes turns, as many as are left to it.
    fn run_worker(&mut self, hand: &mut Option<Worker>, turns: u64) -> Result<(), Failure> {
        for _ in 0..turns {
            let Some(worker) = hand.take() else { break };
            self.workers.push(worker);
            self.turn();
            *hand = self.workers.pop();
            self.checked()?;
        }
        Ok(())
    }

    fn runs_slow_call(&mut self) {
        while self.next_due().is_none() && !self.workers.is_empty() {
            self.turn();
        }
        let slow = self.workers.pop();
        while let Some(due) = self.next_due().filter(|_| self.turns < 100) {
            if due > self.now().after(Duration::from_secs(12)) {
                break;
            }
            self.clock.pass_until(due);
            self.deliver();
            while !self.workers.is_empty() {
                self.turn();
            }
        }
        self.workers.extend(slow);
        let written = |world: &Self| !world.shared.lock().oracle.requests.is_empty();
        while !written(self) && !self.workers.is_empty() {
            self.turn();
        }
        self.workers.clear();
        for call in &mut self.calls {
            call.gives_up();
        }
    }

    /// The requester's call comes to an end, and is repeated until it is answered.
    fn repeats_until_answered(&mut self) -> Result<(), Failure> {
        self.run_workers()?;
        for _ in 0..REPEATS {
            if !self.repeats_oldest_unanswered() {
                break;
            }
            self.run_workers()?;
        }
        Ok(())
    }

    /// A call is repeated until it is answered.
    fn repeat_until_accepted(&mut self, call: &dyn Fn(&mut Self)) -> Result<(), Failure> {
        for _ in 0..REPEATS {
            self.is_call_answered = false;
            call(self);
            self.run_workers()?;
            if self.is_call_answered {
                break;
            }
        }
        Ok(())
    }

    /// All workers come to an end.
    pub(super) fn run_workers(&mut self) -> Result<(), Failure> {
        while !self.workers.is_empty() {
            self.steps = self.steps.saturating_add(1);
            self.clock.pass(Duration::from_millis(50));
            self.turn();
            self.checked()?;
        }
        Ok(())
    }

    fn run_until_idle_for(&mut self, within: Duration) -> Result<(), Failure> {
        self.run_until(within, |_| false)
    }

    /// Returns whether it is the customer's turn, on a page that is not ours.
    fn is_redirected(&self) -> bool {
        self.newest_request().is_some_and(|request| {
            request.open_attempt().is_some_and(|attempt| attempt.redirect.is_some())
        })
    }

    fn run_until(
        &mut self,
        within: Duration,
        is_enough: impl Fn(&Self) -> bool,
    ) -> Result<(), Failure> {
        let until = self.now().after(within);
        loop {
            self.run_workers()?;
            self.processors_act();
            if is_enough(self) {
                return Ok(());
            }
            if self.deliver() {
                continue;
            }
            // A call that arrives late is due too. It would stay due for ever if nothing carried it out.
            let now = self.now();
            if self.shared.lock().arrive(now) {
                continue;
            }
            match self.next_due().filter(|due| *due <= until) {
                Some(due) => self.clock.pass_until(due),
                None => return Ok(()),
            }
        }
    }

    fn newest_request(&self) -> Option<Request> {
        self.shared.lock().oracle.requests.values().next_back().map(|seen| seen.request.clone())
    }

    fn replies_to_newest_prompt(&mut self, reply: CustomerReply, card: &str) {
        let Some(request) = self.newest_request() else { return };
        let newest = request.prompts.iter().rev().find(|prompt| prompt.in_force());
        if let Some(prompt) = newest.cloned() {
            self.answers_with(&request, &prompt, reply, card);
        }
    }

    fn reports_text_status(&mut self, status: &str) {
        let text = self.shared.lock().twilio.sent.last().cloned();
        if let Some(text) = text {
            let form = [("MessageStatus", status), ("MessageSid", "SM1")];
            self.posts_twilio_callback(&text.callback, &form, Work::Other("receipt"));
        }
    }

    fn ending(&self) -> Ending {
        let environment = self.shared.lock();
        let Some(seen) = environment.oracle.requests.values().next_back() else {
            let state = "none".to_owned();
            return Ending { state, charges: 0, refunds: 0, webhooks: Vec::new() };
        };
        let id = seen.request.id.to_string();
        let outcome = domain::view::request(&seen.request, seen.version);
        let reason = outcome.pointer("/outcome/reason").map(ToString::to_string);
        let kinds = seen.webhooks.values().map(|webhook| webhook.kind.as_str().to_owned());
        let about_prompts =
            ["request.prompted", "request.delivered", "request.read", "request.opened"];
        Ending {
            state: format!("{} {}", seen.request.state_name(), reason.unwrap_or_default()),
            charges: environment.stripe.charges_of(&id)
                + environment.stripe.saved_cards_of(&id)
                + environment.provider.exchanged(&id),
            refunds: environment.stripe.refunds_of(&id, self.now()),
            webhooks: kinds.filter(|kind| !about_prompts.contains(&kind.as_str())).collect(),
        }
    }
}

/// A card that is good.
pub const VISA: &str = "pm_card_visa";
/// A phone that everything reaches.
pub const PHONE: &str = "+15551230001";
