//! Retracts prompts that no longer count, where their channels can. They are dead in any case.

use std::sync::Arc;

use domain::brand::Brand;
use domain::journal::DeliveryStatus;
use domain::outcome::Outcome;
use domain::request::{PromptRecord, PromptStatus, Request, State};
use domain::values::prompt_ref::PromptRef;
use ports::Retraction;
use records::storage::VersionedRequest;

use crate::{SendPrompt, StepError};

impl SendPrompt {
    /// Retracts the prompts that a newer one replaced.
    pub(crate) async fn retract_replaced(
        &self,
        mut loaded: VersionedRequest,
        brand: &Arc<Brand>,
    ) -> Result<VersionedRequest, StepError> {
        let is_replaced = |prompt: &&PromptRecord| {
            prompt.status == PromptStatus::Superseded && !prompt.taken_back
        };
        let replaced: Vec<PromptRecord> =
            loaded.request.prompts.iter().filter(is_replaced).cloned().collect();
        for prompt in replaced {
            let retracted = self.retract(&loaded.request, brand, &prompt).await;
            let status = [DeliveryStatus::Superseded { retracted }];
            loaded = self.record(loaded, prompt.id, &status, None).await?;
        }
        Ok(loaded)
    }

    /// Retracts every prompt of a request that ended without the customer: nothing on their phone asks any longer.
    pub(crate) async fn retract_unanswered(&self, loaded: &VersionedRequest, brand: &Arc<Brand>) {
        let unanswered = matches!(
            &loaded.request.state,
            State::Closed { outcome: Outcome::Cancelled | Outcome::Expired, .. }
        );
        if unanswered {
            for prompt in loaded.request.prompts.iter().filter(|prompt| prompt.is_out()) {
                self.retract(&loaded.request, brand, prompt).await;
            }
        }
    }

    /// Retracts one prompt. `false` when its channel cannot.
    async fn retract(&self, request: &Request, brand: &Arc<Brand>, prompt: &PromptRecord) -> bool {
        let Some(channel) = self.open_channel(request, brand, &prompt.channel) else {
            return false;
        };
        let retraction = Retraction {
            reference: PromptRef { request: request.id, prompt: prompt.id },
            to: request.customer.phone.clone(),
            provider_id: prompt.provider_id.clone(),
        };
        channel.retract(&retraction).await
    }
}
