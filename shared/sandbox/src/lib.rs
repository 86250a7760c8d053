#![doc = include_str!("../README.md")]

use std::sync::Arc;

use domain::brand::Mode;
use domain::values::id::RequestId;
use ports::{Clock, Http, Key, Ports, Store, StoreError};
use processors::stand_in::{self, StripeStep};

use crate::api::StandIn;
use crate::ledger::{Ledger, SandboxObject};

mod api;
mod calls;
mod cards;
mod identity;
mod ids;
mod ledger;
mod objects;
mod page;
mod page_response;
pub mod phone;
mod routes;
mod server;
mod visit;

pub use routes::{InvalidAccess, SandboxAccess, routes};
pub use visit::{SandboxPage, SandboxVisit};

/// The sandbox: a kind of channel and a kind of processor for test mode, and the pages of its customers.
///
/// ```
/// # use std::sync::Arc;
/// # use ports::{Http, Ports};
/// # fn example(ports: &Ports, http: &Arc<dyn Http>) -> (channels::Registry, processors::Registry) {
/// let sandbox = sandbox::Sandbox::new(ports);
/// let channels = channels::Registry::new(channels::Deps::new(ports, http, None));
/// let processors = processors::Registry::new(processors::Deps::new(ports, http));
/// (channels.with(sandbox.clone()), processors.with(sandbox))
/// # }
/// ```
#[derive(Clone)]
pub struct Sandbox {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

/// The settings are of live mode.
#[derive(Debug, thiserror::Error)]
#[error("kind sandbox is for test mode only")]
struct LiveMode;

impl Sandbox {
    /// Creates a sandbox that keeps its phones and its ledger in a function's store.
    #[must_use]
    pub fn new(ports: &Ports) -> Self {
        Self::over(Arc::clone(&ports.store), Arc::clone(&ports.clock))
    }

    /// Creates a sandbox that keeps its phones and its ledger in `store`.
    #[must_use]
    pub const fn over(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Serves a visit of the sandbox processor's hosted page; `None` for an unknown page.
    ///
    /// # Errors
    /// [`StoreError`]: the visit may be repeated.
    pub async fn page(&self, visit: &SandboxVisit<'_>) -> Result<Option<SandboxPage>, StoreError> {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        StandIn { ledger: Ledger { store, clock } }.visited(visit).await
    }

    /// Returns the request that a checkout page is for; `None` for every other page.
    ///
    /// # Errors
    /// [`StoreError`]: the visit may be repeated.
    async fn request_of(&self, id: &str) -> Result<Option<RequestId>, StoreError> {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let entry = Ledger { store, clock }.read(id).await?;
        Ok(match entry.map(|entry| entry.object) {
            Some(SandboxObject::Session(session)) => session.request_id.parse().ok(),
            Some(
                SandboxObject::Intent(_)
                | SandboxObject::Setup(_)
                | SandboxObject::Method(_)
                | SandboxObject::Customer(_)
                | SandboxObject::Token(_),
            )
            | None => None,
        })
    }
}

/// The name of the sandbox's kinds in a brand's settings.
const KIND: &str = "sandbox";

impl channels::AdapterKind for Sandbox {
    fn name(&self) -> &'static str {
        KIND
    }

    fn open(&self, config: &channels::AdapterConfig<'_>) -> channels::OpenResult {
        phone::open(&self.store, config)
    }
}

impl processors::AdapterKind for Sandbox {
    fn name(&self) -> &'static str {
        KIND
    }

    fn open(&self, config: &processors::AdapterConfig<'_>) -> processors::OpenResult {
        match config.mode {
            Mode::Test => {}
            Mode::Live => return Err(LiveMode.into()),
        }
        let http = stand_in(Arc::clone(&self.store), Arc::clone(&self.clock));
        stand_in::open(config.settings, http, Arc::clone(&config.deps.http))
    }
}

/// Returns the stand-in for Stripe itself, for tests that put faults between an adapter and it.
#[must_use]
pub fn stand_in(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Arc<dyn Http> {
    Arc::new(StandIn { ledger: Ledger { store, clock } })
}

/// The effects of one request in the sandbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// The number of charges, which must never exceed one.
    pub charges: u32,
    /// The number of saved cards that were not detached since.
    pub cards: u32,
    /// The refunded amount, in Stripe's minor units.
    pub refunded: u64,
}

/// Returns the effects of a request's first `attempts` attempts.
///
/// # Errors
/// [`StoreError`] when the ledger cannot be read.
pub async fn books(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    request: RequestId,
    attempts: u32,
) -> Result<Books, StoreError> {
    let ledger = Ledger { store, clock };
    let now = ledger.clock.now();
    let mut books = Books::default();
    for attempt_no in 1..=attempts {
        let session = ids::id(
            "cs_test_",
            &stand_in::idempotency_key(request, StripeStep::Checkout, attempt_no),
        );
        let ids = [
            ids::id("pi_", &stand_in::idempotency_key(request, StripeStep::Create, attempt_no)),
            ids::id(
                "seti_",
                &stand_in::idempotency_key(request, StripeStep::SetupCreate, attempt_no),
            ),
            ids::id("pi_", &session),
            ids::id("seti_", &session),
        ];
        for id in ids {
            match ledger.read(&id).await?.map(|entry| entry.object) {
                Some(SandboxObject::Intent(intent)) if intent.is_charged(now) => {
                    books.charges = books.charges.saturating_add(1);
                    books.refunded = books.refunded.saturating_add(intent.refunded(now));
                }
                Some(SandboxObject::Setup(setup)) => {
                    let is_kept = setup.is_kept() && ledger.keeps(&setup).await?;
                    books.cards = books.cards.saturating_add(u32::from(is_kept));
                }
                Some(
                    SandboxObject::Intent(_)
                    | SandboxObject::Session(_)
                    | SandboxObject::Method(_)
                    | SandboxObject::Customer(_)
                    | SandboxObject::Token(_),
                )
                | None => {}
            }
        }
    }
    Ok(books)
}

/// Returns the number of charges of a request's first `attempts` attempts.
///
/// # Errors
/// [`StoreError`] when the ledger cannot be read.
pub async fn charges(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    request: RequestId,
    attempts: u32,
) -> Result<u32, StoreError> {
    books(store, clock, request, attempts).await.map(|books| books.charges)
}

/// Returns the store's key of the object with this id (`pi_…`, `cs_…`). Each object has a partition of its own.
#[must_use]
pub fn key(id: &str) -> Key {
    ledger::key(id)
}
