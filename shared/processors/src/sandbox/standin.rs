//! A stand-in for Stripe within the process: forms in, JSON out, each object with its idempotency keys.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ports::{Http, HttpError, Reach, StoreError};
use domain::values::time::Timestamp;
use http::{Method, Request, Response};
use serde_json::{Value, json};

use super::ledger::{Digested, Entry, Ledger, Object, Told, id};

/// How often a change is tried against others who change the same.
pub(super) const TRIES: u32 = 8;

/// The stand-in.
pub(super) struct StandIn {
    pub(super) ledger: Ledger,
}

/// A status and a body.
pub(super) struct Answer {
    status: u16,
    body: String,
    replayed: bool,
}

impl Answer {
    pub(super) fn new(status: u16, body: &Value) -> Self {
        Self { status, body: body.to_string(), replayed: false }
    }

    fn error(status: u16, kind: &str, code: Option<&str>) -> Self {
        Self::new(status, &json!({ "error": { "type": kind, "code": code } }))
    }

    pub(super) fn invalid(status: u16, code: &str) -> Self {
        Self::error(status, "invalid_request_error", Some(code))
    }

    pub(super) fn missing() -> Self {
        Self::invalid(404, "resource_missing")
    }

    /// The body differs from the one the key came with before.
    pub(super) fn key_reused() -> Self {
        Self::error(400, "idempotency_error", None)
    }

    fn told(&self, call: &Call<'_>) -> Told {
        Told {
            key: call.key.to_owned(),
            body: Digested::of(call.body),
            status: self.status,
            answer: self.body.clone(),
        }
    }
}

/// Why a call goes no further.
pub(super) enum Stop {
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
pub(super) struct Call<'a> {
    pub(super) method: &'a Method,
    pub(super) path: Vec<&'a str>,
    pub(super) query: &'a str,
    pub(super) key: &'a str,
    pub(super) body: &'a [u8],
}

