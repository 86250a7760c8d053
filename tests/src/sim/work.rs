//! Workers, their work and its end.

use std::pin::Pin;

use bytes::Bytes;
use domain::message::MessageResult;
use domain::problem::Problem;
use domain::values::id::{PromptId, RequestId};
use domain::values::time::Timestamp;
use http::Response;

use super::agents::AgentWork;
use super::environment::ProcessorWebhook;
use super::opt_outs::{KeywordReport, Stop};
use super::tables::ReceivedMessage;

/// The end of a worker.
pub(super) enum WorkResult {
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
    /// An AI agent's call of a tool.
    Agent(AgentWork),
    /// Another call, whose caller does not wait.
    Other(&'static str),
    /// A browser opens the page of a prompt of a request.
    Page(RequestId, PromptId),
    /// A webhook of a processor.
    Webhook(ProcessorWebhook),
    /// A sender without authority sends something.
    Unauthenticated,
    /// A forged message, or one about another brand's requests. It may update a contact only.
    Forged,
    /// A requester does what must be refused, and touches no request.
    Refused(&'static str),
    /// A phone says STOP.
    Stop(Stop),
    /// A phone says START.
    Start(KeywordReport),
}

pub(super) type WorkFuture = Pin<Box<dyn Future<Output = WorkResult> + Send>>;

/// A worker and its unfinished work.
pub(super) struct Worker {
    pub(super) work: Work,
    pub(super) running: WorkFuture,
    pub(super) since_step: u64,
    pub(super) dies_at: Timestamp,
}
