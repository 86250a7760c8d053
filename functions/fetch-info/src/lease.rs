//! Who has a request at the processor: the lease, and commits that stand only while it is ours.
//!
//! The order is what makes a charge happen at most once: each step is committed before it is taken, and a worker that lost
//! its lease finds out at its next commit.

use std::time::Duration;

use domain::effects::{self, send};
use domain::message::Step;
use domain::ports::{StoreError, Write};
use domain::request::{Change, Refusal, Request, State};
use domain::storage::{self, VersionedRequest};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;

use crate::{FetchInfo, StepError};

/// How often a commit that lost a race is decided again: more than a request has receipts.
pub(crate) const RACES_MAX: u32 = 32;

/// Somebody who hears of news is not looked after more often than this: a page may say so with each reload.
pub(crate) const LOOKS_APART: Duration = Duration::from_secs(1);

impl FetchInfo {
    /// Takes the request to its processor, if nobody else has it and there is a yes to use.
    pub(crate) async fn fetch(&self, id: RequestId) -> Result<(), StepError> {
        let Some(loaded) = storage::load(self.store.as_ref(), id).await? else { return Ok(()) };
        if was_just_looked_up(&loaded.request, self.clock.now()) {
            return Ok(());
        }
        let change = match loaded.request.lease(self.clock.now()) {
            Ok(change) => change,
            Err(Refusal::Leased) => return self.come_back(&loaded.request).await,
            Err(Refusal::Prompt) => {
                // C1: the stored yes is not to what is stored as asked. Nothing is charged, and a person must look.
                tracing::error!(request.id = %id, "C1: the consent is not to this ask");
                if let Ok(change) = loaded.request.reject_consent(self.clock.now()) {
                    self.apply(&loaded, change).await?;
                }
                return Ok(());
            }
            Err(
                Refusal::Closed
                | Refusal::Authorized
                | Refusal::Early
                | Refusal::Late
                | Refusal::Step
                | Refusal::Limit,
            ) => return Ok(()),
        };
        let leased = match self.apply(&loaded, change).await {
            Ok(leased) => leased,
            Err(error) if error.is_conflict() => return self.come_back(&loaded.request).await,
            Err(error) => return Err(error),
        };
        Box::pin(self.turn(leased)).await
    }

    /// Another worker has the request: look again when its lease has run out, in case it died with it.
    async fn come_back(&self, request: &Request) -> Result<(), StepError> {
        let now = self.clock.now();
        let wait = match &request.state {
            State::Processing { lease, .. } => now.until(*lease).max(Duration::from_secs(1)),
            State::Pending | State::Prompted | State::Authorized { .. } | State::Closed { .. } => {
                Duration::from_secs(2)
            }
        };
        Ok(send(self.queue.as_ref(), Step::Fetch, request.id, wait).await?)
    }

    /// Commits a step of ours while the lease is ours: what others record meanwhile, such as a late receipt, is no reason
    /// to stop. `None` when the request is no longer ours.
    pub(crate) async fn step(
        &self,
        loaded: VersionedRequest,
        command: impl Fn(&Request, Timestamp) -> Result<Change, Refusal>,
    ) -> Result<Option<VersionedRequest>, StepError> {
        self.step_with(loaded, command, Vec::new()).await
    }

    /// The same, with what is written along with it.
    pub(crate) async fn step_with(
        &self,
        mut loaded: VersionedRequest,
        command: impl Fn(&Request, Timestamp) -> Result<Change, Refusal>,
        extra: Vec<Write>,
    ) -> Result<Option<VersionedRequest>, StepError> {
        let ours = lease(&loaded.request);
        for _ in 0..RACES_MAX {
            let Ok(change) = command(&loaded.request, self.clock.now()) else { return Ok(None) };
            match self.apply_with(&loaded, change, extra.clone()).await {
                Ok(stored) => return Ok(Some(stored)),
                Err(error) if error.is_conflict() => {
                    let again = storage::load(self.store.as_ref(), loaded.request.id).await?;
                    let Some(again) = again.filter(|again| lease(&again.request) == ours) else {
                        tracing::warn!(request.id = %loaded.request.id, "another worker has taken the request over");
                        return Ok(None);
                    };
                    loaded = again;
                }
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict.into())
    }

    async fn apply(
        &self,
        loaded: &VersionedRequest,
        change: Change,
    ) -> Result<VersionedRequest, StepError> {
        self.apply_with(loaded, change, Vec::new()).await
    }

    async fn apply_with(
        &self,
        loaded: &VersionedRequest,
        change: Change,
        extra: Vec<Write>,
    ) -> Result<VersionedRequest, StepError> {
        let ports = (self.store.as_ref(), self.queue.as_ref());
        Ok(effects::apply(ports, Some(loaded.version), change, extra, None).await?)
    }
}

/// Whether somebody heard that there may be news, and somebody looked a moment ago.
fn was_just_looked_up(request: &Request, now: Timestamp) -> bool {
    let early = request.open_attempt().is_some_and(|attempt| attempt.is_early(now));
    early
        && lease(request)
            .is_some_and(|given_back| now >= given_back && now < given_back.after(LOOKS_APART))
}

/// Until when a worker has the request.
const fn lease(request: &Request) -> Option<Timestamp> {
    match &request.state {
        State::Processing { lease, .. } => Some(*lease),
        State::Pending | State::Prompted | State::Authorized { .. } | State::Closed { .. } => None,
    }
}
