//! The `Http` port of a simulation: calls get lost, come twice or late, and are answered with errors.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use ports::{Clock, Http, HttpError, Reach};
use serde_json::{Value, json};

use super::environment::{Environment, FaultKind, Outage, SharedEnvironment};
use super::ports::{PortDown, YieldOnce};
use crate::doubles::ManualClock;
use crate::providers::Answer;
use crate::providers::adyen::ADYEN_HOST;

/// The fate of a call.
#[derive(Clone, Copy, Debug)]
enum CallOutcome {
    Answered,
    NotSent,
    Lost,
    ActsLate,
    AnswerLost,
    ActsTwice,
    BreaksBefore,
    BreaksAfter,
    FailsForGood,
    FailedForGood,
    Busy,
    RefusesKey,
    Down,
}

/// An answer with a header that says how to go on, if there is one.
struct WireAnswer {
    status: u16,
    body: Value,
    header: Option<(&'static str, &'static str)>,
}

impl From<Answer> for WireAnswer {
    fn from((status, body): Answer) -> Self {
        Self { status, body, header: None }
    }
}

impl WireAnswer {
    fn failed() -> Self {
        Self::from((500, json!({ "error": { "type": "api_error", "code": "api_error" } })))
    }

    /// Stripe keeps this failure for the key.
    fn failed_for_good() -> Self {
        Self { header: Some(("stripe-should-retry", "false")), ..Self::failed() }
    }
}

fn key(request: &Request<Bytes>) -> Option<String> {
    let key = request.headers().get("idempotency-key")?;
    key.to_str().ok().map(str::to_owned)
}

fn outcome(environment: &mut Environment, request: &Request<Bytes>) -> CallOutcome {
    let host = request.uri().host();
    let (to_endpoint, to_stripe) = (host == Some("shop.test"), host == Some("stripe.test"));
    match environment.outage.filter(|_| to_stripe) {
        Some(Outage::RefusesKey) => return CallOutcome::RefusesKey,
        Some(Outage::Silent) if environment.rng.happens(300) => return CallOutcome::AnswerLost,
        Some(Outage::Silent) => return CallOutcome::Lost,
        None => {}
    }
    match environment.used(FaultKind::OF_CALL) {
        Some(FaultKind::Lost) => return CallOutcome::AnswerLost,
        Some(FaultKind::Fails) => return CallOutcome::Lost,
        Some(FaultKind::Conflicts) | None => {}
    }
    let key = key(request).filter(|_| to_stripe);
    if key.as_ref().is_some_and(|key| environment.failed_keys.contains(key)) {
        return CallOutcome::FailedForGood;
    }
    let only = |when: bool, often: u64| if when { often } else { 0 };
    // Adyen keeps a 500 for the key, and a webhook reports what happened. Without effect and webhook the doubt would stay.
    // Adyen gets no late, double or rejected call yet, as before.
    let to_adyen = host == Some(ADYEN_HOST);
    let faults = environment.faults.clone();
    let fates = [
        (only(to_endpoint, faults.endpoint_down), "the endpoint is down", CallOutcome::Down),
        (faults.not_sent, "a call is not sent", CallOutcome::NotSent),
        (faults.call_lost, "lost before it acted", CallOutcome::Lost),
        (only(!to_adyen, faults.acts_late), "acts late", CallOutcome::ActsLate),
        (faults.answer_lost, "lost after it acted", CallOutcome::AnswerLost),
        (only(to_stripe, faults.acts_twice), "acts twice", CallOutcome::ActsTwice),
        (only(!to_adyen, faults.breaks_before), "500 before it acted", CallOutcome::BreaksBefore),
        (faults.breaks_after, "500 after it acted", CallOutcome::BreaksAfter),
        (only(key.is_some(), faults.fails_for_good), "500 for good", CallOutcome::FailsForGood),
        (faults.busy, "busy", CallOutcome::Busy),
        (
            only(!to_endpoint && !to_adyen, faults.refuses_key),
            "a key is rejected",
            CallOutcome::RefusesKey,
        ),
    ];
    let found = fates.into_iter().find(|(often, what, _)| environment.happens(what, *often));
    if let (Some((_, _, CallOutcome::FailsForGood)), Some(key)) = (&found, key) {
        environment.failed_keys.insert(key);
    }
    found.map_or(CallOutcome::Answered, |(_, _, fate)| fate)
}

