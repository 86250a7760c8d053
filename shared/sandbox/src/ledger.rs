//! The ledger: each object of the stand-in, in a partition of the store of its own.

use std::sync::Arc;
use std::time::Duration;

use domain::values::time::Timestamp;
use ports::{Clock, Expect, Item, Key, Store, StoreError, Write};
use serde::{Deserialize, Serialize};

use crate::calls::StoredReply;
use crate::ids::BodyDigest;
use crate::objects::intent::PaymentIntent;
use crate::objects::method::{Customer, PaymentMethod, Token};
use crate::objects::session::CheckoutSession;
use crate::objects::setup::SetupIntent;

/// The lifetime of most objects, as long as Stripe keeps an idempotency key.
///
/// <https://docs.stripe.com/error-low-level>, read 2026-11-23.
const DAY: Duration = Duration::from_secs(86_400);
/// The lifetime of a saved card.
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Reads and writes objects in the store.
#[derive(Clone)]
pub(crate) struct Ledger {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// One of Stripe's objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SandboxObject {
    Intent(PaymentIntent),
    Setup(SetupIntent),
    Session(CheckoutSession),
    Method(PaymentMethod),
    Customer(Customer),
    Token(Token),
}

impl SandboxObject {
    /// Returns whether it is a customer who has this payment method.
    pub(crate) fn keeps(&self, method: &str) -> bool {
        match self {
            Self::Customer(customer) => customer.keeps(method),
            Self::Intent(_)
            | Self::Setup(_)
            | Self::Session(_)
            | Self::Method(_)
            | Self::Token(_) => false,
        }
    }

    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Intent(intent) => &intent.id,
            Self::Setup(setup) => &setup.id,
            Self::Session(session) => &session.id,
            Self::Method(method) => &method.id,
            Self::Customer(customer) => &customer.id,
            Self::Token(token) => &token.id,
        }
    }

    /// Returns the object as it was created, which is the reply to a repeat of its creation.
    pub(crate) fn at_first(self) -> Self {
        match self {
            Self::Intent(intent) => Self::Intent(intent.at_first()),
            Self::Setup(setup) => Self::Setup(setup.at_first()),
            Self::Session(session) => Self::Session(session.at_first()),
            Self::Method(_) | Self::Customer(_) | Self::Token(_) => self,
        }
    }

    const fn kept(&self) -> Duration {
        match self {
            Self::Intent(_) | Self::Setup(_) | Self::Session(_) | Self::Token(_) => DAY,
            Self::Method(_) | Self::Customer(_) => YEAR,
        }
    }
}

/// One object, and the calls whose replies are stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) object: SandboxObject,
    pub(crate) created_at: Timestamp,
    /// The digest of the creating body; `None` where a customer's visit created the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<BodyDigest>,
    /// The confirmation that was carried out, with its reply.
    pub(crate) confirmed: Option<StoredReply>,
    /// The number of writes.
    #[serde(skip)]
    pub(crate) version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredEntry {
    #[serde(rename = "1")]
    V1(Entry),
}

/// Returns the key of an object. The kinds of object differ in their ids and in their sort keys.
pub(crate) fn key(id: &str) -> Key {
    let kind = match id.split('_').next().unwrap_or_default() {
        "pi" => "PI",
        "seti" => "SETI",
        "cs" => "CS",
        "pm" => "PM",
        "cus" => "CUS",
        _ => "TOK",
    };
    Key { pk: format!("SANDBOX#{id}"), sk: kind.to_owned() }
}

impl Ledger {
    /// Reads an object, even if its lifetime is over.
    pub(crate) async fn read(&self, id: &str) -> Result<Option<Entry>, StoreError> {
        let Some(item) = self.store.read(&key(id)).await? else { return Ok(None) };
        let stored = serde_json::from_str(&item.body);
        let StoredEntry::V1(entry) = stored.map_err(|error| StoreError::Damaged(error.into()))?;
        Ok(Some(Entry { version: item.version, ..entry }))
    }

    /// Reads an object; `None` once its lifetime is over, though the store may still have it.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Entry>, StoreError> {
        let entry = self.read(id).await?;
        Ok(entry.filter(|entry| !entry.is_over(self.clock.now())))
    }

    /// Returns whether the customer of a SetupIntent still has its card.
    pub(crate) async fn keeps(&self, setup: &SetupIntent) -> Result<bool, StoreError> {
        let entry = self.read(&setup.customer).await?;
        Ok(entry.is_some_and(|entry| entry.object.keeps(&setup.method)))
    }

    /// Writes all entries or none. Each replaces the version that was read; version 0 is a new entry.
    pub(crate) async fn write(&self, entries: &[&Entry]) -> Result<(), StoreError> {
        let writes = entries.iter().map(|entry| put(entry)).collect::<Result<_, _>>()?;
        self.store.write(writes).await
    }
}

fn put(entry: &Entry) -> Result<Write, StoreError> {
    let body = serde_json::to_string(&StoredEntry::V1(entry.clone()));
    let item = Item {
        key: key(entry.object.id()),
        version: entry.version.saturating_add(1),
        body: body.map_err(|error| StoreError::Damaged(error.into()))?,
        expires_at: Some(entry.created_at.after(entry.object.kept())),
        index: None,
    };
    let expect = match entry.version {
        0 => Expect::Absent,
        version => Expect::Version(version),
    };
    Ok(Write::Put { item, expect })
}

impl Entry {
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.created_at.after(self.object.kept()) <= now
    }
}
