//! The reversal of a payment that succeeded after its attempt had ended.

use domain::guards;
use domain::guards::Guard;
use domain::message::Step;
use domain::request::{LatePayment, Request, Reversal};
use domain::values::id::RequestId;
use ports::{LateReversal, Ports, Processors, RefundResult};
use records::circuit_breaker::CallKind;
use records::effects::send;
use records::storage;
use records::update::{Decision, commit, update};

use crate::StepError;
use crate::circuit::{AccountStatus, CallScope, Circuit};
use crate::waits::DELAY_MAX;

/// The worker that reverses late payments.
pub(crate) struct Reversals<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) processors: &'a dyn Processors,
}

impl Reversals<'_> {
    /// Requests the reversal of an attempt's late payments, and looks until each has ended.
    ///
    /// A failure brings the message again, and to the dead letters in the end. The same call with the same key is safe.
    pub(crate) async fn run(&self, id: RequestId, attempt_no: u32) -> Result<(), StepError> {
        let Some(loaded) = storage::load(self.ports.store.as_ref(), id).await? else {
            return Ok(());
        };
        for late in loaded.request.open_reversals(attempt_no) {
            self.reverse(&loaded.request, late).await?;
        }
        let loaded = storage::load(self.ports.store.as_ref(), id).await?;
        let open =
            loaded.is_some_and(|loaded| loaded.request.open_reversals(attempt_no).next().is_some());
        if open {
            send(self.ports.queue.as_ref(), Step::Reverse { attempt_no }, id, DELAY_MAX).await?;
        }
        Ok(())
    }

    /// Requests one reversal, or ends one whose result is long overdue.
    async fn reverse(&self, request: &Request, late: &LatePayment) -> Result<(), StepError> {
        let (id, attempt_no) = (request.id, late.attempt_no);
        let is_overdue = late.reversal_ends_at().is_some_and(|end| self.ports.clock.now() >= end);
        if late.reversal == Reversal::Requested {
            if is_overdue && !guards::is_disabled(Guard::ReversalTimeout) {
                tracing::error!(request.id = %id, attempt_no, "no result of a reversal was reported; look at the processor, and refund it by hand");
                self.record(id, late, Reversal::Failed).await?;
            }
            return Ok(());
        }
        let reversal = match self.call(request, late).await? {
            RefundResult::Done(_) => Reversal::Done,
            RefundResult::Pending(_) => Reversal::Requested,
            RefundResult::Failed { code } => {
                tracing::error!(request.id = %id, attempt_no, code, "late payment cannot be reversed; refund it by hand");
                Reversal::Failed
            }
            RefundResult::Again | RefundResult::Unknown | RefundResult::Blocked { .. } => {
                return Err(StepError::Reversal);
            }
        };
        self.record(id, late, reversal).await
    }

    async fn record(
        &self,
        id: RequestId,
        late: &LatePayment,
        reversal: Reversal,
    ) -> Result<(), StepError> {
        let LatePayment { attempt_no, reference, .. } = late;
        let decide = |request: &Request, now| -> Result<Decision<()>, StepError> {
            Ok(match request.record_reversal(*attempt_no, Some(reference), reversal, now) {
                Ok(change) => commit(change).into(),
                Err(_reported_meanwhile) => Decision::Stop(()),
            })
        };
        update(self.ports, id, decide).await?;
        Ok(())
    }

    async fn call(&self, request: &Request, late: &LatePayment) -> Result<RefundResult, StepError> {
        let attempt = request.attempts.iter().find(|known| known.attempt_no == late.attempt_no);
        let name = attempt.map_or(&request.processor, |attempt| &attempt.processor);
        let brand = self.ports.secrets.brand(&request.brand).await?;
        let Ok(processor) = self.processors.open(&brand, request.mode, name) else {
            return Err(StepError::Reversal);
        };
        let scope = CallScope { mode: request.mode, processor: name, kind: CallKind::Refund };
        let mut circuit = Circuit::load(self.ports, &brand, scope).await?;
        if circuit.try_acquire().await?.is_some() {
            return Err(StepError::Reversal);
        }
        let reversal = LateReversal {
            request: request.id,
            attempt_no: late.attempt_no,
            payment: &late.reference,
        };
        let result = processor.reverse(&reversal).await;
        circuit.record(AccountStatus::of_refund(&result)).await;
        Ok(result)
    }
}
