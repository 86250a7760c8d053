//! AI agents that call the tools in any order: confused, hostile, above their ceilings, with repeated and stolen ids.
//!
//! They share few sessions and phones, so that their asks meet each other's denials. The oracle checks C7 at each new
//! request. Each answer is checked here: it shows only the agent's own requests, and one call id is one request.

use std::sync::{Arc, LazyLock};

use agents::asking::Asking;
use agents::mcp::tools::{self, ToolCall};
use bytes::Bytes;
use domain::api_key::KeySettings;
use domain::digest::digest_hex;
use domain::outcome::Outcome;
use domain::problem::Problem;
use domain::request::Request;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use http::{HeaderMap, HeaderValue, Response, header};
use serde_json::{Map, Value, json};

use super::requester::{KEYS_KNOWN, REACHED};
use super::scenario::Choice;
use super::work::{Work, WorkFuture, WorkResult};
use super::world::Simulation;
use crate::providers::shows_a_secret;

/// The asks of agents in one run, at most.
const ASKS_MAX: usize = 8;
/// The sessions that agents talk in.
const SESSIONS: [&str; 2] = ["agents-1", "agents-2"];

/// The name under which a report counts the calls of tools.
pub const CALLED_TOOL: &str = "an agent called a tool";

/// A call of a tool that asks.
pub(super) struct AgentCall {
    agent: usize,
    tool: &'static str,
    arguments: Value,
    /// How often it was made.
    times: u32,
    /// Until when its id is known. A later repeat is another ask.
    known_until: Timestamp,
    made: Option<RequestId>,
}

/// A call of an agent that a worker has in hand.
#[derive(Clone, Debug)]
pub(super) struct AgentWork {
    agent: usize,
    name: &'static str,
    /// The place of the ask among the agents' calls; `None` for other tools.
    place: Option<usize>,
    /// The session and the phone in which the customer had denied before, where the ask does not name that.
    denied: bool,
    since: Timestamp,
}

/// What agents do.
pub(super) const AGENT: &[Choice] = &[
    (8, "an agent asks", Simulation::agent_asks),
    (3, "an agent repeats a call id", Simulation::agent_repeats),
    (2, "an agent reuses a call id", Simulation::agent_reuses),
    (3, "an agent asks again after a denial", Simulation::agent_asks_again),
    (5, "an agent acts on its request", Simulation::agent_acts),
    (4, "an agent acts on a stolen id", Simulation::agent_steals),
    (2, "an agent is confused", Simulation::agent_is_confused),
];

/// Returns the settings of the agents' keys, as the brand's secret has them.
pub(super) fn settings() -> [Value; 2] {
    let digest = |agent| digest_hex(key(agent).as_bytes());
    [
        json!({
            "id": "key_agent0", "kind": "ai_agent", "mode": "test", "sha256": digest(0),
            "may": ["request", "read", "capability"], "amount_max": { "EUR": 4204 },
            "amount_per_day": { "EUR": 12_000 }, "asks_per_hour": 4,
        }),
        json!({
            "id": "key_agent1", "kind": "ai_agent", "mode": "test", "sha256": digest(1),
            "may": ["request", "read"], "asks": ["payment", "payment_method"],
            "channels": ["rcs", "whatsapp"], "amount_max": { "EUR": 4206 }, "asks_per_hour": 2,
            // The endpoint shows a model its own requests, even where the settings show more.
            "sessions": "all",
        }),
    ]
}

/// The keys as the machine reads them.
static KEYS: LazyLock<Vec<KeySettings>> = LazyLock::new(|| {
    settings().into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect()
});

/// Returns the settings of an agent's key; `None` for a key of another kind.
pub(super) fn key_of(request: &Request) -> Option<&'static KeySettings> {
    let made_by = request.key.as_ref()?;
    KEYS.iter().find(|key| key.id() == made_by.id)
}

/// Returns the text of an agent's key. It is never rotated.
fn key(agent: usize) -> String {
    let digest = digest_hex(format!("agent {agent}").as_bytes());
    let (half, _) = digest.split_at(32);
    format!("rk_test_shop_{half}")
}

impl Simulation {
    /// An agent acts.
    pub(super) fn is_agent(&mut self) {
        self.choose(AGENT);
    }

    /// Asks for something, above the ceilings about half of the time.
    fn agent_asks(&mut self) {
        self.agent_asks_with(None);
    }

    /// Asks again where a customer denied, and names a request: the denied one, or some other.
    fn agent_asks_again(&mut self) {
        let named = {
            let environment = &mut *self.shared.lock();
            let all = environment.oracle.requests.values().map(|seen| &seen.request);
            let ended: Vec<RequestId> =
                all.filter(|request| request.is_closed()).map(|request| request.id).collect();
            environment.rng.pick(&ended).copied()
        };
        self.agent_asks_with(named);
    }

