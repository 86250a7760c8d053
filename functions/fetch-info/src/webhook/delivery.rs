//! One delivery of a webhook, and the next one on its schedule.

use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::Bytes;
use domain::brand::{Destination, Mode, WebhookEndpoint};
use domain::guards;
use domain::guards::Guard;
use domain::message::Step;
use domain::values::id::RequestId;
use domain::values::name::BrandName;
use domain::values::time::Timestamp;
use domain::webhook;
use domain::webhook::{DeliveryAttempt, FailureReason, SentHeaders, WebhookEvent};
use http::{Request, StatusCode, header};
use ports::{BodyHead, Http, HttpError, Ports, Reach, SecretsError, Signer};
use records::effects::send;
use records::webhook_events::VersionedEvent;
use records::{storage, webhook_events};

use super::delivery_limit::InFlightLimit;
use super::delivery_result::{ANSWER_BYTES, DeliveryResult, retry_after};
use super::endpoint::{Endpoint, Failure, SLOW};
use super::event_bus::BusCaller;
use crate::StepError;
use crate::waits::DELAY_MAX;

const TIME_MAX: Duration = Duration::from_secs(15);

/// A delivery that was made.
struct CompletedDelivery<'a> {
    at: Timestamp,
    result: DeliveryResult,
    setup: &'a WebhookEndpoint,
}

/// The event's owner and where its events go.
#[derive(Clone, Copy)]
struct Owner<'a> {
    brand: &'a BrandName,
    mode: Mode,
    setup: &'a WebhookEndpoint,
}

/// The standing of one destination after this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// It took the event.
    Taken,
    /// It gets this event no more.
    Abandoned,
    /// It gets the event again, at this time or later.
    Missed(Timestamp),
}

/// The worker that delivers webhooks.
pub(crate) struct Deliveries<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) http: &'a dyn Http,
    /// Signs calls to AWS; `None` on a machine without credentials.
    pub(crate) signer: Option<&'a dyn Signer>,
    pub(crate) reach: Reach,
    pub(crate) limit: &'a InFlightLimit,
}

