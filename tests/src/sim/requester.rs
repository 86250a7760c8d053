//! Actions of requesters: create, repeat, cancel, resend, extend, read and refund.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::problem::Problem;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use http::{HeaderMap, HeaderValue, Response, header};
use serde_json::{Value, json};

use super::work::{Work, WorkFuture, WorkResult};
use super::world::Simulation;
use crate::rng::Weights;

/// A requester's call that creates or refunds. It is repeated with the same key and body until it is answered.
pub(super) struct Call {
    key: String,
    body: Value,
    /// Until when its key is known. A later repeat is another call.
    known_until: Timestamp,
    /// Whose money goes back, where it does.
    of: Option<RequestId>,
    under_way: bool,
    answered: bool,
    /// A requester that gives up when it got no answer.
    gives_up: bool,
    made: Option<NamedByAnswer>,
}

/// The ids in an answer: a request, or a refund of one by the call's key.
type NamedByAnswer = (Option<RequestId>, Option<u64>);

/// Phones that every channel reaches, and phones that the sandbox or Twilio does not reach.
pub(super) const PHONES: [&str; 7] = [
    "+15551230001",
    "+15551230002",
    "+525512345678",
    "+5511987654321",
    "+15551239001",
    "+15551239002",
    "+15551239004",
];
/// The phones that every channel reaches. WhatsApp knows two of them under other ids.
pub(super) const REACHED: [&str; 4] =
    ["+15551230001", "+15551230002", "+525512345678", "+5511987654321"];

/// The channels that a request names, each list with its weight.
const CHANNELS: &Weights<&[&str]> = &[
    (1, &["rcs"]),
    (1, &["sms"]),
    (1, &["sms", "rcs"]),
    (1, &["rcs", "sms"]),
    (3, &["whatsapp"]),
    (1, &["whatsapp", "sms"]),
    (1, &["rcs", "whatsapp"]),
    (1, &["whatsapp", "rcs", "sms"]),
];

/// The kind of an ask.
#[derive(Clone, Copy, Debug, Default)]
enum AskKind {
    Card,
    Claims,
    PaymentBySavedCard,
    #[default]
    Payment,
}

const ASKS: &Weights<AskKind> = &[
    (3, AskKind::Card),
    (4, AskKind::Claims),
    (5, AskKind::PaymentBySavedCard),
    (3, AskKind::Payment),
];

/// Shorter than a day, for which keys are known, by what a call takes.
pub(super) const KEYS_KNOWN: Duration = Duration::from_secs(86_400 - 60);

/// An ask for a payment.
pub(super) fn payment(amount: u64) -> Value {
    json!({ "kind": "payment", "amount": amount, "currency": "EUR", "description": "Invoice" })
}

pub(super) fn save_card_ask() -> Value {
    json!({ "kind": "payment_method", "description": "Your visits" })
}

pub(super) fn claims_ask() -> Value {
    json!({ "kind": "identity", "claims": ["name", "email"], "description": "Your account" })
}

impl Call {
    fn names(&self, answer_json: &Value) -> NamedByAnswer {
        let request = answer_json.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let refunds = answer_json.get("refunds").and_then(Value::as_array).into_iter().flatten();
        let ours =
            |refund: &&Value| refund.get("reason").and_then(Value::as_str) == Some(&self.key);
        let seq = refunds.rev().find(ours).and_then(|refund| refund.get("seq")?.as_u64());
        // An answer that shows no refund of this call names nothing.
        (request.filter(|_| self.of.is_none() || seq.is_some()), seq)
    }

    /// The requester waits for no answer any more.
    pub(super) const fn gives_up(&mut self) {
        self.answered = true;
    }
}

impl Simulation {
    pub(super) fn headers(&self, key: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let bearer = format!("Bearer {}", self.credentials.api_key());
        let pairs =
            [(header::AUTHORIZATION.as_str(), Some(bearer.as_str())), ("idempotency-key", key)];
        for (name, value) in pairs {
            if let Some(Ok(value)) = value.map(HeaderValue::from_str)
                && let Ok(name) = header::HeaderName::from_bytes(name.as_bytes())
            {
                headers.insert(name, value);
            }
        }
        headers
    }

    /// Makes a new request, or repeats a call where there are enough.
    pub(super) fn asks_if_allowed(&mut self) {
        let made = u64::try_from(self.calls.len()).unwrap_or(u64::MAX);
        if made < self.plan.requests { self.asks() } else { self.repeats_any_call() }
    }

    /// Repeats a call that got no answer.
    pub(super) fn repeats_unanswered_call(&mut self) {
        self.repeats_oldest_unanswered();
    }

