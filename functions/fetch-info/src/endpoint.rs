//! A requester's notice endpoint: switched off when it keeps failing, tried again now and then, switched on by a success.

use std::time::Duration;

use domain::brand::{Mode, NoticeSetup};
use domain::keys::digest_hex;
use domain::ports::{Expect, Item, Key, Store, StoreError, Write};
use domain::storage::{body, unbody};
use domain::values::name::BrandName;
use domain::values::time::Timestamp;
use serde::{Deserialize, Serialize};

/// For how long an endpoint may fail without a success before it is switched off.
const FAILING_MAX: Duration = Duration::from_secs(75 * 3600);
/// How often an endpoint that is switched off is tried all the same.
const PROBE: Duration = Duration::from_secs(3600);
const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// What is known of an endpoint that has failed; there is nothing of one that works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Health {
    /// Which endpoint: another address starts anew.
    url: String,
    failing_since: Timestamp,
    off_since: Option<Timestamp>,
    probed_at: Timestamp,
}

/// The endpoint of one brand in one mode.
pub(crate) struct Endpoint {
    key: Key,
    url: String,
    health: Option<(Health, u64)>,
}

impl Endpoint {
    pub(crate) async fn load(
        store: &dyn Store,
        brand: &BrandName,
        mode: Mode,
        setup: &NoticeSetup,
    ) -> Result<Self, StoreError> {
        let key = Key { pk: format!("ENDPOINT#{brand}#{mode:?}"), sk: "ENDPOINT".to_owned() };
        let url = digest_hex(setup.url.as_bytes());
        let health = match store.read(&key).await? {
            Some(item) => Some((unbody::<Health>(&item.body)?, item.version)),
            None => None,
        };
        Ok(Self { key, url, health })
    }

    fn current(&self) -> Option<&Health> {
        self.health.as_ref().map(|(health, _)| health).filter(|health| health.url == self.url)
    }

    /// Whether a notice may be sent now.
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        self.current()
            .is_none_or(|health| health.off_since.is_none() || now >= health.probed_at.after(PROBE))
    }

    /// Records a success. An endpoint without a record works, so there is mostly nothing to write.
    pub(crate) async fn worked(&self, store: &dyn Store) -> Result<(), StoreError> {
        if self.health.is_none() {
            return Ok(());
        }
        tracing::info!("a notice endpoint works again");
        store.write(vec![Write::Delete { key: self.key.clone() }]).await
    }

    /// Records a failure; `gone` switches the endpoint off at once.
    pub(crate) async fn failed(
        &self,
        store: &dyn Store,
        gone: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let known = self.current();
        let failing_since = known.map_or(now, |health| health.failing_since);
        let was_off = known.and_then(|health| health.off_since);
        let tired = now >= failing_since.after(FAILING_MAX);
        let off_since = was_off.or_else(|| (gone || tired).then_some(now));
        // A failure in the midst of failures is no news.
        if known.is_some() && off_since.is_none() {
            return Ok(());
        }
        if off_since.is_some() && was_off.is_none() {
            tracing::error!(endpoint.key = %self.key.pk, "a notice endpoint is switched off");
        }
        let health = Health { url: self.url.clone(), failing_since, off_since, probed_at: now };
        let (version, expect) = match &self.health {
            Some((_, version)) => (version.saturating_add(1), Expect::Version(*version)),
            None => (1, Expect::Absent),
        };
        let item = Item {
            key: self.key.clone(),
            version,
            body: body(health)?,
            expires_at: Some(now.after(KEPT)),
            index: None,
        };
        match store.write(vec![Write::Put { item, expect }]).await {
            // Somebody else recorded the same.
            Ok(()) | Err(StoreError::Conflict) => Ok(()),
            Err(error @ (StoreError::Unavailable(_) | StoreError::Damaged(_))) => Err(error),
        }
    }
}
