//! The sandbox: the Stripe adapter over a stand-in for Stripe that keeps its ledger in the store. Test mode only.
//!
//! The last two digits of an amount choose what happens: `02` the first attempt is refused and a later one approved,
//! `03` declined for good, `04` approved after three seconds, `05` approved and the answer lost; all others approved.
//! Stripe's own test cards (`pm_card_visa_chargeDeclined` and so on) do here what they do there.

use std::sync::Arc;

use domain::brand::Mode;
use domain::ports::{Clock, Key, Store, StoreError};
use domain::values::id::RequestId;
use serde::Deserialize;

use self::ledger::Ledger;
use self::standin::StandIn;
use crate::stripe::keys::{self, Step};
use crate::stripe::{Account, Stripe};
use crate::{Kind, Opened, Opening};

mod cards;
mod intent;
mod ledger;
mod standin;

pub(crate) const KIND: Kind = Kind { name: "sandbox", open };

/// There is nothing to set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, thiserror::Error)]
#[error("the sandbox is for test mode only")]
struct LiveMode;

fn open(opening: &Opening<'_>) -> Opened {
    match opening.mode {
        Mode::Test => {}
        Mode::Live => return Err(LiveMode.into()),
    }
    let Nothing {} = opening.settings.read()?;
    let outside = opening.outside;
    let ledger = Ledger { store: Arc::clone(&outside.store), clock: Arc::clone(&outside.clock) };
    let stripe = Stripe { account: Account::sandbox()?, http: Arc::new(StandIn { ledger }) };
    Ok(Box::new(stripe))
}

/// How often the sandbox charged for a request in its first `attempts` attempts: what must never be more than one.
///
/// # Errors
/// [`StoreError`] when the ledger cannot be read.
pub async fn charges(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    request: RequestId,
    attempts: u32,
) -> Result<u32, StoreError> {
    let ledger = Ledger { store, clock };
    let mut charges = 0;
    for generation in 1..=attempts {
        let id = ledger::id(&keys::key(request, Step::Create, generation));
        if let Some(entry) = ledger.read(&id).await? {
            charges += u32::from(entry.intent.is_charged(ledger.clock.now()));
        }
    }
    Ok(charges)
}

/// Where the ledger keeps the PaymentIntent of that id (`pi_…`): one partition each, so that none is hot.
#[must_use]
pub fn key(id: &str) -> Key {
    ledger::key(id)
}
