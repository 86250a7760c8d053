//! The health of a requester's webhook endpoint: disabled when it keeps failing, then probed, and enabled by a success.

use std::time::Duration;

use domain::brand::{BrandScope, Mode, WebhookEndpoint};
use domain::values::name::BrandName;
use domain::values::time::Timestamp;
use ports::{Expect, Item, Key, Store, StoreError, Write};
use records::endpoint_health;
use records::endpoint_health::EndpointHealth;
use records::storage::encode;

/// How long an endpoint may fail without a success before it is disabled.
const FAILING_MAX: Duration = Duration::from_secs(75 * 3600);
/// How often a disabled endpoint is probed.
const PROBE: Duration = Duration::from_secs(3600);
const KEPT: Duration = Duration::from_secs(30 * 86_400);
/// A failure that took this long held a worker up. The other webhooks do not wait while more workers find out the same.
pub(crate) const SLOW: Duration = Duration::from_secs(5);
/// How long a slow endpoint is then left alone. After that, one delivery finds out whether it still is slow.
const REST: Duration = Duration::from_secs(10);
/// Longer than that one delivery takes.
const PROBING: Duration = Duration::from_secs(20);

/// The way in which a delivery failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The endpoint says that it is gone for good.
    Gone,
    /// It failed after a long wait.
    Slow,
    /// It failed at once.
    Quick,
}

/// The endpoint of one brand in one mode.
pub(crate) struct Endpoint {
    key: Key,
    url: String,
    health: Option<(EndpointHealth, u64)>,
}

impl Endpoint {
    /// Returns the endpoint of a brand in a mode, as one that never failed.
    pub(crate) fn of(brand: &BrandName, mode: Mode, setup: &WebhookEndpoint) -> Self {
        let key = endpoint_health::key(BrandScope { brand, mode });
        Self { key, url: endpoint_health::url_digest(setup), health: None }
    }

    /// Loads the record of its failures.
    pub(crate) async fn load(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        self.health = endpoint_health::load(store, &self.key).await?;
        Ok(())
    }

    /// Returns whether it has a record of failures.
    pub(crate) const fn has_failed(&self) -> bool {
        self.health.is_some()
    }

    /// Returns the endpoint's name within this process.
    pub(crate) fn name(&self) -> &str {
        &self.key.pk
    }

    fn current(&self) -> Option<&EndpointHealth> {
        self.health.as_ref().map(|(health, _)| health).filter(|health| health.url == self.url)
    }

    /// Returns whether a webhook may be sent now.
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        self.current()
            .is_none_or(|health| health.off_since.is_none() || now >= health.probed_at.after(PROBE))
    }

    /// Returns whether this worker may deliver.
    ///
    /// An endpoint that was slow a moment ago has one worker at a time. The others would only wait for its result.
    pub(crate) async fn try_acquire(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(health) = self.current().cloned() else { return Ok(true) };
        match health.slow_until {
            None => Ok(true),
            Some(until) if now < until => Ok(false),
            Some(_) => {
                let claim = EndpointHealth { slow_until: Some(now.after(PROBING)), ..health };
                self.put(store, claim, now).await
            }
        }
    }

    /// Records a success. An endpoint without a record works, so there is mostly nothing to write.
    pub(crate) async fn record_success(&self, store: &dyn Store) -> Result<(), StoreError> {
        if self.health.is_none() {
            return Ok(());
        }
        tracing::info!("webhook endpoint enabled again");
        store.write(vec![Write::Delete { key: self.key.clone() }]).await
    }

    /// Records a failure. An endpoint that answered `410` is disabled at once.
    pub(crate) async fn record_failure(
        &mut self,
        store: &dyn Store,
        failure: Failure,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let known = self.current();
        let failing_since = known.map_or(now, |health| health.failing_since);
        let was_off = known.and_then(|health| health.off_since);
        let was_slow = known.and_then(|health| health.slow_until);
        let timed_out = now >= failing_since.after(FAILING_MAX);
        let off_since = was_off.or_else(|| (failure == Failure::Gone || timed_out).then_some(now));
        let slow_until = (failure == Failure::Slow).then(|| now.after(REST));
        // Another quick failure of an endpoint that is known to fail changes nothing.
        if known.is_some() && off_since.is_none() && slow_until.is_none() && was_slow.is_none() {
            return Ok(());
        }
        if off_since.is_some() && was_off.is_none() {
            tracing::error!(endpoint.key = %self.key.pk, "webhook endpoint disabled");
        }
        let url = self.url.clone();
        let health = EndpointHealth { url, failing_since, off_since, probed_at: now, slow_until };
        // Where another worker was faster, it recorded the same.
        self.put(store, health, now).await.map(|_stored| ())
    }

    /// Stores the record. `false` when another worker stored one first.
    async fn put(
        &mut self,
        store: &dyn Store,
        health: EndpointHealth,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (version, expect) = match &self.health {
            Some((_, version)) => (version.saturating_add(1), Expect::Version(*version)),
            None => (1, Expect::Absent),
        };
        let item = Item {
            key: self.key.clone(),
            version,
            body: encode(&health)?,
            expires_at: Some(now.after(KEPT)),
            index: None,
        };
        match store.write(vec![Write::Put { item, expect }]).await {
            Ok(()) => {
                self.health = Some((health, version));
                Ok(true)
            }
            Err(StoreError::Conflict) => Ok(false),
            Err(error @ (StoreError::Unavailable(_) | StoreError::Damaged(_))) => Err(error),
        }
    }
}
