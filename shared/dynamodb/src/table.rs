//! The table.

use std::fmt;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_types::SdkConfig;
use domain::ports::{Item, Key, Page, Range, Store, StoreError, Write};

use crate::{item, query, write};

/// One table, as the store of an installation.
pub struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
}

impl Table {
    /// The table of that name, where `config` says, through the HTTP client that `config` carries.
    #[must_use]
    pub fn new(config: &SdkConfig, table: String) -> Self {
        Self { client: Client::new(config), name: table }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for Table {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let read = self.client.get_item().table_name(&self.name).consistent_read(true);
        let found =
            read.set_key(Some(item::from_key(key))).send().await.map_err(item::unanswered)?;
        found.item.as_ref().map(item::to_item).transpose()
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        query::list(self, query::Listing::Table, range).await
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        query::list(self, query::Listing::Index, range).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        write::write(self, writes).await
    }
}
