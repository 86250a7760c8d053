//! One refund at the processor: one worker at a time, and the same call until it has ended.

mod call;
mod record;

use std::time::Duration;

use domain::guards;
use domain::guards::Guard;
use domain::message::Step;
use domain::request::{RefundRecord, Refusal};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use ports::{Ports, Processors};
use records::effects::send;
use records::storage;
use records::update::{Conflict, commit};

use self::record::Recorder;
use crate::StepError;
use crate::waits::DELAY_MAX;
use crate::waits::LOOK_UP_INTERVAL_MIN;

/// The worker that makes refunds.
pub(crate) struct Refunds<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) processors: &'a dyn Processors,
}

impl Refunds<'_> {
    /// Makes the refund, unless another worker has it or it has ended.
    pub(crate) async fn run(&self, id: RequestId, seq: u32) -> Result<(), StepError> {
        let ports = self.ports;
        let Some(loaded) = storage::load(ports.store.as_ref(), id).await? else { return Ok(()) };
        let now = ports.clock.now();
        let Some(before) = loaded.request.open_refund(seq).cloned() else { return Ok(()) };
        if before.is_early(now) && was_just_tried(&before, now) {
            return Ok(());
        }
        let recorder = Recorder { ports, id, before: &before };
        if guards::is_disabled(Guard::CommitBeforeRefund) {
            let called = Box::pin(self.call(&loaded.request, &before)).await?;
            return recorder.record(called).await;
        }
        let change = match loaded.request.record_refund_started(seq, now) {
            Ok(change) => change,
            Err(Refusal::Leased) => {
                let wait = before.lease.map_or(Duration::ZERO, |lease| now.until(lease));
                return send_next_run(ports, id, seq, wait).await;
            }
            Err(
                Refusal::Closed
                | Refusal::Authorized
                | Refusal::Early
                | Refusal::Late
                | Refusal::Prompt
                | Refusal::Step
                | Refusal::Limit,
            ) => return Ok(()),
        };
        match commit(change).apply(ports, Some(loaded.version)).await {
            Ok(started) => {
                let called = Box::pin(self.call(&started.request, &before)).await?;
                recorder.record(called).await
            }
            Err(error) if error.is_conflict() => {
                send_next_run(ports, id, seq, Duration::from_secs(2)).await
            }
            Err(error) => Err(error.into()),
        }
    }
}

async fn send_next_run(
    ports: &Ports,
    id: RequestId,
    seq: u32,
    wait: Duration,
) -> Result<(), StepError> {
    let wait = wait.clamp(Duration::from_secs(1), DELAY_MAX);
    Ok(send(ports.queue.as_ref(), Step::Refund { seq }, id, wait).await?)
}

fn was_just_tried(refund: &RefundRecord, now: Timestamp) -> bool {
    refund
        .lease
        .is_some_and(|released| now >= released && now < released.after(LOOK_UP_INTERVAL_MIN))
}
