//! The workers, their work, and its results.

use std::pin::Pin;

use bytes::Bytes;
use domain::message::MessageResult;
use domain::problem::Problem;
use domain::values::id::{PromptId, RequestId};
use domain::values::time::Timestamp;
use embedded::ReceivedMessage;
use http::Response;

/// The result of a worker.
pub(super) enum End {
    /// A message was handled.
    Handled(MessageResult),
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
    /// Some other call: who makes it does not wait.
    Other(&'static str),
    /// A browser opens the page of a prompt of a request.
    Page(RequestId, PromptId),
    /// A sender without authority says something.
    Unheard,
    /// A channel brings a made-up event, or one about another brand's requests. It may tell that a customer is there.
    MadeUp,
    /// A phone says STOP.
    Stop(String),
    /// A phone says START.
    Start,
}

pub(super) type Running = Pin<Box<dyn Future<Output = End> + Send>>;

/// A worker at its work.
pub(super) struct Worker {
    pub(super) work: Work,
    pub(super) running: Running,
    pub(super) since_step: u64,
    pub(super) dies_at: Timestamp,
}
