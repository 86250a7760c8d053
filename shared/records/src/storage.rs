//! The layout of the table: the items, their keys, and the transaction of a decision.
//!
//! Every access is by key; nothing scans. Each body carries a version, because functions are deployed one at a time.
//!
//! | pk | sk | what | kept |
//! | --- | --- | --- | --- |
//! | `REQ#<id>` | `REQ` | a request with its newest journal entries, and its index by session | its lifetime, then the brand's retention |
//! | `REQ#<id>` | `EVT#<seq>`, `WEBHOOK#<seq>` | its older journal entries and its webhook events, the latter with their index by brand | as the longest lifetime |
//! | `LINK#<digest of the token>` | `LINK` | [`LinkTarget`]: the prompt behind a consent link | 8 days |
//! | `ADDR#<channel>#<address>` | `REQ#<id>` | requests that may be open for an address there | until closed |
//! | `STOP#<brand>#<address>` | `STOP#<mode>`, or `STOP` for both | [`crate::opt_outs::OptOut`], of an address or an untied handle | without limit; 90 days if withdrawn |
//! | `CHARGE#<brand>#<mode>#<processor>#<charge>` | `CHARGE` | [`crate::charges`]: the request behind a charge | the brand's retention |
//! | `CONTACT#<brand>#<mode>#<channel>#<address>` | `CONTACT` | [`domain::contact::Contact`] | 90 days |
//! | `HANDLE#<brand>#<mode>#<channel>#<handle>` | `HANDLE` | the address behind a handle | 90 days |
//! | `SEEN#<brand>#<mode>#<channel>#<message>` | `SEEN` | when a customer's message was recorded | 8 days |
//! | `CAP#<brand>#<mode>#<channel>#<address>` | `CAP` | [`crate::capability::RouteCapability`] | 60 seconds |
//! | `DEVICE#<brand>#<mode>#<address>` | `DEVICE` | [`crate::device::DeviceWallets`] | 90 days |
//! | `PROMPTS#<brand>#<mode>#<hour>` | `PROMPTS` | [`crate::brand_limit`]: the brand's prompts of a clock hour | a day longer |
//! | `CUST#<brand>#<mode>#<address>` | `CARD#`, `HANDLE#`, `REQ#` and an id | [`crate::customers::CustomerItem`]: what belongs to a customer | as what it names |
//! | `LIST#<brand>#<mode>#<list>` | a request's id | [`crate::request_lists`]: a request in one of the brand's lists | as the longest request |
//! | `STATS#<brand>#<mode>#<day>`, `STATS#<brand>#<mode>` | a time and a request's id; a day | [`crate::statistics`]: an end, and a day's counts | 400 days |
//! | `ERASE#<brand>#<mode>#<address>` | `ERASE` | [`crate::erasures::Erasure`] | until done, then 90 days |
//! | `CARD#<brand>#<mode>#<card>` | `CARD` | [`crate::saved_cards::SavedCard`] | until it is taken off file |
//! | `LIMIT#<brand>#<mode>#<address>` | `LIMIT` | [`crate::limits::AddressLimits`] | 8 days |
//!
//! Addresses and handles are keyed hashes ([`domain::keys`]). `IDEM#` belongs to intake, `ENDPOINT#` to fetch-info, `PHONE#`
//! and `SANDBOX#` to the sandbox.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::audit;
use crate::customers;
use crate::customers::{CustomerItem, CustomerScope};
pub use crate::device::{device_wallets, put_device_wallets};
use crate::journal;
pub use crate::journal::journal;
pub use crate::links::{LinkTarget, follow_link, put_link};
use crate::metrics;
use crate::request_lists;
use crate::statistics;
use crate::webhook_events;
use crate::webhook_events::EventParts;
use crate::writes::overwrite;
use domain::brand::BrandScope;
use domain::journal::EntryKind;
use domain::request::{Change, LIFETIME_MAX, Request, State};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use domain::webhook::WebhookEvent;
use ports::{Expect, Item, Key, Order, Page, Range, Store, StoreError, Write};

/// How long an open request is kept after its deadline, in case it was not closed.
pub(crate) const GRACE: Duration = Duration::from_secs(30 * 86_400);

/// A sort key behind all entries of a journal.
const JOURNAL_END: &str = "EVT$";

