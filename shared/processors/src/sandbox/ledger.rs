//! The ledger of the sandbox: each PaymentIntent in the store, in a partition of its own, for a day.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::{Clock, Expect, Item, Key, Store, StoreError, Write};
use domain::values::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::intent::Intent;

/// For how long Stripe knows an idempotency key, and the sandbox everything.
const KEPT: Duration = Duration::from_secs(86_400);

/// Each PaymentIntent, in the store.
pub(super) struct Ledger {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
}

/// One PaymentIntent, and the calls whose answers are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) intent: Intent,
    pub(super) created_at: Timestamp,
    /// What it was created with.
    pub(super) created: Digested,
    /// The confirmation that was carried out, and what it was told.
    pub(super) confirmed: Option<Told>,
    /// How often this was written.
    #[serde(skip)]
    pub(super) version: u64,
}

/// The digest of a body, by which a repeat is told from another call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Digested(String);

impl Digested {
    pub(super) fn of(body: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(body)))
    }
}

/// An answer that is kept for repeats.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) key: String,
    pub(super) body: Digested,
    pub(super) status: u16,
    pub(super) answer: String,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum Stored {
    #[serde(rename = "1")]
    V1(Entry),
}

/// The id of the PaymentIntent that a key creates: repeats need no look-up.
pub(super) fn id(key: &str) -> String {
    let mut text = hex::encode(Sha256::digest(format!("sandbox|{key}")));
    text.truncate(24);
    format!("pi_{text}")
}

/// Where a PaymentIntent is.
pub(super) fn key(id: &str) -> Key {
    Key { pk: format!("SANDBOX#{id}"), sk: "PI".to_owned() }
}

impl Ledger {
    pub(super) async fn read(&self, id: &str) -> Result<Option<Entry>, StoreError> {
        let Some(item) = self.store.read(&key(id)).await? else { return Ok(None) };
        let stored = serde_json::from_str(&item.body);
        let Stored::V1(entry) = stored.map_err(|error| StoreError::Damaged(error.into()))?;
        Ok(Some(Entry { version: item.version, ..entry }))
    }

    /// Writes an entry in place of the version it was read at; 0 is none.
    pub(super) async fn write(&self, entry: &Entry) -> Result<(), StoreError> {
        let body = serde_json::to_string(&Stored::V1(entry.clone()));
        let item = Item {
            key: key(&entry.intent.id),
            version: entry.version.saturating_add(1),
            body: body.map_err(|error| StoreError::Damaged(error.into()))?,
            expires_at: Some(entry.created_at.after(KEPT)),
            index: None,
        };
        let expect = match entry.version {
            0 => Expect::Absent,
            version => Expect::Version(version),
        };
        self.store.write(vec![Write::Put { item, expect }]).await
    }
}

impl Entry {
    /// Whether the day is over; the store may still have it.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.created_at.after(KEPT) <= now
    }
}
