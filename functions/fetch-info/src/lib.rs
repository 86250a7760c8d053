//! Uses the authorization at the processor, at most once, and tells the requester what happened.

mod charge;
mod crowds;
mod endpoint;
mod gate;
mod lease;
mod refunds;
mod settle;
mod webhooks;

use std::sync::Arc;

use async_trait::async_trait;
use domain::effects::EffectError;
use domain::guards::{self, Guard};
use domain::message::{Handled, Handler, Message, Step};
use domain::ports::{
    Clock, Http, Processors, Queue, QueueError, Random, Reach, Secrets, SecretsError, Store,
    StoreError,
};

pub use crowds::Crowds;

/// Everything fetch-info can touch.
pub struct FetchInfo {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Transaction codes, and the spread of retries.
    pub random: Arc<dyn Random>,
    /// The table.
    pub store: Arc<dyn Store>,
    /// The queues.
    pub queue: Arc<dyn Queue>,
    /// The brands.
    pub secrets: Arc<dyn Secrets>,
    /// The processors.
    pub processors: Arc<dyn Processors>,
    /// The way to the requesters' endpoints.
    pub http: Arc<dyn Http>,
    /// Where customers and providers reach us, without a slash at its end.
    pub public_base: String,
    /// Which addresses a notice may go to: public ones, except on a machine of one's own.
    pub webhook_reach: Reach,
    /// The attempts at endpoints that are under way.
    pub crowds: Crowds,
}

/// Why a step was not taken: all of it means "again".
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the store did not do it")]
    Store(#[from] StoreError),
    #[error("the queue did not do it")]
    Queue(#[from] QueueError),
    #[error("the effect did not happen")]
    Effect(#[from] EffectError),
    #[error("the brand's secret is out of reach")]
    Secrets(#[from] SecretsError),
}

impl Trouble {
    /// Whether somebody else committed first: they have taken the request over, and what is left is theirs.
    const fn is_conflict(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::Conflict)
                | Self::Effect(EffectError::Store(StoreError::Conflict))
        )
    }
}

#[async_trait]
impl Handler for FetchInfo {
    async fn handle(&self, message: &Message) -> Handled {
        let (step, id) = message.parts();
        let taken = match step {
            Step::Fetch => self.fetch(id).await,
            Step::Refund { seq } => self.give_back(id, seq).await,
            Step::Webhook { seq } => self.tell(id, seq).await,
            Step::Deliver | Step::Check => {
                tracing::error!(request.id = %id, "a message of another function came on this queue");
                return Handled::Again;
            }
        };
        match taken {
            Ok(()) => Handled::Done,
            Err(trouble) => {
                let source = std::error::Error::source(&trouble).map(ToString::to_string);
                tracing::warn!(request.id = %id, error = %trouble, source, "will take this step again");
                if guards::is_disabled(Guard::MessageRetry) {
                    Handled::Done
                } else {
                    Handled::Again
                }
            }
        }
    }
}
