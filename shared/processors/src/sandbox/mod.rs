//! The sandbox: the Stripe adapter over a stand-in for Stripe that keeps its ledger in the store. Test mode only.
//!
//! The last two digits of an amount choose what happens: `02` the first attempt is refused and a later one approved,
//! `03` declined for good, `04` approved after three seconds, `05` approved and the answer lost; all others approved.
//! Of a refund's amount, `06` is on its way for three seconds, and `07` comes back after them. Stripe's own test cards
//! (`pm_card_visa_chargeDeclined` and so on) do here what they do there: `pm_card_authenticationRequired` sends the
//! customer on to "the bank". Its pages are served at `/sandbox/checkout/{id}`, beside the consent page.

use std::sync::Arc;

use async_trait::async_trait;
use domain::brand::Mode;
use domain::ports::{Clock, Http, Key, SandboxPage, SandboxPages, SandboxVisit, Store, StoreError};
use domain::values::id::RequestId;
use serde::Deserialize;

use self::ledger::{Ledger, Object};
use self::standin::StandIn;
use crate::stripe::keys::{self, Step};
use crate::stripe::payment_options::{ApplePayText, GooglePayText, Offer, OfferText};
use crate::stripe::{Account, Stripe};
use crate::{AdapterConfig, Kind, OpenResult, Registry};

mod cards;
mod intents;
mod ledger;
mod methods;
mod page;
mod refunds;
mod sessions;
mod setups;
mod standin;

pub(crate) const KIND: Kind = Kind { name: "sandbox", open };

/// The settings of kind `sandbox`: which ways there are besides test cards.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    /// Whether customers may go on to the sandbox's own page.
    #[serde(default = "yes")]
    hosted: bool,
    /// Google Pay's own test suite.
    google_pay: Option<GooglePayText>,
    /// Apple Pay, for those who have a merchant's certificate.
    apple_pay: Option<ApplePayText>,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, thiserror::Error)]
#[error("the sandbox is for test mode only")]
struct LiveMode;

fn open(opening: &AdapterConfig<'_>) -> OpenResult {
    match opening.mode {
        Mode::Test => {}
        Mode::Live => return Err(LiveMode.into()),
    }
    let Text { hosted, google_pay, apple_pay } = opening.settings.read()?;
    let outside = opening.outside;
    let offer = OfferText { publishable_key: None, google_pay, apple_pay, hosted };
    let account = Account::sandbox(Offer::sandbox(offer)?)?;
    let http = stand_in(Arc::clone(&outside.store), Arc::clone(&outside.clock));
    Ok(Box::new(Stripe { account, http, web: Arc::clone(&outside.http) }))
}

/// The stand-in itself, as the other side of any Stripe adapter: for tests that put something in between.
#[must_use]
pub fn stand_in(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Arc<dyn Http> {
    Arc::new(StandIn { ledger: Ledger { store, clock } })
}

#[async_trait]
impl SandboxPages for Registry {
    async fn sandbox_page(
        &self,
        visit: &SandboxVisit<'_>,
    ) -> Result<Option<SandboxPage>, StoreError> {
        let (store, clock) = (Arc::clone(&self.outside.store), Arc::clone(&self.outside.clock));
        StandIn { ledger: Ledger { store, clock } }.visited(visit).await
    }
}

/// What the sandbox did for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// How often it charged: what must never be more than one.
    pub charges: u32,
    /// How many cards it keeps.
    pub cards: u32,
    /// How much of its charges it gave back, as Stripe counts it.
    pub refunded: u64,
}

/// What the sandbox did for a request in its first `attempts` attempts.
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
        let session = ledger::id("cs_test_", &keys::key(request, Step::Checkout, attempt_no));
        let ids = [
            ledger::id("pi_", &keys::key(request, Step::Create, attempt_no)),
            ledger::id("seti_", &keys::key(request, Step::SetupCreate, attempt_no)),
            ledger::id("pi_", &session),
            ledger::id("seti_", &session),
        ];
        for id in ids {
            match ledger.read(&id).await?.map(|entry| entry.object) {
                Some(Object::Intent(intent)) if intent.is_charged(now) => {
                    books.charges = books.charges.saturating_add(1);
                    books.refunded = books.refunded.saturating_add(intent.refunded(now));
                }
                Some(Object::Setup(setup)) => {
                    books.cards = books.cards.saturating_add(u32::from(setup.is_kept()));
                }
                Some(
                    Object::Intent(_)
                    | Object::Session(_)
                    | Object::Method(_)
                    | Object::Customer(_)
                    | Object::Token(_),
                )
                | None => {}
            }
        }
    }
    Ok(books)
}

/// How often the sandbox charged for a request in its first `attempts` attempts.
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

/// Where the ledger keeps the object of that id (`pi_…`, `cs_…`): one partition each, so that none is hot.
#[must_use]
pub fn key(id: &str) -> Key {
    ledger::key(id)
}
