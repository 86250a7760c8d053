//! `/v1/events` and `/v1/webhooks/test`: the webhook events of a brand, their attempts, and their redelivery.

use std::time::Duration;

use bytes::Bytes;
use domain::api_key::Visibility;
use domain::guards;
use domain::guards::Guard;
use domain::message::Step;
use domain::problem::{Code, FieldError, Problem};
use domain::request::WebhookEventType;
use domain::values::id::{RequestId, WebhookEventId};
use domain::webhook::{EventOwner, WebhookEvent};
use domain::{event_view, keys};
use futures_util::future::join_all;
use http::{HeaderMap, Response, StatusCode};
use ports::{Order, StoreError};
use records::authentication::Requester;
use records::effects;
use records::update::retry_conflicts;
use records::webhook_events;
use records::webhook_events::StoredEvent;
use serde_json::json;

use crate::operation::Operation;
use crate::read::{FOREIGN_CURSOR, Query};
use crate::{CALL_MAX, Intake, json, params};

/// The most events that one call delivers again.
const REDELIVERED_MAX: usize = 100;
/// How many of them are written at once.
const AT_ONCE: usize = 10;
/// How long a test of an endpoint is kept.
const TEST_KEPT: Duration = Duration::from_secs(30 * 86_400);
/// The lists that a cursor is of. No session has a space in its id, so no cursor of a session's list fits.
const NEWEST_FIRST: &str = "events, newest first";
const OLDEST_FIRST: &str = "events, oldest first";

