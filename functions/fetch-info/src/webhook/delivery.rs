//! One delivery of a webhook, and the next one on its schedule.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use domain::brand::{Mode, WebhookEndpoint};
use domain::guards;
use domain::guards::Guard;
use domain::message::Step;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use domain::webhook;
use domain::webhook::WebhookEvent;
use http::{Request, StatusCode, header};
use ports::{HeadOnly, Http, HttpError, Ports, Reach, SecretsError};
use records::effects::send;
use records::storage;

use super::delivery_limit::InFlightLimit;
use super::endpoint::{Endpoint, Failure, SLOW};
use crate::StepError;
use crate::waits::DELAY_MAX;

const TIME_MAX: Duration = Duration::from_secs(15);

/// The endpoint's response to a delivery.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DeliveryResult {
    Delivered,
    /// The endpoint is gone for good (410).
    Gone,
    Failed {
        /// How long the endpoint asks to be left alone.
        wait: Option<Duration>,
    },
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
        let Some(loaded) = storage::load(self.ports.store.as_ref(), id).await? else {
            return Ok(());
        };
        let request = &loaded.request;
        let brand = match self.ports.secrets.brand(&request.brand).await {
            Ok(brand) => brand,
            Err(SecretsError::Unknown) => {
                return self.store_webhook(id, &webhook.abandoned(), version).await;
            }
            Err(error @ (SecretsError::Damaged(_) | SecretsError::Unavailable(_))) => {
                return Err(error.into());
            }
        };
        let Some(setup) = &brand.setup(request.mode).webhooks else {
            return self.store_webhook(id, &webhook.abandoned(), version).await;
        };
        let mut endpoint =
            Endpoint::load(self.ports.store.as_ref(), &brand.name, request.mode, setup).await?;
        if !endpoint.is_open(now) {
            tracing::warn!(webhook.id = %webhook.id, "webhook not sent: endpoint disabled");
            return self.store_webhook(id, &webhook.abandoned(), version).await;
        }
        // The last delivery is made even to an endpoint that is slow or busy.
        let last = webhook.failed(0, now).given_up;
        let permit = self.limit.try_acquire(endpoint.name(), now);
        if !last
            && (permit.is_none() || !endpoint.try_acquire(self.ports.store.as_ref(), now).await?)
        {
            return self.store_webhook(id, &self.missed(&webhook, now), version).await;
        }
        let result = self.send(&webhook, setup, request.mode).await;
        drop(permit);
        let slow = now.until(self.ports.clock.now()) >= SLOW;
        let now = self.ports.clock.now();
        let next = match result {
            DeliveryResult::Delivered => {
                endpoint.record_success(self.ports.store.as_ref()).await?;
                webhook.delivered(now)
            }
            DeliveryResult::Gone => {
                endpoint.record_failure(self.ports.store.as_ref(), Failure::Gone, now).await?;
                webhook.abandoned()
            }
            DeliveryResult::Failed { wait } => {
                let failure = if slow { Failure::Slow } else { Failure::Quick };
                endpoint.record_failure(self.ports.store.as_ref(), failure, now).await?;
                let mut next = self.missed(&webhook, now);
                next.due_at = next.due_at.max(now.after(wait.unwrap_or_default()));
                next
            }
        };
        if next.given_up {
            tracing::error!(webhook.id = %next.id, request.id = %id, "webhook abandoned after its last delivery");
        }
        self.store_webhook(id, &next, version).await
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
        Ok(storage::put_webhook_state(self.ports.store.as_ref(), id, webhook, base, now).await?)
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
            return DeliveryResult::Failed { wait: None };
        }
        let signed = webhook::signature(setup.secret_texts(), &id, sent_at, &webhook.payload);
        let Ok(signature) = signed else {
            tracing::error!(webhook.id = %id, "failed to sign with the webhook secrets");
            return DeliveryResult::Failed { wait: None };
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
            return DeliveryResult::Failed { wait: None };
        };
        // The status is the whole answer. An endpoint may send a page of any length behind it.
        request.extensions_mut().insert(HeadOnly);
        match self.http.call(request, self.reach, TIME_MAX).await {
            Ok(answer)
                if answer.status().is_success() || guards::is_disabled(Guard::WebhookStatus) =>
            {
                DeliveryResult::Delivered
            }
            Ok(answer) if answer.status() == StatusCode::GONE => DeliveryResult::Gone,
            Ok(answer) => {
                tracing::warn!(webhook.id = %id, http.status = answer.status().as_u16(), "webhook rejected by its endpoint");
                DeliveryResult::Failed { wait: retry_after(&answer, self.ports.clock.now()) }
            }
            Err(HttpError::Forbidden) => {
                tracing::error!(webhook.id = %id, "webhook address is not public");
                DeliveryResult::Failed { wait: None }
            }
            Err(HttpError::NotSent(error) | HttpError::Lost(error)) => {
                tracing::warn!(webhook.id = %id, error = %error, "webhook endpoint did not answer");
                DeliveryResult::Failed { wait: None }
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
