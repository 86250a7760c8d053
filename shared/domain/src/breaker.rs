//! A processor account that refuses us: nobody calls it for a while, and then one at a time, until it answers otherwise.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::brand::BrandScope;
use crate::guards::{self, Guard};
use crate::ports::{Expect, Item, Key, Store, StoreError, Write};
use crate::storage::{decode, encode};
use crate::values::name::ProcessorName;
use crate::values::time::Timestamp;

/// For how long nobody calls, after the first refusal, the second, and each one after that.
const SHUT: [Duration; 3] =
    [Duration::from_secs(15), Duration::from_secs(60), Duration::from_secs(300)];
/// Longer than one worker's calls take who finds out whether it still refuses.
const PROBING: Duration = Duration::from_secs(60);
/// How soon whoever met that worker looks again.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
const KEPT: Duration = Duration::from_secs(86_400);

/// What is known of an account that refused us; there is nothing of one that does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shut {
    /// Until when nobody calls.
    pub until: Timestamp,
    /// How many times in a row it was found to refuse us.
    pub failures: u32,
    /// Whether somebody is finding out whether it still does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub probing: bool,
}

/// One processor account of a brand, and what is known of it.
#[derive(Clone, Debug)]
pub struct Account {
    key: Key,
    known: Option<(Shut, u64)>,
    /// Whether this worker is the one that finds out.
    ours: bool,
}

impl Account {
    /// Reads what is known of an account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn load(
        store: &dyn Store,
        scope: BrandScope<'_>,
        processor: &ProcessorName,
    ) -> Result<Self, StoreError> {
        let BrandScope { brand, mode } = scope;
        let pk = format!("BREAKER#{brand}#{mode:?}#{processor}");
        let key = Key { pk, sk: "BREAKER".to_owned() };
        let known = match store.read(&key).await? {
            Some(item) => Some((decode::<Shut>(&item.body)?, item.version)),
            None => None,
        };
        Ok(Self { key, known, ours: false })
    }

    /// How long to stay away, if nobody is to call now.
    #[must_use]
    pub fn shut_for(&self, now: Timestamp) -> Option<Duration> {
        let (shut, _) = self.known.as_ref().filter(|(shut, _)| {
            now < shut.until || guards::is_disabled(Guard::CircuitBreakerProbe)
        })?;
        let left = now.until(shut.until);
        Some(if shut.probing { left.min(LOOK_AGAIN) } else { left })
    }

    /// Whether it is this worker's turn to call, or how long to stay away. Once the time is over it is one worker's turn.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn turn(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError> {
        if let Some(wait) = self.shut_for(now) {
            return Ok(Some(wait));
        }
        let Some((shut, _)) = &self.known else { return Ok(None) };
        let claim = Shut { until: now.after(PROBING), failures: shut.failures, probing: true };
        self.ours = self.put(store, claim, now).await?;
        Ok((!self.ours).then_some(LOOK_AGAIN))
    }

    /// It refused us. Whoever called before it was known to says nothing new. `true` when it was not known to before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refused(&mut self, store: &dyn Store, now: Timestamp) -> Result<bool, StoreError> {
        let failures = match &self.known {
            None => 1,
            Some((shut, _)) if self.ours => shut.failures.saturating_add(1),
            Some(_) => return Ok(false),
        };
        let place = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
        let wait = SHUT.get(place).or(SHUT.last()).copied().unwrap_or_default();
        let shut = Shut { until: now.after(wait), failures, probing: false };
        let stored = self.put(store, shut, now).await?;
        Ok(stored && failures == 1)
    }

    /// Nobody answered whoever was to find out: somebody else does, after the shortest time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unsettled(&mut self, store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
        let Some((shut, _)) = self.known.clone().filter(|_| self.ours) else { return Ok(()) };
        let [first, ..] = SHUT;
        let shut = Shut { until: now.after(first), probing: false, ..shut };
        self.put(store, shut, now).await.map(|_stored| ())
    }

    /// It answered something else: everybody calls again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn worked(&self, store: &dyn Store) -> Result<bool, StoreError> {
        if !self.ours {
            return Ok(false);
        }
        store.write(vec![Write::Delete { key: self.key.clone() }]).await?;
        Ok(true)
    }

    /// Stores what is known now; `false` when somebody else stored something first.
    async fn put(
        &mut self,
        store: &dyn Store,
        shut: Shut,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (version, expect) = match &self.known {
            Some((_, version)) => (version.saturating_add(1), Expect::Version(*version)),
            None => (1, Expect::Absent),
        };
        let item = Item {
            key: self.key.clone(),
            version,
            body: encode(&shut)?,
            expires_at: Some(now.after(KEPT)),
            index: None,
        };
        match store.write(vec![Write::Put { item, expect }]).await {
            Ok(()) => {
                self.known = Some((shut, version));
                Ok(true)
            }
            Err(StoreError::Conflict) => Ok(false),
            Err(error @ (StoreError::Unavailable(_) | StoreError::Damaged(_))) => Err(error),
        }
    }
}
