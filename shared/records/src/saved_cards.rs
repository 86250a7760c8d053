//! Saved cards, which later asks charge without the customer typing.

use serde::{Deserialize, Serialize};

use crate::storage::{decode, overwrite};
use domain::brand::Mode;
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
}

fn key(brand: &BrandName, mode: Mode, card: CardId) -> Key {
    Key { pk: format!("CARD#{brand}#{mode:?}#{card}"), sk: "CARD".to_owned() }
}

/// Returns the write of a saved card.
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

/// Returns the write that deletes a saved card.
#[must_use]
pub fn delete(brand: &BrandName, mode: Mode, card: CardId) -> Write {
    Write::Delete { key: key(brand, mode, card) }
}
