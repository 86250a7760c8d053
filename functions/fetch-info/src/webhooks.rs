//! Delivering one notice: an attempt, and the next one on its schedule.

use std::time::Duration;

use bytes::Bytes;
use domain::brand::WebhookEndpoint;
use domain::effects::send;
use domain::guards::{self, Guard};
use domain::message::Step;
use domain::ports::{HttpError, SecretsError};
use domain::storage;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use domain::webhook::{self, WebhookEvent};
use http::{Request, StatusCode, header};

use crate::endpoint::{Endpoint, Failed, SLOW};
use crate::{FetchInfo, Trouble};

const TIME_MAX: Duration = Duration::from_secs(15);

/// How the endpoint took an attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    Yes,
    /// It is gone for good (410), or may not be reached at all.
    Gone,
    No {
        /// How long it asks to be left alone.
        wait: Option<Duration>,
    },
}

impl FetchInfo {
    /// Makes the attempt that is due for a notice.
    pub(crate) async fn tell(&self, id: RequestId, seq: u32) -> Result<(), Trouble> {
        let Some((webhook, version)) = storage::webhook(self.store.as_ref(), id, seq).await? else {
            return Ok(());
        };
        let now = self.clock.now();
        if webhook.is_settled() {
            return Ok(());
        }
        if now < webhook.due_at {
            if guards::is_disabled(Guard::EarlyWebhookMessage) {
                return Ok(());
            }
            // A duplicate of an earlier message. Its twin may be the only other one, so the order is passed on.
            return self.later(id, &webhook).await;
        }
        let Some(loaded) = storage::load(self.store.as_ref(), id).await? else { return Ok(()) };
        let request = &loaded.request;
        let brand = match self.secrets.brand(&request.brand).await {
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
            Endpoint::load(self.store.as_ref(), &brand.name, request.mode, setup).await?;
        if !endpoint.is_open(now) {
            tracing::warn!(webhook.id = %webhook.id, "the webhook endpoint is switched off");
            return self.store_webhook(id, &webhook.abandoned(), version).await;
        }
        // The last attempt is made whatever is known.
        let last = webhook.failed(0, now).given_up;
        let place = self.crowds.enter(endpoint.name(), now);
        if !last && (place.is_none() || !endpoint.turn(self.store.as_ref(), now).await?) {
            return self.store_webhook(id, &self.missed(&webhook, now), version).await;
        }
        let taken = self.attempt(&webhook, setup).await;
        drop(place);
        let slow = now.until(self.clock.now()) >= SLOW;
        let now = self.clock.now();
        let next = match taken {
            Taken::Yes => {
                endpoint.worked(self.store.as_ref()).await?;
                webhook.delivered(now)
            }
            Taken::Gone => {
                endpoint.failed(self.store.as_ref(), Failed::Gone, now).await?;
                webhook.abandoned()
            }
            Taken::No { wait } => {
                let how = if slow { Failed::Slowly } else { Failed::Quickly };
                endpoint.failed(self.store.as_ref(), how, now).await?;
                let mut next = self.missed(&webhook, now);
                next.due_at = next.due_at.max(now.after(wait.unwrap_or_default()));
                next
            }
        };
        if next.given_up {
            tracing::error!(webhook.id = %next.id, request.id = %id, "a webhook was given up on");
        }
        self.store_webhook(id, &next, version).await
    }

    /// The notice after an attempt that failed, its next one spread about its time.
    fn missed(&self, webhook: &WebhookEvent, now: Timestamp) -> WebhookEvent {
        let mut spread = [128_u8; 1];
        self.random.fill(&mut spread);
        let [spread] = spread;
        webhook.failed(spread, now)
    }

    /// Stores what became of a notice and sends the message for its next attempt, if it has one.
    async fn store_webhook(
        &self,
        id: RequestId,
        webhook: &WebhookEvent,
        base: u64,
    ) -> Result<(), Trouble> {
        if !webhook.is_settled() && !guards::is_disabled(Guard::WebhookRetry) {
            // Before the write, so that a crash between the two leaves a message that finds its notice not yet due.
            self.later(id, webhook).await?;
        }
        // A conflict is looked at again like any other trouble: whoever won may not have got to the end.
        let now = self.clock.now();
        Ok(storage::put_webhook_state(self.store.as_ref(), id, webhook, base, now).await?)
    }

    /// Sends the message for the next attempt. Queues delay 15 minutes at most: a longer wait is a chain of messages.
    async fn later(&self, id: RequestId, webhook: &WebhookEvent) -> Result<(), Trouble> {
        let wait = self.clock.now().until(webhook.due_at).min(Duration::from_secs(900));
        Ok(send(self.queue.as_ref(), Step::Webhook { seq: webhook.seq }, id, wait).await?)
    }

    async fn attempt(&self, webhook: &WebhookEvent, setup: &WebhookEndpoint) -> Taken {
        let sent_at = self.clock.now();
        let id = webhook.id.to_string();
        let signed = webhook::signature(setup.secret_texts(), &id, sent_at, &webhook.payload);
        let Ok(signature) = signed else {
            tracing::error!(webhook.id = %id, "the webhook secrets cannot be used");
            return Taken::No { wait: None };
        };
        let request = Request::post(&setup.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "Assent-Notices/1")
            .header("webhook-id", &id)
            .header("webhook-timestamp", sent_at.as_secs().to_string())
            .header("webhook-signature", signature)
            .body(Bytes::from(webhook.payload.clone()));
        let Ok(request) = request else {
            tracing::error!(webhook.id = %id, "the webhook address cannot be used");
            return Taken::No { wait: None };
        };
        match self.http.call(request, self.webhook_reach, TIME_MAX).await {
            Ok(answer)
                if answer.status().is_success() || guards::is_disabled(Guard::WebhookStatus) =>
            {
                Taken::Yes
            }
            Ok(answer) if answer.status() == StatusCode::GONE => Taken::Gone,
            Ok(answer) => {
                tracing::warn!(webhook.id = %id, http.status = answer.status().as_u16(), "a webhook was not taken");
                Taken::No { wait: retry_after(&answer) }
            }
            Err(HttpError::Forbidden) => {
                tracing::error!(webhook.id = %id, "the webhook address is not public");
                Taken::No { wait: None }
            }
            Err(HttpError::NotSent(error) | HttpError::Lost(error)) => {
                tracing::warn!(webhook.id = %id, error = %error, "a webhook endpoint did not answer");
                Taken::No { wait: None }
            }
        }
    }
}

/// The seconds a busy endpoint asks for, a day at most.
fn retry_after(answer: &http::Response<Bytes>) -> Option<Duration> {
    let text = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    text.parse().ok().map(|seconds: u64| Duration::from_secs(seconds.min(86_400)))
}
