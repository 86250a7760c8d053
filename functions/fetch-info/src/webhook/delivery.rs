//! One delivery of a webhook, and the next one on its schedule.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use domain::brand::{Mode, WebhookEndpoint};
use domain::guards;
use domain::guards::Guard;
use domain::message::Step;
use domain::values::id::RequestId;
use domain::values::name::BrandName;
use domain::values::time::Timestamp;
use domain::webhook;
use domain::webhook::{DeliveryAttempt, FailureReason, WebhookEvent};
use http::{Request, StatusCode, header};
use ports::{BodyHead, Http, HttpError, Ports, Reach, SecretsError};
use records::effects::send;
use records::{storage, webhook_events};

use super::delivery_limit::InFlightLimit;
use super::endpoint::{Endpoint, Failure, SLOW};
use crate::StepError;
use crate::waits::DELAY_MAX;

const TIME_MAX: Duration = Duration::from_secs(15);
/// How much is read of an endpoint's answer. Less of it is kept.
const ANSWER_BYTES: usize = 1024;

/// The endpoint's response to a delivery.
#[derive(Default)]
struct DeliveryResult {
    status: Option<StatusCode>,
    /// The beginning of its body.
    body: Bytes,
    /// Why it failed; `None` where the endpoint took the event.
    reason: Option<FailureReason>,
    /// How long the endpoint asks to be left alone.
    wait: Option<Duration>,
}

impl DeliveryResult {
    fn failed(reason: FailureReason) -> Self {
        Self { reason: Some(reason), ..Self::default() }
    }
}

/// A delivery that was made.
struct Sent<'a> {
    at: Timestamp,
    result: DeliveryResult,
    setup: &'a WebhookEndpoint,
}

/// The worker that delivers webhooks.
pub(crate) struct Deliveries<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) http: &'a dyn Http,
    pub(crate) reach: Reach,
    pub(crate) limit: &'a InFlightLimit,
}

