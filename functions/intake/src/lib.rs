//! Accepts a requester's request, and lets the requester read, cancel, extend, resend and refund it.
//!
//! Beneath the router are plain functions over ports: each authenticates, parses, loads, decides, commits and renders.

mod accept;
mod act;
mod capabilities;
mod fields;
mod http_edge;
mod idempotency;
mod params;
mod processor_routing;
mod read;
mod refund;

use std::sync::Arc;

use bytes::Bytes;
use domain::caller::{self, Requester};
use domain::ports::{Channels, Clock, Processors, Queue, Random, Secrets, Store};
use domain::problem::{Code, Problem};
use domain::storage::{self, VersionedRequest};
use domain::values::id::RequestId;
use http::{HeaderMap, Response, StatusCode, header};

pub use http_edge::router;

/// Everything intake can touch.
pub struct Intake {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids and session codes.
    pub random: Arc<dyn Random>,
    /// The table.
    pub store: Arc<dyn Store>,
    /// The queues.
    pub queue: Arc<dyn Queue>,
    /// The brands.
    pub secrets: Arc<dyn Secrets>,
    /// The channels, for capability answers.
    pub channels: Arc<dyn Channels>,
    /// The processors, for what they need from a customer.
    pub processors: Arc<dyn Processors>,
    /// The public address, without a slash at its end.
    pub public_base: String,
}

impl Intake {
    async fn requester(&self, headers: &HeaderMap) -> Result<Requester, Problem> {
        caller::authenticate(self.secrets.as_ref(), headers).await
    }

    /// The caller's own request of that id; whether somebody else's exists is not told.
    async fn owned(&self, requester: &Requester, id: &str) -> Result<VersionedRequest, Problem> {
        let absent = || Problem::new(Code::NotFound, "there is no such request");
        let id: RequestId = id.parse().map_err(|_not_an_id| absent())?;
        let loaded = storage::load(self.store.as_ref(), id).await?.ok_or_else(absent)?;
        let own =
            loaded.request.brand == requester.brand.name && loaded.request.mode == requester.mode;
        if own { Ok(loaded) } else { Err(absent()) }
    }
}

/// An answer in JSON.
fn json(status: StatusCode, body: &serde_json::Value) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(body.to_string()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    answer
}

/// A request as the answer to a call.
fn shown(status: StatusCode, loaded: &VersionedRequest) -> Response<Bytes> {
    json(status, &domain::view::request(&loaded.request, loaded.version))
}
