//! The commit of what a run of a refund came to, and what is owed after it.

use std::time::Duration;

use domain::guards;
use domain::guards::Guard;
use domain::processor_result::Reference;
use domain::request::{Change, RefundRecord, RefundRetry, Refusal, Request};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use ports::{Ports, RefundResult};
use records::storage::VersionedRequest;
use records::update::{Decision, commit, update};

use super::call::RefundRun;
use super::send_next_run;
use crate::StepError;
use crate::waits::DELAY_MAX;
use crate::waits::retry_wait;

/// The shortest wait for a pending refund. It may take days, and the processor reports its end. A worker still looks.
const PENDING_MIN: Duration = Duration::from_secs(60);
/// The longest wait between two tries.
const WAIT_MAX: Duration = Duration::from_secs(6 * 3_600);

/// The recorder of a refund's run, which also sends what is owed.
pub(super) struct Recorder<'a> {
    pub(super) ports: &'a Ports,
    pub(super) id: RequestId,
    /// The refund as it was before the run.
    pub(super) before: &'a RefundRecord,
}

/// A refund that is run again.
struct DelayedRefund {
    reason: &'static str,
    /// The processor's id for it, where it has one.
    reference: Option<Reference>,
    wait: Duration,
}

impl Recorder<'_> {
    /// Commits what a run came to, then sends the message for the next run where there is one.
    pub(super) async fn record(&self, called: RefundRun) -> Result<(), StepError> {
        let tries = self.before.tries;
        let usual = retry_wait(tries.saturating_add(1)).min(WAIT_MAX);
        let postponed = |reason, wait| DelayedRefund { reason, reference: None, wait };
        let postponed = match called {
            RefundRun::NoCharge => return Ok(()),
            RefundRun::Finished(RefundResult::Done(reference)) => {
                return self.complete(&reference).await;
            }
            RefundRun::Finished(RefundResult::Unknown)
                if guards::is_disabled(Guard::UnknownIsNoFailedRefund) =>
            {
                return self.fail("lost").await;
            }
            RefundRun::Finished(RefundResult::Failed { code }) => {
                tracing::warn!(request.id = %self.id, code, "refund failed");
                return self.fail(code).await;
            }
            RefundRun::Finished(RefundResult::Pending(reference)) => {
                let wait = slow_wait(tries).max(PENDING_MIN).min(WAIT_MAX);
                DelayedRefund { reason: "pending", reference: Some(reference), wait }
            }
            RefundRun::Finished(RefundResult::Again) => postponed("again", usual),
            RefundRun::Finished(RefundResult::Unknown) => {
                postponed("unknown", usual.max(slow_wait(tries)))
            }
            RefundRun::Finished(RefundResult::Blocked { by }) => postponed(by.code(), usual),
            RefundRun::Skipped { reason, wait } => postponed(reason, wait.unwrap_or(usual)),
        };
        self.postpone(&postponed).await
    }

    async fn complete(&self, reference: &Reference) -> Result<(), StepError> {
        let seq = self.before.seq;
        let command = |request: &Request, now| request.complete_refund(seq, reference.clone(), now);
        self.commit(command).await.map(|_stored| ())
    }

    async fn fail(&self, code: &str) -> Result<(), StepError> {
        let seq = self.before.seq;
        self.commit(|request, now| request.fail_refund(seq, code, now)).await.map(|_stored| ())
    }

    async fn postpone(&self, postponed: &DelayedRefund) -> Result<(), StepError> {
        let (before, seq) = (self.before, self.before.seq);
        let command = |request: &Request, now| {
            let reported = request.open_refund(seq).map(|refund| refund.reported.clone());
            let overtaken = reported.is_some_and(|reported| reported != before.reported);
            let wait = if overtaken { Duration::ZERO } else { postponed.wait };
            let DelayedRefund { reason, reference, .. } = postponed;
            request.release_refund(
                seq,
                RefundRetry { reason, reference: reference.as_ref(), wait },
                now,
            )
        };
        let stored = self.commit(command).await?;
        let due = stored.and_then(|stored| stored.request.open_refund(seq)?.retry_at);
        let Some(due) = due.filter(|due| Some(*due) != before.retry_at) else { return Ok(()) };
        let wait = self.ports.clock.now().until(due);
        // A check hands over what is due later.
        if wait > DELAY_MAX {
            return Ok(());
        }
        send_next_run(self.ports, self.id, seq, wait).await
    }

    /// Commits what became known of the refund. `None` when it has ended otherwise meanwhile.
    ///
    /// A worker whose lease ran out may do so too. Its successor made the same call with the same key, and got the same
    /// result.
    async fn commit(
        &self,
        command: impl Fn(&Request, Timestamp) -> Result<Change, Refusal>,
    ) -> Result<Option<VersionedRequest>, StepError> {
        let decide = |request: &Request, now| -> Result<Decision<()>, StepError> {
            Ok(match command(request, now) {
                Ok(change) => commit(change).into(),
                Err(_) => Decision::Stop(()),
            })
        };
        Ok(update(self.ports, self.id, decide).await?.stored())
    }
}

/// Returns a minute, two, four … up to six hours.
fn slow_wait(tries: u32) -> Duration {
    PENDING_MIN.saturating_mul(1 << tries.min(9)).min(WAIT_MAX)
}
