//! A caller on the line of a world, who hears sentences, presses keys and answers on a phone.

use std::collections::VecDeque;
use std::sync::Arc;

use agents::Agents;
use ports::{Invocation, Invocations};
use serde_json::{Value, json};
use tests::connect_flow::{Action, InvocationFault, Line};
use tests::rng::Rng;
use tests::world::World;
use tests::world::brand::TEST_KEY;

/// The instance that the demo brand's key lists.
pub(super) const INSTANCE: &str =
    "arn:aws:connect:eu-west-1:123456789012:instance/0c3e1f6a-6a1b-4d2f-9d1e-1f2a3b4c5d6e";
/// How often Connect invokes a function that fails.
const INVOCATIONS_MAX: u32 = 4;

/// Returns a world whose instance acts as a key with these settings too.
pub(super) fn world_with(settings: &Value) -> World {
    let digest = domain::digest::digest_hex(TEST_KEY.as_bytes());
    let mut key = json!({
        "id": "key_ivr", "kind": "ivr", "mode": "test", "may": ["request", "read"], "sessions": "own",
        "callers": [INSTANCE],
    });
    for (name, value) in settings.as_object().unwrap() {
        key[name] = value.clone();
    }
    let usual = json!({ "mode": "test", "sha256": digest });
    World::builder().with("/keys", &json!([usual, key])).build()
}

/// Returns the surfaces of a world, for the demo brand's instance.
pub(super) fn agents(world: &World) -> Arc<Agents> {
    let callers = format!("demo={INSTANCE}").parse().unwrap();
    Arc::new(Agents { intake: Arc::clone(&world.machine.intake), callers })
}

/// Invokes the function once, and lets happen what follows.
pub(super) fn invoke(world: &World, agents: &Agents, event: &Value) -> Result<Value, String> {
    let (answer, _) = invoke_timed(world, agents, event);
    answer
}

/// Invokes the function once, and lets happen what follows. Returns the answer and the milliseconds that the function took.
fn invoke_timed(world: &World, agents: &Agents, event: &Value) -> (Result<Value, String>, u128) {
    let invocation = Invocation {
        event: event.clone(),
        id: "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned(),
        function_arn: "arn:aws:lambda:eu-west-1:123456789012:function:agents".to_owned(),
    };
    let begun = world.now();
    let answer = world.run(agents.invoke(invocation)).map_err(|error| error.to_string());
    let took = begun.until(world.now()).as_millis();
    world.run_until_idle();
    (answer, took)
}

/// The answer of the caller on the phone, once the code was spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Approves,
    ApprovesOnHostedPage,
    Denies,
    ReportsNotMe,
    PicksAnotherCode,
    Nothing,
}

/// The rates of failures, in a thousand.
#[derive(Clone, Copy, Default)]
pub(super) struct Rates {
    /// An invocation is throttled, fails, or its answer is lost.
    pub(super) invocation: u64,
    /// An action of Connect itself fails.
    pub(super) action: u64,
}

/// The line of one call.
pub(super) struct Call<'a> {
    pub(super) world: &'a World,
    pub(super) agents: Arc<Agents>,
    pub(super) phone: String,
    pub(super) heard: Vec<String>,
    /// What the caller does, and how many waits it takes them.
    pub(super) reply: (u64, Reply),
    pub(super) keys: VecDeque<Option<char>>,
    pub(super) rates: Rates,
    pub(super) rng: Rng,
    /// Invocations that Connect gave up, and that run later.
    pub(super) late: Vec<Value>,
    /// The steps that fail once, by `op`.
    pub(super) failing: VecDeque<&'static str>,
    /// The actions of Connect that fail once, by name.
    pub(super) failing_actions: Vec<&'static str>,
}

impl<'a> Call<'a> {
    pub(super) fn new(world: &'a World, phone: &str, reply: Reply) -> Self {
        Self {
            world,
            agents: agents(world),
            phone: phone.to_owned(),
            heard: Vec::new(),
            reply: (1, reply),
            keys: VecDeque::new(),
            rates: Rates::default(),
            rng: Rng::new(1),
            late: Vec::new(),
            failing: VecDeque::new(),
            failing_actions: Vec::new(),
        }
    }

