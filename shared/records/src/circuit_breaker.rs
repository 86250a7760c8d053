//! The circuit breaker of a processor account that rejects us, or that forbids us one kind of call.
//!
//! No worker makes such a call for a while. Then one worker at a time probes it, until it accepts us again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::storage::{decode, encode};
use domain::ask::Ask;
use domain::brand::BrandScope;
use domain::guards;
use domain::guards::Guard;
use domain::values::name::ProcessorName;
use domain::values::time::Timestamp;
use ports::{Expect, Item, Key, Store, StoreError, Write};

/// How long the circuit stays open after the first rejection, the second, and each one after that.
const OPEN_FOR: [Duration; 3] =
    [Duration::from_secs(15), Duration::from_secs(60), Duration::from_secs(300)];
/// Longer than the calls of the worker that probes can take.
const PROBING: Duration = Duration::from_secs(60);
/// How soon the other workers look again during a probe.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
const KEPT: Duration = Duration::from_secs(86_400);
/// The sort key of the account's circuit. Those of its kinds of call begin with it.
const ACCOUNT: &str = "BREAKER";

/// A kind of call to a processor, which its account can be forbidden on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// Charges a payment.
    Pay,
    /// Saves a card.
    SaveCard,
    /// Reads claims.
    ReadClaims,
    /// Refunds a charge.
    Refund,
    /// Takes a saved card off file.
    Detach,
}

impl CallKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Pay, Self::SaveCard, Self::ReadClaims, Self::Refund, Self::Detach];

    /// Returns the kind of call that an ask needs.
    #[must_use]
    pub const fn of(ask: &Ask) -> Self {
        match ask {
            Ask::Payment { .. } => Self::Pay,
            Ask::PaymentMethod { .. } => Self::SaveCard,
            Ask::Identity { .. } => Self::ReadClaims,
        }
    }

    /// Returns the kind as keys and logs name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::SaveCard => "save_card",
            Self::ReadClaims => "read_claims",
            Self::Refund => "refund",
            Self::Detach => "detach",
        }
    }
}

/// The scope of an open circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitScope {
    /// Every call to the account.
    Account,
    /// The calls of this breaker's kind.
    Kind,
}

/// An open circuit. An account that accepts us has no record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The time until which no worker calls.
    pub until: Timestamp,
    /// How many times in a row the account rejected us.
    pub failures: u32,
    /// Whether a worker is probing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub probing: bool,
}

/// The circuit breaker of one kind of call to a brand's processor account: the account's circuit and the kind's.
#[derive(Clone, Debug)]
pub struct CircuitBreaker {
    account: Circuit,
    kind: Circuit,
}

/// One circuit of an account.
#[derive(Clone, Debug)]
struct Circuit {
    key: Key,
    known: Option<(Open, u64)>,
    /// Whether this worker probes.
    ours: bool,
}

