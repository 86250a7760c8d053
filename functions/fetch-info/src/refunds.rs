//! Giving money back: one worker at a time, the same call until the processor says what became of it.

use std::time::Duration;

use domain::brand::BrandScope;
use domain::breaker::Account;
use domain::effects::{self, send};
use domain::guards::{self, Guard};
use domain::message::Step;
use domain::ports::{OpenProcessorError, Reference, Refund, Refunded, StoreError};
use domain::request::{Change, RefundRecord, RefundRetry, Refusal, Request};
use domain::storage::{self, VersionedRequest};
use domain::values::id::RequestId;
use domain::values::money::Money;
use domain::values::name::ProcessorName;
use domain::values::time::Timestamp;

use crate::gate::{Asked, Said};
use crate::lease::{LOOKS_APART, RACES_MAX};
use crate::{FetchInfo, Trouble, settle};

/// What a processor took may take days, and it tells what becomes of it: it is looked at now and then all the same.
const PENDING_MIN: Duration = Duration::from_secs(60);
/// The longest wait between two tries.
const WAIT_MAX: Duration = Duration::from_secs(6 * 3_600);
/// A queue delays for no longer: what is due later is handed over by a check.
const DELAY_MAX: Duration = Duration::from_secs(900);

/// What a turn came to.
enum Came {
    /// The processor's answer.
    Answered(Refunded),
    /// Nobody was asked.
    Not { reason: &'static str, wait: Option<Duration> },
}

impl FetchInfo {
    /// Gives money back, if nobody else is at it.
    pub(crate) async fn give_back(&self, id: RequestId, seq: u32) -> Result<(), Trouble> {
        let Some(loaded) = storage::load(self.store.as_ref(), id).await? else { return Ok(()) };
        let now = self.clock.now();
        let Some(refund) = loaded.request.open_refund(seq).cloned() else { return Ok(()) };
        if refund.is_early(now) && was_just_tried(&refund, now) {
            return Ok(());
        }
        if guards::is_disabled(Guard::CommitBeforeRefund) {
            return Box::pin(self.refund_turn(loaded, &refund)).await;
        }
        let change = match loaded.request.refund_started(seq, now) {
            Ok(change) => change,
            Err(Refusal::Leased) => {
                let wait = refund.lease.map_or(Duration::ZERO, |lease| now.until(lease));
                return self.again(id, seq, wait).await;
            }
            Err(
                Refusal::Closed
                | Refusal::Authorized
                | Refusal::Early
                | Refusal::Late
                | Refusal::Prompt
                | Refusal::Step
                | Refusal::Limit,
            ) => return Ok(()),
        };
        let ports = (self.store.as_ref(), self.queue.as_ref());
        match effects::apply(ports, Some(loaded.version), change, Vec::new(), None).await {
            Ok(started) => Box::pin(self.refund_turn(started, &refund)).await,
            Err(error) => match Trouble::from(error) {
                trouble if trouble.is_conflict() => {
                    self.again(id, seq, Duration::from_secs(2)).await
                }
                trouble => Err(trouble),
            },
        }
    }

    async fn again(&self, id: RequestId, seq: u32, wait: Duration) -> Result<(), Trouble> {
        let wait = wait.clamp(Duration::from_secs(1), DELAY_MAX);
        Ok(send(self.queue.as_ref(), Step::Refund { seq }, id, wait).await?)
    }

    /// One call. `before` is the refund as it was before this turn.
    async fn refund_turn(
        &self,
        loaded: VersionedRequest,
        before: &RefundRecord,
    ) -> Result<(), Trouble> {
        let request = &loaded.request;
        let (Some(charge), Some(processor)) = (request.charge(), request.charged_at()) else {
            return Ok(());
        };
        let money = charge
            .currency
            .parse()
            .ok()
            .and_then(|currency| Money::new(before.amount, currency).ok());
        let Some(money) = money else {
            tracing::error!(request.id = %request.id, "what was charged cannot be given back in its currency");
            return self
                .refund_came(&loaded, before, Came::Answered(Refunded::Failed { code: "currency" }))
                .await;
        };
        let what = Refund {
            request: request.id,
            seq: before.seq,
            charge: &charge.reference,
            money,
            again: before.started_at.is_some(),
            told: before.told.as_ref(),
        };
        let came = self.refund_call(request, processor, &what).await?;
        self.refund_came(&loaded, before, came).await
    }

