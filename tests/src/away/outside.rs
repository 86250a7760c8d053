//! The faults between us and Stripe, and the record of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::message::Message;
use domain::values::time::Timestamp;
use http::{Request, Response};
use ports::{Clock, Http, HttpError, Reach};

use super::lock;
use super::ports::{Broken, Turn};
use crate::doubles::ManualClock;
use crate::sim::Rng;

/// How many times in a thousand each thing happens where it can.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    /// A call is lost before anything is done.
    pub(super) lost_before: u64,
    /// It is done, and its answer is lost.
    pub(super) lost_after: u64,
    /// It is done, and the answer is a 500; a repeat is told the truth.
    pub(super) failed_after: u64,
    /// It is done, and the answer is a 500 that is kept.
    pub(super) failed_for_good: u64,
    /// It gets no answer, and is done much later.
    pub(super) late: u64,
    /// It is done twice.
    pub(super) twice: u64,
    /// Nothing is done: 409 or 429.
    pub(super) busy: u64,
    /// A worker dies at a use of a port.
    pub(super) crash: u64,
    /// A write is lost before or after it is made, or meets another.
    pub(super) store: u64,
    /// A message is lost, or sent twice.
    pub(super) queue: u64,
}

impl Faults {
    /// Each kind is off, rare or common.
    pub(super) fn drawn(rng: &mut Rng) -> Self {
        let mut faults = Self::default();
        if rng.happens(60) {
            return faults;
        }
        let places = [
            (&mut faults.lost_before, 250),
            (&mut faults.lost_after, 400),
            (&mut faults.failed_after, 250),
            (&mut faults.failed_for_good, 80),
            (&mut faults.late, 250),
            (&mut faults.twice, 300),
            (&mut faults.busy, 250),
            (&mut faults.crash, 25),
            (&mut faults.store, 60),
            (&mut faults.queue, 60),
        ];
        for (place, most) in places {
            *place = match rng.below(3) {
                0 => 0,
                1 => rng.between(1, most / 3),
                _ => rng.between(1, most),
            };
        }
        faults
    }
}

/// The record of a run.
pub(super) struct Outside {
    pub(super) rng: Rng,
    pub(super) faults: Faults,
    /// What is queued, by when it is due.
    pub(super) messages: Vec<(Timestamp, Message)>,
    /// Calls whose callers no longer wait, with the time at which each arrives.
    pub(super) late: Vec<(Timestamp, Request<Bytes>)>,
    /// Keys under which a failure is kept.
    pub(super) failed: BTreeSet<String>,
    /// How often each kind of thing happened.
    pub(super) happened: BTreeMap<&'static str, u64>,
    /// The story of the run; `None` where it is not recorded.
    pub(super) told: Option<Vec<String>>,
}

impl Outside {
    pub(super) const fn new() -> Self {
        Self {
            rng: Rng::new(0),
            faults: Faults {
                lost_before: 0,
                lost_after: 0,
                failed_after: 0,
                failed_for_good: 0,
                late: 0,
                twice: 0,
                busy: 0,
                crash: 0,
                store: 0,
                queue: 0,
            },
            messages: Vec::new(),
            late: Vec::new(),
            failed: BTreeSet::new(),
            happened: BTreeMap::new(),
            told: None,
        }
    }

    /// Whether something happens, which is counted.
    pub(super) fn happens(&mut self, what: &'static str, per_mille: u64) -> bool {
        let happens = self.rng.happens(per_mille);
        if happens {
            self.counts(what);
        }
        happens
    }

    /// Counts that something happened.
    pub(super) fn counts(&mut self, what: &'static str) {
        let count = self.happened.entry(what).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(line());
        }
    }
}

/// The outside, as every port and the run itself hold it.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Outside>>);

impl Shared {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Outside::new())))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Outside> {
        lock(&self.0)
    }
}

/// The way to the sandbox's Stripe, on which things get lost.
pub(super) struct Wire {
    pub(super) stripe: Arc<dyn Http>,
    pub(super) shared: Shared,
    pub(super) clock: Arc<ManualClock>,
}

