//! The check: takes what time asks for, and every step that was never taken.

use std::time::Duration;

use domain::guards;
use domain::guards::Guard;
use domain::message::Step;
use domain::request::{Attempt, RefundRecord, Request, State};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use domain::webhook::WebhookEvent;
use records::effects;
use records::storage;
use records::storage::RequestWithEvents;

use crate::{SendPrompt, StepError};

/// A webhook event's message counts as lost when no worker tried to deliver it for this long.
const WEBHOOK_LOST: Duration = Duration::from_secs(10);
/// Longer than a call that creates a request can take.
const CALL_MAX: Duration = Duration::from_secs(60);
/// The delay of the next check for an unwritten request, or for webhook events that no worker tried.
const CHECK_AGAIN: Duration = Duration::from_secs(15);

impl SendPrompt {
    /// Takes every step that is due, then sends the next check while the request still owes anything.
    pub(crate) async fn check(&self, id: RequestId) -> Result<(), StepError> {
        let read = storage::load_with_events(self.ports.store.as_ref(), id).await?;
        let Some(RequestWithEvents { loaded, events }) = read else {
            return self.check_unwritten(id).await;
        };
        let known = loaded.request.webhooks;
        let loaded = Box::pin(self.drive(loaded)).await?;
        let now = self.ports.clock.now();
        if is_fetch_lost(&loaded.request, now) && !guards::is_disabled(Guard::LostFetch) {
            self.send_step(Step::Fetch, id, Duration::ZERO).await?;
        }
        let is_lost = |refund: &&RefundRecord| {
            now >= refund.lost_at() && !guards::is_disabled(Guard::LostRefund)
        };
        for refund in loaded.request.open_refunds().filter(is_lost) {
            self.send_step(Step::Refund { seq: refund.seq }, id, Duration::ZERO).await?;
        }
        let untried = self.send_lost_webhooks(id, &events, now).await?;
        // What this check made is on its way, and no worker has tried it yet.
        let untried = untried || loaded.request.webhooks > known;
        let next = loaded.request.next_check(now).or_else(|| untried.then_some(CHECK_AGAIN));
        if let Some(wait) = next
            && !guards::is_disabled(Guard::NextCheck)
        {
            self.send_step(Step::Check, id, wait).await?;
        }
        Ok(())
    }

    /// Waits for the call that is about to write the request. Until that call must be over, this check is the only message
    /// that would find what it wrote. After that, it wrote nothing, and no caller was told of the request.
    async fn check_unwritten(&self, id: RequestId) -> Result<(), StepError> {
        let is_being_written = self.ports.clock.now() < id.made_at().after(CALL_MAX);
        if is_being_written && !guards::is_disabled(Guard::CheckDuringWrite) {
            self.send_step(Step::Check, id, CHECK_AGAIN).await?;
        }
        Ok(())
    }

    /// Sends the messages of webhook events that were written and never tried. Returns whether any such event is left.
    ///
    /// From its first try on, an event's own messages carry it to its end.
    async fn send_lost_webhooks(
        &self,
        id: RequestId,
        events: &[WebhookEvent],
        now: Timestamp,
    ) -> Result<bool, StepError> {
        let mut untried = false;
        for webhook in events {
            if webhook.is_settled() || webhook.failures > 0 {
                continue;
            }
            untried = true;
            let is_lost = now >= webhook.due_at.after(WEBHOOK_LOST);
            if is_lost && !guards::is_disabled(Guard::LostWebhook) {
                self.send_step(Step::webhook(webhook.seq), id, Duration::ZERO).await?;
            }
        }
        Ok(untried)
    }

    async fn send_step(&self, step: Step, id: RequestId, delay: Duration) -> Result<(), StepError> {
        Ok(effects::send(self.ports.queue.as_ref(), step, id, delay).await?)
    }
}

/// Returns whether no worker is at the processor although one should be.
fn is_fetch_lost(request: &Request, now: Timestamp) -> bool {
    match &request.state {
        State::Authorized { .. } => true,
        State::Processing { lease, .. } => {
            let lost_at = request.open_attempt().and_then(Attempt::lost_at);
            now >= *lease && lost_at.is_none_or(|lost_at| now >= lost_at)
        }
        State::Pending | State::Prompted | State::Closed { .. } => false,
    }
}
