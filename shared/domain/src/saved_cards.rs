//! Cards on file: what later asks charge without the customer typing anything.

use serde::{Deserialize, Serialize};

use crate::brand::Mode;
use crate::ports::{CardReceipt, Expect, Item, Key, Store, StoreError, Write};
use crate::seal::Sealed;
use crate::storage::{decode, encode};
use crate::values::id::{CardId, RequestId};
use crate::values::name::{BrandName, ProcessorName};

/// A card on file. The card itself is at the processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedCard {
    /// The request it was put on file by, which it is sealed for.
    pub request: RequestId,
    /// The processor that keeps it.
    pub processor: ProcessorName,
    /// The keyed hash of the address of the customer whose it is: nobody else is asked to pay with it.
    pub address: String,
    /// What the processor charges it by.
    pub sealed: Sealed,
    /// What may be told of it.
    pub receipt: CardReceipt,
}

fn key(brand: &BrandName, mode: Mode, card: CardId) -> Key {
    Key { pk: format!("CARD#{brand}#{mode:?}#{card}"), sk: "CARD".to_owned() }
}

/// The write that puts a card on file.
///
/// # Errors
/// [`StoreError::Damaged`], never in practice.
pub fn put(
    brand: &BrandName,
    mode: Mode,
    card: CardId,
    on_file: &SavedCard,
) -> Result<Write, StoreError> {
    let key = key(brand, mode, card);
    let item = Item { key, version: 1, body: encode(on_file)?, expires_at: None, index: None };
    Ok(Write::Put { item, expect: Expect::Any })
}

/// The card of that id, where the brand has one.
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

/// The write that forgets a card.
#[must_use]
pub fn delete(brand: &BrandName, mode: Mode, card: CardId) -> Write {
    Write::Delete { key: key(brand, mode, card) }
}