    pub(super) fn asks(&mut self) {
        let amount = self.roll(8).saturating_add(4200);
        let expires =
            *self.shared.lock().rng.pick(&[5, 60, 300, 700, 700, 3000, 3000]).unwrap_or(&60);
        let channels: &[&str] = self.weighted(CHANNELS);
        let phone = self.shared.lock().rng.pick(&PHONES).copied().unwrap_or_default();
        match self.weighted(ASKS) {
            AskKind::Card => self.asks_with(phone, channels, expires, &save_card_ask()),
            AskKind::Claims => self.asks_with(phone, channels, expires, &claims_ask()),
            AskKind::PaymentBySavedCard => self.asks_with_saved_card(channels, expires, amount),
            AskKind::Payment => self.asks_for(phone, channels, expires, amount),
        }
    }

    /// A payment by a card that is on file, if there is one: nearly always by whom it is.
    pub(super) fn asks_with_saved_card(&mut self, channels: &[&str], seconds: u64, amount: u64) {
        let somebody_else = self.plan.requests > 1 && self.roll(5) == 0;
        let (phone, card) = {
            let environment = &mut *self.shared.lock();
            let cards = environment.oracle.cards();
            let Some((owner, card)) = environment.rng.pick(&cards) else { return };
            (owner.customer.phone.as_str().to_owned(), *card)
        };
        let other = PHONES.iter().find(|other| **other != phone).filter(|_| somebody_else);
        let phone = other.map_or(phone, |other| (*other).to_owned());
        let mut ask = payment(amount);
        if let Some(ask) = ask.as_object_mut() {
            ask.insert("payment_method".to_owned(), json!(card));
        }
        self.asks_with(&phone, channels, seconds, &ask);
    }

    pub(super) fn asks_for(&mut self, phone: &str, channels: &[&str], seconds: u64, amount: u64) {
        self.asks_with(phone, channels, seconds, &payment(amount));
    }

    pub(super) fn asks_with(&mut self, phone: &str, channels: &[&str], seconds: u64, ask: &Value) {
        let place = self.calls.len();
        let mut body = json!({
            "customer": { "phone": phone },
            "session": { "kind": "voice", "id": format!("call-{place}") },
            "ask": ask,
            "channels": channels,
            "expires_in": seconds,
            "allow_duplicate": true,
        });
        let patience = self.plan.requests > 1 && self.roll(3) == 0;
        let patience = patience.then(|| self.roll(296).saturating_add(5));
        if let Some((seconds, body)) = patience.zip(body.as_object_mut()) {
            body.insert("fallback_seconds".to_owned(), json!(seconds));
        }
        self.calls_once(format!("key-{place}"), None, body);
    }

    /// Returns the key and the body of a call that made a request, while its key is known.
    pub(super) fn answered_call(&self) -> Option<(String, Value)> {
        let now = self.now();
        let made = |call: &&Call| {
            let is_made = call.made.is_some_and(|(request, _)| request.is_some());
            is_made && call.of.is_none() && now < call.known_until
        };
        let calls: Vec<&Call> = self.calls.iter().filter(made).collect();
        let picked = self.shared.lock().rng.pick(&calls).copied();
        picked.map(|call| (call.key.clone(), call.body.clone()))
    }

    fn calls_once(&mut self, key: String, of: Option<RequestId>, body: Value) {
        let place = self.calls.len();
        let gives_up = self.plan.requests > 1 && self.roll(5) == 0;
        let known_until = self.now().after(KEYS_KNOWN);
        let made = None;
        let (under_way, answered) = (false, false);
        let call = Call { key, body, known_until, of, under_way, answered, gives_up, made };
        self.calls.push(call);
        self.call(place);
    }

    /// Some of the money of a request that was paid goes back, or more than there is.
    pub(super) fn refunds_some_request(&mut self) {
        let amounts = [None, Some(1), Some(500), Some(1206), Some(1007), Some(2100), Some(5000)];
        let picked = {
            let environment = &mut *self.shared.lock();
            let all = environment.oracle.requests.values().map(|seen| &seen.request);
            let paid: Vec<RequestId> = all
                .filter(|request| request.charge().is_some())
                .map(|request| request.id)
                .collect();
            let amount = environment.rng.pick(&amounts).copied().unwrap_or_default();
            environment.rng.pick(&paid).map(|request| (*request, amount))
        };
        if let Some((request, amount)) = picked {
            self.refunds_request(request, amount);
        }
    }

    pub(super) fn refunds_request(&mut self, request: RequestId, amount: Option<u64>) {
        let key = format!("back-{}", self.calls.len());
        let mut body = json!({ "reason": key });
        if let (Some(body), Some(amount)) = (body.as_object_mut(), amount) {
            body.insert("amount".to_owned(), json!(amount));
        }
        self.calls_once(key, Some(request), body);
    }

