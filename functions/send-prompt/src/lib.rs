//! Puts a prompt in front of the customer: picks the next route, falls back when one fails or stays silent, reminds,
//! expires, and hands over again whatever step was lost.

mod check;
mod deliver;
mod render;

use std::sync::Arc;

use async_trait::async_trait;
use domain::effects::EffectError;
use domain::guards::{self, Guard};
use domain::message::{Handled, Handler, Message, Step};
use domain::ports::{
    Channels, Clock, Queue, QueueError, Random, Secrets, SecretsError, Store, StoreError,
};
use domain::values::id::RequestId;

/// Everything send-prompt can touch.
pub struct SendPrompt {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ids of prompts.
    pub random: Arc<dyn Random>,
    /// The table.
    pub store: Arc<dyn Store>,
    /// The queues.
    pub queue: Arc<dyn Queue>,
    /// The brands.
    pub secrets: Arc<dyn Secrets>,
    /// The channels.
    pub channels: Arc<dyn Channels>,
    /// The public address that links and provider callbacks begin with, without a slash at its end.
    pub public_base: String,
}

/// Why a step was not taken: all of it means "again".
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error("the store did not do it")]
    Store(#[from] StoreError),
    #[error("the queue did not do it")]
    Queue(#[from] QueueError),
    #[error("the effect did not happen")]
    Effect(#[from] EffectError),
    #[error("the brand's secret is out of reach")]
    Secrets(#[from] SecretsError),
    #[error("a message of another function came on this queue")]
    UnexpectedStep,
}

impl StepError {
    /// Whether somebody else committed first.
    const fn is_conflict(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::Conflict)
                | Self::Effect(EffectError::Store(StoreError::Conflict))
        )
    }
}

/// How often a lost race is run again at once, before the queue's own patience is asked for.
const RACES_MAX: u32 = 4;

impl SendPrompt {
    async fn take(&self, step: Step, id: RequestId) -> Result<(), StepError> {
        match step {
            Step::Deliver => self.deliver(id).await,
            Step::Check => self.check(id).await,
            Step::Fetch | Step::Refund { .. } | Step::Webhook { .. } => {
                Err(StepError::UnexpectedStep)
            }
        }
    }
}

#[async_trait]
impl Handler for SendPrompt {
    async fn handle(&self, message: &Message) -> Handled {
        let (step, id) = message.parts();
        let mut taken = self.take(step, id).await;
        for _ in 0..RACES_MAX {
            if !taken.as_ref().is_err_and(StepError::is_conflict) {
                break;
            }
            taken = self.take(step, id).await;
        }
        match taken {
            Ok(()) => Handled::Done,
            Err(error) => {
                let source = std::error::Error::source(&error);
                tracing::warn!(request.id = %id, error = %error, source = ?source.map(ToString::to_string), "will take this step again");
                if guards::is_disabled(Guard::MessageRetry) {
                    Handled::Done
                } else {
                    Handled::Again
                }
            }
        }
    }
}
