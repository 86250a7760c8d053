//! A fake Stripe, written independently of the sandbox's, and the ledger of its charges.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use domain::values::time::Timestamp;
use http::{Method, Request};
use ports::Write;
use serde_json::{Value, json};

use self::checkout::Session;
use crate::providers::Answer;

mod checkout;
mod methods;
mod refunds;
mod signature;
mod status;

pub use self::checkout::HostedAction;
pub(crate) use self::refunds::RefundEntry;
pub use self::signature::signature;
pub(crate) use self::status::Status;
use self::status::{next_action, refusal, verdict};

/// Stripe, with one account.
#[derive(Clone, Debug, Default)]
pub struct Stripe {
    /// The secret key in force.
    pub key: String,
    /// Every charge ever made.
    pub charges: Vec<ChargeRecord>,
    /// Every refund ever made, of money that came back since too.
    pub(crate) refunds: Vec<RefundEntry>,
    /// For how long it knows an idempotency key.
    pub(crate) key_retention: Duration,
    intents: BTreeMap<String, Intent>,
    setups: BTreeMap<String, Setup>,
    sessions: BTreeMap<String, Session>,
    customers: u64,
    /// The payment methods that were taken off file.
    pub(crate) detached: BTreeSet<String>,
    /// Events that were not sent yet.
    pub(crate) events: Vec<Value>,
    answers: BTreeMap<String, IdempotentAnswer>,
}

/// A charge, or a saved card, which has no price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeRecord {
    /// The request it was for, as its metadata says.
    pub request: String,
    /// The PaymentIntent, or the SetupIntent.
    pub object: String,
    /// The Checkout Session it came of, if it did.
    pub session: Option<String>,
    /// The payment method.
    pub method: String,
    /// How much, as Stripe counts it, and in which currency, in capitals.
    pub price: Option<(u64, String)>,
}

impl ChargeRecord {
    /// Reads charges and saved cards from writes to the sandbox's ledger, without the sandbox's code.
    pub(crate) fn by_sandbox(writes: &[Write]) -> Vec<Self> {
        let entries: Vec<Value> = writes.iter().filter_map(entry).collect();
        let found = entries.iter().filter_map(|entry| {
            let (kind, method) = match (entry.get("intent"), entry.get("setup")) {
                (Some(_), _) => ("intent", "payment_method"),
                (None, Some(_)) => ("setup", "method"),
                (None, None) => return None,
            };
            let text = |place: &str| {
                let value = entry.pointer(&format!("/{kind}/{place}")).and_then(Value::as_str);
                value.map(str::to_owned)
            };
            let moved = matches!(text("state/status")?.as_str(), "succeeded" | "processing");
            moved.then_some(())?;
            let object = text("id")?;
            let session = entries.iter().find_map(|other| {
                let made = other.pointer("/session/state/made").and_then(Value::as_str);
                let id = other.pointer("/session/id").and_then(Value::as_str);
                id.filter(|_| made == Some(&object)).map(str::to_owned)
            });
            let amount = entry.pointer("/intent/amount").and_then(Value::as_u64);
            let currency = text("currency").map(|currency| currency.to_ascii_uppercase());
            let price = amount.zip(currency);
            Some(Self {
                request: text("request_id")?,
                object,
                session,
                method: text(method)?,
                price,
            })
        });
        found.collect()
    }
}

/// Returns what a write puts into the sandbox's ledger.
pub(crate) fn entry(write: &Write) -> Option<Value> {
    let Write::Put { item, .. } = write else { return None };
    item.key.pk.strip_prefix("SANDBOX#")?;
    serde_json::from_str(&item.body).ok()
}

#[derive(Clone, Debug)]
pub(crate) struct Intent {
    pub(crate) request: String,
    pub(crate) attempt: String,
    pub(crate) amount: u64,
    pub(crate) currency: String,
    pub(crate) method: String,
    /// The session whose page made it.
    pub(crate) session: Option<String>,
    pub(crate) status: Status,
}

#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) request: String,
    pub(crate) attempt: String,
    pub(crate) customer: String,
    /// The test card.
    pub(crate) card: String,
    pub(crate) session: Option<String>,
    pub(crate) status: Status,
}

#[derive(Clone, Debug)]
struct IdempotentAnswer {
    at: Timestamp,
    path: String,
    body: Bytes,
    status: u16,
    answer: Value,
}

