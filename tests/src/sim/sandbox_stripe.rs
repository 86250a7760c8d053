//! The sandbox's Stripe on the other side of the wire, with books apart from our table.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use ports::{Clock, Http, HttpError, Item, Key, Page, Range, Reach, Store, StoreError, Write};
use sandbox::{Sandbox, SandboxVisit};

use super::ports::block_on;
use crate::lock::lock;
use crate::memory::MemoryStore;
use crate::providers::Answer;

/// The sandbox's Stripe, with its pages.
pub(super) struct SandboxStripe {
    api: Arc<dyn Http>,
    pages: Sandbox,
    books: Arc<RecordingStore>,
}

/// The sandbox's own store, which keeps what is written until the oracle has seen it.
#[derive(Default)]
struct RecordingStore {
    store: MemoryStore,
    unseen: Mutex<Vec<Write>>,
}

#[async_trait]
impl Store for RecordingStore {
    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.store.read(key).await
    }

    async fn list(&self, range: &Range) -> Result<Page, StoreError> {
        self.store.list(range).await
    }

    async fn list_index(&self, range: &Range) -> Result<Page, StoreError> {
        self.store.list_index(range).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.store.write(writes.clone()).await?;
        lock(&self.unseen).extend(writes);
        Ok(())
    }
}

impl SandboxStripe {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let books = Arc::<RecordingStore>::default();
        let store: Arc<dyn Store> = Arc::<RecordingStore>::clone(&books);
        let api = sandbox::stand_in(Arc::clone(&store), Arc::clone(&clock));
        let pages = Sandbox::over(store, clock);
        Self { api, pages, books }
    }

    /// Answers one call.
    pub(super) fn take(&self, request: Request<Bytes>) -> Result<Answer, HttpError> {
        let answer = block_on(self.api.call(request, Reach::Configured, Duration::from_secs(25)))?;
        let body = serde_json::from_slice(answer.body()).unwrap_or_default();
        Ok((answer.status().as_u16(), body))
    }

    /// A customer sends a form on a page.
    pub(super) fn visited(&self, id: &str, form: &str) {
        let visit = SandboxVisit { id, form: Some(form.as_bytes()), branding: None };
        drop(block_on(self.pages.page(&visit)));
    }

    /// Returns what was written since the last call.
    pub(super) fn new_writes(&self) -> Vec<Write> {
        std::mem::take(&mut *lock(&self.books.unseen))
    }
}
