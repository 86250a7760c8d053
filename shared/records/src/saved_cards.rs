//! Saved cards, which later asks charge without the customer typing.

use serde::{Deserialize, Serialize};

use crate::customers;
use crate::customers::{CustomerItem, CustomerScope};
use crate::limits;
use crate::storage::decode;
use crate::writes::overwrite;
use domain::brand::{BrandScope, Mode};
use domain::guards;
use domain::guards::Guard;
use domain::processor_result::CardReceipt;
use domain::seal::Sealed;
use domain::values::id::{CardId, RequestId};
use domain::values::name::{BrandName, ProcessorName};
use domain::values::time::Timestamp;
use ports::{Key, Store, StoreError, Write};

/// A saved card. The card itself is at the processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedCard {
    /// The request that saved the card; the credential is sealed for it.
    pub request: RequestId,
    /// The processor that keeps the card.
    pub processor: ProcessorName,
    /// The keyed hash of its customer's address. No other customer is asked to pay with it.
    pub address: String,
    /// The sealed credential that the processor charges.
    pub sealed: Sealed,
    /// The card's details for the requester.
    pub receipt: CardReceipt,
    /// Since when the processor is known to keep the card no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<Timestamp>,
    /// When its customer last paid with it; `None` before the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// Since when the card is being taken off file; `None` while it is on file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<EndingCard>,
}

/// A card that is being taken off file at its processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndingCard {
    /// When that was asked for.
    pub asked_at: Timestamp,
    /// How many runs could not do it.
    #[serde(default)]
    pub tries: u32,
    /// A stable code of why the last run could not; `None` before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
}

impl SavedCard {
    /// Returns whether the card is neither gone nor being taken off file.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.gone_at.is_none() && (self.ending.is_none() || guards::is_disabled(Guard::EndingCard))
    }

    /// Returns the card as it is taken off file, from now on or since it was asked for.
    #[must_use]
    pub fn ending_from(&self, now: Timestamp) -> Self {
        let fresh = EndingCard { asked_at: now, tries: 0, waits_for: None };
        Self { ending: Some(self.ending.clone().unwrap_or(fresh)), ..self.clone() }
    }

    /// Returns when the card was saved or last paid with. It is the last sign of its customer that the card has.
    #[must_use]
    pub fn last_answer(&self, card: CardId) -> Timestamp {
        self.used_at.unwrap_or_else(|| card.made_at())
    }
}

fn key(brand: &BrandName, mode: Mode, card: CardId) -> Key {
    Key { pk: format!("CARD#{brand}#{mode:?}#{card}"), sk: "CARD".to_owned() }
}

/// Returns the writes of a new saved card: the card, and its place among its customer's items.
///
/// # Errors
/// [`StoreError::Damaged`] when the card cannot be encoded.
pub fn create(
    of: BrandScope<'_>,
    card: CardId,
    on_file: &SavedCard,
) -> Result<[Write; 2], StoreError> {
    let customer = CustomerScope { of, address: &on_file.address };
    let listed = customers::put(customer, &CustomerItem::Card { card }, None)?;
    Ok([put(of.brand, of.mode, card, on_file)?, listed])
}

/// Returns the write of a saved card that is known.
///
/// # Errors
/// [`StoreError::Damaged`] when the card cannot be encoded.
pub fn put(
    brand: &BrandName,
    mode: Mode,
    card: CardId,
    on_file: &SavedCard,
) -> Result<Write, StoreError> {
    overwrite(key(brand, mode, card), on_file, None)
}

/// Loads a saved card; `None` where the brand has none of that id.
///
/// # Errors
/// [`StoreError`].
pub async fn load(
    store: &dyn Store,
    brand: &BrandName,
    mode: Mode,
    card: CardId,
) -> Result<Option<SavedCard>, StoreError> {
    let Some(item) = store.read(&key(brand, mode, card)).await? else { return Ok(None) };
    decode(&item.body).map(Some)
}

/// The result of marking a card as ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndingMark {
    /// The card is being taken off file.
    Ending(Box<SavedCard>),
    /// This open request names the card, which stays.
    InUse(RequestId),
}

/// Marks a card as ending, unless an open request names it.
///
/// A new request writes the customer's limits, and so does this. Of the two, one decides again.
///
/// # Errors
/// [`StoreError`]; [`StoreError::Conflict`] when another writer was first.
pub async fn mark_ending(
    store: &dyn Store,
    of: BrandScope<'_>,
    card: CardId,
    known: &SavedCard,
    now: Timestamp,
) -> Result<EndingMark, StoreError> {
    let customer = CustomerScope { of, address: &known.address };
    let (limits, base) = limits::load(store, of, &known.address).await?;
    let open = customers::open_request(store, customer, Some(card), now).await?;
    if let Some(open) = open.filter(|_| !guards::is_disabled(Guard::CardInUse)) {
        return Ok(EndingMark::InUse(open));
    }
    let Some(newest) = load(store, of.brand, of.mode, card).await? else {
        return Ok(EndingMark::Ending(Box::new(known.ending_from(now))));
    };
    let ending = newest.ending_from(now);
    let writes = vec![
        put(of.brand, of.mode, card, &ending)?,
        limits::put(of, &known.address, &limits, base, now)?,
    ];
    store.write(writes).await?;
    Ok(EndingMark::Ending(Box::new(ending)))
}

/// Returns the writes that delete a saved card, and its place among its customer's items.
#[must_use]
pub fn delete(of: BrandScope<'_>, card: CardId, on_file: &SavedCard) -> [Write; 2] {
    let customer = CustomerScope { of, address: &on_file.address };
    let listed = customers::delete(customer, &CustomerItem::Card { card });
    [Write::Delete { key: key(of.brand, of.mode, card) }, listed]
}
