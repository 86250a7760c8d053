//! The store, queue, secrets and clock of a simulation.
//!
//! They are the real ones behind a turnstile, where workers interleave and faults happen.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use domain::brand::Brand;
use domain::message::Message;
use domain::values::name::BrandName;
use domain::values::time::Timestamp;
use embedded::Database;
use ports::{
    Clock, Item, Key, Page, Queue, QueueError, Range, Secrets, SecretsError, Store, StoreError,
    Write,
};

use super::outside::{FaultKind, Shared};
use crate::doubles::ManualClock;

/// What the outside answers when it does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the simulation broke it")]
pub(super) struct Broken;

/// One turn for all other workers before each use of a port. It makes races, and a worker can die there.
pub(super) struct Turn(bool);

impl Turn {
    pub(super) const fn new() -> Self {
        Self(false)
    }
}

impl Future for Turn {
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

/// The store and the queues.
pub(super) struct Kept {
    pub(super) database: Database,
    pub(super) shared: Shared,
    pub(super) clock: Arc<ManualClock>,
}

fn down() -> StoreError {
    StoreError::Unavailable(Broken.into())
}

impl Kept {
    async fn readable(&self, what: &str, key: &str) -> Result<(), StoreError> {
        Turn::new().await;
        let mut outside = self.shared.lock();
        let often = outside.faults.store_down;
        let fails = outside.used_plainly().is_some() || outside.rng.happens(often);
        outside.say(|| format!("{what} {key}{}", if fails { " -> down" } else { "" }));
        if fails { Err(down()) } else { Ok(()) }
    }
}

/// The fate of a write.
enum WriteFate {
    Done,
    Lost,
    Down,
    Conflict,
}

#[async_trait]
impl Store for Kept {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.readable("reads", &key.pk).await?;
        self.database.read(key).await
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        self.readable("lists", &range.pk).await?;
        self.database.list(range).await
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.readable("lists the index", &range.pk).await?;
        self.database.list_index(range).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        Turn::new().await;
        let fate = {
            let mut outside = self.shared.lock();
            let faults = outside.faults.clone();
            let failed = outside.used();
            let rng = &mut outside.rng;
            if failed == Some(FaultKind::Lost) {
                WriteFate::Lost
            } else if failed == Some(FaultKind::Fails) || rng.happens(faults.store_down) {
                WriteFate::Down
            } else if failed == Some(FaultKind::Conflicts) || rng.happens(faults.conflict) {
                WriteFate::Conflict
            } else if rng.happens(faults.write_lost) {
                WriteFate::Lost
            } else {
                WriteFate::Done
            }
        };
        let made = match fate {
            WriteFate::Down => Err(down()),
            WriteFate::Conflict => Err(StoreError::Conflict),
            WriteFate::Done | WriteFate::Lost => self.database.write(writes.clone()).await,
        };
        let mut outside = self.shared.lock();
        if made.is_ok() {
            let now = self.clock.now();
            outside.committed(&writes, now);
        } else {
            outside.say(|| format!("write fails: {made:?}"));
        }
        match fate {
            WriteFate::Lost if made.is_ok() => {
                outside.say(|| "... and the answer is lost".to_owned());
                Err(down())
            }
            WriteFate::Lost | WriteFate::Done | WriteFate::Down | WriteFate::Conflict => made,
        }
    }
}

#[async_trait]
impl Queue for Kept {
    async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError> {
        Turn::new().await;
        let (copies, later, fails) = {
            let mut outside = self.shared.lock();
            if outside.unheard || outside.made_up {
                let broken = "C5: a sender without authority was heard".to_owned();
                outside.oracle.broken.push(broken);
            }
            let faults = outside.faults.clone();
            let failed = outside.used_plainly();
            let rng = &mut outside.rng;
            let (copies, fails) =
                if failed == Some(FaultKind::Fails) || rng.happens(faults.queue_down) {
                    (0, true)
                } else if failed == Some(FaultKind::Lost) || rng.happens(faults.send_lost) {
                    (1, true)
                } else {
                    (if rng.happens(faults.twice) { 2 } else { 1 }, false)
                };
            let late = if rng.happens(faults.delayed) { rng.between(1, 90) } else { 0 };
            outside.say(|| {
                format!(
                    "sends {:?} in {delay:?}+{late}s, {copies} copies, fails {fails}",
                    message.parts()
                )
            });
            (copies, Duration::from_secs(late), fails)
        };
        for _ in 0..copies {
            self.database.send(message, delay.saturating_add(later)).await?;
        }
        if fails { Err(QueueError(Broken.into())) } else { Ok(()) }
    }
}

/// How long a brand's secret is remembered, as in front of the real keeper of secrets.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The keeper of the one brand's secret, with the short memory that stands in front of the real one.
pub(super) struct Keeper {
    pub(super) shared: Shared,
    pub(super) clock: Arc<ManualClock>,
    pub(super) brand: Mutex<Arc<Brand>>,
    pub(super) remembered: Mutex<Option<(Timestamp, Arc<Brand>)>>,
    /// Another brand, which has no say in what is the first one's.
    pub(super) other: Arc<Brand>,
}

impl Keeper {
    pub(super) fn new(shared: Shared, clock: Arc<ManualClock>, brands: (Brand, Brand)) -> Self {
        let (brand, other) = brands;
        let (brand, other) = (Mutex::new(Arc::new(brand)), Arc::new(other));
        Self { shared, clock, brand, remembered: Mutex::default(), other }
    }

    /// The brand now, regardless of caches.
    pub(super) fn now(&self) -> Arc<Brand> {
        Arc::clone(&super::lock(&self.brand))
    }

    /// Puts another secret in place; the old one is remembered for a while.
    pub(super) fn rotate(&self, brand: Brand) {
        *super::lock(&self.brand) = Arc::new(brand);
    }

    async fn ask(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        Turn::new().await;
        if self.other.name == *name {
            return Ok(Arc::clone(&self.other));
        }
        let mut outside = self.shared.lock();
        let often = outside.faults.secrets_down;
        if outside.used_plainly().is_some() || outside.rng.happens(often) {
            outside.say(|| "the secret is out of reach".to_owned());
            return Err(SecretsError::Unavailable(Broken.into()));
        }
        let brand = Arc::clone(&super::lock(&self.brand));
        if brand.name != *name {
            return Err(SecretsError::Unknown);
        }
        *super::lock(&self.remembered) = Some((self.clock.now(), Arc::clone(&brand)));
        Ok(brand)
    }
}

#[async_trait]
impl Secrets for Keeper {
    async fn brand(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        let remembered = super::lock(&self.remembered).clone();
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

/// A clock on which a waiting worker gives up its turn until the world's time has come.
pub(super) struct Patient(pub(super) Arc<ManualClock>);

struct Until {
    clock: Arc<ManualClock>,
    at: Timestamp,
}

impl Future for Until {
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
impl Clock for Patient {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn wait(&self, duration: Duration) {
        Until { clock: Arc::clone(&self.0), at: self.0.now().after(duration) }.await;
    }
}
