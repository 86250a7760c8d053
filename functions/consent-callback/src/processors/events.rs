//! Records the events of a verified processor webhook, and queues the step that follows from each.

use std::sync::OnceLock;
use std::time::Duration;

use domain::authorization::{Authorization, Grant, StoredAuthorization};
use domain::brand::BrandScope;
use domain::guards;
use domain::guards::Guard;
use domain::message::Step;
use domain::problem::{Code, Problem};
use domain::processor_result::{ChargeReport, ReportedResult};
use domain::request::{Attempt, AttemptEnd, Change, Refusal, Request, ReturnBrowser};
use domain::seal;
use domain::seal_binding::Binding;
use domain::values::id::RequestId;
use domain::values::time::Timestamp;
use ports::{ChargeSelector, ProcessorEvent};
use records::charges;
use records::effects;
use records::storage;
use records::storage::VersionedRequest;
use records::update::{Decision, Updated, commit, update_async};

use super::ProcessorWebhooks;
use super::context::ProcessorContext;

/// The delay of the second status look-up after a webhook.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// An attempt at the processor: its request, and its number within the request.
#[derive(Clone, Copy)]
pub(super) struct AttemptRef {
    pub(super) request: RequestId,
    pub(super) attempt_no: u32,
}

/// A refund of a request's charge, and its number within the request.
#[derive(Clone, Copy)]
struct RefundRef {
    request: RequestId,
    seq: u32,
}

impl ProcessorWebhooks {
    /// Records one event.
    pub(super) async fn record(
        &self,
        context: ProcessorContext<'_>,
        event: ProcessorEvent,
    ) -> Result<(), Problem> {
        match event {
            ProcessorEvent::StatusChanged(id) => self.on_status_changed(context, id).await,
            ProcessorEvent::AttemptReported { request, attempt_no, reported } => {
                self.on_attempt_reported(context, AttemptRef { request, attempt_no }, reported)
                    .await
            }
            ProcessorEvent::RefundReported { request, seq, reported } => {
                self.on_refund_reported(context, RefundRef { request, seq }, reported).await
            }
            ProcessorEvent::ChargeReported { charge, report } => {
                self.on_charge_reported(context, &charge, &report).await
            }
            // Only a browser brings one, and `on_return` takes it.
            ProcessorEvent::Returned { .. } => Ok(()),
        }
    }

    /// Queues a status look-up now and once more after `LOOK_AGAIN`.
    ///
    /// A worker may be looking at this moment and have read the status from before the webhook.
    async fn on_status_changed(
        &self,
        context: ProcessorContext<'_>,
        id: RequestId,
    ) -> Result<(), Problem> {
        let loaded = storage::load(self.ports.store.as_ref(), id).await?;
        let own = loaded.filter(|loaded| context.is_owner(&loaded.request));
        let Some(request) = own.map(|loaded| loaded.request) else { return Ok(()) };
        let steps: Vec<Step> = if request.is_closed() {
            request.open_refunds().map(|refund| Step::Refund { seq: refund.seq }).collect()
        } else {
            vec![Step::Fetch]
        };
        let queue = self.ports.queue.as_ref();
        for step in steps {
            effects::send(queue, step, id, Duration::ZERO).await?;
            effects::send(queue, step, id, LOOK_AGAIN).await?;
        }
        Ok(())
    }

    /// Records the reported result of an attempt, which may have ended before.
    async fn on_attempt_reported(
        &self,
        context: ProcessorContext<'_>,
        attempt: AttemptRef,
        reported: ReportedResult,
    ) -> Result<(), Problem> {
        let AttemptRef { request: id, attempt_no } = attempt;
        let command =
            |request: &Request, now| request.record_reported(attempt_no, reported.clone(), now);
        let refused = self.apply(context, id, Step::Fetch, command).await?;
        if refused.is_none() || guards::is_disabled(Guard::LatePaymentReversal) {
            return Ok(());
        }
        // The attempt has ended. A payment that succeeds now is reversed at once.
        let step = reported.success.then_some(Step::Reverse { attempt_no });
        let command =
            |request: &Request, now| request.record_reported_late(attempt_no, &reported, now);
        match self.update(context, id, step, command).await? {
            Updated::Stored(stored) if stored.request.owed_reversals().next().is_some() => {
                tracing::error!(request.id = %id, attempt_no, "payment succeeded after its attempt had ended; it is reversed");
            }
            Updated::Stored(_) if reported.is_reversal_failed() || reported.is_reversed() => {
                tracing::error!(request.id = %id, attempt_no, "late payment cannot be reversed; refund it by hand");
            }
            Updated::Stopped(Some(refused)) if reported.success => {
                let mut attempts = refused.request.attempts.iter();
                if attempts.all(|attempt| attempt.attempt_no != attempt_no) {
                    tracing::error!(request.id = %id, attempt_no, "processor reported a success that no attempt waits for; refund it by hand");
                }
            }
            Updated::Stored(_) | Updated::Stopped(_) | Updated::Absent => {}
        }
        Ok(())
    }