/// The fate of a call.
enum Fate {
    Done,
    Twice,
    LostBefore,
    LostAfter,
    Failed,
    Late(Timestamp),
    Told(u16, &'static str),
}

fn again(request: &Request<Bytes>) -> Request<Bytes> {
    let mut copy = Request::new(request.body().clone());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

fn lost() -> HttpError {
    HttpError::Lost(Broken.into())
}

fn key(request: &Request<Bytes>) -> Option<String> {
    let key = request.headers().get("idempotency-key")?;
    key.to_str().ok().map(str::to_owned)
}

impl Wire {
    fn fate(&self, request: &Request<Bytes>) -> Fate {
        let outside = &mut *self.shared.lock();
        let key = key(request);
        if key.as_ref().is_some_and(|key| outside.failed.contains(key)) {
            return Fate::Told(500, "api_error");
        }
        let faults = outside.faults.clone();
        if outside.happens("lost before it acted", faults.lost_before) {
            return Fate::LostBefore;
        }
        if outside.happens("lost after it acted", faults.lost_after) {
            return Fate::LostAfter;
        }
        if outside.happens("500 after it acted", faults.failed_after) {
            return Fate::Failed;
        }
        if let Some(key) = key
            && outside.happens("500 for good", faults.failed_for_good)
        {
            outside.failed.insert(key);
            return Fate::Failed;
        }
        if outside.happens("acts late", faults.late) {
            let wait = Duration::from_secs(outside.rng.between(1, 3_000));
            return Fate::Late(self.clock.now().after(wait));
        }
        if outside.happens("acts twice", faults.twice) {
            return Fate::Twice;
        }
        if outside.happens("busy", faults.busy) {
            let locked = outside.rng.happens(500);
            return if locked {
                Fate::Told(409, "lock_timeout")
            } else {
                Fate::Told(429, "rate_limit")
            };
        }
        Fate::Done
    }

    async fn acts(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.stripe.call(request, Reach::Configured, Duration::from_secs(25)).await
    }

    /// Lets a call arrive whose caller no longer waits, if its time has come.
    pub(super) async fn arrives(&self) -> bool {
        let request = {
            let outside = &mut *self.shared.lock();
            let now = self.clock.now();
            let place = outside.late.iter().position(|(at, _)| *at <= now);
            let request = place.map(|place| outside.late.swap_remove(place).1);
            if let Some(request) = &request {
                outside.say(|| format!("late {} {}", request.method(), request.uri()));
            }
            request
        };
        match request {
            Some(request) => {
                self.acts(request).await.ok();
                true
            }
            None => false,
        }
    }
}

fn told(status: u16, code: &str, keeps: bool) -> Result<Response<Bytes>, HttpError> {
    let body = serde_json::json!({ "error": { "type": code, "code": code } }).to_string();
    let mut response = Response::builder().status(status);
    if keeps {
        response = response.header("stripe-should-retry", "false");
    }
    response.body(Bytes::from(body)).map_err(|error| HttpError::Lost(error.into()))
}

#[async_trait]
impl Http for Wire {
    async fn call(
        &self,
        request: Request<Bytes>,
        _reach: Reach,
        _timeout: Duration,
    ) -> Result<Response<Bytes>, HttpError> {
        Turn::new().await;
        let name = format!("{} {}", request.method(), request.uri());
        let keeps = |request: &Request<Bytes>| {
            let key = key(request);
            key.is_some_and(|key| self.shared.lock().failed.contains(&key))
        };
        let kept = keeps(&request);
        let answer = match self.fate(&request) {
            Fate::Done => self.acts(request).await,
            Fate::Twice => {
                self.acts(again(&request)).await.ok();
                self.acts(request).await
            }
            Fate::LostBefore => Err(lost()),
            Fate::LostAfter => {
                self.acts(request).await.ok();
                Err(lost())
            }
            Fate::Failed => {
                let kept = keeps(&request);
                self.acts(request).await.ok();
                told(500, "api_error", kept)
            }
            Fate::Late(at) => {
                self.shared.lock().late.push((at, request));
                Err(lost())
            }
            Fate::Told(status, code) => told(status, code, kept),
        };
        self.shared.lock().say(|| {
            let status = answer.as_ref().map(|answer| answer.status().as_u16());
            format!("{name} -> {status:?}")
        });
        // Between what happened there and hearing of it here lies a moment of its own.
        Turn::new().await;
        answer
    }
}
