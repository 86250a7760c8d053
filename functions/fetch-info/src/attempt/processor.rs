//! The calls of one run, and what each result means.

use std::time::Duration;

use domain::authorization::Authorization;
use domain::guards;
use domain::guards::Guard;
use domain::processor_result::Reference;
use domain::request::{Attempt, Doubt, Request};
use ports::{AttemptContext, Confirmed, Created, RedirectUrl, Retrieved, VoidResult};

use super::context::RunContext;
use super::lease::Lease;
use super::run::RunResult;
use super::{Run, Stop, timeouts};

impl RunContext<'_> {
    /// Calls the processor as the attempt's state demands. Each step is committed before it is taken.
    pub(super) async fn run(&self, lease: &mut Lease<'_>) -> Result<Run, Stop> {
        let now = self.ports.clock.now();
        let timed_out = timeouts::is_timed_out(lease.request(), &self.attempt, now);
        match self.attempt.reference() {
            // Once the call may have been made, its result is retrieved before it is made again.
            Some(reference) if self.attempt.started_at().is_some() => {
                if timed_out {
                    Ok(self.void_timed_out(lease.request(), reference).await)
                } else {
                    self.retrieve(lease, reference).await
                }
            }
            Some(_) | None if timed_out => Ok(Run::gave_up()),
            Some(reference) => self.confirm(lease, reference).await,
            None => self.create(lease).await,
        }
    }

    async fn create(&self, lease: &mut Lease<'_>) -> Result<Run, Stop> {
        Ok(match self.processor.create(&self.params()).await {
            Created::Ready(reference) => {
                if guards::is_disabled(Guard::CommitBetweenCreateAndConfirm) {
                    self.processor.confirm(&self.params(), &reference).await;
                }
                let was_in_doubt = lease.request().open_attempt().is_some_and(Attempt::is_in_doubt);
                // One commit stands before the call: what was created, and that the call is about to be made.
                lease
                    .commit(|request, now| {
                        let created = request.record_created(reference.clone(), now)?;
                        if !self.is_carried_by(&created.request)
                            || guards::is_disabled(Guard::CommitBeforeConfirm)
                        {
                            return Ok(created);
                        }
                        let started = created.request.record_started(now)?;
                        Ok(created.followed_by(started))
                    })
                    .await?;
                if lease.request().open_attempt().is_some_and(|known| known.started_at().is_some())
                {
                    return self.confirm_started(lease, &reference, was_in_doubt).await;
                }
                return self.confirm(lease, &reference).await;
            }
            Created::SoftDeclined { code } => Run::soft_declined(code),
            Created::HardDeclined { code } => Run::hard_declined(code),
            Created::Invalid { code } => Run::invalid(lease.request(), code),
            Created::Blocked { by } => Run::rejected(by, Doubt::Unchanged),
            Created::Again => Run::again(),
        })
    }

    /// Commits that the call is about to be made, then makes it.
    async fn confirm(&self, lease: &mut Lease<'_>, reference: &Reference) -> Result<Run, Stop> {
        let was_in_doubt = lease.request().open_attempt().is_some_and(Attempt::is_in_doubt);
        if !guards::is_disabled(Guard::CommitBeforeConfirm) {
            lease
                .commit(|request, now| {
                    if self.is_carried_by(request) {
                        request.record_started(now)
                    } else {
                        // The customer returned in this moment. What they brought is not marked as used by this run.
                        request.release("returned", Doubt::Unchanged, Duration::ZERO, now)
                    }
                })
                .await?;
        }
        self.confirm_started(lease, reference, was_in_doubt).await
    }

    /// Makes the call that was committed as about to be made.
    async fn confirm_started(
        &self,
        lease: &mut Lease<'_>,
        reference: &Reference,
        was_in_doubt: bool,
    ) -> Result<Run, Stop> {
        if !self.is_carried_by(lease.request()) {
            return Ok(Run::without_call(RunResult::Superseded));
        }
        let mut confirmed = self.processor.confirm(&self.params(), reference).await;
        if let Confirmed::Exchanged(grant) = confirmed {
            // What a code was exchanged for is stored before it is used.
            let Some(sealed) = self.seal_exchanged(grant.clone()) else {
                return Ok(Run::unusable("sealing_keys"));
            };
            lease.commit(|request, now| request.record_exchanged(sealed.clone(), now)).await?;
            let authorization = Authorization::Grant(grant);
            let params = AttemptContext { authorization: &authorization, ..self.params() };
            confirmed = self.processor.confirm(&params, reference).await;
        }
        Ok(match confirmed {
            Confirmed::Done(fulfillment) => Run::done(lease.request(), fulfillment),
            Confirmed::SoftDeclined { code } => Run::soft_declined(code),
            Confirmed::HardDeclined { code } => Run::hard_declined(code),
            Confirmed::RequiresAction { redirect } => {
                self.require_action(lease.request(), reference, redirect).await
            }
            // A second exchange brings nothing that the customer could finish.
            Confirmed::Exchanged(_) => Run::soft_declined("authentication_required"),
            Confirmed::Invalid { code } => Run::invalid(lease.request(), code),
            // The first call that would have moved money was rejected, so that none has moved.
            Confirmed::Blocked { by }
                if !was_in_doubt || guards::is_disabled(Guard::RejectedKeyKeepsDoubt) =>
            {
                Run::rejected(by, Doubt::Cleared)
            }
            Confirmed::Blocked { by } => Run::rejected(by, Doubt::Unchanged),
            Confirmed::Again => Run::again(),
            Confirmed::Processing => Run::processing(),
            Confirmed::Unknown => Run::unknown(),
            Confirmed::Voided => Run::gave_up(),
        })
    }

    async fn retrieve(&self, lease: &mut Lease<'_>, reference: &Reference) -> Result<Run, Stop> {
        Ok(match self.processor.retrieve(&self.params(), reference).await {
            Retrieved::NotConfirmed => return self.confirm(lease, reference).await,
            Retrieved::Done(fulfillment) => Run::done(lease.request(), fulfillment),
            Retrieved::SoftDeclined { code } => Run::soft_declined(code),
            Retrieved::HardDeclined { code } => Run::hard_declined(code),
            Retrieved::RequiresAction { redirect } => {
                self.require_action(lease.request(), reference, redirect).await
            }
            Retrieved::Invalid { code } => Run::invalid(lease.request(), code),
            Retrieved::Blocked { by } => Run::rejected_beside(by),
            Retrieved::Processing => Run::processing(),
            Retrieved::Unknown => Run::unknown(),
            // The customer left the page, or had to act. The worker that voided it died before it recorded that.
            Retrieved::Voided if self.is_on_hosted_page() => Run::soft_declined("customer_left"),
            Retrieved::Voided => Run::soft_declined("authentication_required"),
        })
    }

    /// Voids an attempt that has taken too long, or returns the success that was there before.
    async fn void_timed_out(&self, request: &Request, reference: &Reference) -> Run {
        let voided = if self.is_on_hosted_page() {
            Run::soft_declined("customer_left")
        } else {
            Run::gave_up()
        };
        if self.is_void_disabled() {
            return voided;
        }
        let result = self.processor.void(&self.params(), reference).await;
        // The processor rejects us now, and had said before that nothing moved.
        let moved_nothing =
            !self.attempt.is_in_doubt() || guards::is_disabled(Guard::RejectedKeyKeepsDoubt);
        if moved_nothing && matches!(result, VoidResult::Blocked { .. }) {
            return voided;
        }
        resolve_void(request, result, voided)
    }

    /// Redirects the customer. Where that is impossible, the attempt is voided.
    async fn require_action(
        &self,
        request: &Request,
        reference: &Reference,
        redirect: Option<RedirectUrl>,
    ) -> Run {
        // After the timeout or a cancellation, the customer is not redirected any more.
        if let Some(url) = redirect.filter(|_| !self.is_overdue(request)) {
            return self
                .seal_redirect(&url)
                .map_or_else(|| Run::unusable("sealing_keys"), Run::redirect);
        }
        // The customer could still complete it elsewhere after another attempt has charged, so that it is voided first.
        let voided = Run::soft_declined("authentication_required");
        if guards::is_disabled(Guard::VoidWithoutRedirect) {
            return voided;
        }
        let result = self.processor.void(&self.params(), reference).await;
        resolve_void(request, result, voided)
    }

    /// Returns whether the request still carries the authorization that this run began with.
    fn is_carried_by(&self, request: &Request) -> bool {
        request.approval().is_some_and(|(_, carried)| *carried == self.carried)
    }

    /// Returns whether the customer was on the processor's page when the run began.
    fn is_on_hosted_page(&self) -> bool {
        let redirect = self.attempt.redirect.as_ref();
        redirect.is_some_and(|redirect| redirect.returned_at().is_none())
    }

    /// Returns whether a mutation run takes the attempt for voided without a call.
    fn is_void_disabled(&self) -> bool {
        let redirect = self.attempt.redirect.as_ref();
        let abandoned = redirect.is_some_and(|redirect| redirect.abandoned_by().is_some());
        guards::is_disabled(Guard::VoidBeforeGivingUp)
            || (redirect.is_some() && guards::is_disabled(Guard::VoidOnHostedPage))
            || (abandoned && guards::is_disabled(Guard::VoidAfterAbandon))
    }
}

/// Returns what a void came to, where `voided` follows from a success.
fn resolve_void(request: &Request, result: VoidResult, voided: Run) -> Run {
    match result {
        VoidResult::Voided => voided,
        VoidResult::Done(fulfillment) => Run::done(request, fulfillment),
        VoidResult::SoftDeclined { code } => Run::soft_declined(code),
        VoidResult::HardDeclined { code } => Run::hard_declined(code),
        VoidResult::Invalid { code } => Run::invalid(request, code),
        VoidResult::Blocked { by } => Run::rejected_beside(by),
        VoidResult::Again => Run::again(),
        VoidResult::Processing => Run::processing(),
        VoidResult::Unknown => Run::unknown(),
    }
}