/// A body: its version, and its content as that version writes it.
#[derive(Serialize, Deserialize)]
struct StoredBody<T> {
    version: BodyVersion,
    is: T,
}

/// The versions of a body.
#[derive(Serialize, Deserialize)]
enum BodyVersion {
    #[serde(rename = "1")]
    V1,
}

/// A request with the version that a change expects.
#[derive(Clone, Debug)]
pub struct VersionedRequest {
    /// The request as it was read.
    pub request: Request,
    /// The version, which counts changes.
    pub version: u64,
}

/// Encodes an item's body in the current version.
///
/// # Errors
/// [`StoreError::Damaged`] when the value cannot be encoded as JSON.
pub fn encode<T: Serialize>(value: T) -> Result<String, StoreError> {
    let body = StoredBody { version: BodyVersion::V1, is: value };
    serde_json::to_string(&body).map_err(|error| StoreError::Damaged(Box::new(error)))
}

/// Decodes an item's body, in any version.
///
/// # Errors
/// [`StoreError::Damaged`] when the body has no known version.
pub fn decode<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, StoreError> {
    match serde_json::from_str(body) {
        Ok(StoredBody { version: BodyVersion::V1, is }) => Ok(is),
        Err(error) => Err(StoreError::Damaged(Box::new(error))),
    }
}

pub(crate) fn partition(id: RequestId) -> String {
    format!("REQ#{id}")
}

fn request_key(id: RequestId) -> Key {
    Key { pk: partition(id), sk: "REQ".to_owned() }
}

pub(crate) fn webhook_key(id: RequestId, seq: u32) -> Key {
    Key { pk: partition(id), sk: format!("WEBHOOK#{seq:05}") }
}

fn session_partition(scope: BrandScope<'_>, session: &str) -> String {
    let BrandScope { brand, mode } = scope;
    format!("SES#{brand}#{mode:?}#{session}")
}

/// Returns the place of a request in its session's list.
pub(crate) fn session_place(created_at: Timestamp, id: RequestId) -> String {
    format!("{:016}#{id}", created_at.as_millis())
}

/// Returns the key that lists a request as open for an address, for replies without a reference.
fn address_key(request: &Request, channel: &str) -> Key {
    Key { pk: format!("ADDR#{channel}#{}", request.address), sk: format!("REQ#{}", request.id) }
}

/// Loads a request; `None` where it does not exist.
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

/// A request with its webhook events.
#[derive(Clone, Debug)]
pub struct RequestWithEvents {
    /// The request, with the version that a change expects.
    pub loaded: VersionedRequest,
    /// Its webhook events, oldest first.
    pub events: Vec<WebhookEvent>,
}

/// Loads a request with its webhook events in one read; `None` where the request does not exist.
///
/// # Errors
/// [`StoreError`].
pub async fn load_with_events(
    store: &dyn Store,
    id: RequestId,
) -> Result<Option<RequestWithEvents>, StoreError> {
    // The request stands before its events, and its journal before both.
    let items = all_from(store, id, "", Some(JOURNAL_END.to_owned())).await?;
    let Some(item) = items.iter().find(|item| item.key.sk == "REQ") else { return Ok(None) };
    let loaded = VersionedRequest { request: decode(&item.body)?, version: item.version };
    let events = items.iter().filter(|item| item.key.sk.starts_with("WEBHOOK#"));
    let events = events.map(|item| decode(&item.body)).collect::<Result<_, StoreError>>()?;
    Ok(Some(RequestWithEvents { loaded, events }))
}

/// Commits a decision in one transaction: the request, its journal entries, its webhook events, and `extra`.
///
/// `expected_version` is the version that the decision was made from; `None` for a new request.
///
/// # Errors
/// [`StoreError::Conflict`] when the stored request has another version.
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
    let mut change = change;
    let mut writes = extra;
    writes.extend(journal::writes(&mut change)?);
    writes.push(put_request(&change.request, expected_version, version)?);
    writes.extend(request_lists::writes(&change, expected_version.is_none())?);
    writes.extend(statistics::put_end(&change)?);
    if expected_version.is_none() {
        let request = &change.request;
        let scope = BrandScope { brand: &request.brand, mode: request.mode };
        let customer = CustomerScope { of: scope, address: &request.address };
        let item = CustomerItem::Request { request: request.id };
        let until = part_kept_until(request, request.expires_at).after(LIFETIME_MAX);
        writes.push(customers::put(customer, &item, Some(until))?);
    }
    let first =
        change.request.webhooks.saturating_sub(u32::try_from(change.webhooks.len()).unwrap_or(0));
    for (kind, seq) in change.webhooks.iter().zip(first.saturating_add(1)..) {
        let parts = EventParts { kind: *kind, seq, at: change.at };
        writes.push(webhook_events::put_new(&change.request, version, parts)?);
    }
    if change.request.erased_at.is_none() {
        writes.extend(address_writes(&change, expected_version.is_none())?);
    }
    store.write(writes).await?;
    audit::changed(&change.request, &change.entries);
    metrics::changed(&change.request, &change.entries, change.at);
    Ok(VersionedRequest { request: change.request, version })
}

