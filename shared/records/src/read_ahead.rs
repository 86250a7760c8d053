//! Items that one step reads together before it needs them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ports::{Item, Key, Page, Range, Store, StoreError, Write};

/// The most items of one call of the port.
const BATCH_MAX: usize = 100;

/// A store that has read some items ahead, in one call.
///
/// Each is given once. A second read asks the store, so that a decision that is made again sees the newest state.
///
/// ```
/// use std::sync::Arc;
///
/// use domain::brand::BrandScope;
/// use ports::{Store, StoreError};
/// use records::read_ahead::ReadAhead;
/// use records::{limits, opt_outs};
///
/// /// Reads the limits and the opt-out of an address in one call.
/// async fn may_ask(store: &Arc<dyn Store>, scope: BrandScope<'_>, address: &str) -> Result<bool, StoreError> {
///     let keys = [limits::key(scope, address)].into_iter().chain(opt_outs::keys(scope, address));
///     let ahead = ReadAhead::load(store, keys).await?;
///     let (limits, _) = limits::load(&ahead, scope, address).await?;
///     Ok(limits.cooldown_until.is_none() && !opt_outs::is_opted_out(&ahead, scope, address).await?)
/// }
/// ```
pub struct ReadAhead {
    store: Arc<dyn Store>,
    items: Mutex<BTreeMap<Key, Option<Item>>>,
}

impl ReadAhead {
    /// Reads the items of these keys from `store`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn load(
        store: &Arc<dyn Store>,
        keys: impl IntoIterator<Item = Key> + Send,
    ) -> Result<Self, StoreError> {
        let keys: BTreeSet<Key> = keys.into_iter().collect();
        let keys: Vec<Key> = keys.into_iter().take(BATCH_MAX).collect();
        let read = store.read_many(&keys).await?;
        let items = Mutex::new(keys.into_iter().zip(read).collect());
        Ok(Self { store: Arc::clone(store), items })
    }

    /// Takes the item that was read ahead; the outer `None` where it was not.
    fn take(&self, key: &Key) -> Option<Option<Item>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }
}

#[async_trait]
impl Store for ReadAhead {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        match self.take(key) {
            Some(item) => Ok(item),
            None => self.store.read(key).await,
        }
    }

    async fn read_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let ahead: Option<Vec<_>> = keys.iter().map(|key| self.take(key)).collect();
        match ahead {
            Some(items) => Ok(items),
            None => self.store.read_many(keys).await,
        }
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        self.store.list(range).await
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.store.list_index(range).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        for Write::Put { item: Item { key, .. }, .. } | Write::Delete { key } in &writes {
            self.take(key);
        }
        self.store.write(writes).await
    }
}
