//! The layout of the table: which items there are, under which keys, and how a decision becomes one transaction.
//!
//! Every access is by key and nothing scans. What is stored carries a version in its text, because functions are deployed
//! one at a time and an older one may read what a newer one wrote.
//!
//! | pk | sk | what | kept |
//! | --- | --- | --- | --- |
//! | `REQ#<id>` | `REQ` | a request, with its index by session | until it is closed, then as the brand says |
//! | `REQ#<id>` | `EVT#<seq>`, `WEBHOOK#<seq>` | its events and notices | as long as it can live |
//! | `LINK#<digest of the token>` | `LINK` | [`LinkTarget`]: where a consent page's link, or a prompt's id, leads | 8 days |
//! | `ADDR#<channel>#<address>` | `REQ#<id>` | requests that may be open for an address there | until closed |
//! | `STOP#<brand>#<address>` | `STOP` | the address opted out | for good |
//! | `CONTACT#<brand>#<mode>#<channel>#<address>` | `CONTACT` | [`crate::contact::Contact`] | 90 days |
//! | `HANDLE#<brand>#<mode>#<channel>#<handle>` | `HANDLE` | the address behind a channel's own id for somebody | 90 days |
//! | `CAP#<brand>#<mode>#<channel>#<address>` | `CAP` | [`crate::capability::Known`] | 60 seconds |
//! | `DEVICE#<brand>#<mode>#<address>` | `DEVICE` | [`crate::device::Observed`] | 90 days |
//! | `LIMIT#<brand>#<mode>#<address>` | `LIMIT` | [`crate::limits::AddressLimits`] | 8 days |
//! | `PHONE#<number>` | `MSG#<prompt>` | a message on the sandbox phone | a day |
//!
//! Addresses and handles are keyed hashes ([`crate::keys`]). `IDEM#` is intake's own, `ENDPOINT#` fetch-info's and
//! `SANDBOX#` the sandbox processor's.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use crate::device::{observed, put_observed};
use crate::guards::{self, Guard};
use crate::journal::{EntryKind, JournalEntry};
use crate::ports::{Expect, Item, Key, Order, Page, Range, Store, StoreError, Write};
use crate::request::{Change, Request, State, WebhookEventType};
use crate::values::id::{PromptId, RequestId, WebhookEventId};
use crate::values::name::BrandName;
use crate::values::time::Timestamp;
use crate::view;
use crate::webhook::WebhookEvent;

/// How long beyond its deadline an open request is kept for the case that nothing has closed it yet.
const GRACE: Duration = Duration::from_secs(30 * 86_400);
/// How long beyond a request's longest life its links still say what became of it.
const LINK_KEPT: Duration = Duration::from_secs(8 * 86_400);

#[derive(Serialize, Deserialize)]
#[serde(tag = "version", content = "is")]
enum Stored<T> {
    #[serde(rename = "1")]
    V1(T),
}

/// A request as it was read, with the version a change of it is compared with.
#[derive(Clone, Debug)]
pub struct VersionedRequest {
    /// The request.
    pub request: Request,
    /// Counts its changes.
    pub version: u64,
}

/// Where a consent page's link leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkTarget {
    /// Whose link it is.
    pub brand: BrandName,
    /// The request.
    pub request: RequestId,
    /// The prompt that carried the link.
    pub prompt: PromptId,
}

/// The JSON of an item's body, in the current text.
///
/// # Errors
/// [`StoreError::Damaged`] when the value cannot be written as JSON, which ours all can.
pub fn encode<T: Serialize>(value: T) -> Result<String, StoreError> {
    serde_json::to_string(&Stored::V1(value)).map_err(|error| StoreError::Damaged(Box::new(error)))
}

/// Reads what [`body`] wrote, in every text there ever was.
///
/// # Errors
/// [`StoreError::Damaged`] when it is none of them.
pub fn decode<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, StoreError> {
    match serde_json::from_str(body) {
        Ok(Stored::V1(value)) => Ok(value),
        Err(error) => Err(StoreError::Damaged(Box::new(error))),
    }
}

fn partition(id: RequestId) -> String {
    format!("REQ#{id}")
}

fn request_key(id: RequestId) -> Key {
    Key { pk: partition(id), sk: "REQ".to_owned() }
}

fn webhook_key(id: RequestId, seq: u32) -> Key {
    Key { pk: partition(id), sk: format!("WEBHOOK#{seq:05}") }
}

fn session_partition(brand: &BrandName, mode: crate::brand::Mode, session: &str) -> String {
    format!("SES#{brand}#{mode:?}#{session}")
}

/// The item that says an address opted out of a brand's messages.
#[must_use]
pub fn stop_key(brand: &BrandName, address: &str) -> Key {
    Key { pk: format!("STOP#{brand}#{address}"), sk: "STOP".to_owned() }
}

