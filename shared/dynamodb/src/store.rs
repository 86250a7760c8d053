//! The store port on a [`Table`].

use async_trait::async_trait;
use ports::{Item, Key, Page, Range, Store, StoreError, Write};

use crate::table::Table;
use crate::{batch, item, query, write};

#[async_trait]
impl Store for Table {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let read = self.client.get_item().table_name(&self.name).consistent_read(true);
        let found =
            read.set_key(Some(item::from_key(key))).send().await.map_err(item::call_error)?;
        found.item.as_ref().map(item::to_item).transpose()
    }

    async fn read_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        batch::read(self, keys).await
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        query::list(self, range).await
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        query::list_index(self, range).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        write::write(self, writes).await
    }
}