impl Deliveries<'_> {
    /// Makes the delivery that is due.
    pub(crate) async fn run(&self, id: RequestId, seq: u32) -> Result<(), StepError> {
        let Some((webhook, version)) = storage::webhook(self.ports.store.as_ref(), id, seq).await?
        else {
            return Ok(());
        };
        let now = self.ports.clock.now();
        if webhook.is_settled() {
            return Ok(());
        }
        if now < webhook.due_at {
            if guards::is_disabled(Guard::EarlyWebhookMessage) {
                return Ok(());
            }
            // A duplicate of an earlier message. Its twin may be the only other one, so that it is sent on.
            return self.later(id, &webhook).await;
        }
        let Some((brand, mode)) = self.owner(id, &webhook).await? else { return Ok(()) };
        let abandoned =
            |reason| webhook.abandoned().with_attempt(DeliveryAttempt::uncalled(reason, now));
        let brand = match self.ports.secrets.brand(&brand).await {
            Ok(brand) => brand,
            Err(SecretsError::Unknown) => {
                let next = abandoned(FailureReason::NotConfigured);
                return self.store_webhook(id, &next, version).await;
            }
            Err(error @ (SecretsError::Damaged(_) | SecretsError::Unavailable(_))) => {
                return Err(error.into());
            }
        };
        let Some(setup) = &brand.setup(mode).webhooks else {
            let next = abandoned(FailureReason::NotConfigured);
            return self.store_webhook(id, &next, version).await;
        };
        let mut endpoint =
            Endpoint::load(self.ports.store.as_ref(), &brand.name, mode, setup).await?;
        if !endpoint.is_open(now) {
            tracing::warn!(webhook.id = %webhook.id, "webhook not sent: endpoint disabled");
            let next = abandoned(FailureReason::EndpointDisabled);
            return self.store_webhook(id, &next, version).await;
        }
        // The last delivery is made even to an endpoint that is slow or busy.
        let last = webhook.failed(0, now).given_up;
        let permit = self.limit.try_acquire(endpoint.name(), now);
        if !last
            && (permit.is_none() || !endpoint.try_acquire(self.ports.store.as_ref(), now).await?)
        {
            let attempt = DeliveryAttempt::uncalled(FailureReason::EndpointBusy, now);
            let next = self.missed(&webhook, now).with_attempt(attempt);
            return self.store_webhook(id, &next, version).await;
        }
        let result = self.send(&webhook, setup, mode).await;
        drop(permit);
        let next = self.concluded(&mut endpoint, &webhook, Sent { at: now, result, setup }).await?;
        if next.given_up {
            tracing::error!(webhook.id = %next.id, request.id = %id, "webhook abandoned after its last delivery");
        }
        self.store_webhook(id, &next, version).await
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

    /// Records an attempt at its endpoint. Returns the event after it.
    async fn concluded(
        &self,
        endpoint: &mut Endpoint,
        webhook: &WebhookEvent,
        sent: Sent<'_>,
    ) -> Result<WebhookEvent, StepError> {
        let Sent { at, result, setup } = sent;
        let store = self.ports.store.as_ref();
        let now = self.ports.clock.now();
        let took = at.until(now);
        let next = match result.reason {
            None => {
                endpoint.record_success(store).await?;
                webhook.delivered(now)
            }
            Some(FailureReason::Gone) => {
                endpoint.record_failure(store, Failure::Gone, now).await?;
                webhook.abandoned()
            }
            Some(_) => {
                let failure = if took >= SLOW { Failure::Slow } else { Failure::Quick };
                endpoint.record_failure(store, failure, now).await?;
                let mut next = self.missed(webhook, now);
                next.due_at = next.due_at.max(now.after(result.wait.unwrap_or_default()));
                next
            }
        };
        Ok(next.with_attempt(DeliveryAttempt {
            at,
            status: result.status.map(|status| status.as_u16()),
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            answer: webhook::shown_answer(&result.body, setup.secret_texts()),
            reason: result.reason,
        }))
    }

    /// Returns the webhook after a failed delivery, its next one spread about its time.
    fn missed(&self, webhook: &WebhookEvent, now: Timestamp) -> WebhookEvent {
        let mut spread = [128_u8; 1];
        self.ports.random.fill(&mut spread);
        let [spread] = spread;
        webhook.failed(spread, now)
    }

    /// Stores the webhook's state, and sends the message for its next delivery where it has one.
    async fn store_webhook(
        &self,
        id: RequestId,
        webhook: &WebhookEvent,
        base: u64,
    ) -> Result<(), StepError> {
        if !webhook.is_settled() && !guards::is_disabled(Guard::WebhookRetry) {
            // Before the write, so that a crash between the two leaves a message that finds its webhook not yet due.
            self.later(id, webhook).await?;
        }
        // A conflict fails the step like any other error: the worker that won may not have got to the end.
        let now = self.ports.clock.now();
        Ok(webhook_events::put_state(self.ports.store.as_ref(), id, webhook, base, now).await?)
    }

    /// Sends the message for the next delivery. Queues delay 15 minutes at most, so that a longer wait is a chain of messages.
    async fn later(&self, id: RequestId, webhook: &WebhookEvent) -> Result<(), StepError> {
        let wait = self.ports.clock.now().until(webhook.due_at).min(DELAY_MAX);
        Ok(send(self.ports.queue.as_ref(), Step::Webhook { seq: webhook.seq }, id, wait).await?)
    }

    async fn send(
        &self,
        webhook: &WebhookEvent,
        setup: &WebhookEndpoint,
        mode: Mode,
    ) -> DeliveryResult {
        let sent_at = self.ports.clock.now();
        let id = webhook.id.to_string();
        if !setup.is_reachable(mode) {
            tracing::error!(webhook.id = %id, "webhook address is not one that this mode may have");
            return DeliveryResult::failed(FailureReason::AddressNotAllowed);
        }
        let signed = webhook::signature(setup.secret_texts(), &id, sent_at, &webhook.payload);
        let Ok(signature) = signed else {
            tracing::error!(webhook.id = %id, "failed to sign with the webhook secrets");
            return DeliveryResult::failed(FailureReason::NotSigned);
        };
        let request = Request::post(&setup.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "Assent-Webhooks/1")
            .header("webhook-id", &id)
            .header("webhook-timestamp", sent_at.as_secs().to_string())
            .header("webhook-signature", signature)
            .body(Bytes::from(webhook.payload.clone()));
        let Ok(mut request) = request else {
            tracing::error!(webhook.id = %id, "failed to read the webhook address");
            return DeliveryResult::failed(FailureReason::AddressNotAllowed);
        };
        // The status is the answer. An endpoint may send a page of any length behind it.
        request.extensions_mut().insert(BodyHead(ANSWER_BYTES));
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
                DeliveryResult { status: Some(status), body, reason, wait }
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
                DeliveryResult::failed(FailureReason::NoAnswer)
            }
        }
    }
}

/// Returns the wait that a busy endpoint asks for, in seconds or as a date; a day at most.
///
/// Source: RFC 9110, section 10.2.3.
fn retry_after(answer: &http::Response<Bytes>, now: Timestamp) -> Option<Duration> {
    const WAIT_MAX: Duration = Duration::from_secs(86_400);
    let text = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds).min(WAIT_MAX));
    }
    let date = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let date = Timestamp::from_millis(i64::try_from(date.as_millis()).ok()?);
    Some(now.until(date).min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        // 2026-11-26T12:00:00Z, a Thursday.
        let now = Timestamp::from_millis(1_795_694_400_000);
        let wait = |text: &str| {
            let answer = http::Response::builder().header("retry-after", text);
            retry_after(&answer.body(Bytes::new()).unwrap(), now).map(|wait| wait.as_secs())
        };
        for (text, seconds) in [
            ("8", Some(8)),
            ("0", Some(0)),
            ("31536000", Some(86_400)),
            ("Thu, 26 Nov 2026 12:00:08 GMT", Some(8)),
            ("Thursday, 26-Nov-26 12:00:08 GMT", Some(8)),
            ("Thu Nov 26 12:00:08 2026", Some(8)),
            ("Thu, 26 Nov 2026 11:00:00 GMT", Some(0)),
            ("Fri, 26 Nov 2027 12:00:00 GMT", Some(86_400)),
            ("-1", None),
            ("1e99", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(wait(text), seconds, "{text}");
        }
    }
}