fn link_key(token: &str) -> Key {
    Key { pk: format!("LINK#{}", crate::keys::digest_hex(token.as_bytes())), sk: "LINK".to_owned() }
}

/// Where a request is listed among those open for an address on a channel, for replies that carry no reference.
fn address_key(request: &Request, channel: &str) -> Key {
    Key { pk: format!("ADDR#{channel}#{}", request.address), sk: format!("REQ#{}", request.id) }
}

/// Reads a request.
///
/// # Errors
/// [`StoreError`].
pub async fn load(
    store: &dyn Store,
    id: RequestId,
) -> Result<Option<VersionedRequest>, StoreError> {
    let Some(item) = store.read(&request_key(id)).await? else { return Ok(None) };
    Ok(Some(VersionedRequest { request: decode(&item.body)?, version: item.version }))
}

/// Stores a decision: the request, the events and notices that belong to it, and `extra`, together or not at all.
///
/// `expected_version` is the version the decision was made from; `None` for a new request.
///
/// # Errors
/// [`StoreError::Conflict`] when the request has another version by now.
pub async fn commit(
    store: &dyn Store,
    expected_version: Option<u64>,
    change: Change,
    extra: Vec<Write>,
) -> Result<VersionedRequest, StoreError> {
    let version = expected_version.unwrap_or(0).saturating_add(1);
    if change.is_nothing() && extra.is_empty() {
        return Ok(VersionedRequest {
            request: change.request,
            version: expected_version.unwrap_or(0),
        });
    }
    let mut writes = extra;
    writes.push(put_request(&change.request, expected_version, version)?);
    for event in &change.entries {
        writes.push(put_event(&change.request, event)?);
    }
    let first =
        change.request.webhooks.saturating_sub(u32::try_from(change.webhooks.len()).unwrap_or(0));
    for (kind, seq) in change.webhooks.iter().zip(first.saturating_add(1)..) {
        writes.push(put_webhook(&change.request, version, *kind, seq, change.at)?);
    }
    for channel in distinct_channels(&change.request) {
        let key = address_key(&change.request, channel);
        if change.request.is_closed() {
            writes.push(Write::Delete { key });
        } else if expected_version.is_none()
            || change.entries.iter().any(|event| matches!(event.what, EntryKind::Resent { .. }))
        {
            writes.push(put_address(&change.request, key)?);
        }
    }
    store.write(writes).await?;
    Ok(VersionedRequest { request: change.request, version })
}

fn distinct_channels(request: &Request) -> Vec<&str> {
    let mut channels: Vec<&str> = request.routes.iter().map(|route| route.as_str()).collect();
    channels.sort_unstable();
    channels.dedup();
    channels
}

fn kept_until(request: &Request) -> Timestamp {
    match &request.state {
        State::Closed { at, .. } => at.after(Duration::from_secs(request.retention_seconds)),
        State::Pending | State::Prompted | State::Authorized { .. } | State::Processing { .. } => {
            request.expires_at.after(GRACE)
        }
    }
}

/// Events and notices are written once: they are kept as long as a request that lives its longest.
fn part_kept_until(request: &Request, at: Timestamp) -> Timestamp {
    at.after(Duration::from_secs(request.retention_seconds)).after(GRACE)
}

fn put_request(
    request: &Request,
    expected_version: Option<u64>,
    version: u64,
) -> Result<Write, StoreError> {
    let index = Key {
        pk: session_partition(&request.brand, request.mode, &request.session.id),
        sk: format!("{:016}#{}", request.created_at.as_millis(), request.id),
    };
    let item = Item {
        key: request_key(request.id),
        version,
        body: encode(request)?,
        expires_at: Some(kept_until(request)),
        index: Some(index),
    };
    Ok(Write::Put { item, expect: expected(expected_version) })
}

fn put_event(request: &Request, event: &JournalEntry) -> Result<Write, StoreError> {
    let key = Key { pk: partition(request.id), sk: format!("EVT#{:05}", event.seq) };
    let expires_at = Some(part_kept_until(request, event.at));
    let item = Item { key, version: 1, body: encode(event)?, expires_at, index: None };
    Ok(Write::Put { item, expect: expected(None) })
}

/// Returns what a write expects of the item that it changes: a version, or absence.
fn expected(expected_version: Option<u64>) -> Expect {
    if guards::is_disabled(Guard::ExpectedVersion) {
        return Expect::Any;
    }
    expected_version.map_or(Expect::Absent, Expect::Version)
}