    /// Returns the code that was spoken last: two digits apart.
    pub(super) fn spoken_code(&self) -> Option<String> {
        let code = |text: &String| {
            let (_, rest) = text.split_once("number ")?;
            let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
            Some(digits).filter(|digits| digits.len() == 2)
        };
        self.heard.iter().rev().find_map(code)
    }

    /// Does on the phone what the caller does, once the code was spoken.
    fn replies(&mut self) {
        let (waits, reply) = self.reply;
        let Some(code) = self.spoken_code() else { return };
        if waits > 0 {
            self.reply.0 = waits - 1;
            return;
        }
        let customer = self.world.customer_at(&self.phone);
        let Some(message) = customer.messages().into_iter().next() else { return };
        self.reply.1 = Reply::Nothing;
        let other = if code == "11" { "12" } else { "11" };
        let choices = message.shown["codes"].as_array().cloned().unwrap_or_default();
        let wrong = choices.into_iter().find(|choice| *choice != json!(code));
        let body = match reply {
            Reply::Approves => json!({ "action": "approve", "session_code": code }),
            Reply::Denies => json!({ "action": "deny" }),
            Reply::ReportsNotMe => json!({ "action": "not_me" }),
            Reply::PicksAnotherCode => {
                json!({ "action": "approve", "session_code": wrong.unwrap_or(json!(other)) })
            }
            Reply::ApprovesOnHostedPage => {
                let fields = [("action", "approve_hosted"), ("session_code", code.as_str())];
                customer.answers_on(&message.page, &fields);
                return;
            }
            Reply::Nothing => return,
        };
        customer.taps(&message, &body);
        self.world.run_until_idle();
    }

    /// Runs what Connect gave up.
    pub(super) fn runs_late_invocations(&mut self) {
        for event in std::mem::take(&mut self.late) {
            drop(invoke(self.world, &self.agents, &event));
        }
    }
}

impl Line for Call<'_> {
    fn invoke(&mut self, event: Value, seconds: u64) -> Result<Value, InvocationFault> {
        if self.rng.happens(300) {
            self.runs_late_invocations();
        }
        let operation = event["Details"]["Parameters"]["op"].as_str().unwrap_or_default();
        if operation == "wait" {
            self.replies();
        }
        if self.failing.front() == Some(&operation) {
            self.failing.pop_front();
            return Err(InvocationFault);
        }
        let (mut spent, limit) = (0, u128::from(seconds) * 1_000);
        for _ in 0..INVOCATIONS_MAX {
            if self.rng.happens(self.rates.invocation) {
                match self.rng.below(5) {
                    // Throttled: it did not run.
                    0 => continue,
                    // It ran, and the answer was lost.
                    1 => {
                        spent += invoke_timed(self.world, &self.agents, &event).1;
                        continue;
                    }
                    // It ran twice, at once.
                    2 => drop(invoke(self.world, &self.agents, &event)),
                    // It ran, and too long.
                    3 => {
                        drop(invoke(self.world, &self.agents, &event));
                        return Err(InvocationFault);
                    }
                    // It runs when the flow has gone on.
                    _ => {
                        self.late.push(event);
                        return Err(InvocationFault);
                    }
                }
            }
            let (answer, took) = invoke_timed(self.world, &self.agents, &event);
            assert!(took < limit, "{operation} took {took} ms, as long as its limit");
            // The limit is that of all repeats together.
            spent += took;
            if spent >= limit {
                return Err(InvocationFault);
            }
            if let Ok(answer) = answer {
                return Ok(answer);
            }
        }
        Err(InvocationFault)
    }

    fn hears(&mut self, text: &str) {
        assert!(!text.contains(self.phone.trim_start_matches('+')), "{text}");
        self.heard.push(text.to_owned());
        self.world.time_passes(3);
    }

    fn presses(&mut self, seconds: u64) -> Option<char> {
        let key = self.keys.pop_front().flatten();
        self.world.time_passes(if key.is_some() { 1 } else { seconds });
        key
    }

    fn fails(&mut self, action: &Action) -> bool {
        let mut failing = self.failing_actions.iter();
        if let Some(place) = failing.position(|name| *name == action.identifier) {
            self.failing_actions.remove(place);
            return true;
        }
        self.rng.happens(self.rates.action)
    }

    fn resets_loops(&mut self) -> bool {
        self.rng.happens(500)
    }
}
