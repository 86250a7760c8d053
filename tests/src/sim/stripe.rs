//! A Stripe of the simulation's own, written apart from the sandbox's, and the ledger of what it really charged.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use domain::ports::Write;
use domain::values::time::Timestamp;
use http::{Method, Request};
use serde_json::{Value, json};

/// For how long Stripe knows an idempotency key.
const KEY_KEPT: Duration = Duration::from_secs(86_400);

/// Stripe, with one account.
#[derive(Clone, Debug, Default)]
pub struct Stripe {
    /// The secret key in force.
    pub key: String,
    /// Every charge ever made.
    pub charges: Vec<Charged>,
    intents: BTreeMap<String, Intent>,
    answers: BTreeMap<String, Kept>,
}

/// One charge: money that moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charged {
    /// The request it was for, as its metadata says.
    pub request: String,
    /// The PaymentIntent.
    pub intent: String,
    /// How much, as Stripe counts it.
    pub amount: u64,
    /// In which currency, in capitals.
    pub currency: String,
}

impl Charged {
    /// What a write into the sandbox's ledger charges, read apart from the sandbox.
    pub(super) fn by_sandbox(write: &Write) -> Option<Self> {
        let Write::Put { item, .. } = write else { return None };
        let intent = item.key.pk.strip_prefix("SANDBOX#")?.to_owned();
        let entry: Value = serde_json::from_str(&item.body).ok()?;
        let text = |place: &str| entry.pointer(place).and_then(Value::as_str);
        let moved = matches!(text("/intent/state/status"), Some("succeeded" | "processing"));
        moved.then_some(())?;
        Some(Self {
            request: text("/intent/request_id")?.to_owned(),
            intent,
            amount: entry.pointer("/intent/amount").and_then(Value::as_u64)?,
            currency: text("/intent/currency")?.to_ascii_uppercase(),
        })
    }
}

#[derive(Clone, Debug)]
struct Intent {
    request: String,
    attempt: String,
    amount: u64,
    currency: String,
    method: String,
    status: Status,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Status {
    RequiresConfirmation,
    Processing { until: Timestamp },
    Succeeded,
    RequiresPaymentMethod { code: &'static str, decline_code: Option<&'static str> },
    Canceled,
}

#[derive(Clone, Debug)]
struct Kept {
    at: Timestamp,
    path: String,
    body: Bytes,
    status: u16,
    answer: Value,
}

/// A status and a body.
pub(super) type Answer = (u16, Value);

fn fault(status: u16, kind: &str, code: &str) -> Answer {
    (status, json!({ "error": { "type": kind, "code": code } }))
}

impl Stripe {
    /// Takes one call, wholly, at that moment.
    pub(super) fn take(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let header = |name: &str| {
            let value = request.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        if header("authorization") != format!("Bearer {}", self.key) {
            return fault(401, "invalid_request_error", "api_key_invalid");
        }
        let key = header("idempotency-key");
        let path = request.uri().path().to_owned();
        let known =
            self.answers.get(&key).filter(|kept| !key.is_empty() && kept.at.after(KEY_KEPT) > now);
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
            (&Method::POST, ["v1", "payment_intents", id, "confirm"]) => self.confirm(id, now),
            (&Method::POST, ["v1", "payment_intents", id, "cancel"]) => self.cancel(id, now),
            _ => fault(404, "invalid_request_error", "resource_missing"),
        };
        // Stripe keeps the answers of calls that began, not those of calls it found wrong.
        if !key.is_empty() && (answer.0 == 200 || answer.0 == 402) {
            let (status, answer) = answer.clone();
            let kept = Kept { at: now, path, body: request.body().clone(), status, answer };
            self.answers.insert(key, kept);
        }
        answer
    }

    /// How often a request was charged.
    #[must_use]
    pub fn charges_of(&self, request: &str) -> usize {
        self.charges.iter().filter(|charge| charge.request == request).count()
    }

    fn create(&mut self, body: &[u8]) -> Answer {
        let form: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        let text = |name: &str| form.get(name).cloned().unwrap_or_default();
        let Ok(amount) = text("amount").parse() else {
            return fault(400, "invalid_request_error", "parameter_invalid_integer");
        };
        let id = format!("pi_sim{:06}", self.intents.len());
        let intent = Intent {
            request: text("metadata[request_id]"),
            attempt: text("metadata[attempt]"),
            amount,
            currency: text("currency"),
            method: text("payment_method"),
            status: Status::RequiresConfirmation,
        };
        let answer = intent.to_json(&id);
        self.intents.insert(id, intent);
        (200, answer)
    }

