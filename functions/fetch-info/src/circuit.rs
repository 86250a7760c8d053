//! The circuit breaker of the processor account that a worker calls.

use std::sync::Arc;
use std::time::Duration;

use domain::brand::{Brand, BrandScope, Mode};
use domain::values::name::ProcessorName;
use ports::{Ports, StoreError};
use records::circuit_breaker::CircuitBreaker;

/// What a processor's result says about the account that we called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountStatus {
    /// The processor rejected our credentials or account.
    Rejected,
    /// No answer came, which says nothing.
    Unreachable,
    /// The processor accepted our credentials.
    Accepted,
}

/// The circuit breaker of one processor account, with the settings that the account was opened with.
pub(crate) struct Circuit<'a> {
    ports: &'a Ports,
    brand: Arc<Brand>,
    mode: Mode,
    processor: ProcessorName,
    breaker: CircuitBreaker,
}

impl<'a> Circuit<'a> {
    /// Loads the circuit breaker of a brand's processor.
    pub(crate) async fn load(
        ports: &'a Ports,
        brand: &Arc<Brand>,
        mode: Mode,
        processor: &ProcessorName,
    ) -> Result<Self, StoreError> {
        let store = ports.store.as_ref();
        let breaker =
            CircuitBreaker::load(store, BrandScope { brand: &brand.name, mode }, processor).await?;
        Ok(Self { ports, brand: Arc::clone(brand), mode, processor: processor.clone(), breaker })
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
        let accepted = match status {
            AccountStatus::Accepted => true,
            AccountStatus::Unreachable => {
                breaker.release_probe(store, now).await?;
                return Ok(None);
            }
            AccountStatus::Rejected => self.is_rotated().await,
        };
        if accepted {
            if breaker.close(store).await? {
                tracing::info!(processor.name = %self.processor, "processor accepted our credentials; circuit closed");
            }
            return Ok(None);
        }
        if breaker.record_refusal(store, now).await? {
            tracing::error!(
                brand.name = %self.brand.name,
                processor.name = %self.processor,
                "processor rejected our credentials; circuit opened"
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