    fn agent_asks_with(&mut self, retry_of: Option<RequestId>) {
        let place = self.agent_calls.len();
        if place >= ASKS_MAX {
            return self.agent_repeats();
        }
        let (agent, phone, session) = {
            let environment = &mut *self.shared.lock();
            let phone = environment.rng.pick(&REACHED).copied().unwrap_or_default();
            let session = environment.rng.pick(&SESSIONS).copied().unwrap_or_default();
            (environment.rng.place(KEYS.len()), phone, session)
        };
        let mut arguments = json!({
            "phone": phone, "session_id": session, "call_id": format!("agent-{place}"),
            // It names the call, by which the oracle counts requests.
            "description": format!("Agent call {place}"), "expires_in": 700,
        });
        let tool = match self.roll(4) {
            0 => "request_card",
            1 => "request_claims",
            _ => "request_payment",
        };
        let amount = self.roll(8).saturating_add(4200);
        if let Some(fields) = arguments.as_object_mut() {
            match tool {
                "request_payment" => {
                    fields.insert("amount".to_owned(), json!(amount));
                    fields.insert("currency".to_owned(), json!("EUR"));
                }
                "request_claims" => {
                    fields.insert("claims".to_owned(), json!(["name", "email"]));
                }
                _ => {}
            }
            if let Some(retry_of) = retry_of {
                fields.insert("retry_of".to_owned(), json!(retry_of));
            }
        }
        let (known_until, times, made) = (self.now().after(KEYS_KNOWN), 0, None);
        self.agent_calls.push(AgentCall { agent, tool, arguments, times, known_until, made });
        self.agent_call(place);
    }

    /// Makes a call with a known id once more, perhaps while the first one is under way.
    fn agent_repeats(&mut self) {
        let place = self.shared.lock().rng.place(self.agent_calls.len());
        self.agent_call(place);
    }

    fn agent_call(&mut self, place: usize) {
        let now = self.now();
        let Some(call) = self.agent_calls.get_mut(place) else { return };
        if now >= call.known_until {
            return;
        }
        call.times = call.times.saturating_add(1);
        let (agent, name, arguments) = (call.agent, call.tool, call.arguments.clone());
        // What an earlier worker of this call may have asked does not count against this one.
        let is_first = call.times == 1 && arguments.get("retry_of").is_none();
        let denied = is_first && self.is_denied(&arguments);
        let place = Some(place);
        let since = self.now();
        self.agent_calls_tool(AgentWork { agent, name, place, denied, since }, &arguments);
    }

    /// Returns whether the customer denied in the session of these arguments.
    fn is_denied(&self, arguments: &Value) -> bool {
        let text = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
        let environment = self.shared.lock();
        // What is forgotten of a customer is no denial any more.
        if environment.oracle.records.unwanted.contains(text("phone")) {
            return false;
        }
        let mut all = environment.oracle.requests.values().map(|seen| &seen.request);
        all.any(|request| {
            request.session.id == text("session_id")
                && request.customer.phone.as_str() == text("phone")
                && matches!(request.outcome(), Some(Outcome::Denied { .. }))
        })
    }

    /// Names a used id for another ask, which must be refused.
    fn agent_reuses(&mut self) {
        let place = self.shared.lock().rng.place(self.agent_calls.len());
        let Some(call) = self.agent_calls.get(place) else { return };
        let (agent, name, mut arguments) = (call.agent, call.tool, call.arguments.clone());
        if call.made.is_none() || self.now() >= call.known_until {
            return;
        }
        if let Some(fields) = arguments.as_object_mut() {
            fields.insert("description".to_owned(), json!("Another ask"));
        }
        let (place, since) = (Some(place), self.now());
        let work = AgentWork { agent, name, place, denied: false, since };
        self.agent_calls_tool(work, &arguments);
    }

    fn agent_acts(&mut self) {
        let place = self.shared.lock().rng.place(self.agent_calls.len());
        let Some(call) = self.agent_calls.get(place) else { return };
        let Some(id) = call.made else { return };
        let agent = call.agent;
        self.agent_acts_on(agent, id);
    }

    /// Names some request, most often one of another key.
    fn agent_steals(&mut self) {
        let agent = self.shared.lock().rng.place(KEYS.len());
        let id = {
            let environment = &mut *self.shared.lock();
            let ids: Vec<RequestId> = environment.oracle.requests.keys().copied().collect();
            environment.rng.pick(&ids).copied()
        };
        if let Some(id) = id {
            self.agent_acts_on(agent, id);
        }
    }

