//! The circuit breaker of the processor account that a worker calls.

use std::sync::Arc;
use std::time::Duration;

use domain::brand::{Brand, BrandScope, Mode};
use domain::values::name::ProcessorName;
use ports::{DetachResult, Ports, RefundResult, Rejection, StoreError};
use records::circuit_breaker::{CallKind, CircuitBreaker, CircuitScope};

/// The state of the account that we called with, as a processor's result shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountStatus {
    /// The processor rejected our account, or this kind of call.
    Rejected(Rejection),
    /// No answer came, or one that says nothing of the account.
    Unreachable,
    /// The processor accepted our credentials.
    Accepted,
}

impl AccountStatus {
    /// Returns what the result of a refund or a reversal says.
    pub(crate) const fn of_refund(result: &RefundResult) -> Self {
        match result {
            RefundResult::Blocked { by } => Self::Rejected(*by),
            RefundResult::Again | RefundResult::Unknown => Self::Unreachable,
            RefundResult::Done(_) | RefundResult::Pending(_) | RefundResult::Failed { .. } => {
                Self::Accepted
            }
        }
    }

    /// Returns what the result of taking a card off file says.
    pub(crate) const fn of_detach(result: DetachResult) -> Self {
        match result {
            DetachResult::Blocked { by } => Self::Rejected(by),
            DetachResult::Again => Self::Unreachable,
            DetachResult::Detached | DetachResult::Failed { .. } => Self::Accepted,
        }
    }
}

/// The circuit breaker of one processor account, with the settings that the account was opened with.
pub(crate) struct Circuit<'a> {
    ports: &'a Ports,
    brand: Arc<Brand>,
    mode: Mode,
    processor: ProcessorName,
    kind: CallKind,
    breaker: CircuitBreaker,
}

/// The processor account of a brand in a mode, and the kind of call to it.
#[derive(Clone, Copy)]
pub(crate) struct CallScope<'a> {
    pub(crate) mode: Mode,
    pub(crate) processor: &'a ProcessorName,
    pub(crate) kind: CallKind,
}

impl<'a> Circuit<'a> {
    /// Loads the circuit breaker of a kind of call to a brand's processor.
    pub(crate) async fn load(
        ports: &'a Ports,
        brand: &Arc<Brand>,
        call: CallScope<'_>,
    ) -> Result<Self, StoreError> {
        let CallScope { mode, processor, kind } = call;
        let (store, scope) = (ports.store.as_ref(), BrandScope { brand: &brand.name, mode });
        let breaker = CircuitBreaker::load(store, scope, processor, kind).await?;
        let (brand, processor) = (Arc::clone(brand), processor.clone());
        Ok(Self { ports, brand, mode, processor, kind, breaker })
    }

    /// Returns `None` when this worker may call, and otherwise how long the circuit stays open.
    pub(crate) async fn try_acquire(&mut self) -> Result<Option<Duration>, StoreError> {
        self.breaker.try_acquire(self.ports.store.as_ref(), self.ports.clock.now()).await
    }

    /// Records what a result says about the account. Returns how long the circuit is open, if it is.
    ///
    /// Rotated credentials are tried at once. A failure to record changes nothing about the result.
    pub(crate) async fn record(&self, status: AccountStatus) -> Option<Duration> {
        match self.stored(status).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(processor.name = %self.processor, error = %error, "failed to record the circuit breaker");
                None
            }
        }
    }

    async fn stored(&self, status: AccountStatus) -> Result<Option<Duration>, StoreError> {
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let mut breaker = self.breaker.clone();
        let rejection = match status {
            AccountStatus::Accepted => None,
            AccountStatus::Unreachable => {
                breaker.release_probe(store, now).await?;
                return Ok(None);
            }
            AccountStatus::Rejected(rejection) => Some(rejection),
        };
        let rejection = match rejection {
            Some(rejection) if !self.is_rotated().await => rejection,
            Some(_) | None => {
                if breaker.close(store).await? {
                    tracing::info!(processor.name = %self.processor, "processor accepted our credentials; circuit closed");
                }
                return Ok(None);
            }
        };
        let scope =
            if rejection.is_of_account() { CircuitScope::Account } else { CircuitScope::Kind };
        if breaker.record_refusal(store, scope, now).await? {
            tracing::error!(
                brand.name = %self.brand.name,
                processor.name = %self.processor,
                call.kind = self.kind.as_str(),
                reason = rejection.code(),
                circuit = ?scope,
                "processor rejected our calls; circuit opened"
            );
        }
        Ok(breaker.open_for(now))
    }

    /// Reads the brand's secret again. Returns whether the processor's settings have changed.
    async fn is_rotated(&self) -> bool {
        match self.ports.secrets.refresh(&self.brand.name).await {
            Ok(fresh) => {
                let settings = |brand: &Brand| brand.processor(self.mode, &self.processor).cloned();
                settings(&fresh) != settings(&self.brand)
            }
            Err(error) => {
                tracing::warn!(error = %error, "failed to read the brand's secret again");
                false
            }
        }
    }
}
