//! The ledger of the sandbox: each object of its Stripe in the store, in a partition of its own.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::{Clock, Expect, Item, Key, Store, StoreError, Write};
use domain::values::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::calls::StoredReply;
use crate::ids::BodyDigest;
use crate::objects::intent::PaymentIntent;
use crate::objects::method::{Customer, PaymentMethod, Token};
use crate::objects::session::CheckoutSession;
use crate::objects::setup::SetupIntent;

/// For how long Stripe knows an idempotency key, and the sandbox nearly everything.
const DAY: Duration = Duration::from_secs(86_400);
/// For how long the sandbox knows a card that was kept.
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Each object, in the store.
#[derive(Clone)]
pub(crate) struct Ledger {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// An object of Stripe's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Object {
    Intent(PaymentIntent),
    Setup(SetupIntent),
    Session(CheckoutSession),
    Method(PaymentMethod),
    Customer(Customer),
    Token(Token),
}

impl Object {
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

    /// As it was when it was created, which a repeat of that is told.
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

/// One object, and the calls whose answers are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) object: Object,
    pub(crate) created_at: Timestamp,
    /// What it was created with; nothing where a customer's visit made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<BodyDigest>,
    /// The confirmation that was carried out, and what it was told.
    pub(crate) confirmed: Option<StoredReply>,
    /// How often this was written.
    #[serde(skip)]
    pub(crate) version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum Stored {
    #[serde(rename = "1")]
    V1(Entry),
}

/// Where an object is: the kinds differ by their ids, and by what they are called here.
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
    /// What the ledger has under an id, over or not.
    pub(crate) async fn read(&self, id: &str) -> Result<Option<Entry>, StoreError> {
        let Some(item) = self.store.read(&key(id)).await? else { return Ok(None) };
        let stored = serde_json::from_str(&item.body);
        let Stored::V1(entry) = stored.map_err(|error| StoreError::Damaged(error.into()))?;
        Ok(Some(Entry { version: item.version, ..entry }))
    }

    /// The same, unless its time is over; the store may still have it.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Entry>, StoreError> {
        let entry = self.read(id).await?;
        Ok(entry.filter(|entry| !entry.is_over(self.clock.now())))
    }

    /// Writes entries in place of the versions they were read at, all or none; 0 is none.
    pub(crate) async fn write(&self, entries: &[&Entry]) -> Result<(), StoreError> {
        let writes = entries.iter().map(|entry| put(entry)).collect::<Result<_, _>>()?;
        self.store.write(writes).await
    }
}

fn put(entry: &Entry) -> Result<Write, StoreError> {
    let body = serde_json::to_string(&Stored::V1(entry.clone()));
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