/// Returns the writes of the list by which an address finds its open requests on each channel.
fn address_writes(change: &Change, is_new: bool) -> Result<Vec<Write>, StoreError> {
    let request = &change.request;
    let is_resent =
        change.entries.iter().any(|entry| matches!(entry.what, EntryKind::Resent { .. }));
    let mut writes = Vec::new();
    for channel in distinct_channels(request) {
        let key = address_key(request, channel);
        if change.ends_request() {
            writes.push(Write::Delete { key });
        } else if !request.is_closed() && (is_new || is_resent) {
            writes.push(put_address(request, key)?);
        }
    }
    Ok(writes)
}

fn distinct_channels(request: &Request) -> Vec<&str> {
    let mut channels: Vec<&str> = request.routes.iter().map(|route| route.as_str()).collect();
    channels.sort_unstable();
    channels.dedup();
    channels
}

pub(crate) fn kept_until(request: &Request) -> Timestamp {
    match &request.state {
        State::Closed { at, .. } => at.after(Duration::from_secs(request.retention_seconds)),
        State::Pending | State::Prompted | State::Authorized { .. } | State::Processing { .. } => {
            request.expires_at.after(GRACE)
        }
    }
}

/// Entries and events of their own are written once, so they are kept as long as the longest request.
pub(crate) fn part_kept_until(request: &Request, at: Timestamp) -> Timestamp {
    at.after(Duration::from_secs(request.retention_seconds)).after(GRACE)
}

fn put_request(
    request: &Request,
    expected_version: Option<u64>,
    version: u64,
) -> Result<Write, StoreError> {
    let scope = BrandScope { brand: &request.brand, mode: request.mode };
    let index = Key {
        pk: session_partition(scope, &request.session.id),
        sk: session_place(request.created_at, request.id),
    };
    let item = Item {
        key: request_key(request.id),
        version,
        body: encode(request)?,
        expires_at: Some(kept_until(request)),
        // An erased request belongs to no session any more.
        index: request.erased_at.is_none().then_some(index),
    };
    Ok(Write::Put { item, expect: Expect::decided_from(expected_version) })
}

fn put_address(request: &Request, key: Key) -> Result<Write, StoreError> {
    overwrite(key, request.id, Some(request.expires_at.after(GRACE)))
}

/// Lists the requests that may be open for an address on a channel, newest first.
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

pub(crate) fn parse_id(text: &str) -> Result<RequestId, StoreError> {
    text.parse().map_err(|error| StoreError::Damaged(Box::new(error)))
}

/// Lists the requests of one session, newest first, after the index key `after`.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn of_session(
    store: &dyn Store,
    scope: BrandScope<'_>,
    session: &str,
    after: Option<String>,
    limit: usize,
) -> Result<Page, StoreError> {
    let pk = session_partition(scope, session);
    let range = Range { pk, prefix: String::new(), after, limit, order: Order::Descending };
    store.list_index(&range).await
}

/// Lists a request's webhook events with the version of each, oldest first.
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

pub(crate) async fn all(
    store: &dyn Store,
    id: RequestId,
    prefix: &str,
) -> Result<Vec<Item>, StoreError> {
    all_from(store, id, prefix, None).await
}

async fn all_from(
    store: &dyn Store,
    id: RequestId,
    prefix: &str,
    after: Option<String>,
) -> Result<Vec<Item>, StoreError> {
    let mut range = Range {
        pk: partition(id),
        prefix: prefix.to_owned(),
        after,
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

/// Loads a webhook event with its version; `None` where it does not exist.
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
