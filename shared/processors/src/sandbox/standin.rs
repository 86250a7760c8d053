//! A stand-in for Stripe within the process: forms in, JSON out, each PaymentIntent with its idempotency keys.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ports::{Http, HttpError, Reach, StoreError};
use http::{Method, Request, Response};
use serde_json::{Value, json};

use super::cards::{self, Verdict};
use super::intent::{self, Intent, State};
use super::ledger::{Digested, Entry, Ledger, Told, id};

/// How often a change is tried against others who change the same.
const TRIES: u32 = 8;

/// The stand-in.
pub(super) struct StandIn {
    pub(super) ledger: Ledger,
}

/// A status and a body.
struct Answer {
    status: u16,
    body: String,
    replayed: bool,
}

impl Answer {
    fn new(status: u16, body: &Value) -> Self {
        Self { status, body: body.to_string(), replayed: false }
    }

    fn error(status: u16, kind: &str, code: Option<&str>) -> Self {
        Self::new(status, &json!({ "error": { "type": kind, "code": code } }))
    }

    fn invalid(status: u16, code: &str) -> Self {
        Self::error(status, "invalid_request_error", Some(code))
    }

    /// The body differs from the one the key came with before.
    fn key_reused() -> Self {
        Self::error(400, "idempotency_error", None)
    }
}

/// Why a call goes no further.
enum Stop {
    /// Somebody else changed the same: once more from the start.
    Conflict,
    /// The connection breaks; the change may be made.
    Lost(HttpError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Conflict,
            StoreError::Unavailable(_) | StoreError::Damaged(_) => {
                Self::Lost(HttpError::Lost(error.into()))
            }
        }
    }
}

/// The answer of amount `05`.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox lost its answer, as the amount asks")]
struct LostOnPurpose;

/// One call, taken apart.
struct Call<'a> {
    method: &'a Method,
    path: Vec<&'a str>,
    key: &'a str,
    body: &'a [u8],
}

#[async_trait]
impl Http for StandIn {
    async fn call(
        &self,
        request: Request<Bytes>,
        _reach: Reach,
        _timeout: Duration,
    ) -> Result<Response<Bytes>, HttpError> {
        let key = request.headers().get("idempotency-key");
        let call = Call {
            method: request.method(),
            path: request.uri().path().trim_start_matches('/').split('/').collect(),
            key: key.and_then(|value| value.to_str().ok()).unwrap_or_default(),
            body: request.body(),
        };
        for _ in 0..TRIES {
            match self.answer(&call).await {
                Ok(answer) => return respond(answer),
                Err(Stop::Conflict) => {}
                Err(Stop::Lost(error)) => return Err(error),
            }
        }
        respond(Answer::invalid(409, "lock_timeout"))
    }
}

fn respond(answer: Answer) -> Result<Response<Bytes>, HttpError> {
    let mut response =
        Response::builder().status(answer.status).header("content-type", "application/json");
    if answer.replayed {
        response = response.header("idempotent-replayed", "true");
    }
    response.body(Bytes::from(answer.body)).map_err(|error| HttpError::Lost(error.into()))
}

impl StandIn {
    async fn answer(&self, call: &Call<'_>) -> Result<Answer, Stop> {
        match (call.method, call.path.as_slice()) {
            (&Method::POST, ["v1", "payment_intents"]) => self.create(call).await,
            (&Method::GET, ["v1", "payment_intents", id]) => self.read(id).await,
            (&Method::POST, ["v1", "payment_intents", id, "confirm"]) => {
                self.confirm(call, id).await
            }
            (&Method::POST, ["v1", "payment_intents", id, "cancel"]) => self.cancel(id).await,
            _ => Ok(Answer::invalid(404, "resource_missing")),
        }
    }

    async fn find(&self, id: &str) -> Result<Option<Entry>, Stop> {
        let entry = self.ledger.read(id).await?;
        Ok(entry.filter(|entry| !entry.is_over(self.ledger.clock.now())))
    }