impl CircuitBreaker {
    /// Loads the circuit breaker of a kind of call to an account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn load(
        store: &dyn Store,
        scope: BrandScope<'_>,
        processor: &ProcessorName,
        kind: CallKind,
    ) -> Result<Self, StoreError> {
        let keys = Self::keys(scope, processor, kind);
        let items = store.read_many(&keys).await?;
        let circuit = |key: Key| {
            let item = items.iter().flatten().find(|item| item.key == key);
            let known = item.map(|item| Ok((decode::<Open>(&item.body)?, item.version)));
            Ok::<_, StoreError>(Circuit { key, known: known.transpose()?, ours: false })
        };
        let [account, kind] = keys.clone();
        Ok(Self { account: circuit(account)?, kind: circuit(kind)? })
    }

    /// Loads the open circuits of an account: its own, and those of its kinds of call.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_circuits(
        store: &dyn Store,
        scope: BrandScope<'_>,
        processor: &ProcessorName,
    ) -> Result<Vec<(Option<CallKind>, Open)>, StoreError> {
        let [account, _] = Self::keys(scope, processor, CallKind::Pay);
        let of_kind = |kind: CallKind| {
            let [_, key] = Self::keys(scope, processor, kind);
            (Some(kind), key)
        };
        let all: Vec<_> = [(None, account)].into_iter().chain(CallKind::ALL.map(of_kind)).collect();
        let keys: Vec<Key> = all.iter().map(|(_, key)| key.clone()).collect();
        let items = store.read_many(&keys).await?;
        let found = all.into_iter().zip(items).filter_map(|((kind, _), item)| Some((kind, item?)));
        found.map(|(kind, item)| Ok((kind, decode(&item.body)?))).collect()
    }

    /// Returns the keys of an account's circuit, and of the circuit of a kind of call to it.
    #[must_use]
    pub fn keys(scope: BrandScope<'_>, processor: &ProcessorName, kind: CallKind) -> [Key; 2] {
        let BrandScope { brand, mode } = scope;
        let pk = format!("BREAKER#{brand}#{mode:?}#{processor}");
        let kind = Key { pk: pk.clone(), sk: format!("{ACCOUNT}#{}", kind.as_str()) };
        [Key { pk, sk: ACCOUNT.to_owned() }, kind]
    }

    /// Returns how long a circuit stays open; `None` when both are closed or may be probed.
    #[must_use]
    pub fn open_for(&self, now: Timestamp) -> Option<Duration> {
        self.account.open_for(now).max(self.kind.open_for(now))
    }

    /// Returns `None` when this worker may call, and otherwise how long to wait. After an open circuit's time, one worker probes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn try_acquire(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError> {
        if let Some(wait) = self.open_for(now) {
            return Ok(Some(wait));
        }
        for circuit in [&mut self.account, &mut self.kind] {
            if !circuit.try_probe(store, now).await? {
                return Ok(Some(LOOK_AGAIN));
            }
        }
        Ok(None)
    }

    /// Records that the processor rejected us. `true` when that was not known before.
    ///
    /// A worker that called before the circuit opened says nothing new.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_refusal(
        &mut self,
        store: &dyn Store,
        scope: CircuitScope,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match scope {
            CircuitScope::Account => {
                self.kind.release_probe(store, now).await?;
                self.account.record_refusal(store, now).await
            }
            CircuitScope::Kind => {
                // A processor that forbids a kind of call has accepted the account.
                self.account.close(store).await?;
                self.kind.record_refusal(store, now).await
            }
        }
    }

    /// Records that a probe got no answer. Another worker probes after the shortest time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release_probe(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.account.release_probe(store, now).await?;
        self.kind.release_probe(store, now).await
    }

    /// Closes the circuits. `true` when this worker's probe closed one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn close(&self, store: &dyn Store) -> Result<bool, StoreError> {
        let account = self.account.close(store).await?;
        Ok(self.kind.close(store).await? || account)
    }
}

impl Circuit {
    fn open_for(&self, now: Timestamp) -> Option<Duration> {
        let (open, _) = self.known.as_ref().filter(|(open, _)| {
            now < open.until || guards::is_disabled(Guard::CircuitBreakerProbe)
        })?;
        let left = now.until(open.until);
        Some(if open.probing { left.min(LOOK_AGAIN) } else { left })
    }

    /// Claims the probe of a circuit whose time is over. `true` when this worker may call.
    async fn try_probe(&mut self, store: &dyn Store, now: Timestamp) -> Result<bool, StoreError> {
        let Some((open, _)) = &self.known else { return Ok(true) };
        let claim = Open { until: now.after(PROBING), failures: open.failures, probing: true };
        self.ours = self.put(store, claim, now).await?;
        Ok(self.ours)
    }

    async fn record_refusal(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let failures = match &self.known {
            None => 1,
            Some((open, _)) if self.ours => open.failures.saturating_add(1),
            Some(_) => return Ok(false),
        };
        let place = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
        let wait = OPEN_FOR.get(place).or(OPEN_FOR.last()).copied().unwrap_or_default();
        let open = Open { until: now.after(wait), failures, probing: false };
        let stored = self.put(store, open, now).await?;
        Ok(stored && failures == 1)
    }

    async fn release_probe(&mut self, store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
        let Some((open, _)) = self.known.clone().filter(|_| self.ours) else { return Ok(()) };
        let [first, ..] = OPEN_FOR;
        let open = Open { until: now.after(first), probing: false, ..open };
        self.put(store, open, now).await.map(|_stored| ())
    }

    async fn close(&self, store: &dyn Store) -> Result<bool, StoreError> {
        if !self.ours {
            return Ok(false);
        }
        store.write(vec![Write::Delete { key: self.key.clone() }]).await?;
        Ok(true)
    }

    /// Stores the record. `false` when another worker stored one first.
    async fn put(
        &mut self,
        store: &dyn Store,
        open: Open,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (version, expect) = match &self.known {
            Some((_, version)) => (version.saturating_add(1), Expect::Version(*version)),
            None => (1, Expect::Absent),
        };
        let item = Item {
            key: self.key.clone(),
            version,
            body: encode(&open)?,
            expires_at: Some(now.after(KEPT)),
            index: None,
        };
        match store.write(vec![Write::Put { item, expect }]).await {
            Ok(()) => {
                self.known = Some((open, version));
                Ok(true)
            }
            Err(StoreError::Conflict) => Ok(false),
            Err(error @ (StoreError::Unavailable(_) | StoreError::Damaged(_))) => Err(error),
        }
    }
}