    fn agent_acts_on(&mut self, agent: usize, id: RequestId) {
        let (name, more) = match self.roll(8) {
            0 => ("cancel_request", Value::Null),
            1 => ("resend_request", Value::Null),
            2 | 3 => ("read_request", Value::Null),
            _ => ("wait_for_outcome", json!(2)),
        };
        let mut arguments = json!({ "request_id": id });
        if let Some(fields) = arguments.as_object_mut().filter(|_| !more.is_null()) {
            fields.insert("max_seconds".to_owned(), more);
        }
        let work = AgentWork { agent, name, place: None, denied: false, since: self.now() };
        self.agent_calls_tool(work, &arguments);
    }

    /// Calls tools with what no schema allows.
    fn agent_is_confused(&mut self) {
        let agent = self.shared.lock().rng.place(KEYS.len());
        let (name, arguments) = match self.roll(5) {
            0 => ("request_payment", json!({})),
            1 => ("request_payment", json!({ "phone": 7, "amount": "much", "call_id": "x" })),
            2 => ("wait_for_outcome", json!({ "request_id": "req_", "max_seconds": 900 })),
            3 => ("refund", json!({ "request_id": "all" })),
            _ => ("check_reach", json!({ "phone": "+15551230001" })),
        };
        let work = AgentWork { agent, name, place: None, denied: false, since: self.now() };
        self.agent_calls_tool(work, &arguments);
    }

    fn agent_calls_tool(&mut self, work: AgentWork, arguments: &Value) {
        let AgentWork { agent, name, .. } = work;
        self.trace(|| format!("agent {agent} calls {name} {arguments}"));
        self.shared.lock().reached(CALLED_TOOL);
        let mut headers = HeaderMap::new();
        if let Ok(bearer) = HeaderValue::from_str(&format!("Bearer {}", key(agent))) {
            headers.insert(header::AUTHORIZATION, bearer);
        }
        let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap_or_default();
        let machine = Arc::clone(&self.machine);
        let running: WorkFuture = Box::pin(async move {
            let asking = match Asking::authenticate(&machine.intake, &headers).await {
                Ok(asking) => asking.own_requests_only(),
                Err(problem) => return WorkResult::Answered(Err(problem)),
            };
            let call = ToolCall { name, arguments: &arguments, call_id: None };
            let answered = tools::call(&asking, call).await;
            let answered = answered.map(|answered| answered.result()).unwrap_or_default();
            WorkResult::Answered(Ok(Response::new(Bytes::from(answered.to_string()))))
        });
        self.employ(Work::Agent(work), running);
    }

    /// Checks an answer to an agent.
    pub(super) fn agent_answered(
        &mut self,
        work: &AgentWork,
        answer: &Result<Response<Bytes>, Problem>,
    ) {
        let Ok(answer) = answer else { return };
        let answer: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        self.trace(|| format!("agent {} is answered {answer}", work.agent));
        let mut broken = Vec::new();
        let text = answer.to_string();
        let is_leak = shows_a_secret(&text) || text.contains("/c/");
        if is_leak || REACHED.iter().any(|phone| text.contains(phone)) {
            broken.push("C7: a model reads a secret, a link or a number".to_owned());
        }
        let id = answer.pointer("/structuredContent/request_id").and_then(Value::as_str);
        if let Some(id) = id.and_then(|id| id.parse::<RequestId>().ok()) {
            broken.extend(self.wrongly_shown(work, id));
        }
        self.shared.lock().oracle.broken.extend(broken);
    }

    /// Returns what an answer that shows this request breaks.
    fn wrongly_shown(&mut self, work: &AgentWork, id: RequestId) -> Option<String> {
        let request = {
            let environment = self.shared.lock();
            environment.oracle.requests.get(&id).map(|seen| seen.request.clone())
        };
        let Some(request) = request else { return Some(format!("C7: {id} is shown and unknown")) };
        let own = KEYS.get(work.agent).map(KeySettings::id);
        if request.key.as_ref().map(|key| &key.id) != own.as_ref() {
            return Some(format!("C7: {} shows a request of another key: {id}", work.name));
        }
        let call = work.place.and_then(|place| self.agent_calls.get_mut(place))?;
        let before = call.made.replace(id);
        if before.is_some_and(|before| before != id) {
            return Some(format!("ONCE: a call id of an agent made a second request: {id}"));
        }
        let is_new = before.is_none() && request.created_at >= work.since;
        (work.denied && is_new).then(|| format!("C7: a model asked again after a denial: {id}"))
    }
}
