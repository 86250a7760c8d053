//! One worker's turn at the processor: lease, attempt record, one call that moves money, and a reaction to its answer.
//!
//! The order is what makes a charge happen at most once: each step is committed before it is taken, and a worker that lost
//! its lease finds out at its next commit.

use std::time::Duration;

use domain::authorization::Authorization;
use domain::effects::{self, send};
use domain::message::Step;
use domain::ports::{Answer, Charge, Prepared, Processor, Reference, SecretsError, StoreError};
use domain::request::{Attempt, Change, Refusal, Request, State};
use domain::seal;
use domain::storage::{self, Loaded};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;

use crate::{FetchInfo, Trouble};

/// How often a commit that lost a race is decided again: more than a request has receipts.
const RACES_MAX: u32 = 32;

/// What one turn came to, before it is recorded.
pub(crate) enum Turn {
    /// The processor's answer.
    Answered(Answer),
    /// The processor refused our account on the first call that would have moved money, so that none has moved.
    Untouched(&'static str),
    /// The processor cannot be opened or asked; nothing was sent.
    Unusable(&'static str),
}

impl FetchInfo {
    /// Takes the request to its processor, if nobody else has it and there is a yes to use.
    pub(crate) async fn fetch(&self, id: RequestId) -> Result<(), Trouble> {
        let Some(loaded) = storage::load(self.store.as_ref(), id).await? else { return Ok(()) };
        let change = match loaded.request.lease(self.clock.now()) {
            Ok(change) => change,
            Err(Refusal::Leased) => return self.come_back(&loaded.request).await,
            Err(Refusal::Prompt) => {
                // C1: the stored yes is not to what is stored as asked. Nothing is charged, and a person must look.
                tracing::error!(request.id = %id, "C1: the consent is not to this ask");
                if let Ok(change) = loaded.request.voided(self.clock.now()) {
                    self.apply(&loaded, change).await?;
                }
                return Ok(());
            }
            Err(
                Refusal::Closed
                | Refusal::Authorized
                | Refusal::Early
                | Refusal::Late
                | Refusal::Step
                | Refusal::Limit,
            ) => return Ok(()),
        };
        let leased = match self.apply(&loaded, change).await {
            Ok(leased) => leased,
            Err(trouble) if trouble.is_conflict() => return self.come_back(&loaded.request).await,
            Err(trouble) => return Err(trouble),
        };
        Box::pin(self.turn(leased)).await
    }

    /// Another worker has the request: look again when its lease has run out, in case it died with it.
    async fn come_back(&self, request: &Request) -> Result<(), Trouble> {
        let now = self.clock.now();
        let wait = match &request.state {
            State::Processing { lease, .. } => now.until(*lease).max(Duration::from_secs(1)),
            State::Pending | State::Prompted | State::Authorized { .. } | State::Closed { .. } => {
                Duration::from_secs(2)
            }
        };
        Ok(send(self.queue.as_ref(), Step::Fetch, request.id, wait).await?)
    }

    /// Commits a step of ours while the lease is ours: what others record meanwhile, such as a late receipt, is no reason
    /// to stop. `None` when the request is no longer ours.
    pub(crate) async fn step(
        &self,
        mut loaded: Loaded,
        command: impl Fn(&Request, Timestamp) -> Result<Change, Refusal>,
    ) -> Result<Option<Loaded>, Trouble> {
        let ours = lease(&loaded.request);
        for _ in 0..RACES_MAX {
            let Ok(change) = command(&loaded.request, self.clock.now()) else { return Ok(None) };
            match self.apply(&loaded, change).await {
                Ok(stored) => return Ok(Some(stored)),
                Err(trouble) if trouble.is_conflict() => {
                    let again = storage::load(self.store.as_ref(), loaded.request.id).await?;
                    let Some(again) = again.filter(|again| lease(&again.request) == ours) else {
                        tracing::warn!(request.id = %loaded.request.id, "another worker has taken the request over");
                        return Ok(None);
                    };
                    loaded = again;
                }
                Err(trouble) => return Err(trouble),
            }
        }
        Err(StoreError::Conflict.into())
    }

    async fn apply(&self, loaded: &Loaded, change: Change) -> Result<Loaded, Trouble> {
        let ports = (self.store.as_ref(), self.queue.as_ref());
        Ok(effects::apply(ports, Some(loaded.version), change, Vec::new(), None).await?)
    }

    async fn turn(&self, loaded: Loaded) -> Result<(), Trouble> {
        let request = &loaded.request;
        let (Some((_, sealed)), Some(attempt), Some(money)) =
            (request.granted(), request.open_attempt().cloned(), request.ask.money())
        else {
            return Ok(());
        };
        let brand = match self.secrets.brand(&request.brand).await {
            Ok(brand) => brand,
            Err(SecretsError::Unknown | SecretsError::Damaged(_)) => {
                return self.react(loaded, Turn::Unusable("brand_settings")).await;
            }
            Err(error @ SecretsError::Unavailable(_)) => {
                tracing::warn!(request.id = %request.id, error = %error, "no secret now");
                return self.react(loaded, Turn::Answered(Answer::Again)).await;
            }
        };
        let authorization = match seal::open(&brand.sealing, request.id, sealed) {
            Ok(authorization) => authorization,
            Err(error) => {
                tracing::error!(request.id = %request.id, error = %error, "an authorization does not open");
                return self.react(loaded, Turn::Unusable("authorization_lost")).await;
            }
        };
        let processor = match self.processors.open(&brand, request.mode, &attempt.processor) {
            Ok(processor) => processor,
            Err(error) => {
                tracing::error!(request.id = %request.id, error = %error, "a processor cannot be opened");
                return self.react(loaded, Turn::Unusable("processor_settings")).await;
            }
        };
        let asked =
            Asked { id: request.id, description: request.ask.description().to_owned(), money };
        self.at_processor(loaded, processor.as_ref(), (&asked, &attempt, &authorization)).await
    }

    async fn at_processor(
        &self,
        loaded: Loaded,
        processor: &dyn Processor,
        what: (&Asked, &Attempt, &Authorization),
    ) -> Result<(), Trouble> {
        let (asked, attempt, authorization) = what;
        let charge = Charge {
            request: asked.id,
            generation: attempt.generation,
            money: asked.money,
            description: &asked.description,
            authorization,
        };
        let tired = self.is_tired(attempt);
        match &attempt.reference {
            // Once the call may have been made, the processor is asked what became of it before it is made again.
            Some(reference) if attempt.started_at.is_some() => {
                let answer = if tired {
                    self.fence(processor, &charge, (attempt, reference)).await
                } else {
                    looked_up(processor.look_up(&charge, reference).await)
                };
                if answer == Answer::NotExecuted {
                    return self.execute(loaded, processor, &charge, reference).await;
                }
                return self.answered(loaded, processor, (&charge, reference), answer).await;
            }
            Some(_) | None if tired => {
                return self.react(loaded, Turn::Answered(Answer::Fenced)).await;
            }
            Some(_) | None => {}
        }
        let (loaded, reference) = match &attempt.reference {
            Some(reference) => (loaded, reference.clone()),
            None => match processor.prepare(&charge).await {
                Prepared::Ready(reference) => {
                    let prepared =
                        |request: &Request, now| request.prepared(reference.clone(), now);
                    let Some(loaded) = self.step(loaded, prepared).await? else { return Ok(()) };
                    (loaded, reference)
                }
                Prepared::Not(answer) => return self.react(loaded, Turn::Answered(answer)).await,
            },
        };
        self.execute(loaded, processor, &charge, &reference).await
    }

    /// Commits that the call is about to be made, then makes it.
    async fn execute(
        &self,
        loaded: Loaded,
        processor: &dyn Processor,
        charge: &Charge<'_>,
        reference: &Reference,
    ) -> Result<(), Trouble> {
        let doubted = loaded.request.open_attempt().is_some_and(|attempt| attempt.in_doubt);
        let Some(loaded) = self.step(loaded, Request::started).await? else { return Ok(()) };
        let answer = processor.execute(charge, reference).await;
        if let Answer::Blocked { code } = answer
            && !doubted
        {
            return self.react(loaded, Turn::Untouched(code)).await;
        }
        self.answered(loaded, processor, (charge, reference), answer).await
    }

    /// Reacts to an answer about an attempt that may have acted.
    async fn answered(
        &self,
        loaded: Loaded,
        processor: &dyn Processor,
        what: (&Charge<'_>, &Reference),
        answer: Answer,
    ) -> Result<(), Trouble> {
        if answer != Answer::NeedsCustomer {
            return self.react(loaded, Turn::Answered(answer)).await;
        }
        // The customer could still complete it somewhere else, after another attempt charged: it is made impossible first.
        let answer = match processor.fence(what.0, what.1).await {
            Answer::Fenced => Answer::Refused { code: "authentication_required" },
            Answer::NeedsCustomer => Answer::Unknown,
            fenced @ (Answer::Done(_)
            | Answer::Refused { .. }
            | Answer::Declined { .. }
            | Answer::Invalid { .. }
            | Answer::Blocked { .. }
            | Answer::Again
            | Answer::Working
            | Answer::Unknown
            | Answer::NotExecuted) => fenced,
        };
        self.react(loaded, Turn::Answered(answer)).await
    }

    /// Ends an attempt that has taken too long: a late success is made impossible, or turns out to be there already.
    async fn fence(
        &self,
        processor: &dyn Processor,
        charge: &Charge<'_>,
        what: (&Attempt, &Reference),
    ) -> Answer {
        let (attempt, reference) = what;
        match processor.fence(charge, reference).await {
            // The processor will not talk to us, and had said before that nothing moved.
            Answer::Blocked { .. } if !attempt.in_doubt => Answer::Fenced,
            Answer::NotExecuted => Answer::Again,
            answer @ (Answer::Done(_)
            | Answer::Refused { .. }
            | Answer::Declined { .. }
            | Answer::NeedsCustomer
            | Answer::Invalid { .. }
            | Answer::Blocked { .. }
            | Answer::Again
            | Answer::Working
            | Answer::Unknown
            | Answer::Fenced) => answer,
        }
    }
}

/// Until when a worker has the request.
const fn lease(request: &Request) -> Option<Timestamp> {
    match &request.state {
        State::Processing { lease, .. } => Some(*lease),
        State::Pending | State::Prompted | State::Authorized { .. } | State::Closed { .. } => None,
    }
}

/// An attempt that is not tired was fenced for one reason only: the customer would have had to do more, and whoever fenced
/// it died before that was recorded.
fn looked_up(answer: Answer) -> Answer {
    match answer {
        Answer::Fenced => Answer::Refused { code: "authentication_required" },
        Answer::Done(_)
        | Answer::Refused { .. }
        | Answer::Declined { .. }
        | Answer::NeedsCustomer
        | Answer::Invalid { .. }
        | Answer::Blocked { .. }
        | Answer::Again
        | Answer::Working
        | Answer::Unknown
        | Answer::NotExecuted => answer,
    }
}

/// What is asked of the processor, apart from the request that changes underway.
struct Asked {
    id: RequestId,
    description: String,
    money: domain::values::money::Money,
}