    async fn create(&self, call: &Call<'_>) -> Result<Answer, Stop> {
        let id = id(call.key);
        let created = Digested::of(call.body);
        let now = self.ledger.clock.now();
        let before = self.ledger.read(&id).await?;
        let version = before.as_ref().map_or(0, |entry| entry.version);
        if let Some(entry) = before.filter(|entry| !entry.is_over(now)) {
            if entry.created != created {
                return Ok(Answer::key_reused());
            }
            let first = Intent { state: State::RequiresConfirmation, ..entry.intent };
            return Ok(Answer { replayed: true, ..Answer::new(200, &first.to_json(now)) });
        }
        let intent = match intent_of(id, call.body) {
            Ok(intent) => intent,
            Err(answer) => return Ok(answer),
        };
        let answer = Answer::new(200, &intent.to_json(now));
        let entry = Entry { intent, created_at: now, created, confirmed: None, version };
        self.ledger.write(&entry).await?;
        Ok(answer)
    }

    async fn read(&self, id: &str) -> Result<Answer, Stop> {
        let now = self.ledger.clock.now();
        Ok(match self.find(id).await? {
            Some(entry) => Answer::new(200, &entry.intent.to_json(now)),
            None => Answer::invalid(404, "resource_missing"),
        })
    }

    async fn confirm(&self, call: &Call<'_>, id: &str) -> Result<Answer, Stop> {
        let Some(mut entry) = self.find(id).await? else {
            return Ok(Answer::invalid(404, "resource_missing"));
        };
        let body = Digested::of(call.body);
        if let Some(told) = entry.confirmed.filter(|told| told.key == call.key) {
            return Ok(if told.body == body {
                Answer { status: told.status, body: told.answer, replayed: true }
            } else {
                Answer::key_reused()
            });
        }
        if entry.intent.state != State::RequiresConfirmation {
            return Ok(Answer::invalid(400, "payment_intent_unexpected_state"));
        }
        let now = self.ledger.clock.now();
        let verdict = entry.intent.verdict();
        entry.intent = entry.intent.confirmed(verdict, now);
        let answer = confirmed(&entry.intent, verdict, now);
        entry.confirmed = Some(Told {
            key: call.key.to_owned(),
            body,
            status: answer.status,
            answer: answer.body.clone(),
        });
        self.ledger.write(&entry).await?;
        match verdict {
            Verdict::ApprovedAndLost => Err(Stop::Lost(HttpError::Lost(LostOnPurpose.into()))),
            Verdict::Approved | Verdict::ApprovedLater | Verdict::Refused(_) => Ok(answer),
        }
    }

    async fn cancel(&self, id: &str) -> Result<Answer, Stop> {
        let Some(mut entry) = self.find(id).await? else {
            return Ok(Answer::invalid(404, "resource_missing"));
        };
        let now = self.ledger.clock.now();
        match entry.intent.at(now) {
            State::Processing { .. } | State::Succeeded | State::Canceled => {
                Ok(Answer::invalid(400, "payment_intent_unexpected_state"))
            }
            State::RequiresConfirmation | State::RequiresPaymentMethod { .. } => {
                entry.intent.state = State::Canceled;
                self.ledger.write(&entry).await?;
                Ok(Answer::new(200, &entry.intent.to_json(now)))
            }
        }
    }
}

fn confirmed(intent: &Intent, verdict: Verdict, now: domain::values::time::Timestamp) -> Answer {
    let object = intent.to_json(now);
    match verdict {
        Verdict::Approved | Verdict::ApprovedAndLost | Verdict::ApprovedLater => {
            Answer::new(200, &object)
        }
        Verdict::Refused(refusal) => {
            let mut error = intent::error(refusal);
            if let Some(map) = error.as_object_mut() {
                map.insert("payment_intent".to_owned(), object);
            }
            Answer::new(402, &json!({ "error": error }))
        }
    }
}

/// The PaymentIntent that a form asks for.
fn intent_of(id: String, body: &[u8]) -> Result<Intent, Answer> {
    let form: BTreeMap<_, _> = form_urlencoded::parse(body).into_owned().collect();
    let text = |name: &str| form.get(name).cloned().unwrap_or_default();
    let number = |name: &str| text(name).parse::<u64>().ok().filter(|number| *number > 0);
    let Some(amount) = number("amount") else {
        return Err(Answer::invalid(400, "parameter_invalid_integer"));
    };
    if text("currency").len() != 3 || text("confirm") != "false" {
        return Err(Answer::invalid(400, "parameter_missing"));
    }
    if cards::card(&text("payment_method")).is_none() {
        return Err(Answer::invalid(400, "resource_missing"));
    }
    Ok(Intent {
        id,
        amount,
        currency: text("currency"),
        payment_method: text("payment_method"),
        request_id: text("metadata[request_id]"),
        attempt: text("metadata[attempt]").parse().unwrap_or(1),
        state: State::RequiresConfirmation,
    })
}
