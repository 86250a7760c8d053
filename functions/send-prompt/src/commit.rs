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

    /// Records how a prompt was delivered, in the order of `statuses`, as one change.
    ///
    /// A receipt or a reply may have been faster: then it is decided again.
    pub(crate) async fn record(
        &self,
        loaded: VersionedRequest,
        prompt: PromptId,
        statuses: &[DeliveryStatus],
        provider_id: Option<String>,
    ) -> Result<VersionedRequest, StepError> {
        let unchanged = loaded.clone();
        let updated = update(&self.ports, loaded, |request, now| -> Result<_, StepError> {
            let mut whole: Option<Change> = None;
            for status in statuses {
                let known = whole.as_ref().map_or(request, |before| &before.request);
                let (status, provider_id) = (status.clone(), provider_id.clone());
                let next = known.record_delivery_status(prompt, status, provider_id, now);
                whole = Some(match whole {
                    Some(before) => before.followed_by(next),
                    None => next,
                });
            }
            Ok(whole.map_or(Decision::Stop(()), Decision::from))
        });
        match updated.await? {
            Updated::Stored(stored) => Ok(stored),
            Updated::Stopped(()) => Ok(unchanged),
            Updated::Absent => Err(StoreError::Conflict.into()),
        }
    }
}
