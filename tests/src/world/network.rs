//! Everything outside that a world calls: a requester's webhook endpoint, a carrier and the providers' stand-ins.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::values::time::Timestamp;
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use ports::{Clock, Http, HttpError, Reach};
use serde_json::Value;

use super::ports::{Hooks, WorldClock};
use super::{Core, PUBLIC_BASE};
use crate::lock::lock;
use crate::openapi;
use crate::providers::apple::{self, Gateway};
use crate::providers::aws_messaging;
use crate::providers::event_bus;
use crate::providers::rbm::{self, Rbm};
use crate::providers::ses;
use crate::providers::twilio;
use crate::providers::whatsapp::{self, CloudApi};

/// The answer of a host outside.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status and a body.
    Status(u16, String),
    /// A status that asks to come back after that many seconds.
    After(u16, u64),
    /// No connection is made.
    NotSent,
    /// The call arrives, and its answer is lost.
    Lost,
}

/// One call that was made.
#[derive(Clone, Debug)]
pub struct RecordedCall {
    /// The time of the call.
    pub at: Timestamp,
    /// Where to.
    pub uri: http::Uri,
    /// With which headers.
    pub headers: HeaderMap,
    /// With which body.
    pub body: Bytes,
    /// The status it was answered with, if it was.
    pub status: Option<u16>,
}

/// A silent host.
#[derive(Debug, thiserror::Error)]
#[error("the host outside does not answer")]
struct NoAnswer;

/// Everything outside.
pub(super) struct FakeNetwork {
    clock: Arc<WorldClock>,
    hooks: Arc<Hooks>,
    calls: Mutex<Vec<RecordedCall>>,
    replies: Mutex<BTreeMap<String, VecDeque<Reply>>>,
    apple: Gateway,
    rbm: Rbm,
    whatsapp: CloudApi,
}

impl Core {
    /// Apple's service, as its customers have it.
    #[must_use]
    pub fn apple(&self) -> &Gateway {
        &self.network.apple
    }

    /// RCS, as its customers and Google have it.
    #[must_use]
    pub fn rbm(&self) -> &Rbm {
        &self.network.rbm
    }

    /// WhatsApp, as its customers and Meta have it.
    #[must_use]
    pub fn whatsapp(&self) -> &CloudApi {
        &self.network.whatsapp
    }
}

impl FakeNetwork {
    pub(super) fn new(clock: Arc<WorldClock>, hooks: Arc<Hooks>) -> Self {
        Self {
            clock,
            hooks,
            calls: Mutex::default(),
            replies: Mutex::default(),
            apple: Gateway::default(),
            rbm: Rbm::default(),
            whatsapp: CloudApi::default(),
        }
    }

    pub(super) fn calls(&self) -> Vec<RecordedCall> {
        lock(&self.calls).clone()
    }

    pub(super) fn reply(&self, host: &str, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.replies).entry(host.to_owned()).or_default().extend(replies);
    }

    /// Returns what `host` answers by default. A carrier takes every text, a requester every webhook, and a stand-in what
    /// its provider would take.
    fn usual(&self, host: &str, parts: &Parts, body: &[u8]) -> Reply {
        if [apple::HOST, apple::PAY_HOST, apple::REPLY_HOST].contains(&host) {
            let (status, answer) = self.apple.answers(parts, body, self.clock.now());
            return Reply::Status(status, answer);
        }
        if host == aws_messaging::HOST {
            let count = lock(&self.calls).len();
            let bytes = Bytes::copy_from_slice(body);
            let (status, body) = aws_messaging::answer(
                &aws_messaging::receive(&parts.uri, &parts.headers, &bytes),
                count,
            );
            return Reply::Status(status, body.to_string());
        }
        if host == ses::HOST {
            let count = lock(&self.calls).len();
            let (status, body) =
                ses::answer(&ses::receive(&parts.uri, &parts.headers, body), count);
            return Reply::Status(status, body.to_string());
        }
        if host == event_bus::HOST {
            let count = lock(&self.calls).len();
            let (status, body) = event_bus::answer(parts, body, count);
            return Reply::Status(status, body.to_string());
        }
        if host == rbm::HOST || host == rbm::TOKEN_HOST {
            let (status, answer) = self.rbm.answers(parts, body, self.clock.now());
            return Reply::Status(status, answer.to_string());
        }
        if host == whatsapp::HOST {
            let (status, answer) = self.whatsapp.answers(parts, body, self.clock.now());
            return Reply::Status(status, answer.to_string());
        }
        if host == twilio::HOST {
            let (status, body) = twilio::answer(body, lock(&self.calls).len());
            return Reply::Status(status, body.to_string());
        }
        Reply::Status(204, String::new())
    }
}

#[async_trait]
impl Http for FakeNetwork {
    async fn call(
        &self,
        request: Request<Bytes>,
        _: Reach,
        _: Duration,
    ) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let host = parts.uri.host().unwrap_or_default().to_owned();
        // The sandbox's OpenID provider is the installation itself.
        if PUBLIC_BASE.ends_with(&format!("//{host}")) {
            let core = self.hooks.core.get().and_then(Weak::upgrade);
            let core = core.ok_or_else(|| HttpError::NotSent(NoAnswer.into()))?;
            return Ok(core.serves(Request::from_parts(parts, body)).await);
        }
        let scripted = lock(&self.replies).get_mut(&host).and_then(VecDeque::pop_front);
        let reply = match scripted {
            // The call arrived, and its answer is lost.
            Some(Reply::Lost) => {
                drop(self.usual(&host, &parts, &body));
                Reply::Lost
            }
            Some(scripted) => scripted,
            None => self.usual(&host, &parts, &body),
        };
        let status = match reply {
            Reply::Status(status, _) | Reply::After(status, _) => Some(status),
            Reply::NotSent | Reply::Lost => None,
        };
        if parts.headers.contains_key("webhook-id") {
            openapi::check_webhook(&parts.headers, &body);
        }
        let (uri, headers, at) = (parts.uri, parts.headers, self.clock.now());
        lock(&self.calls).push(RecordedCall { at, uri, headers, body, status });
        self.hooks.fire(&format!("called {host}"));
        let mut answer = Response::new(Bytes::new());
        match reply {
            Reply::Status(_, body) => *answer.body_mut() = body.into(),
            Reply::After(_, seconds) => {
                answer.headers_mut().insert(http::header::RETRY_AFTER, seconds.into());
            }
            Reply::NotSent => return Err(HttpError::NotSent(NoAnswer.into())),
            Reply::Lost => return Err(HttpError::Lost(NoAnswer.into())),
        }
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        *answer.status_mut() = status.expect("a reply's status is one");
        Ok(answer)
    }
}

impl Core {
    /// The calls that were made to a host.
    #[must_use]
    pub fn calls_to(&self, host: &str) -> Vec<RecordedCall> {
        self.network.calls().into_iter().filter(|called| called.uri.host() == Some(host)).collect()
    }

    /// The webhooks that the requester took: their types, in the order taken.
    #[must_use]
    pub fn webhooks(&self) -> Vec<String> {
        let taken = self.calls_to("shop.example").into_iter();
        let taken = taken.filter(|called| called.status.is_some_and(|status| status < 300));
        let bodies = taken.map(|called| serde_json::from_slice::<Value>(&called.body));
        bodies
            .map(|body| {
                body.expect("a webhook is JSON")["type"].as_str().unwrap_or_default().to_owned()
            })
            .collect()
    }

    /// Scripts the next answers of a host.
    pub fn replies(&self, host: &str, replies: impl IntoIterator<Item = Reply>) {
        self.network.reply(host, replies);
    }
}
