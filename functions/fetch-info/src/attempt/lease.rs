//! The lease on a request: which worker has it, and commits that stand only while it is held.
//!
//! This order is what makes a charge happen at most once. Each step is committed before it is taken. A worker that lost
//! its lease finds out at its next commit.

use std::time::Duration;

use domain::message::Step;
use domain::request::{Attempt, Change, Refusal, Request, State};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use ports::{Ports, SecretsError, StoreError, Write};
use records::effects::send;
use records::storage;
use records::storage::VersionedRequest;
use records::update::{Conflict, Decision, Updated, commit, update};

use crate::StepError;
use crate::waits::LOOK_UP_INTERVAL_MIN;

/// The lease that this worker holds.
pub(super) struct Lease<'a> {
    pub(super) ports: &'a Ports,
    loaded: VersionedRequest,
}

/// The reason why a run stopped before its end.
pub(super) enum Stop {
    /// Another worker has the request, or it has moved on. What is left is not this worker's.
    LeaseLost,
    /// The step failed. Its message comes again.
    Failed(StepError),
}

impl From<StepError> for Stop {
    fn from(error: StepError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<SecretsError> for Stop {
    fn from(error: SecretsError) -> Self {
        Self::Failed(error.into())
    }
}

impl<'a> Lease<'a> {
    /// Takes the lease. `None` when another worker holds it, or nothing is approved.
    pub(super) async fn take(ports: &'a Ports, id: RequestId) -> Result<Option<Self>, StepError> {
        let Some(loaded) = storage::load(ports.store.as_ref(), id).await? else {
            return Ok(None);
        };
        if was_just_retrieved(&loaded.request, ports.clock.now()) {
            return Ok(None);
        }
        let change = match loaded.request.lease(ports.clock.now()) {
            Ok(change) => change,
            Err(Refusal::Leased) => {
                look_again(ports, &loaded.request).await?;
                return Ok(None);
            }
            Err(Refusal::Prompt) => {
                reject_consent(ports, &loaded).await?;
                return Ok(None);
            }
            Err(
                Refusal::Closed
                | Refusal::Authorized
                | Refusal::Early
                | Refusal::Late
                | Refusal::Step
                | Refusal::Limit,
            ) => return Ok(None),
        };
        match commit(change).apply(ports, Some(loaded.version)).await {
            Ok(loaded) => Ok(Some(Self { ports, loaded })),
            Err(error) if error.is_conflict() => {
                look_again(ports, &loaded.request).await?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the request as it was last stored.
    pub(super) const fn request(&self) -> &Request {
        &self.loaded.request
    }

    /// Commits a step, and again after a conflict while the lease is held. Another writer's late receipt does not end it.
    pub(super) async fn commit(
        &mut self,
        command: impl Fn(&Request, Timestamp) -> Result<Change, Refusal>,
    ) -> Result<(), Stop> {
        self.commit_with(command, Vec::new()).await
    }

    /// Commits a step together with other writes.
    pub(super) async fn commit_with(
        &mut self,
        command: impl Fn(&Request, Timestamp) -> Result<Change, Refusal>,
        writes: Vec<Write>,
    ) -> Result<(), Stop> {
        let held = leased_until(&self.loaded.request);
        let decide = |request: &Request, now| -> Result<Decision<()>, StepError> {
            if leased_until(request) != held {
                tracing::warn!(request.id = %request.id, "lease lost to another worker");
                return Ok(Decision::Stop(()));
            }
            Ok(match command(request, now) {
                Ok(change) => commit(change).with_writes(writes.clone()).into(),
                Err(_) => Decision::Stop(()),
            })
        };
        match update(self.ports, self.loaded.clone(), decide).await? {
            Updated::Stored(stored) => {
                self.loaded = stored;
                Ok(())
            }
            Updated::Stopped(()) | Updated::Absent => Err(Stop::LeaseLost),
        }
    }

    /// Sends the message for the attempt's next run, unless `sent_for` says that the one for that time was sent before.
    pub(super) async fn send_next_run(&self, sent_for: Option<Timestamp>) -> Result<(), StepError> {
        let due = self.loaded.request.open_attempt().and_then(|attempt| attempt.retry_at);
        let Some(due) = due.filter(|due| Some(*due) != sent_for) else { return Ok(()) };
        let wait = self.ports.clock.now().until(due);
        Ok(send(self.ports.queue.as_ref(), Step::Fetch, self.loaded.request.id, wait).await?)
    }
}

/// Fails a request whose consent is not to what is stored as asked (C1). Nothing is charged, and a person must look.
async fn reject_consent(ports: &Ports, loaded: &VersionedRequest) -> Result<(), StepError> {
    tracing::error!(request.id = %loaded.request.id, "C1: consent does not match the ask");
    if let Ok(change) = loaded.request.reject_consent(ports.clock.now()) {
        commit(change).apply(ports, Some(loaded.version)).await?;
    }
    Ok(())
}

/// Looks again when the other worker's lease has run out, in case that worker died with it.
async fn look_again(ports: &Ports, request: &Request) -> Result<(), StepError> {
    let now = ports.clock.now();
    let wait = match &request.state {
        State::Processing { lease, .. } => now.until(*lease).max(Duration::from_secs(1)),
        State::Pending | State::Prompted | State::Authorized { .. } | State::Closed { .. } => {
            Duration::from_secs(2)
        }
    };
    Ok(send(ports.queue.as_ref(), Step::Fetch, request.id, wait).await?)
}

/// Returns whether a webhook or a page asks for a look, and a worker looked a moment ago.
fn was_just_retrieved(request: &Request, now: Timestamp) -> bool {
    let early = request.open_attempt().is_some_and(|attempt: &Attempt| attempt.is_early(now));
    early
        && leased_until(request)
            .is_some_and(|released| now >= released && now < released.after(LOOK_UP_INTERVAL_MIN))
}

/// The time until which a worker has the request.
const fn leased_until(request: &Request) -> Option<Timestamp> {
    match &request.state {
        State::Processing { lease, .. } => Some(*lease),
        State::Pending | State::Prompted | State::Authorized { .. } | State::Closed { .. } => None,
    }
}
