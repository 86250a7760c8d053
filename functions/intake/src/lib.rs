//! Accepts a requester's request, and lets the requester read, cancel, extend, resend and refund it.
#![doc = include_str!("../README.md")]

mod accept;
mod act;
mod address_limits;
mod brand;
mod brief;
mod capabilities;
mod channel_use;
mod client_tokens;
mod customers;
mod denials;
mod desk;
mod documents;
mod events;
mod fields;
mod filters;
mod health;
mod http_edge;
mod idempotency;
mod in_process;
mod json_object;
mod key_ceilings;
mod link_channel;
mod lists;
mod number_policy;
mod operation;
mod params;
mod payment_methods;
mod previews;
mod processor_routing;
mod qr;
mod read;
mod record;
mod refund;
mod routes;
mod start_error;
mod statistics;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::problem::{Code, Problem};
use domain::request::Refusal;
use domain::values::id::RequestId;
use http::{HeaderMap, Response, StatusCode, header};
use ports::{Channels, Ports, Processors};
use records::authentication;
use records::authentication::Requester;
use records::storage;
use records::storage::VersionedRequest;

use crate::operation::Operation;

pub use desk::{DESK_FILES, DESK_PAGE, DeskAccess, WIDGET};
pub use documents::OPENAPI;
pub use http_edge::router;
pub use in_process::RequestTimes;

/// The delay of a message that is sent ahead of the write: longer than the call that writes can take.
const CALL_MAX: Duration = Duration::from_secs(60);

/// Everything intake can touch.
pub struct Intake {
    /// The ports that every function needs.
    pub ports: Ports,
    /// The channels, for capability answers.
    pub channels: Arc<dyn Channels>,
    /// The processors, for what they need from a customer.
    pub processors: Arc<dyn Processors>,
    /// The public address, without a slash at its end.
    pub public_base: String,
    /// The access to the agents' desk.
    pub desk: DeskAccess,
}

impl Intake {
    /// Authenticates the caller of an operation, and checks its right.
    async fn requester(
        &self,
        headers: &HeaderMap,
        operation: Operation,
    ) -> Result<Requester, Problem> {
        let now = self.ports.clock.now();
        let secrets = self.ports.secrets.as_ref();
        let requester = authentication::authenticate(secrets, headers, now).await?;
        operation.require(&requester)?;
        Ok(requester)
    }

    /// Returns the caller's own request of that text. The answer never tells whether another brand has one.
    async fn owned(&self, requester: &Requester, id: &str) -> Result<VersionedRequest, Problem> {
        self.own_request(requester, id.parse().map_err(|_not_an_id| absent())?).await
    }

    async fn own_request(
        &self,
        requester: &Requester,
        id: RequestId,
    ) -> Result<VersionedRequest, Problem> {
        let loaded = storage::load(self.ports.store.as_ref(), id).await?;
        loaded.filter(|loaded| requester.sees(&loaded.request)).ok_or_else(absent)
    }
}

fn absent() -> Problem {
    Problem::new(Code::NotFound, "no request of this brand and mode has this id")
}

/// The problem of a command that does not apply to the request as it is.
fn refusal_problem(refusal: Refusal) -> Problem {
    let code = match refusal {
        Refusal::Late => Code::DeadlinePassed,
        Refusal::Closed
        | Refusal::Authorized
        | Refusal::Early
        | Refusal::Prompt
        | Refusal::Leased
        | Refusal::Step
        | Refusal::Limit => Code::ConflictState,
    };
    Problem::new(code, refusal.to_string())
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
