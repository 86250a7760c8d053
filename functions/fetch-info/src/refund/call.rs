//! The call that makes a refund.

use std::time::Duration;

use domain::guards;
use domain::guards::Guard;
use domain::request::{RefundRecord, Request};
use domain::values::money::Money;
use domain::values::name::ProcessorName;
use ports::{OpenProcessorError, Refund, RefundResult};
use records::circuit_breaker::CallKind;

use super::Refunds;
use crate::StepError;
use crate::circuit::{AccountStatus, CallScope, Circuit};

/// The result of a run.
pub(super) enum RefundRun {
    /// The processor's result.
    Finished(RefundResult),
    /// The processor was not called, or rejects our account. The wait is for how long the circuit stays open.
    Skipped { reason: &'static str, wait: Option<Duration> },
    /// Nothing was charged that could be refunded.
    NoCharge,
}

impl Refunds<'_> {
    /// Calls the processor once. `before` is the refund as it was before this run.
    pub(super) async fn call(
        &self,
        request: &Request,
        before: &RefundRecord,
    ) -> Result<RefundRun, StepError> {
        let (Some(charge), Some(processor)) = (request.charge(), request.charged_at()) else {
            return Ok(RefundRun::NoCharge);
        };
        let currency = charge.currency.parse().ok();
        let Some(money) = currency.and_then(|currency| Money::new(before.amount, currency).ok())
        else {
            tracing::error!(request.id = %request.id, "failed to read the currency of the charge");
            return Ok(RefundRun::Finished(RefundResult::Failed { code: "currency" }));
        };
        let refund = Refund {
            request: request.id,
            seq: before.seq,
            charge: &charge.reference,
            money,
            again: before.started_at.is_some(),
            reported: before.reported.as_ref(),
        };
        self.call_at(request, processor, &refund).await
    }

    async fn call_at(
        &self,
        request: &Request,
        name: &ProcessorName,
        refund: &Refund<'_>,
    ) -> Result<RefundRun, StepError> {
        let brand = match self.ports.secrets.brand(&request.brand).await {
            Ok(brand) => brand,
            Err(error) => {
                tracing::warn!(request.id = %request.id, error = %error, "secrets store unavailable");
                return Ok(RefundRun::Skipped { reason: "brand_settings", wait: None });
            }
        };
        let processor = match self.processors.open(&brand, request.mode, name) {
            Ok(processor) => processor,
            Err(OpenProcessorError::Absent | OpenProcessorError::Settings(_)) => {
                return Ok(RefundRun::Skipped { reason: "processor_settings", wait: None });
            }
        };
        let scope = CallScope { mode: request.mode, processor: name, kind: CallKind::Refund };
        let mut circuit = Circuit::load(self.ports, &brand, scope).await?;
        if let Some(wait) = circuit.try_acquire().await?
            && !guards::is_disabled(Guard::CircuitBreaker)
        {
            return Ok(RefundRun::Skipped { reason: "circuit_open", wait: Some(wait) });
        }
        let result = processor.refund(refund).await;
        let wait = circuit.record(AccountStatus::of_refund(&result)).await;
        Ok(match (result, wait) {
            (RefundResult::Blocked { by }, Some(_)) => {
                RefundRun::Skipped { reason: by.code(), wait }
            }
            (result, _) => RefundRun::Finished(result),
        })
    }
}