    /// Records what happened to a charge since.
    async fn on_charge_reported(
        &self,
        context: ProcessorContext<'_>,
        charge: &ChargeSelector,
        report: &ChargeReport,
    ) -> Result<(), Problem> {
        let scope = BrandScope { brand: &context.brand.name, mode: context.mode };
        let (id, attempt_no) = match charge {
            ChargeSelector::Attempt { request, attempt_no } => (Some(*request), Some(*attempt_no)),
            ChargeSelector::Reference(reference) => {
                let store = self.ports.store.as_ref();
                (charges::load(store, scope, context.name, reference).await?, None)
            }
        };
        let Some(id) = id else {
            tracing::info!(processor.name = %context.name, "processor webhook about an unknown charge ignored");
            return Ok(());
        };
        let command = |request: &Request, now| {
            let charged = |attempt: &&Attempt| attempt.end() == Some(AttemptEnd::Charged);
            let charged = request.attempts.iter().find(charged).map(|attempt| attempt.attempt_no);
            if attempt_no.is_some() && attempt_no != charged {
                return Err(Refusal::Step);
            }
            request.record_charge_reported(report, now)
        };
        match self.update(context, id, None, command).await? {
            Updated::Stored(_) | Updated::Absent | Updated::Stopped(None) => {}
            Updated::Stopped(Some(_)) => {
                tracing::warn!(request.id = %id, report = ?report, "report of a charge does not apply");
            }
        }
        Ok(())
    }

    /// Records the reported result of a refund, which may have ended before.
    async fn on_refund_reported(
        &self,
        context: ProcessorContext<'_>,
        refund: RefundRef,
        reported: ReportedResult,
    ) -> Result<(), Problem> {
        let RefundRef { request: id, seq } = refund;
        let command =
            |request: &Request, now| request.record_refund_reported(seq, reported.clone(), now);
        let updated = self.update(context, id, Some(Step::Refund { seq }), command).await?;
        if let Updated::Stored(stored) = updated
            && stored.request.is_refunded_twice()
        {
            // The refund was taken for failed, and its amount was refunded otherwise. A person must look.
            tracing::error!(request.id = %id, refund.seq = seq, "processor reported a refund whose amount was refunded before");
        }
        Ok(())
    }

    /// Records the code with which a customer returned from the processor's page, sealed.
    pub(super) async fn on_returned(
        &self,
        context: ProcessorContext<'_>,
        attempt: AttemptRef,
        grant: Grant,
        browser: ReturnBrowser,
    ) -> Result<(), Problem> {
        let AttemptRef { request: id, attempt_no } = attempt;
        let (brand, random) = (context.brand, self.ports.random.as_ref());
        let grant = StoredAuthorization::from(Authorization::Grant(grant));
        let failed = OnceLock::new();
        let command = |request: &Request, now| {
            let (Some((consent, _)), Some(open)) = (request.approval(), request.open_attempt())
            else {
                return Err(Refusal::Step);
            };
            let binding = Binding::approval(request, consent, open.attempt_no);
            let sealed = seal::seal(brand, &binding, &grant, random).map_err(|error| {
                failed.get_or_init(|| error);
                Refusal::Step
            })?;
            request.record_returned(attempt_no, sealed, browser, now)
        };
        let refused = self.apply(context, id, Step::Fetch, command).await?;
        if let Some(error) = failed.get() {
            tracing::error!(request.id = %id, error = %error, "failed to seal an authorization");
            return Err(Problem::new(Code::Internal, seal::FAILED));
        }
        if refused.is_some() {
            tracing::info!(request.id = %id, "customer returned to an attempt that no longer waits");
        }
        Ok(())
    }

    /// Applies a command and queues its step, which a repeat queues again.
    ///
    /// Returns the request when its state refuses the command; `None` when the command was applied. A request that is not at
    /// this account is left alone, which returns `None` too.
    pub(super) async fn apply(
        &self,
        context: ProcessorContext<'_>,
        id: RequestId,
        step: Step,
        command: impl Fn(&Request, Timestamp) -> Result<Change, Refusal>,
    ) -> Result<Option<VersionedRequest>, Problem> {
        match self.update(context, id, Some(step), command).await? {
            Updated::Stored(_) | Updated::Absent => Ok(None),
            Updated::Stopped(refused) => Ok(refused),
        }
    }

    /// Applies a command and queues its step, if it has one. It stops with the request when its state refuses the command.
    async fn update(
        &self,
        context: ProcessorContext<'_>,
        id: RequestId,
        step: Option<Step>,
        command: impl Fn(&Request, Timestamp) -> Result<Change, Refusal>,
    ) -> Result<Updated<Option<VersionedRequest>>, Problem> {
        let decide = |loaded: VersionedRequest, now| {
            let decision = if !context.is_owner(&loaded.request) {
                Decision::Stop(None)
            } else if let Ok(change) = command(&loaded.request, now) {
                match step {
                    Some(step) => commit(change).then(step).into(),
                    None => commit(change).into(),
                }
            } else {
                Decision::Stop(Some(loaded))
            };
            std::future::ready(Ok::<_, Problem>(decision))
        };
        update_async(&self.ports, id, decide).await
    }
}