/// The `Http` port of a simulation.
pub(super) struct Wire {
    pub(super) shared: SharedEnvironment,
    pub(super) clock: Arc<ManualClock>,
}

fn lost() -> HttpError {
    HttpError::Lost(PortDown.into())
}

impl Wire {
    /// Everything that happens on the other side, in one moment.
    fn there(&self, request: &Request<Bytes>) -> Result<WireAnswer, HttpError> {
        let now = self.clock.now();
        let mut environment = self.shared.lock();
        environment.calls(request, now);
        let fate = outcome(&mut environment, request);
        let name = format!("{} {}", request.method(), request.uri());
        let answer: Result<WireAnswer, HttpError> = match fate {
            CallOutcome::NotSent => Err(HttpError::NotSent(PortDown.into())),
            CallOutcome::Lost => Err(lost()),
            CallOutcome::ActsLate => {
                let wait = Duration::from_secs(environment.rng.between(1, 4000));
                environment.late.push((now.after(wait), request.clone()));
                Err(lost())
            }
            CallOutcome::AnswerLost => {
                drop(environment.acts(request, now));
                Err(lost())
            }
            CallOutcome::ActsTwice => {
                drop(environment.acts(request, now));
                environment.acts(request, now).map(WireAnswer::from)
            }
            CallOutcome::BreaksBefore => Ok(WireAnswer::failed()),
            CallOutcome::BreaksAfter => {
                drop(environment.acts(request, now));
                Ok(WireAnswer::failed())
            }
            CallOutcome::FailsForGood => {
                drop(environment.acts(request, now));
                Ok(WireAnswer::failed_for_good())
            }
            CallOutcome::FailedForGood => Ok(WireAnswer::failed_for_good()),
            CallOutcome::Busy => Ok(busy(&mut environment, request)),
            // A restricted key may lack one permission.
            CallOutcome::RefusesKey if request.uri().path().starts_with("/v1/refunds") => {
                Ok(WireAnswer::from((403, json!({ "error": {} }))))
            }
            CallOutcome::RefusesKey => {
                Ok(WireAnswer::from((401, json!({ "error": {}, "code": 20003 }))))
            }
            CallOutcome::Down => {
                let status = if environment.rng.happens(20) { 410 } else { 503 };
                Ok(WireAnswer::from((status, Value::Null)))
            }
            CallOutcome::Answered => environment.acts(request, now).map(WireAnswer::from),
        };
        if let Ok(reply) = &answer {
            environment.oracle.sees_answer(request, reply.status);
        }
        environment.trace(|| {
            format!("{name}: {fate:?} -> {:?}", answer.as_ref().map(|reply| reply.status))
        });
        answer
    }
}

fn busy(environment: &mut Environment, request: &Request<Bytes>) -> WireAnswer {
    let host = request.uri().host();
    let locked = environment.rng.happens(500);
    if locked && host == Some("stripe.test") {
        let error = json!({ "type": "invalid_request_error", "code": "lock_timeout" });
        WireAnswer::from((409, json!({ "error": error })))
    } else if locked && host == Some(ADYEN_HOST) {
        let body = json!({ "status": 503, "errorCode": "905", "errorType": "internal" });
        WireAnswer { header: Some(("transient-error", "true")), ..WireAnswer::from((503, body)) }
    } else {
        WireAnswer::from((429, json!({ "error": { "code": "rate_limit" }, "code": 20429 })))
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
        YieldOnce::new().await;
        let answer = self.there(&request);
        // Others can act between what happened there and its answer here.
        YieldOnce::new().await;
        let WireAnswer { status, body, header } = answer?;
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let mut response =
            Response::builder().status(status).header("content-type", "application/json");
        if let Some((name, value)) = header {
            response = response.header(name, value);
        }
        response.body(body).map_err(|error| HttpError::Lost(error.into()))
    }
}