impl Intake {
    /// `GET /v1/events`: the brand's webhook events in this mode with their attempts, newest first.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn events(
        &self,
        headers: &HeaderMap,
        query: &str,
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::ListEvents).await?;
        let query = Query::read(query, &["cursor", "limit"])?;
        let (limit, after) = (query.limit()?, query.place(&requester, NEWEST_FIRST)?);
        let (brand, mode, scope) = (&requester.brand, requester.mode, requester.scope());
        let store = self.ports.store.as_ref();
        let page = webhook_events::list(store, scope, Order::Descending, after, limit).await?;
        let seen = page.events.iter().filter(|stored| sees(&requester, &stored.event));
        let shown: Vec<_> = seen.map(view).collect();
        let next = page.next.map(|place| keys::cursor(brand, mode, NEWEST_FIRST, &place));
        Ok(json(StatusCode::OK, &json!({ "events": shown, "next_cursor": next })))
    }

    /// `GET /v1/events/{id}`: an event with its attempts.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn event(&self, headers: &HeaderMap, id: &str) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::ReadEvent).await?;
        let stored = self.own_event(&requester, id).await?;
        let mut shown = view(&stored);
        if let Some(shown) = shown.as_object_mut() {
            // The bytes that are signed. A JSON value may be written in more than one way.
            shown.insert("body".to_owned(), json!(stored.event.payload));
        }
        Ok(json(StatusCode::OK, &shown))
    }

    /// `POST /v1/events/{id}/redeliver`: delivers an event again, by its id and its bytes. `202` and the event, which is due.
    ///
    /// # Errors
    /// A [`Problem`]; [`Code::ConflictState`] where the customer's data was erased from the event.
    pub async fn redeliver(
        &self,
        headers: &HeaderMap,
        id: &str,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::RedeliverEvent).await?;
        params::nothing(body)?;
        let stored = self.own_event(&requester, id).await?;
        require_endpoint(&requester)?;
        if is_erased(&stored.event) {
            let detail = "the customer's data was erased, so that the event is no longer the same";
            return Err(Problem::new(Code::ConflictState, detail));
        }
        let due = self.redeliver_event(&requester, &stored).await?;
        Ok(json(StatusCode::ACCEPTED, &view(&due)))
    }

    /// `POST /v1/events/redeliver`: delivers the events since a time again, oldest first. `202`, how many, and where to go on.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn redeliver_since(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::RedeliverEvents).await?;
        let (since, cursor) = params::redelivery(body)?;
        require_endpoint(&requester)?;
        let (brand, mode) = (&requester.brand, requester.mode);
        let after = match cursor.filter(|cursor| !cursor.is_empty()) {
            None => webhook_events::place_before(since),
            Some(cursor) => {
                keys::cursor_place(brand, mode, OLDEST_FIRST, &cursor).ok_or_else(foreign_cursor)?
            }
        };
        let (store, scope) = (self.ports.store.as_ref(), requester.scope());
        let page =
            webhook_events::list(store, scope, Order::Ascending, Some(after), REDELIVERED_MAX)
                .await?;
        let due =
            |stored: &&StoredEvent| sees(&requester, &stored.event) && !is_erased(&stored.event);
        let due: Vec<&StoredEvent> = page.events.iter().filter(due).collect();
        for some in due.chunks(AT_ONCE) {
            let sent = some.iter().map(|stored| self.redeliver_event(&requester, stored));
            join_all(sent).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        }
        let next = page.next.map(|place| keys::cursor(brand, mode, OLDEST_FIRST, &place));
        let told = json!({ "queued": due.len(), "next_cursor": next });
        Ok(json(StatusCode::ACCEPTED, &told))
    }

    /// `POST /v1/webhooks/test`: sends a test event to the brand's endpoint. `202` and the event, whose attempt follows.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn test_webhook(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::TestWebhook).await?;
        params::nothing(body)?;
        require_endpoint(&requester)?;
        let now = self.ports.clock.now();
        let drawn = || {
            let mut bytes = [0_u8; 10];
            self.ports.random.fill(&mut bytes);
            bytes
        };
        let event = WebhookEvent {
            id: WebhookEventId::new(now, drawn()),
            seq: 1,
            kind: WebhookEventType::EndpointTest,
            payload: event_view::test_payload(requester.mode, now),
            due_at: now,
            failures: 0,
            delivered_at: None,
            given_up: false,
            owner: Some(EventOwner {
                brand: requester.brand.name.clone(),
                mode: requester.mode,
                key: Some(requester.key.id()),
                kept_until: now.after(TEST_KEPT),
            }),
            taken: Vec::new(),
            attempts: Vec::new(),
            erased_at: None,
        };
        // The event has the partition of a request that does not exist.
        let stored = StoredEvent { request: RequestId::new(now, drawn()), event, version: 1 };
        self.send_event(&stored, CALL_MAX).await?;
        let store = self.ports.store.as_ref();
        webhook_events::create(store, stored.request, &stored.event, now).await?;
        self.send_event(&stored, Duration::ZERO).await?;
        Ok(json(StatusCode::ACCEPTED, &view(&stored)))
    }

    /// Makes an event due again. Its message goes ahead of the write too, so that no redelivery is lost.
    async fn redeliver_event(
        &self,
        requester: &Requester,
        stored: &StoredEvent,
    ) -> Result<StoredEvent, Problem> {
        self.send_event(stored, CALL_MAX).await?;
        let due = retry_conflicts(|| self.mark_due(requester, stored)).await?;
        self.send_event(&due, Duration::ZERO).await?;
        Ok(due)
    }

    async fn mark_due(
        &self,
        requester: &Requester,
        stored: &StoredEvent,
    ) -> Result<StoredEvent, StoreError> {
        let store = self.ports.store.as_ref();
        let newest = webhook_events::find(store, requester.scope(), stored.event.id).await?;
        let newest = newest.unwrap_or_else(|| stored.clone());
        if is_erased(&newest.event) {
            return Ok(newest);
        }
        let now = self.ports.clock.now();
        let event = newest.event.redelivered(now);
        let states = [(event.clone(), newest.version)];
        webhook_events::put_states(store, newest.request, &states, now).await?;
        Ok(StoredEvent { event, ..newest })
    }

    async fn send_event(&self, stored: &StoredEvent, delay: Duration) -> Result<(), Problem> {
        let step = Step::webhook(stored.event.seq);
        Ok(effects::send(self.ports.queue.as_ref(), step, stored.request, delay).await?)
    }

    /// Loads the caller's own event. The answer never tells whether another brand has one.
    async fn own_event(&self, requester: &Requester, id: &str) -> Result<StoredEvent, Problem> {
        let absent = || {
            let detail = "no webhook event of this brand and mode has this id";
            Problem::new(Code::NotFound, detail)
        };
        let id: WebhookEventId = id.parse().map_err(|_not_an_id| absent())?;
        let store = self.ports.store.as_ref();
        let stored = webhook_events::find(store, requester.scope(), id).await?;
        stored.filter(|stored| sees(requester, &stored.event)).ok_or_else(absent)
    }
}

fn view(stored: &StoredEvent) -> serde_json::Value {
    event_view::webhook_event(stored.request, &stored.event)
}

/// Returns whether the caller may know of an event. The list has those of its brand and mode alone.
fn sees(requester: &Requester, event: &WebhookEvent) -> bool {
    match requester.key.sessions {
        Visibility::All => true,
        Visibility::Own => {
            let key = event.owner.as_ref().and_then(|owner| owner.key.as_ref());
            key == Some(&requester.key.id()) || guards::is_disabled(Guard::KeyRights)
        }
    }
}

/// Returns whether an event lost the customer's data. With its id and other bytes, it would not be the same event.
const fn is_erased(event: &WebhookEvent) -> bool {
    event.erased_at.is_some()
}

fn require_endpoint(requester: &Requester) -> Result<(), Problem> {
    if requester.brand.setup(requester.mode).webhooks.is_some() {
        return Ok(());
    }
    let detail = "the brand has no `webhooks` in this mode";
    Err(Problem::new(Code::WebhooksNotConfigured, detail))
}

fn foreign_cursor() -> Problem {
    Problem::fields(vec![FieldError::in_body("/cursor", "cursor", FOREIGN_CURSOR)])
}
