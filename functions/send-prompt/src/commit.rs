//! Commits of a request's prompts.

use domain::journal::DeliveryStatus;
use domain::request::Change;
use domain::values::id::PromptId;
use ports::{StoreError, Write};
use records::storage::VersionedRequest;
use records::update::{Decision, Updated, commit, update};

use crate::{SendPrompt, StepError};

impl SendPrompt {
    /// Stores a change of exactly this version. After a conflict, the whole step is taken again from its start.
    pub(crate) async fn commit(
        &self,
        expected_version: u64,
        change: Change,
        writes: Vec<Write>,
    ) -> Result<VersionedRequest, StepError> {
        let commit = commit(change).with_writes(writes);
        Ok(commit.apply(&self.ports, Some(expected_version)).await?)
    }

    /// Records how a prompt was delivered. A receipt or a reply may have been faster: then it is decided again.
    pub(crate) async fn record(
        &self,
        loaded: VersionedRequest,
        prompt: PromptId,
        status: DeliveryStatus,
        provider_id: Option<String>,
    ) -> Result<VersionedRequest, StepError> {
        let updated = update(&self.ports, loaded, |request, now| -> Result<_, StepError> {
            let (status, provider_id) = (status.clone(), provider_id.clone());
            let change = request.record_delivery_status(prompt, status, provider_id, now);
            Ok(Decision::<()>::from(change))
        });
        match updated.await? {
            Updated::Stored(stored) => Ok(stored),
            Updated::Stopped(()) | Updated::Absent => Err(StoreError::Conflict.into()),
        }
    }
}
