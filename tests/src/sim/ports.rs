//! The store, queue, secrets and clock of a simulation. Workers interleave at each use, and uses fail.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use domain::brand::Brand;
use domain::message::Message;
use domain::values::name::BrandName;
use domain::values::time::Timestamp;
use ports::{
    Clock, Item, Key, Page, Queue, QueueError, Range, Secrets, SecretsError, Store, StoreError,
    Write,
};

use super::environment::{FaultKind, SharedEnvironment};
use super::tables::Tables;
use crate::doubles::ManualClock;
use crate::lock::lock;

/// The error of each broken port.
#[derive(Debug, thiserror::Error)]
#[error("the simulation broke it")]
pub(super) struct PortDown;

/// A turn for the other workers before each use of a port. It makes races, and a worker can die there.
pub(super) struct YieldOnce(bool);

impl YieldOnce {
    pub(super) const fn new() -> Self {
        Self(false)
    }
}

impl Future for YieldOnce {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Runs work that only ever waits for its turn.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}

/// The store and the queues.
pub(super) struct FaultyStore {
    pub(super) tables: Tables,
    pub(super) shared: SharedEnvironment,
    pub(super) clock: Arc<ManualClock>,
}

fn down() -> StoreError {
    StoreError::Unavailable(PortDown.into())
}

impl FaultyStore {
    async fn readable(&self, what: &str, key: &str) -> Result<(), StoreError> {
        YieldOnce::new().await;
        let mut environment = self.shared.lock();
        let often = environment.faults.store_down;
        let fails = environment.used(FaultKind::OF_READ).is_some()
            || environment.happens("a read is lost", often);
        environment.trace(|| format!("{what} {key}{}", if fails { " -> down" } else { "" }));
        if fails { Err(down()) } else { Ok(()) }
    }
}

/// The fate of a write.
enum WriteOutcome {
    Done,
    Lost,
    Down,
    Conflict,
}

#[async_trait]
impl Store for FaultyStore {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.readable("reads", &key.pk).await?;
        self.tables.store().read(key).await
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        self.readable("lists", &range.pk).await?;
        self.tables.store().list(range).await
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.readable("lists the index", &range.pk).await?;
        self.tables.store().list_index(range).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        YieldOnce::new().await;
        let fate = {
            let mut environment = self.shared.lock();
            let faults = environment.faults.clone();
            let failed = environment.used(FaultKind::OF_WRITE);
            let mut lost = |often| environment.happens("a write is lost", often);
            if failed == Some(FaultKind::Lost) {
                WriteOutcome::Lost
            } else if failed == Some(FaultKind::Fails) || lost(faults.store_down) {
                WriteOutcome::Down
            } else if failed == Some(FaultKind::Conflicts) || lost(faults.conflict) {
                WriteOutcome::Conflict
            } else if lost(faults.write_lost) {
                WriteOutcome::Lost
            } else {
                WriteOutcome::Done
            }
        };
        let made = match fate {
            WriteOutcome::Down => Err(down()),
            WriteOutcome::Conflict => Err(StoreError::Conflict),
            WriteOutcome::Done | WriteOutcome::Lost => {
                self.tables.store().write(writes.clone()).await
            }
        };
        let mut environment = self.shared.lock();
        if made.is_ok() {
            let now = self.clock.now();
            environment.committed(&writes, now);
        } else {
            environment.trace(|| format!("write fails: {made:?}"));
        }
        match fate {
            WriteOutcome::Lost if made.is_ok() => {
                environment.trace(|| "... and the answer is lost".to_owned());
                Err(down())
            }
            WriteOutcome::Lost
            | WriteOutcome::Done
            | WriteOutcome::Down
            | WriteOutcome::Conflict => made,
        }
    }
}