impl Deliveries<'_> {
    /// Makes the deliveries that are due, of events that were stored together.
    pub(crate) async fn run(
        &self,
        id: RequestId,
        events: RangeInclusive<u32>,
    ) -> Result<(), StepError> {
        let begun = self.ports.clock.now();
        let mut states = Vec::new();
        let mut failed = None;
        for (webhook, version) in
            webhook_events::load(self.ports.store.as_ref(), id, events).await?
        {
            if begun.until(self.ports.clock.now()) >= SLOW {
                // The endpoint is slow, and a run must end in its time: the others have messages of their own.
                let (queue, step) = (self.ports.queue.as_ref(), Step::webhook(webhook.seq));
                if let Err(error) = send(queue, step, id, Duration::ZERO).await {
                    failed = Some(error.into());
                    break;
                }
                continue;
            }
            match self.deliver(id, webhook).await {
                Ok(next) => states.extend(next.map(|next| (next, version))),
                // What was delivered before is stored first.
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        self.store_states(id, &states).await?;
        failed.map_or(Ok(()), Err)
    }

    /// Makes the delivery of an event that is due. Returns the event after it; `None` where nothing was due.
    async fn deliver(
        &self,
        id: RequestId,
        webhook: WebhookEvent,
    ) -> Result<Option<WebhookEvent>, StepError> {
        let now = self.ports.clock.now();
        if webhook.is_settled() {
            return Ok(None);
        }
        if now < webhook.due_at {
            if !guards::is_disabled(Guard::EarlyWebhookMessage) {
                // A duplicate of an earlier message. Its twin may be the only other one, so that it is sent on.
                self.later(id, &webhook).await?;
            }
            return Ok(None);
        }
        let Some((brand, mode)) = self.owner(id, &webhook).await? else { return Ok(None) };
        let abandoned =
            |reason| webhook.abandoned().with_attempt(DeliveryAttempt::uncalled(reason, now));
        let brand = match self.ports.secrets.brand(&brand).await {
            Ok(brand) => brand,
            Err(SecretsError::Unknown) => {
                return Ok(Some(abandoned(FailureReason::NotConfigured)));
            }
            Err(error @ (SecretsError::Damaged(_) | SecretsError::Unavailable(_))) => {
                return Err(error.into());
            }
        };
        let Some(setup) = &brand.setup(mode).webhooks else {
            return Ok(Some(abandoned(FailureReason::NotConfigured)));
        };
        let destinations = setup.destinations();
        if destinations.is_empty() {
            return Ok(Some(abandoned(FailureReason::NotConfigured)));
        }
        let owner = Owner { brand: &brand.name, mode, setup };
        let (mut next, mut progress) = (webhook, Vec::new());
        for destination in destinations {
            if next.taken.contains(&destination) {
                continue;
            }
            let (attempt, step) = match destination {
                Destination::Url => self.to_url(&next, owner).await?,
                Destination::Eventbridge => self.to_bus(&next, owner).await,
            };
            next = next.with_attempt(attempt);
            if step == Progress::Taken {
                next.taken.push(destination);
            }
            progress.push(step);
        }
        let next = self.concluded(&next, &progress);
        if next.given_up {
            tracing::error!(webhook.id = %next.id, request.id = %id, "webhook abandoned after its last delivery");
        }
        Ok(Some(next))
    }

    /// Returns the event after a run: due again while a destination missed it.
    fn concluded(&self, webhook: &WebhookEvent, progress: &[Progress]) -> WebhookEvent {
        let now = self.ports.clock.now();
        let missed = progress.iter().filter_map(|step| match step {
            Progress::Missed(until) => Some(*until),
            Progress::Taken | Progress::Abandoned => None,
        });
        if let Some(until) = missed.max() {
            let mut next = self.missed(webhook, now);
            next.due_at = next.due_at.max(until);
            return next;
        }
        if progress.contains(&Progress::Abandoned) {
            return webhook.abandoned();
        }
        webhook.delivered(now)
    }

    /// Puts an event on the brand's bus.
    async fn to_bus(
        &self,
        webhook: &WebhookEvent,
        owner: Owner<'_>,
    ) -> (DeliveryAttempt, Progress) {
        let Owner { brand, mode, setup } = owner;
        let at = self.ports.clock.now();
        let result = match setup.bus(mode) {
            Some(bus) => {
                let (http, signer) = (self.http, self.signer);
                BusCaller { http, signer, brand, mode }.put(webhook, &bus).await
            }
            None => {
                tracing::error!(webhook.id = %webhook.id, "event bus is not one that this mode may have");
                DeliveryResult::failed(FailureReason::AddressNotAllowed)
            }
        };
        let now = self.ports.clock.now();
        let is_taken = result.reason.is_none() || guards::is_disabled(Guard::WebhookStatus);
        let progress = if is_taken { Progress::Taken } else { Progress::Missed(now) };
        let attempt = attempt(&CompletedDelivery { at, result, setup }, now);
        (DeliveryAttempt { destination: Destination::Eventbridge, ..attempt }, progress)
    }

    /// Sends an event to the brand's URL, unless its endpoint is disabled or busy.
    async fn to_url(
        &self,
        webhook: &WebhookEvent,
        owner: Owner<'_>,
    ) -> Result<(DeliveryAttempt, Progress), StepError> {
        let Owner { brand, mode, setup } = owner;
        let (store, at) = (self.ports.store.as_ref(), self.ports.clock.now());
        let mut endpoint = Endpoint::of(brand, mode, setup);
        if !self.limit.is_known_healthy(endpoint.name(), at) {
            endpoint.load(store).await?;
            if !endpoint.has_failed() {
                self.limit.remember_healthy(endpoint.name(), at);
            }
        }
        if !endpoint.is_open(at) {
            tracing::warn!(webhook.id = %webhook.id, "webhook not sent: endpoint disabled");
            let attempt = DeliveryAttempt::uncalled(FailureReason::EndpointDisabled, at);
            return Ok((attempt, Progress::Abandoned));
        }
        // The last delivery is made even to an endpoint that is slow or busy.
        let last = webhook.failed(0, at).given_up;
        let permit = self.limit.try_acquire(endpoint.name(), at);
        if !last && (permit.is_none() || !endpoint.try_acquire(store, at).await?) {
            let attempt = DeliveryAttempt::uncalled(FailureReason::EndpointBusy, at);
            return Ok((attempt, Progress::Missed(at)));
        }
        let result = self.send(webhook, setup, mode).await;
        drop(permit);
        let now = self.ports.clock.now();
        let progress = match result.reason {
            None => {
                endpoint.record_success(store).await?;
                Progress::Taken
            }
            Some(FailureReason::Gone) => {
                self.limit.forget(endpoint.name());
                endpoint.record_failure(store, Failure::Gone, now).await?;
                Progress::Abandoned
            }
            Some(_) => {
                self.limit.forget(endpoint.name());
                let failure = if at.until(now) >= SLOW { Failure::Slow } else { Failure::Quick };
                endpoint.record_failure(store, failure, now).await?;
                Progress::Missed(now.after(result.wait.unwrap_or_default()))
            }
        };
        Ok((attempt(&CompletedDelivery { at, result, setup }, now), progress))
    }

    /// Returns the brand and the mode of an event. An event of an older release has those of its request; `None` without one.
    async fn owner(
        &self,
        id: RequestId,
        webhook: &WebhookEvent,
    ) -> Result<Option<(BrandName, Mode)>, StepError> {
        if let Some(owner) = &webhook.owner {
            return Ok(Some((owner.brand.clone(), owner.mode)));
        }
        let loaded = storage::load(self.ports.store.as_ref(), id).await?;
        Ok(loaded.map(|loaded| (loaded.request.brand, loaded.request.mode)))
    }

    /// Returns the webhook after a failed delivery, its next one spread about its time.
    fn missed(&self, webhook: &WebhookEvent, now: Timestamp) -> WebhookEvent {
        let mut spread = [128_u8; 1];
        self.ports.random.fill(&mut spread);
        let [spread] = spread;
        webhook.failed(spread, now)
    }

    /// Stores the state of events, and sends the message for the next delivery of each that has one.
    async fn store_states(
        &self,
        id: RequestId,
        states: &[VersionedEvent],
    ) -> Result<(), StepError> {
        for (webhook, _) in states {
            if !webhook.is_settled() && !guards::is_disabled(Guard::WebhookRetry) {
                // Before the write, so that a crash between the two leaves a message that finds its webhook not yet due.
                self.later(id, webhook).await?;
            }
        }
        if states.is_empty() {
            return Ok(());
        }
        // A conflict fails the step like any other error: the worker that won may not have got to the end.
        let now = self.ports.clock.now();
        Ok(webhook_events::put_states(self.ports.store.as_ref(), id, states, now).await?)
    }

    /// Sends the message for the next delivery. Queues delay 15 minutes at most, so that a longer wait is a chain of messages.
    async fn later(&self, id: RequestId, webhook: &WebhookEvent) -> Result<(), StepError> {
        let wait = self.ports.clock.now().until(webhook.due_at).min(DELAY_MAX);
        Ok(send(self.ports.queue.as_ref(), Step::webhook(webhook.seq), id, wait).await?)
    }

    async fn send(
        &self,
        webhook: &WebhookEvent,
        setup: &WebhookEndpoint,
        mode: Mode,
    ) -> DeliveryResult {
        let sent_at = self.ports.clock.now();
        let id = webhook.id.to_string();
        let Some(url) = setup.url.as_deref().filter(|_| setup.is_reachable(mode)) else {
            tracing::error!(webhook.id = %id, "webhook address is not one that this mode may have");
            return DeliveryResult::failed(FailureReason::AddressNotAllowed);
        };
        let signed = webhook::signature(setup.secret_texts(), &id, sent_at, &webhook.payload);
        let Ok(signature) = signed else {
            tracing::error!(webhook.id = %id, "failed to sign with the webhook secrets");
            return DeliveryResult::failed(FailureReason::NotSigned);
        };
        let request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "Assent-Webhooks/1")
            .header("webhook-id", &id)
            .header("webhook-timestamp", sent_at.as_secs().to_string())
            .header("webhook-signature", &signature)
            .body(Bytes::from(webhook.payload.clone()));
        let Ok(mut request) = request else {
            tracing::error!(webhook.id = %id, "failed to read the webhook address");
            return DeliveryResult::failed(FailureReason::AddressNotAllowed);
        };
        // The status is the answer. An endpoint may send a page of any length behind it.
        request.extensions_mut().insert(BodyHead(ANSWER_BYTES));
        let sent = Some(SentHeaders { timestamp: sent_at.as_secs(), signature });
        match self.http.call(request, self.reach, TIME_MAX).await {
            Ok(answer) => {
                let (status, wait) =
                    (answer.status(), retry_after(&answer, self.ports.clock.now()));
                let reason = match status {
                    _ if status.is_success() || guards::is_disabled(Guard::WebhookStatus) => None,
                    StatusCode::GONE => Some(FailureReason::Gone),
                    _ => Some(FailureReason::Status),
                };
                if reason == Some(FailureReason::Status) {
                    tracing::warn!(webhook.id = %id, http.status = status.as_u16(), "webhook rejected by its endpoint");
                }
                let mut body = answer.into_body();
                body.truncate(ANSWER_BYTES);
                DeliveryResult { status: Some(status), body, reason, wait, sent }
            }
            Err(HttpError::Forbidden) => {
                tracing::error!(webhook.id = %id, "webhook address is not public");
                DeliveryResult::failed(FailureReason::AddressNotAllowed)
            }
            Err(HttpError::NotSent(error)) => {
                tracing::warn!(webhook.id = %id, error = %error, "webhook endpoint could not be reached");
                DeliveryResult::failed(FailureReason::NoConnection)
            }
            Err(HttpError::Lost(error)) => {
                tracing::warn!(webhook.id = %id, error = %error, "webhook endpoint did not answer");
                DeliveryResult { sent, ..DeliveryResult::failed(FailureReason::NoAnswer) }
            }
        }
    }
}

/// Returns the attempt that a delivery was, with the beginning of its answer.
fn attempt(sent: &CompletedDelivery<'_>, now: Timestamp) -> DeliveryAttempt {
    let CompletedDelivery { at, result, setup } = sent;
    DeliveryAttempt {
        at: *at,
        destination: Destination::Url,
        status: result.status.map(|status| status.as_u16()),
        duration_ms: u64::try_from(at.until(now).as_millis()).unwrap_or(u64::MAX),
        answer: webhook::shown_answer(&result.body, setup.secret_texts()),
        reason: result.reason,
        sent: result.sent.clone(),
    }
}