fn put_webhook(
    request: &Request,
    version: u64,
    kind: WebhookEventType,
    seq: u32,
    at: Timestamp,
) -> Result<Write, StoreError> {
    // Derived, so that a repeated transaction tells of the same notice.
    let digest = Sha256::digest(format!("{} {} {seq}", request.id, request.chain));
    let mut random = [0_u8; 10];
    for (to, from) in random.iter_mut().zip(digest) {
        *to = from;
    }
    let webhook = WebhookEvent {
        id: WebhookEventId::new(at, random),
        seq,
        kind,
        payload: view::webhook_payload(request, version, kind, at),
        due_at: at,
        failures: 0,
        delivered_at: None,
        given_up: false,
    };
    let expires_at = Some(part_kept_until(request, at));
    let item = Item {
        key: webhook_key(request.id, seq),
        version: 1,
        body: encode(webhook)?,
        expires_at,
        index: None,
    };
    Ok(Write::Put { item, expect: Expect::Absent })
}

fn put_address(request: &Request, key: Key) -> Result<Write, StoreError> {
    let item = Item {
        key,
        version: 1,
        body: encode(request.id)?,
        expires_at: Some(request.expires_at.after(GRACE)),
        index: None,
    };
    Ok(Write::Put { item, expect: Expect::Any })
}

/// The write that makes a prompt's link lead to it.
///
/// # Errors
/// [`StoreError::Damaged`], never in practice.
pub fn put_link(token: &str, target: &LinkTarget, now: Timestamp) -> Result<Write, StoreError> {
    let expires_at = Some(now.after(LINK_KEPT));
    let item =
        Item { key: link_key(token), version: 1, body: encode(target)?, expires_at, index: None };
    Ok(Write::Put { item, expect: Expect::Any })
}

/// Where a link leads.
///
/// # Errors
/// [`StoreError`].
pub async fn follow_link(store: &dyn Store, token: &str) -> Result<Option<LinkTarget>, StoreError> {
    let Some(item) = store.read(&link_key(token)).await? else { return Ok(None) };
    decode(&item.body).map(Some)
}

/// The requests that may be open for an address on a channel, newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn open_for_address(
    store: &dyn Store,
    channel: &str,
    address: &str,
) -> Result<Vec<RequestId>, StoreError> {
    let range = Range {
        pk: format!("ADDR#{channel}#{address}"),
        prefix: "REQ#".to_owned(),
        after: None,
        limit: 100,
        order: Order::Descending,
    };
    let page = store.list(&range).await?;
    page.items.iter().map(|item| item.key.sk.trim_start_matches("REQ#")).map(parse_id).collect()
}

fn parse_id(text: &str) -> Result<RequestId, StoreError> {
    text.parse().map_err(|error| StoreError::Damaged(Box::new(error)))
}

/// The requests of one session, newest first, beyond the place `after` (the last item's index place).
///
/// # Errors
/// [`StoreError`].
pub async fn of_session(
    store: &dyn Store,
    brand: (&BrandName, crate::brand::Mode),
    session: &str,
    after: Option<String>,
    limit: usize,
) -> Result<Page, StoreError> {
    let pk = session_partition(brand.0, brand.1, session);
    let range = Range { pk, prefix: String::new(), after, limit, order: Order::Descending };
    store.list_index(&range).await
}

/// A request's events, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn journal(store: &dyn Store, id: RequestId) -> Result<Vec<JournalEntry>, StoreError> {
    all(store, id, "EVT#").await?.iter().map(|item| decode(&item.body)).collect()
}

/// A request's notices with the version of each item, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn webhooks(
    store: &dyn Store,
    id: RequestId,
) -> Result<Vec<(WebhookEvent, u64)>, StoreError> {
    let items = all(store, id, "WEBHOOK#").await?;
    items.iter().map(|item| Ok((decode(&item.body)?, item.version))).collect()
}

async fn all(store: &dyn Store, id: RequestId, prefix: &str) -> Result<Vec<Item>, StoreError> {
    let mut range = Range {
        pk: partition(id),
        prefix: prefix.to_owned(),
        after: None,
        limit: 100,
        order: Order::Ascending,
    };
    let mut items = Vec::new();
    loop {
        let page = store.list(&range).await?;
        items.extend(page.items);
        range.after = items.last().map(|item| item.key.sk.clone());
        if !page.more {
            return Ok(items);
        }
    }
}

/// One notice with the version of its item.
///
/// # Errors
/// [`StoreError`].
pub async fn webhook(
    store: &dyn Store,
    id: RequestId,
    seq: u32,
) -> Result<Option<(WebhookEvent, u64)>, StoreError> {
    let Some(item) = store.read(&webhook_key(id, seq)).await? else { return Ok(None) };
    Ok(Some((decode(&item.body)?, item.version)))
}

/// Stores what became of a notice.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody else stored something first.
pub async fn put_webhook_state(
    store: &dyn Store,
    request: RequestId,
    webhook: &WebhookEvent,
    expected_version: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let item = Item {
        key: webhook_key(request, webhook.seq),
        version: expected_version.saturating_add(1),
        body: encode(webhook)?,
        expires_at: Some(now.after(GRACE)),
        index: None,
    };
    store.write(vec![Write::Put { item, expect: Expect::Version(expected_version) }]).await
}