    async fn refund_call(
        &self,
        request: &Request,
        name: &ProcessorName,
        what: &Refund<'_>,
    ) -> Result<Came, Trouble> {
        let brand = match self.secrets.brand(&request.brand).await {
            Ok(brand) => brand,
            Err(error) => {
                tracing::warn!(request.id = %request.id, error = %error, "no secret now");
                return Ok(Came::Not { reason: "brand_settings", wait: None });
            }
        };
        let processor = match self.processors.open(&brand, request.mode, name) {
            Ok(processor) => processor,
            Err(OpenProcessorError::Absent | OpenProcessorError::Settings(_)) => {
                return Ok(Came::Not { reason: "processor_settings", wait: None });
            }
        };
        let whose = BrandScope { brand: &brand.name, mode: request.mode };
        let mut account = Account::load(self.store.as_ref(), whose, name).await?;
        if let Some(wait) = account.turn(self.store.as_ref(), self.clock.now()).await?
            && !guards::is_disabled(Guard::CircuitBreaker)
        {
            return Ok(Came::Not { reason: "processor_shut", wait: Some(wait) });
        }
        let refunded = processor.refund(what).await;
        let asked = Asked { brand: &brand, mode: request.mode, processor: name, account: &account };
        let wait = self.learn(asked, Said::from(&refunded)).await;
        Ok(match (refunded, wait) {
            (Refunded::Blocked { code }, Some(_)) => Came::Not { reason: code, wait },
            (refunded, _) => Came::Answered(refunded),
        })
    }

    /// Records what a turn came to and takes the step that follows from it.
    async fn refund_came(
        &self,
        loaded: &VersionedRequest,
        before: &RefundRecord,
        came: Came,
    ) -> Result<(), Trouble> {
        let (id, seq) = (loaded.request.id, before.seq);
        let usual = settle::wait(before.tries.saturating_add(1)).min(WAIT_MAX);
        let slow = grown(before.tries).max(PENDING_MIN).min(WAIT_MAX);
        let (reason, reference, wait): (&str, Option<Reference>, Duration) = match came {
            Came::Answered(Refunded::Done(reference)) => {
                let done =
                    |request: &Request, now| request.refund_done(seq, reference.clone(), now);
                return self.refund_step(id, done).await.map(|_stored| ());
            }
            Came::Answered(Refunded::Unknown)
                if guards::is_disabled(Guard::UnknownIsNoFailedRefund) =>
            {
                let failed = |request: &Request, now| request.refund_failed(seq, "lost", now);
                return self.refund_step(id, failed).await.map(|_stored| ());
            }
            Came::Answered(Refunded::Failed { code }) => {
                tracing::warn!(request.id = %id, code, "money is not given back");
                let failed = |request: &Request, now| request.refund_failed(seq, code, now);
                return self.refund_step(id, failed).await.map(|_stored| ());
            }
            Came::Answered(Refunded::Pending(reference)) => ("pending", Some(reference), slow),
            Came::Answered(Refunded::Again) => ("again", None, usual),
            Came::Answered(Refunded::Unknown) => ("unknown", None, usual.max(grown(before.tries))),
            Came::Answered(Refunded::Blocked { code }) => (code, None, usual),
            Came::Not { reason, wait } => (reason, None, wait.unwrap_or(usual)),
        };
        let command = |request: &Request, now| {
            let told = request.open_refund(seq).map(|refund| refund.told.clone());
            let overtaken = told.is_some_and(|told| told != before.told);
            let wait = if overtaken { Duration::ZERO } else { wait };
            let retry = RefundRetry { reason, reference: reference.as_ref(), wait };
            request.refund_released(seq, retry, now)
        };
        let stored = self.refund_step(id, command).await?;
        let due = stored.and_then(|stored| stored.request.open_refund(seq)?.again_at);
        match due.filter(|due| Some(*due) != before.again_at) {
            Some(due) => {
                let wait = self.clock.now().until(due);
                // A check hands over what is due later.
                if wait <= DELAY_MAX { self.again(id, seq, wait).await } else { Ok(()) }
            }
            None => Ok(()),
        }
    }

    /// Commits what became of a refund; `None` when it has ended otherwise meanwhile. A worker whose lease ran out may do so too:
    /// whoever took over made the same call with the same key, and was told the same.
    async fn refund_step(
        &self,
        id: RequestId,
        command: impl Fn(&Request, Timestamp) -> Result<Change, Refusal>,
    ) -> Result<Option<VersionedRequest>, Trouble> {
        for _ in 0..RACES_MAX {
            let Some(loaded) = storage::load(self.store.as_ref(), id).await? else {
                return Ok(None);
            };
            let Ok(change) = command(&loaded.request, self.clock.now()) else { return Ok(None) };
            let ports = (self.store.as_ref(), self.queue.as_ref());
            match effects::apply(ports, Some(loaded.version), change, Vec::new(), None).await {
                Ok(stored) => return Ok(Some(stored)),
                Err(error) => match Trouble::from(error) {
                    trouble if trouble.is_conflict() => {}
                    trouble => return Err(trouble),
                },
            }
        }
        Err(StoreError::Conflict.into())
    }
}

/// A minute, two, four … up to six hours.
fn grown(tries: u32) -> Duration {
    PENDING_MIN.saturating_mul(1 << tries.min(9)).min(WAIT_MAX)
}

fn was_just_tried(refund: &RefundRecord, now: Timestamp) -> bool {
    refund.lease.is_some_and(|given_back| now >= given_back && now < given_back.after(LOOKS_APART))
}