/// A form's fields; the last of a name counts.
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    pub(super) fn of(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// A field, empty where there is none.
    pub(super) fn text(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// A field that says something.
    pub(super) fn some(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|text| !text.is_empty()).cloned()
    }

    /// A number that is not zero.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.parse().ok().filter(|number| *number > 0)
    }

    /// For which attempt, counted from 1.
    pub(super) fn attempt(&self) -> u32 {
        self.text("metadata[attempt]").parse().unwrap_or(1)
    }
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
            query: request.uri().query().unwrap_or_default(),
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
        let Some(path) = call.path.strip_prefix(&["v1"]) else { return Ok(Answer::missing()) };
        match (call.method, path) {
            (&Method::POST, ["tokens"]) => self.make_token(call).await,
            (&Method::POST, ["payment_methods"]) => self.make_method(call).await,
            (&Method::POST, ["customers"]) => self.make_customer(call).await,
            (&Method::POST, ["payment_intents"]) => self.make_intent(call).await,
            (&Method::POST, ["payment_intents", id, "confirm"]) => {
                self.confirm_intent(call, id).await
            }
            (&Method::POST, ["payment_intents", id, "cancel"]) => self.cancel_intent(id).await,
            (&Method::POST, ["setup_intents"]) => self.make_setup(call).await,
            (&Method::POST, ["setup_intents", id, "confirm"]) => self.confirm_setup(call, id).await,
            (&Method::POST, ["setup_intents", id, "cancel"]) => self.cancel_setup(id).await,
            (&Method::POST, ["checkout", "sessions"]) => self.make_session(call).await,
            (&Method::POST, ["checkout", "sessions", id, "expire"]) => {
                self.expire_session(id).await
            }
            (&Method::POST, ["refunds"]) => self.make_refund(call).await,
            (&Method::GET, ["refunds"]) => self.list_refunds(call).await,
            (
                &Method::GET,
                ["payment_intents", id] | ["setup_intents", id] | ["checkout", "sessions", id],
            ) => self.read(id).await,
            _ => Ok(Answer::missing()),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.ledger.clock.now()
    }

    /// A new entry for an object.
    pub(super) fn entry(&self, object: Object) -> Entry {
        let created_at = self.now();
        Entry { object, created_at, created: None, confirmed: None, version: 0 }
    }

    async fn read(&self, id: &str) -> Result<Answer, Stop> {
        let Some(entry) = self.ledger.find(id).await? else { return Ok(Answer::missing()) };
        let body = self.shown(&entry.object, self.now()).await?;
        Ok(Answer::new(200, &body))
    }

    /// As Stripe writes it at that moment, with everything expanded.
    async fn shown(&self, object: &Object, now: Timestamp) -> Result<Value, Stop> {
        Ok(match object {
            Object::Intent(intent) => intent.to_json(now),
            Object::Setup(setup) => setup.to_json(self.method(&setup.method).await?.as_ref()),
            Object::Session(session) => self.session_json(session, now).await?,
            Object::Method(method) => method.to_json(None),
            Object::Customer(customer) => customer.to_json(),
            Object::Token(token) => token.to_json(),
        })
    }

    /// Creates what a call asks for, once for each key.
    pub(super) async fn creates(
        &self,
        call: &Call<'_>,
        prefix: &str,
        make: impl FnOnce(String) -> Result<Object, Answer> + Send,
    ) -> Result<Answer, Stop> {
        self.creates_with(call, prefix, None, make).await
    }

    /// The same, with another entry that is written along with it.
    pub(super) async fn creates_with(
        &self,
        call: &Call<'_>,
        prefix: &str,
        also: Option<Entry>,
        make: impl FnOnce(String) -> Result<Object, Answer> + Send,
    ) -> Result<Answer, Stop> {
        let id = id(prefix, call.key);
        let created = Some(Digested::of(call.body));
        let before = self.ledger.read(&id).await?;
        let version = before.as_ref().map_or(0, |entry| entry.version);
        if let Some(entry) = before.filter(|entry| !entry.is_over(self.now())) {
            if entry.created != created {
                return Ok(Answer::key_reused());
            }
            let body = self.shown(&entry.object.at_first(), entry.created_at).await?;
            return Ok(Answer { replayed: true, ..Answer::new(200, &body) });
        }
        let object = match make(id) {
            Ok(object) => object,
            Err(answer) => return Ok(answer),
        };
        let entry = Entry { created, version, ..self.entry(object) };
        let all: Vec<&Entry> = std::iter::once(&entry).chain(&also).collect();
        self.ledger.write(&all).await?;
        let body = self.shown(&entry.object, entry.created_at).await?;
        Ok(Answer::new(200, &body))
    }

    /// Confirms an entry's object, once for each key: `act` says what it then is, and what is answered. Another entry may
    /// be written along with it.
    pub(super) async fn confirms(
        &self,
        call: &Call<'_>,
        entry: Entry,
        also: Option<Entry>,
        act: impl FnOnce(&Object) -> (Option<Object>, Answer) + Send,
    ) -> Result<Answer, Stop> {
        if entry.confirmed.as_ref().is_some_and(|told| told.key == call.key) {
            return Ok(replay(call, entry.confirmed));
        }
        let (object, answer) = act(&entry.object);
        // A call that was wrong is not kept.
        let Some(object) = object else { return Ok(answer) };
        let confirmed = Some(answer.told(call));
        let entry = Entry { object, confirmed, ..entry };
        let all: Vec<&Entry> = std::iter::once(&entry).chain(&also).collect();
        self.ledger.write(&all).await?;
        Ok(answer)
    }
}

/// What is answered to a key that came before.
fn replay(call: &Call<'_>, told: Option<Told>) -> Answer {
    match told {
        Some(told) if told.body == Digested::of(call.body) => {
            Answer { status: told.status, body: told.answer, replayed: true }
        }
        Some(_) | None => Answer::key_reused(),
    }
}

/// The connection breaks after all was done.
pub(super) fn lost() -> Stop {
    Stop::Lost(HttpError::Lost(LostOnPurpose.into()))
}

/// Where the sandbox's own page for an object is: beside the page where its customer comes back to.
pub(super) fn page(back: &str, id: &str) -> String {
    let base = back.find("/c/").and_then(|at| back.get(..at));
    let origin = || {
        let (scheme, rest) = back.split_once("://").unwrap_or(("https", back));
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        format!("{scheme}://{host}")
    };
    let base = base.map_or_else(origin, str::to_owned);
    format!("{base}/sandbox/checkout/{id}")
}
