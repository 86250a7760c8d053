//! Puts a prompt in front of the customer.
#![doc = include_str!("../README.md")]

mod check;
mod commit;
mod drive;
mod opt_out;
mod rendering;
mod retract;
mod send;
mod thread;

use std::sync::Arc;

use async_trait::async_trait;
use domain::guards;
use domain::guards::Guard;
use domain::message::{Message, MessageResult, Step};
use domain::values::id::RequestId;
use ports::Handler;
use ports::{Channels, Ports, QueueError, SecretsError, StoreError};
use records::effects::EffectError;
use records::storage;
use records::update::{Conflict, retry_conflicts};

/// Everything send-prompt can touch.
pub struct SendPrompt {
    /// The ports that every function needs.
    pub ports: Ports,
    /// The channels that prompts are sent over.
    pub channels: Arc<dyn Channels>,
    /// The public address that links and provider callbacks begin with, without a slash at its end.
    pub public_base: String,
}

/// The reason why a step was not taken. The queue delivers its message again.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error("store operation failed")]
    Store(#[from] StoreError),
    #[error("queue operation failed")]
    Queue(#[from] QueueError),
    #[error("failed to commit a change")]
    Effect(#[from] EffectError),
    #[error("brand's secret unavailable")]
    Secrets(#[from] SecretsError),
    #[error("message of another function on this queue")]
    UnexpectedStep,
}

impl Conflict for StepError {
    fn is_conflict(&self) -> bool {
        match self {
            Self::Store(error) => error.is_conflict(),
            Self::Effect(error) => error.is_conflict(),
            Self::Queue(_) | Self::Secrets(_) | Self::UnexpectedStep => false,
        }
    }
}

impl SendPrompt {
    async fn take(&self, step: Step, id: RequestId) -> Result<(), StepError> {
        match step {
            Step::Deliver => self.deliver(id).await,
            Step::Check => self.check(id).await,
            Step::Fetch | Step::Refund { .. } | Step::Reverse { .. } | Step::Webhook { .. } => {
                Err(StepError::UnexpectedStep)
            }
        }
    }

    /// Sends a prompt if the request wants one, and retracts prompts that no longer count.
    async fn deliver(&self, id: RequestId) -> Result<(), StepError> {
        let loaded = storage::load(self.ports.store.as_ref(), id).await?;
        if let Some(loaded) = loaded {
            Box::pin(self.drive(loaded)).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Handler for SendPrompt {
    async fn handle(&self, message: &Message) -> MessageResult {
        let Some((step, id)) = message.parts() else {
            tracing::error!("message of another function received");
            return MessageResult::Again;
        };
        match retry_conflicts(|| self.take(step, id)).await {
            Ok(()) => MessageResult::Done,
            Err(error) => {
                let source = std::error::Error::source(&error);
                tracing::warn!(request.id = %id, error = %error, source = ?source.map(ToString::to_string), "step failed; the queue delivers it again");
                if guards::is_disabled(Guard::MessageRetry) {
                    MessageResult::Done
                } else {
                    MessageResult::Again
                }
            }
        }
    }
}