    fn find(&mut self, id: &str, now: Timestamp) -> Result<&mut Intent, Answer> {
        let missing = || fault(404, "invalid_request_error", "resource_missing");
        let intent = self.intents.get_mut(id).ok_or_else(missing)?;
        if matches!(intent.status, Status::Processing { until } if until <= now) {
            intent.status = Status::Succeeded;
        }
        Ok(intent)
    }

    fn read(&mut self, id: &str, now: Timestamp) -> Answer {
        match self.find(id, now) {
            Ok(intent) => (200, intent.to_json(id)),
            Err(answer) => answer,
        }
    }

    fn confirm(&mut self, id: &str, now: Timestamp) -> Answer {
        let intent = match self.find(id, now) {
            Ok(intent) => intent,
            Err(answer) => return answer,
        };
        if intent.status != Status::RequiresConfirmation {
            return fault(400, "invalid_request_error", "payment_intent_unexpected_state");
        }
        intent.status = verdict(&intent.method, intent.amount, now);
        let object = intent.to_json(id);
        if let Status::RequiresPaymentMethod { code, decline_code } = intent.status {
            let mut error = refusal(code, decline_code);
            if let Some(error) = error.as_object_mut() {
                error.insert("payment_intent".to_owned(), object);
            }
            return (402, json!({ "error": error }));
        }
        let charged = Charged {
            request: intent.request.clone(),
            intent: id.to_owned(),
            amount: intent.amount,
            currency: intent.currency.to_ascii_uppercase(),
        };
        self.charges.push(charged);
        (200, object)
    }

    fn cancel(&mut self, id: &str, now: Timestamp) -> Answer {
        let intent = match self.find(id, now) {
            Ok(intent) => intent,
            Err(answer) => return answer,
        };
        match intent.status {
            Status::RequiresConfirmation | Status::RequiresPaymentMethod { .. } => {
                intent.status = Status::Canceled;
                (200, intent.to_json(id))
            }
            Status::Processing { .. } | Status::Succeeded | Status::Canceled => {
                fault(400, "invalid_request_error", "payment_intent_unexpected_state")
            }
        }
    }
}

/// What becomes of a confirmation: by the test card, and for a good one by the amount's last two digits.
fn verdict(method: &str, amount: u64, now: Timestamp) -> Status {
    let refused = |code, decline_code| Status::RequiresPaymentMethod { code, decline_code };
    match method {
        "pm_card_visa_chargeDeclinedInsufficientFunds" => {
            refused("card_declined", Some("insufficient_funds"))
        }
        "pm_card_visa_chargeDeclinedStolenCard" => refused("card_declined", Some("stolen_card")),
        "pm_card_authenticationRequired" => {
            refused("authentication_required", Some("authentication_required"))
        }
        _ if amount % 100 == 4 => Status::Processing { until: now.after(Duration::from_secs(3)) },
        _ => Status::Succeeded,
    }
}

fn refusal(code: &str, decline_code: Option<&str>) -> Value {
    json!({ "type": "card_error", "code": code, "decline_code": decline_code })
}

impl Intent {
    fn to_json(&self, id: &str) -> Value {
        let (status, received, error) = match self.status {
            Status::RequiresConfirmation => ("requires_confirmation", 0, Value::Null),
            Status::Processing { .. } => ("processing", 0, Value::Null),
            Status::Succeeded => ("succeeded", self.amount, Value::Null),
            Status::RequiresPaymentMethod { code, decline_code } => {
                ("requires_payment_method", 0, refusal(code, decline_code))
            }
            Status::Canceled => ("canceled", 0, Value::Null),
        };
        json!({
            "id": id,
            "object": "payment_intent",
            "status": status,
            "amount": self.amount,
            "amount_received": received,
            "currency": self.currency,
            "metadata": { "request_id": self.request, "attempt": self.attempt },
            "last_payment_error": error,
            "latest_charge": Value::Null,
        })
    }
}