#[async_trait]
impl Queue for FaultyStore {
    async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError> {
        YieldOnce::new().await;
        let (copies, later, fails) = {
            let mut environment = self.shared.lock();
            if environment.unauthenticated || environment.forged {
                let broken = "C5: a sender without authority was heard".to_owned();
                environment.oracle.broken.push(broken);
            }
            let faults = environment.faults.clone();
            let failed = environment.used(FaultKind::OF_CALL);
            let mut lost = |often| environment.happens("a message is lost or doubled", often);
            let (copies, fails) = if failed == Some(FaultKind::Fails) || lost(faults.queue_down) {
                (0, true)
            } else if failed == Some(FaultKind::Lost) || lost(faults.send_lost) {
                (1, true)
            } else {
                (if lost(faults.twice) { 2 } else { 1 }, false)
            };
            let rng = &mut environment.rng;
            let late = if rng.happens(faults.delayed) { rng.between(1, 90) } else { 0 };
            environment.trace(|| {
                format!(
                    "sends {:?} in {delay:?}+{late}s, {copies} copies, fails {fails}",
                    message.parts()
                )
            });
            (copies, Duration::from_secs(late), fails)
        };
        for _ in 0..copies {
            self.tables.queue().send(message, delay.saturating_add(later)).await?;
        }
        if fails { Err(QueueError(PortDown.into())) } else { Ok(()) }
    }
}

/// How long a brand's secret is cached, as in front of the real secrets store.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The secrets store, with the cache that stands in front of the real one.
pub(super) struct FaultySecrets {
    pub(super) shared: SharedEnvironment,
    pub(super) clock: Arc<ManualClock>,
    pub(super) brand: Mutex<Arc<Brand>>,
    pub(super) remembered: Mutex<Option<(Timestamp, Arc<Brand>)>>,
    /// Another brand, which has no authority over the first one's requests.
    pub(super) other: Arc<Brand>,
}

impl FaultySecrets {
    pub(super) fn new(
        shared: SharedEnvironment,
        clock: Arc<ManualClock>,
        brand: Arc<Brand>,
        other: Arc<Brand>,
    ) -> Self {
        Self { shared, clock, brand: Mutex::new(brand), remembered: Mutex::default(), other }
    }

    /// Returns the brand of now, not the cached one.
    pub(super) fn now(&self) -> Arc<Brand> {
        Arc::clone(&lock(&self.brand))
    }

    /// Replaces the secret. The old one stays cached for a while.
    pub(super) fn rotate(&self, brand: Arc<Brand>) {
        *lock(&self.brand) = brand;
    }

    async fn ask(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        YieldOnce::new().await;
        if self.other.name == *name {
            return Ok(Arc::clone(&self.other));
        }
        let mut environment = self.shared.lock();
        let often = environment.faults.secrets_down;
        if environment.used(FaultKind::OF_READ).is_some() || environment.rng.happens(often) {
            environment.trace(|| "the secret is out of reach".to_owned());
            return Err(SecretsError::Unavailable(PortDown.into()));
        }
        let brand = Arc::clone(&lock(&self.brand));
        if brand.name != *name {
            return Err(SecretsError::Unknown);
        }
        *lock(&self.remembered) = Some((self.clock.now(), Arc::clone(&brand)));
        Ok(brand)
    }
}

#[async_trait]
impl Secrets for FaultySecrets {
    async fn brand(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        let remembered = lock(&self.remembered).clone();
        match remembered {
            Some((at, brand)) if brand.name == *name && self.clock.now() < at.after(REMEMBERED) => {
                Ok(brand)
            }
            Some(_) | None => self.ask(name).await,
        }
    }

    async fn refresh(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        self.ask(name).await
    }
}

/// The clock: a worker that waits gives up its turn until that time.
pub(super) struct SimulatedClock(pub(super) Arc<ManualClock>);

struct WaitUntil {
    clock: Arc<ManualClock>,
    at: Timestamp,
}

impl Future for WaitUntil {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.at {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[async_trait]
impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn wait(&self, duration: Duration) {
        WaitUntil { clock: Arc::clone(&self.0), at: self.0.now().after(duration) }.await;
    }
}
