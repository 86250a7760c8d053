//! The erasure of a customer: owed from when it is asked for until everything is erased.

use std::time::Duration;

use domain::journal::JournalEntry;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use ports::{Expect, Item, Store, StoreError, Write};
use serde::{Deserialize, Serialize};

use crate::customers::CustomerScope;
use crate::storage;
use crate::storage::{decode, encode};
use crate::webhook_events;
use crate::writes::replace;

/// How long a finished erasure is known, so that the requester can read that it is done.
const KNOWN: Duration = Duration::from_secs(90 * 86_400);

/// The erasure of one customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// How many runs could not finish it.
    #[serde(default)]
    pub tries: u32,
    /// A stable code of what the last run could not erase yet; `None` where nothing stands in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// When everything was erased; `None` before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
}

impl Erasure {
    /// Returns an erasure that is owed from now on.
    #[must_use]
    pub const fn asked(now: Timestamp) -> Self {
        Self { asked_at: now, tries: 0, waits_for: None, done_at: None }
    }

    /// Returns the erasure after a run that could not finish it.
    #[must_use]
    pub fn postponed(&self, reason: &str) -> Self {
        let (tries, waits_for) = (self.tries.saturating_add(1), Some(reason.to_owned()));
        Self { tries, waits_for, ..self.clone() }
    }

    /// Returns the erasure after the run that finished it.
    #[must_use]
    pub fn done(&self, now: Timestamp) -> Self {
        Self { waits_for: None, done_at: Some(now), ..self.clone() }
    }
}

/// Loads a customer's newest erasure, and the version that a change expects; `None` without one.
///
/// # Errors
/// [`StoreError`].
pub async fn load(
    store: &dyn Store,
    customer: CustomerScope<'_>,
) -> Result<Option<(Erasure, u64)>, StoreError> {
    let Some(item) = store.read(&customer.key("ERASE", "ERASE")).await? else { return Ok(None) };
    Ok(Some((decode(&item.body)?, item.version)))
}

/// Returns the write of an erasure, which expects the version that was read.
///
/// # Errors
/// [`StoreError::Damaged`] when the erasure cannot be encoded.
pub fn put(
    customer: CustomerScope<'_>,
    erasure: &Erasure,
    expected_version: Option<u64>,
) -> Result<Write, StoreError> {
    let expires_at = erasure.done_at.map(|at| at.after(KNOWN));
    replace(customer.key("ERASE", "ERASE"), erasure, expected_version, expires_at)
}

/// Erases the personal members of a request's journal and the payloads of its webhook events.
///
/// Returns `false` while an event is not delivered yet: its requester learns of the end first.
///
/// # Errors
/// [`StoreError::Conflict`] when another writer changed one of them.
pub async fn erase_parts(
    store: &dyn Store,
    id: RequestId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    for item in storage::all(store, id, "EVT#").await? {
        let entry: JournalEntry = decode(&item.body)?;
        let Some(erased) = entry.without_personal_members() else { continue };
        let expect = Expect::Version(item.version);
        let version = item.version.saturating_add(1);
        let item = Item { version, body: encode(&erased)?, ..item };
        store.write(vec![Write::Put { item, expect }]).await?;
    }
    let mut settled = true;
    for (webhook, version) in storage::webhooks(store, id).await? {
        if !webhook.is_settled() {
            settled = false;
            continue;
        }
        let erased = webhook.erased(now);
        if erased != webhook {
            webhook_events::put_states(store, id, &[(erased, version)], now).await?;
        }
    }
    Ok(settled)
}