    pub(super) fn call(&mut self, place: usize) {
        let now = self.now();
        let Some(call) = self.calls.get_mut(place) else { return };
        if now >= call.known_until {
            call.gives_up();
            return;
        }
        call.under_way = true;
        let body = call.body.to_string();
        let (key, of) = (call.key.clone(), call.of);
        let headers = self.headers(Some(&key));
        self.trace(|| format!("calls {key} {of:?} {body}"));
        let machine = Arc::clone(&self.machine);
        let running: WorkFuture = Box::pin(async move {
            let (intake, body) = (&machine.intake, body.as_bytes());
            WorkResult::Answered(match of {
                Some(request) => intake.refund(&headers, &request.to_string(), body).await,
                None => intake.create(&headers, body).await,
            })
        });
        self.employ(Work::Create(place), running);
    }

    /// A call that got no answer is made again.
    pub(super) fn repeats_oldest_unanswered(&mut self) -> bool {
        let waits = |call: &Call| !call.answered && !call.under_way;
        let Some(place) = self.calls.iter().position(waits) else { return false };
        self.call(place);
        true
    }

    /// A call is made twice at once.
    pub(super) fn repeats_any_call(&mut self) {
        let place = {
            let mut environment = self.shared.lock();
            environment.rng.place(self.calls.len())
        };
        if place < self.calls.len() {
            self.call(place);
        }
    }

    pub(super) fn unanswered(&mut self, place: usize) {
        if let Some(call) = self.calls.get_mut(place) {
            call.under_way = false;
            call.answered |= call.gives_up;
        }
    }

    pub(super) fn answered(&mut self, place: usize, answer: &Result<Response<Bytes>, Problem>) {
        self.trace(|| match answer {
            Ok(answer) => format!("asked: {} {:?}", answer.status(), answer.body()),
            Err(problem) => format!("asked: {problem:?}"),
        });
        let Some(call) = self.calls.get_mut(place) else { return };
        call.under_way = false;
        match answer {
            Ok(answer) => {
                call.answered = true;
                let answer_json: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
                let made = call.names(&answer_json);
                let other = call.made.replace(made).is_some_and(|before| before != made);
                let mut environment = self.shared.lock();
                let known = made
                    .0
                    .is_some_and(|request| environment.oracle.requests.contains_key(&request));
                // An erased request names no call any more.
                let of = call.of.and_then(|id| environment.oracle.requests.get(&id));
                let is_erased = of.is_some_and(|seen| seen.request.erased_at.is_some());
                if (other || !known) && !is_erased {
                    environment.oracle.broken.push(format!("ONCE: the answer names {made:?}"));
                }
            }
            Err(problem) if problem.code.facts().1 >= 500 => {
                call.answered |= call.gives_up;
            }
            Err(_) => call.answered = true,
        }
    }

    /// A requester has a customer erased.
    pub(super) fn erases_customer(&mut self) {
        let phone = {
            let environment = &mut *self.shared.lock();
            let phone = environment.rng.pick(&PHONES).copied().unwrap_or_default();
            environment.opt_outs.erasure_begins(phone);
            environment.oracle.records.unwanted.insert(phone.to_owned());
            phone
        };
        self.trace(|| format!("erases {phone}"));
        let (headers, machine) = (self.headers(None), Arc::clone(&self.machine));
        let running: WorkFuture = Box::pin(async move {
            WorkResult::Answered(machine.intake.erase_customer(&headers, phone).await)
        });
        self.employ(Work::Other("erases"), running);
    }

    pub(super) fn calls_api_of_one(&mut self, what: &'static str) {
        let ids: Vec<RequestId> = self.shared.lock().oracle.requests.keys().copied().collect();
        let Some(id) = self.shared.lock().rng.pick(&ids).map(ToString::to_string) else { return };
        let extension = json!({ "expires_in": self.roll(600).saturating_add(1) });
        let channel = match self.roll(2) {
            0 => json!({}),
            _ if self.plan.requests > 1 && self.roll(2) == 0 => json!({ "channel": "whatsapp" }),
            _ => json!({ "channel": "sms" }),
        };
        let headers = self.headers(None);
        let machine = Arc::clone(&self.machine);
        self.trace(|| format!("{what} {id}"));
        let running: WorkFuture = Box::pin(async move {
            let intake = &machine.intake;
            WorkResult::Answered(match what {
                "cancel" => intake.cancel(&headers, &id, b"").await,
                "extend" => intake.extend(&headers, &id, extension.to_string().as_bytes()).await,
                "resend" => intake.resend(&headers, &id, channel.to_string().as_bytes()).await,
                _ => intake.read(&headers, &id, "wait=2").await,
            })
        });
        self.employ(Work::Other(what), running);
    }
}
