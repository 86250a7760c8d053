//! Workers, their work and its end.

use std::pin::Pin;

use bytes::Bytes;
use domain::message::Handled;
use domain::problem::Problem;
use domain::values::id::{PromptId, RequestId};
use domain::values::time::Timestamp;
use embedded::ReceivedMessage;
use http::Response;

use super::environment::ProcessorWebhook;

/// The end of a worker.
pub(super) enum WorkResult {
    /// A message was handled.
    Handled(Handled),
    /// A call was answered.
    Answered(Result<Response<Bytes>, Problem>),
}

/// The work of a worker.
pub(super) enum Work {
    /// A message from a queue.
    Message(ReceivedMessage),
    /// The same message once more, at the same time.
    Duplicate,
    /// A requester's `POST /v1/requests`, by its place among the calls.
    Create(usize),
    /// Another call, whose caller does not wait.
    Other(&'static str),
    /// A browser opens the page of a prompt of a request.
    Page(RequestId, PromptId),
    /// A webhook of a processor.
    Webhook(ProcessorWebhook),
    /// A sender without authority sends something.
    Unheard,
    /// A forged message, or one about another brand's requests. It may update a contact only.
    MadeUp,
    /// A phone says STOP.
    Stop(String),
    /// A phone says START.
    Start,
}

pub(super) type WorkFuture = Pin<Box<dyn Future<Output = WorkResult> + Send>>;

/// A worker.
pub(super) struct Worker {
    pub(super) work: Work,
    pub(super) running: WorkFuture,
    pub(super) since_step: u64,
    pub(super) dies_at: Timestamp,
}
