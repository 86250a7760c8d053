//! The removal of a card that a customer gave on the processor's page, and that is not kept.

use std::time::Duration;

use domain::guards;
use domain::guards::Guard;
use domain::request::{CancelRedirect, Doubt, Redirect, Request};
use ports::{DetachResult, Fulfillment, Rejection};

use super::context::RunContext;
use super::lease::Lease;
use super::run::RunResult;
use super::{Run, Stop, timeouts};

/// How long a removal is tried, from the attempt's begin. After that a person must remove the card.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(24 * 3_600);

impl RunContext<'_> {
    /// Removes a card whose customer never returned in a browser that counts, before its attempt ends without it.
    ///
    /// The attempt is abandoned first, so that no return keeps a card that is being removed.
    pub(super) async fn discard_unkept(
        &self,
        lease: &mut Lease<'_>,
        run: Run,
    ) -> Result<Run, Stop> {
        let RunResult::Done(Fulfillment::Card { saved, .. }) = &run.result else { return Ok(run) };
        if lease.request().may_keep() || !self.is_overdue(lease.request()) {
            return Ok(run);
        }
        if !is_abandoned(lease.request()) {
            lease.commit(|request, now| request.abandon(CancelRedirect::Deadline, now)).await?;
            // The customer may have returned just before.
            if lease.request().may_keep() {
                return Ok(run);
            }
        }
        let ended = RunResult::Declined { code: "other_browser", can_retry: true };
        if guards::is_disabled(Guard::DiscardUnkeptCard) {
            return Ok(Run { result: ended, ..run });
        }
        let request_id = lease.request().id;
        let kept = match self.processor.detach(saved).await {
            DetachResult::Detached => {
                tracing::info!(request.id = %request_id, "card given in another browser removed at the processor");
                None
            }
            // A revoked key is replaced, and a busy processor answers later.
            DetachResult::Again | DetachResult::Blocked { by: Rejection::Credentials }
                if self.is_still_tried() =>
            {
                let result = RunResult::Postponed { reason: "discard", doubt: Doubt::Unchanged };
                return Ok(Run { result, ..run });
            }
            DetachResult::Again => Some("processor_unavailable"),
            DetachResult::Blocked { by } => Some(by.code()),
            DetachResult::Failed { code } => Some(code),
        };
        if let Some(code) = kept {
            log_kept(lease.request(), code);
        }
        Ok(Run { result: ended, ..run })
    }

    /// Returns whether the time is over in which the customer may be on the processor's page.
    pub(super) fn is_overdue(&self, request: &Request) -> bool {
        let attempt = request.open_attempt().unwrap_or(&self.attempt);
        timeouts::is_timed_out(request, attempt, self.ports.clock.now())
    }

    fn is_still_tried(&self) -> bool {
        self.ports.clock.now() < self.attempt.begun_at.after(DISCARD_TIMEOUT)
    }
}

fn is_abandoned(request: &Request) -> bool {
    let redirect = request.open_attempt().and_then(|attempt| attempt.redirect.as_ref());
    redirect.and_then(Redirect::abandoned_by).is_some()
}

fn log_kept(request: &Request, code: &str) {
    tracing::error!(
        request.id = %request.id, code,
        "card given in another browser cannot be removed; delete it at the processor"
    );
}
