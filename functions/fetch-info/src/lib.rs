//! Uses an authorization at the processor, at most once, makes refunds, and delivers webhooks to the requester.
#![doc = include_str!("../README.md")]

mod attempt;
mod circuit;
mod erasure;
mod refund;
mod reversal;
mod waits;
mod webhook;

use std::sync::Arc;

use async_trait::async_trait;
use domain::guards;
use domain::guards::Guard;
use domain::message::{Message, MessageResult, Step};
use ports::Handler;
use ports::{Http, Ports, Processors, QueueError, Reach, SecretsError, Signer, StoreError};
use records::effects::EffectError;
use records::update::Conflict;

pub use webhook::InFlightLimit;

use crate::attempt::Attempts;
use crate::erasure::Erasures;
use crate::refund::Refunds;
use crate::reversal::Reversals;
use crate::webhook::Deliveries;

/// Everything that fetch-info can touch.
pub struct FetchInfo {
    /// The ports that every function needs.
    pub ports: Ports,
    /// The registry of the brands' processors.
    pub processors: Arc<dyn Processors>,
    /// HTTP to the requesters' endpoints.
    pub http: Arc<dyn Http>,
    /// Signs calls to requesters' event buses; `None` on a machine without credentials.
    pub signer: Option<Arc<dyn Signer>>,
    /// The address that customers and providers reach us at, without a slash at its end.
    pub public_base: String,
    /// The addresses that a webhook may go to: public ones, except on a machine of one's own.
    pub webhook_reach: Reach,
    /// The cap on concurrent deliveries per endpoint.
    pub delivery_limit: InFlightLimit,
}

/// The reason why a step was not taken. Its message comes again.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error("store operation failed")]
    Store(#[from] StoreError),
    #[error("queue operation failed")]
    Queue(#[from] QueueError),
    #[error("failed to commit the step")]
    Effect(#[from] EffectError),
    #[error("secrets store unavailable")]
    Secrets(#[from] SecretsError),
    #[error("late payment not reversed yet")]
    Reversal,
}

impl Conflict for StepError {
    /// Returns whether another worker committed first. That worker has the request now, and takes what is left.
    fn is_conflict(&self) -> bool {
        match self {
            Self::Store(error) => error.is_conflict(),
            Self::Effect(error) => error.is_conflict(),
            Self::Queue(_) | Self::Secrets(_) | Self::Reversal => false,
        }
    }
}

#[async_trait]
impl Handler for FetchInfo {
    async fn handle(&self, message: &Message) -> MessageResult {
        let (step, id) = match message {
            Message::V1 { step, request } => (*step, *request),
            Message::V2 { task } => {
                let ran = self.erasures().run(task).await;
                return result_of(ran, |error, source| {
                    tracing::warn!(task.kind = task.kind(), brand.name = task.brand().map(tracing::field::display), error = %error, source, "task failed; the queue delivers it again");
                });
            }
        };
        let taken = match step {
            Step::Fetch => self.attempts().run(id).await,
            Step::Refund { seq } => self.refunds().run(id, seq).await,
            Step::Reverse { attempt_no } => self.reversals().run(id, attempt_no).await,
            Step::Webhook { seq, more } => {
                self.deliveries().run(id, seq..=seq.saturating_add(more)).await
            }
            Step::Deliver | Step::Check => {
                tracing::error!(request.id = %id, "message of another function received");
                return MessageResult::Again;
            }
        };
        result_of(taken, |error, source| {
            tracing::warn!(request.id = %id, error = %error, source, "step failed; the queue delivers it again");
        })
    }
}

/// Returns the result of a message: one that failed is logged with its error's source, and handled again.
fn result_of(
    taken: Result<(), StepError>,
    log: impl FnOnce(&StepError, Option<String>),
) -> MessageResult {
    match taken {
        Ok(()) => MessageResult::Done,
        Err(error) => {
            log(&error, std::error::Error::source(&error).map(ToString::to_string));
            if guards::is_disabled(Guard::MessageRetry) {
                MessageResult::Done
            } else {
                MessageResult::Again
            }
        }
    }
}

impl FetchInfo {
    fn attempts(&self) -> Attempts<'_> {
        let processors = self.processors.as_ref();
        Attempts { ports: &self.ports, processors, public_base: &self.public_base }
    }

    fn refunds(&self) -> Refunds<'_> {
        Refunds { ports: &self.ports, processors: self.processors.as_ref() }
    }

    fn erasures(&self) -> Erasures<'_> {
        Erasures { ports: &self.ports, processors: self.processors.as_ref() }
    }

    fn reversals(&self) -> Reversals<'_> {
        Reversals { ports: &self.ports, processors: self.processors.as_ref() }
    }

    fn deliveries(&self) -> Deliveries<'_> {
        Deliveries {
            ports: &self.ports,
            http: self.http.as_ref(),
            signer: self.signer.as_deref(),
            reach: self.webhook_reach,
            limit: &self.delivery_limit,
        }
    }
}
