//! The check: what time asks for, and every step that was never taken.

use std::time::Duration;

use domain::effects::{self, send};
use domain::guards::{self, Guard};
use domain::message::Step;
use domain::request::{Attempt, RefundRecord, State};
use domain::storage::{self, VersionedRequest};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;

use crate::{SendPrompt, StepError};

/// A notice nobody has tried to deliver for this long was lost between being written and being sent.
const WEBHOOK_LOST: Duration = Duration::from_secs(10);
/// Longer than a call that makes a request can take.
const CALL_MAX: Duration = Duration::from_secs(60);
/// When to look again whether a request was written, or the notices of a closed one were taken up.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

impl SendPrompt {
    /// Takes every step that is due, then makes sure that there will be another check while anything is owed.
    pub(crate) async fn check(&self, id: RequestId) -> Result<(), StepError> {
        let Some(loaded) = storage::load(self.store.as_ref(), id).await? else {
            return self.look_for(id).await;
        };
        let loaded = self.drive(loaded).await?;
        let now = self.clock.now();
        if self.owes_fetch(&loaded, now) && !guards::is_disabled(Guard::LostFetch) {
            send(self.queue.as_ref(), Step::Fetch, id, Duration::ZERO).await?;
        }
        let is_lost = |refund: &&RefundRecord| {
            now >= refund.lost_at() && !guards::is_disabled(Guard::LostRefund)
        };
        for refund in loaded.request.open_refunds().filter(is_lost) {
            let step = Step::Refund { seq: refund.seq };
            send(self.queue.as_ref(), step, id, Duration::ZERO).await?;
        }
        let untold = self.tell_again(id, now).await?;
        let next = loaded.request.next_check(now).or_else(|| untold.then_some(LOOK_AGAIN));
        if let Some(wait) = next
            && !guards::is_disabled(Guard::NextCheck)
        {
            send(self.queue.as_ref(), Step::Check, id, wait).await?;
        }
        Ok(())
    }

    /// The call that is about to write the request may be slow: until it must be over, this check is the only message that
    /// would find what it wrote. After that it did not write, and nobody was told that there is such a request.
    async fn look_for(&self, id: RequestId) -> Result<(), StepError> {
        let is_being_written = self.clock.now() < id.made_at().after(CALL_MAX);
        if is_being_written && !guards::is_disabled(Guard::CheckDuringWrite) {
            send(self.queue.as_ref(), Step::Check, id, LOOK_AGAIN).await?;
        }
        Ok(())
    }

    /// Whether nobody is at the processor though somebody should be.
    fn owes_fetch(&self, loaded: &VersionedRequest, now: Timestamp) -> bool {
        match &loaded.request.state {
            State::Authorized { .. } => true,
            State::Processing { lease, .. } => {
                let lost_at = loaded.request.open_attempt().and_then(Attempt::lost_at);
                now >= *lease && lost_at.is_none_or(|lost_at| now >= lost_at)
            }
            State::Pending | State::Prompted | State::Closed { .. } => false,
        }
    }

    /// Sends again the notices that were written and never tried, and says whether any are left of those.
    ///
    /// From its first try on, a notice's own messages carry it to its end.
    async fn tell_again(&self, id: RequestId, now: Timestamp) -> Result<bool, StepError> {
        let mut left = false;
        for (webhook, _) in storage::webhooks(self.store.as_ref(), id).await? {
            if webhook.is_settled() || webhook.failures > 0 {
                continue;
            }
            left = true;
            let is_lost = now >= webhook.due_at.after(WEBHOOK_LOST);
            if is_lost && !guards::is_disabled(Guard::LostWebhook) {
                send(self.queue.as_ref(), Step::Webhook { seq: webhook.seq }, id, Duration::ZERO)
                    .await?;
            }
        }
        Ok(left)
    }

    /// Ends a request whose deadline has passed.
    pub(crate) async fn expire(
        &self,
        loaded: VersionedRequest,
        now: Timestamp,
    ) -> Result<VersionedRequest, StepError> {
        let change = loaded.request.expire(now);
        let ports = (self.store.as_ref(), self.queue.as_ref());
        Ok(effects::apply(ports, Some(loaded.version), change, Vec::new(), None).await?)
    }
}