pub(crate) fn fault(status: u16, kind: &str, code: &str) -> Answer {
    (status, json!({ "error": { "type": kind, "code": code } }))
}

impl Stripe {
    /// Answers one call.
    pub(crate) fn take(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let header = |name: &str| {
            let value = request.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        if header("authorization") != format!("Bearer {}", self.key) {
            return fault(401, "invalid_request_error", "api_key_invalid");
        }
        let key = header("idempotency-key");
        let path = request.uri().path().to_owned();
        let known = self
            .answers
            .get(&key)
            .filter(|kept| !key.is_empty() && kept.at.after(self.key_retention) > now);
        if let Some(kept) = known {
            if kept.path != path || kept.body != *request.body() {
                return (400, json!({ "error": { "type": "idempotency_error" } }));
            }
            return (kept.status, kept.answer.clone());
        }
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let answer = match (request.method(), parts.as_slice()) {
            (&Method::POST, ["v1", "payment_intents"]) => self.create(request.body()),
            (&Method::GET, ["v1", "payment_intents", id]) => self.read(id, now),
            (&Method::POST, ["v1", "payment_intents", id, "confirm"]) => {
                self.confirm(id, request.body(), now)
            }
            (&Method::POST, ["v1", "payment_intents", id, "cancel"]) => self.cancel(id, now),
            (&Method::POST, ["v1", "refunds"]) => self.create_refund(request.body(), now),
            (&Method::GET, ["v1", "refunds"]) => {
                self.list_refunds(request.uri().query().unwrap_or_default(), now)
            }
            (&Method::POST, ["v1", "customers"]) => {
                self.customers = self.customers.saturating_add(1);
                let id = format!("cus_made{}", self.customers);
                (200, json!({ "id": id, "object": "customer" }))
            }
            (&Method::GET, ["v1", "payment_methods", id]) => self.read_method(id),
            (&Method::POST, ["v1", "payment_methods", id, "detach"]) => self.detach(id),
            (&Method::POST, ["v1", "setup_intents"]) => self.create_setup(request.body()),
            (&Method::GET, ["v1", "setup_intents", id]) => self.read_setup(id),
            (&Method::POST, ["v1", "setup_intents", id, "confirm"]) => self.confirm_setup(id, now),
            (&Method::POST, ["v1", "setup_intents", id, "cancel"]) => self.cancel_setup(id),
            (&Method::POST, ["v1", "checkout", "sessions"]) => self.create_session(request.body()),
            (&Method::GET, ["v1", "checkout", "sessions", id]) => self.read_session(id, now),
            (&Method::POST, ["v1", "checkout", "sessions", id, "expire"]) => self.expire(id, now),
            _ => fault(404, "invalid_request_error", "resource_missing"),
        };
        // Stripe keeps the answers of calls that began, not those of calls it found wrong.
        if !key.is_empty() && (answer.0 == 200 || answer.0 == 402) {
            let (status, answer) = answer.clone();
            let kept =
                IdempotentAnswer { at: now, path, body: request.body().clone(), status, answer };
            self.answers.insert(key, kept);
        }
        answer
    }

    /// Returns how often a request was charged.
    #[must_use]
    pub fn charges_of(&self, request: &str) -> usize {
        let of = |charge: &&ChargeRecord| charge.request == request && charge.price.is_some();
        self.charges.iter().filter(of).count()
    }

    /// Returns how many cards a request saved.
    #[must_use]
    pub fn saved_cards_of(&self, request: &str) -> usize {
        let of = |charge: &&ChargeRecord| charge.request == request && charge.price.is_none();
        self.charges.iter().filter(of).count()
    }

    /// Queues an event about an object of a request.
    pub(crate) fn queue_event(&mut self, kind: &str, request: &str) {
        let object = json!({ "livemode": false, "metadata": { "request_id": request } });
        self.events
            .push(json!({ "id": "evt_1", "object": "event", "type": kind, "livemode": false,
            "data": { "object": object } }));
    }

    fn create(&mut self, body: &[u8]) -> Answer {
        let text = fields(body);
        let method = text("payment_method");
        if let Some(kept) = method.strip_prefix("pm_kept_") {
            let setup = self.setups.get(kept).filter(|setup| setup.status == Status::Succeeded);
            let is_theirs = setup.is_some_and(|setup| setup.customer == text("customer"));
            if !is_theirs || self.detached.contains(&method) {
                return fault(400, "invalid_request_error", "resource_missing");
            }
        }
        let Ok(amount) = text("amount").parse() else {
            return fault(400, "invalid_request_error", "parameter_invalid_integer");
        };
        let id = format!("pi_sim{:06}", self.intents.len());
        let intent = Intent {
            request: text("metadata[request_id]"),
            attempt: text("metadata[attempt]"),
            amount,
            currency: text("currency"),
            method,
            session: None,
            status: Status::RequiresConfirmation,
        };
        let answer = intent.to_json(&id);
        self.intents.insert(id, intent);
        (200, answer)
    }

    pub(crate) fn find(&mut self, id: &str, now: Timestamp) -> Result<&mut Intent, Answer> {
        let missing = || fault(404, "invalid_request_error", "resource_missing");
        let intent = self.intents.get_mut(id).ok_or_else(missing)?;
        if matches!(intent.status, Status::Processing { until } if until <= now) {
            intent.status = Status::Succeeded;
        }
        Ok(intent)
    }

    pub(crate) fn read(&mut self, id: &str, now: Timestamp) -> Answer {
        match self.find(id, now) {
            Ok(intent) => (200, intent.to_json(id)),
            Err(answer) => answer,
        }
    }

    fn confirm(&mut self, id: &str, body: &[u8], now: Timestamp) -> Answer {
        let redirects = fields(body)("error_on_requires_action") != "true";
        let cards: BTreeMap<String, String> = self
            .setups
            .iter()
            .map(|(id, kept)| (format!("pm_kept_{id}"), kept.card.clone()))
            .collect();
        let intent = match self.find(id, now) {
            Ok(intent) => intent,
            Err(answer) => return answer,
        };
        if intent.status != Status::RequiresConfirmation {
            return fault(400, "invalid_request_error", "payment_intent_unexpected_state");
        }
        let card = cards.get(&intent.method).unwrap_or(&intent.method);
        let card = card.clone();
        intent.status = verdict(&card, intent.amount, now);
        if redirects && intent.status.wants_3ds() {
            intent.status = Status::RequiresAction;
        }
        let intent = intent.clone();
        let object = intent.to_json(id);
        match intent.status {
            Status::RequiresPaymentMethod { code, decline_code } => {
                self.queue_event("payment_intent.payment_failed", &intent.request);
                let mut error = refusal(code, decline_code);
                if let Some(error) = error.as_object_mut() {
                    error.insert("payment_intent".to_owned(), object);
                }
                return (402, json!({ "error": error }));
            }
            Status::Processing { .. } | Status::Succeeded => {
                self.queue_event("payment_intent.succeeded", &intent.request);
                self.charge(id, &intent);
            }
            Status::RequiresConfirmation | Status::RequiresAction | Status::Canceled => {}
        }
        (200, object)
    }

    fn cancel(&mut self, id: &str, now: Timestamp) -> Answer {
        let intent = match self.find(id, now) {
            Ok(intent) => intent,
            Err(answer) => return answer,
        };
        match intent.status {
            Status::RequiresConfirmation
            | Status::RequiresAction
            | Status::RequiresPaymentMethod { .. } => {
                intent.status = Status::Canceled;
                (200, intent.to_json(id))
            }
            Status::Processing { .. } | Status::Succeeded | Status::Canceled => {
                fault(400, "invalid_request_error", "payment_intent_unexpected_state")
            }
        }
    }
}

/// Returns a reader of a form's fields, which gives an empty text for a missing one.
pub(crate) fn fields(body: &[u8]) -> impl Fn(&str) -> String {
    let form: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
    move |name: &str| form.get(name).cloned().unwrap_or_default()
}

impl Intent {
    fn to_json(&self, id: &str) -> Value {
        let (status, error) = self.status.as_stripe_status();
        json!({
            "id": id,
            "object": "payment_intent",
            "status": status,
            "amount": self.amount,
            "amount_received": if self.status == Status::Succeeded { self.amount } else { 0 },
            "currency": self.currency,
            "metadata": { "request_id": self.request, "attempt": self.attempt },
            "last_payment_error": error,
            "next_action": next_action(&self.status, id),
            "latest_charge": Value::Null,
        })
    }
}
