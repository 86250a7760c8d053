//! Webhook events: stored with their request, and listed by brand and mode.
//!
//! The index has them by `EVENTS#<brand>#<mode>` and the event's id, which begins with its time. An event of an older release has
//! no owner, and is not listed.

use std::ops::RangeInclusive;

use domain::brand::BrandScope;
use domain::request::{Request, WebhookEventType};
use domain::values::id::{RequestId, WebhookEventId};
use domain::values::time::Timestamp;
use domain::view;
use domain::webhook::{EventOwner, WebhookEvent};
use ports::{Expect, Item, Key, Order, Range, Store, StoreError, Write};
use sha2::{Digest, Sha256};

use crate::storage;
use crate::storage::{GRACE, decode, encode, webhook_key};

/// The most events that are delivered by one message. A change stores far fewer.
const TOGETHER_MAX: usize = 20;

/// A stored event with what changes it.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// The request whose partition holds it. A test of an endpoint has an id here that no request has.
    pub request: RequestId,
    /// The event as it was read.
    pub event: WebhookEvent,
    /// The version, which counts changes.
    pub version: u64,
}

/// A page of events.
#[derive(Clone, Debug)]
pub struct EventPage {
    /// The events, in the range's order.
    pub events: Vec<StoredEvent>,
    /// The place to continue after; `None` at the end.
    pub next: Option<String>,
}

/// The parts of a new event that its request does not say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventParts {
    pub(crate) kind: WebhookEventType,
    pub(crate) seq: u32,
    pub(crate) at: Timestamp,
}

/// Returns the write of a request's new event.
pub(crate) fn put_new(
    request: &Request,
    version: u64,
    parts: EventParts,
) -> Result<Write, StoreError> {
    let EventParts { kind, seq, at } = parts;
    // Derived, so that a repeated transaction has the same event id.
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
        owner: Some(EventOwner {
            brand: request.brand.clone(),
            mode: request.mode,
            key: request.key.as_ref().map(|key| key.id.clone()),
            kept_until: storage::part_kept_until(request, at),
        }),
        taken: Vec::new(),
        attempts: Vec::new(),
        erased_at: None,
    };
    let item = item(request.id, &webhook, 1, at)?;
    Ok(Write::Put { item, expect: Expect::Absent })
}

/// Stores a new event that belongs to no request, in a partition of its own.
///
/// # Errors
/// [`StoreError::Conflict`] when the partition has an event.
pub async fn create(
    store: &dyn Store,
    partition: RequestId,
    event: &WebhookEvent,
    now: Timestamp,
) -> Result<(), StoreError> {
    let item = item(partition, event, 1, now)?;
    store.write(vec![Write::Put { item, expect: Expect::Absent }]).await
}

/// An event with the version that a change of it expects.
pub type VersionedEvent = (WebhookEvent, u64);

/// Loads some consecutive events of a request, those that exist.
///
/// # Errors
/// [`StoreError`].
pub async fn load(
    store: &dyn Store,
    request: RequestId,
    events: RangeInclusive<u32>,
) -> Result<Vec<VersionedEvent>, StoreError> {
    let keys: Vec<Key> = events.take(TOGETHER_MAX).map(|seq| webhook_key(request, seq)).collect();
    let items = match keys.as_slice() {
        [only] => vec![store.read(only).await?],
        several => store.read_many(several).await?,
    };
    let stored = items.iter().flatten();
    stored.map(|item| Ok((decode(&item.body)?, item.version))).collect()
}

/// Stores the delivery state of events, of all or of none.
///
/// # Errors
/// [`StoreError::Conflict`] when a stored event has another version.
pub async fn put_states(
    store: &dyn Store,
    request: RequestId,
    events: &[VersionedEvent],
    now: Timestamp,
) -> Result<(), StoreError> {
    let put = |(event, version): &VersionedEvent| {
        let item = item(request, event, version.saturating_add(1), now)?;
        Ok(Write::Put { item, expect: Expect::Version(*version) })
    };
    let writes: Result<Vec<Write>, StoreError> = events.iter().map(put).collect();
    store.write(writes?).await
}

fn item(
    request: RequestId,
    event: &WebhookEvent,
    version: u64,
    now: Timestamp,
) -> Result<Item, StoreError> {
    let owner = event.owner.as_ref();
    let index = owner.map(|owner| Key {
        pk: partition(BrandScope { brand: &owner.brand, mode: owner.mode }),
        sk: event.id.to_string(),
    });
    // A redelivery that still goes on is kept to its end.
    let after_now = now.after(GRACE);
    let expires_at = match owner {
        Some(owner) if event.is_settled() => owner.kept_until,
        Some(owner) => owner.kept_until.max(after_now),
        None => after_now,
    };
    Ok(Item {
        key: webhook_key(request, event.seq),
        version,
        body: encode(event)?,
        expires_at: Some(expires_at),
        index,
    })
}

fn partition(scope: BrandScope<'_>) -> String {
    format!("EVENTS#{}#{}", scope.brand, scope.mode.as_str())
}

/// Lists the events of a brand in a mode after a place: newest first, or oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn list(
    store: &dyn Store,
    scope: BrandScope<'_>,
    order: Order,
    after: Option<String>,
    limit: usize,
) -> Result<EventPage, StoreError> {
    let pk = partition(scope);
    let page = store.list_index(&Range { pk, prefix: String::new(), after, limit, order }).await?;
    let last = page.items.last().and_then(|item| item.index.as_ref()).filter(|_| page.more);
    let next = last.map(|index| index.sk.clone());
    let events = page.items.iter().map(stored).collect::<Result<_, _>>()?;
    Ok(EventPage { events, next })
}

/// Returns the place before the first event of a time, for a list that begins with the oldest.
#[must_use]
pub fn place_before(since: Timestamp) -> String {
    let before = Timestamp::from_millis(since.as_millis().saturating_sub(1).max(0));
    WebhookEventId::new(before, [u8::MAX; 10]).to_string()
}

/// Finds an event of a brand in a mode by its id; `None` where it does not exist.
///
/// # Errors
/// [`StoreError`].
pub async fn find(
    store: &dyn Store,
    scope: BrandScope<'_>,
    id: WebhookEventId,
) -> Result<Option<StoredEvent>, StoreError> {
    let range = Range {
        pk: partition(scope),
        prefix: id.to_string(),
        after: None,
        limit: 1,
        order: Order::Ascending,
    };
    let page = store.list_index(&range).await?;
    let Some(item) = page.items.first() else { return Ok(None) };
    let listed = stored(item)?;
    // The index lags. The event itself has its newest attempt.
    let newest = storage::webhook(store, listed.request, listed.event.seq).await?;
    Ok(newest.map(|(event, version)| StoredEvent { event, version, ..listed }))
}

fn stored(item: &Item) -> Result<StoredEvent, StoreError> {
    let request = storage::parse_id(item.key.pk.trim_start_matches("REQ#"))?;
    Ok(StoredEvent { request, event: decode(&item.body)?, version: item.version })
}
