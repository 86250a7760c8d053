//! One worker's turn at the processor: lease, attempt record, one call that moves money, and a reaction to its answer.
//!
//! The order is what makes a charge happen at most once: each step is committed before it is taken, and a worker that lost
//! its lease finds out at its next commit.

use std::time::Duration;

use domain::authorization::{Authorization, AuthorizationKind};
use domain::brand::Brand;
use domain::effects::{self, send};
use domain::keys;
use domain::message::Step;
use domain::ports::{
    Answer, Onward, Prepared, Processor, Reference, SecretsError, StoreError, Use, Write,
};
use domain::request::{Attempt, Change, Refusal, Request, State};
use domain::seal::{self, Sealed};
use domain::storage::{self, Loaded};
use domain::values::id::RequestId;
use domain::values::time::Timestamp;

use crate::{FetchInfo, Trouble, settle};

/// How often a commit that lost a race is decided again: more than a request has receipts.
const RACES_MAX: u32 = 32;

/// A customer on the processor's page is looked after this often at least.
const AWAY_MAX: Duration = Duration::from_secs(15);

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
        loaded: Loaded,
        command: impl Fn(&Request, Timestamp) -> Result<Change, Refusal>,
    ) -> Result<Option<Loaded>, Trouble> {
        self.step_with(loaded, command, Vec::new()).await
    }

    /// The same, with what is written along with it.
    pub(crate) async fn step_with(
        &self,
        mut loaded: Loaded,
        command: impl Fn(&Request, Timestamp) -> Result<Change, Refusal>,
        extra: Vec<Write>,
    ) -> Result<Option<Loaded>, Trouble> {
        let ours = lease(&loaded.request);
        for _ in 0..RACES_MAX {
            let Ok(change) = command(&loaded.request, self.clock.now()) else { return Ok(None) };
            match self.apply_with(&loaded, change, extra.clone()).await {
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
        self.apply_with(loaded, change, Vec::new()).await
    }

    async fn apply_with(
        &self,
        loaded: &Loaded,
        change: Change,
        extra: Vec<Write>,
    ) -> Result<Loaded, Trouble> {
        let ports = (self.store.as_ref(), self.queue.as_ref());
        Ok(effects::apply(ports, Some(loaded.version), change, extra, None).await?)
    }

    async fn turn(&self, loaded: Loaded) -> Result<(), Trouble> {
        let request = &loaded.request;
        let (Some((consent, sealed)), Some(attempt)) =
            (request.granted(), request.open_attempt().cloned())
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
        let token = keys::link_token(&brand.link_key, consent.prompt);
        let page = format!("{}/c/{token}", self.public_base);
        let place = (brand.name.as_str(), attempt.processor.as_str());
        let callback = format!("{}/callbacks/{}/{}", self.public_base, place.0, place.1);
        let at = Place { request: request.clone(), attempt, authorization, page, callback };
        let turn = Turning { brand: &brand, processor: processor.as_ref(), at: &at };
        Box::pin(self.at_processor(loaded, turn)).await
    }

    async fn at_processor(&self, loaded: Loaded, turn: Turning<'_>) -> Result<(), Trouble> {
        let (processor, what, attempt) = (turn.processor, turn.at.what(), &turn.at.attempt);
        let tired = self.is_tired(&turn.at.request, attempt);
        match &attempt.reference {
            // Once the call may have been made, the processor is asked what became of it before it is made again.
            Some(reference) if attempt.started_at.is_some() => {
                let answer = if tired {
                    self.fence(processor, &what, (attempt, reference)).await
                } else {
                    processor.look_up(&what, reference).await
                };
                if answer == Answer::NotExecuted {
                    return self.execute(loaded, turn, reference).await;
                }
                return self
                    .answered(loaded, turn, reference, settled(attempt, tired, answer))
                    .await;
            }
            Some(_) | None if tired => {
                return self.react(loaded, Turn::Answered(Answer::Fenced)).await;
            }
            Some(_) | None => {}
        }
        let (loaded, reference) = match &attempt.reference {
            Some(reference) => (loaded, reference.clone()),
            None => match processor.prepare(&what).await {
                Prepared::Ready(reference) => {
                    let prepared =
                        |request: &Request, now| request.prepared(reference.clone(), now);
                    let Some(loaded) = self.step(loaded, prepared).await? else { return Ok(()) };
                    (loaded, reference)
                }
                Prepared::Not(answer) => return self.react(loaded, Turn::Answered(answer)).await,
            },
        };
        self.execute(loaded, turn, &reference).await
    }

    /// Commits that the call is about to be made, then makes it. What a code was exchanged for is stored before it is used.
    async fn execute(
        &self,
        mut loaded: Loaded,
        turn: Turning<'_>,
        reference: &Reference,
    ) -> Result<(), Trouble> {
        let doubted = loaded.request.open_attempt().is_some_and(|attempt| attempt.in_doubt);
        let Some(started) = self.step(loaded, Request::started).await? else { return Ok(()) };
        loaded = started;
        let mut answer = turn.processor.execute(&turn.at.what(), reference).await;
        if let Answer::Exchanged(authorization) = answer {
            let Some(sealed) = self.sealed(&loaded.request, turn.brand, &authorization) else {
                return self.react(loaded, Turn::Unusable("sealing_keys")).await;
            };
            let exchanged = |request: &Request, now| request.exchanged(sealed.clone(), now);
            let Some(stored) = self.step(loaded, exchanged).await? else { return Ok(()) };
            loaded = stored;
            let what = Use { authorization: &authorization, ..turn.at.what() };
            answer = turn.processor.execute(&what, reference).await;
        }
        if let Answer::Blocked { code } = answer
            && !doubted
        {
            return self.react(loaded, Turn::Untouched(code)).await;
        }
        self.answered(loaded, turn, reference, answer).await
    }

    /// Reacts to an answer about an attempt that may have acted.
    async fn answered(
        &self,
        loaded: Loaded,
        turn: Turning<'_>,
        reference: &Reference,
        answer: Answer,
    ) -> Result<(), Trouble> {
        let Answer::NeedsCustomer { onward } = answer else {
            return self.react(loaded, Turn::Answered(answer)).await;
        };
        // Time may be over, or somebody wants the customer back: then nobody is sent on any more.
        let tired = self.is_tired(&loaded.request, &turn.at.attempt);
        if let Some(Onward(url)) = onward.filter(|_| !tired) {
            let onward = Authorization { kind: AuthorizationKind::Onward, secret: url.into() };
            let Some(sealed) = self.sealed(&loaded.request, turn.brand, &onward) else {
                return self.react(loaded, Turn::Unusable("sealing_keys")).await;
            };
            return self.send_on(loaded, sealed).await;
        }
        // The customer could still complete it somewhere else, after another attempt charged: it is made impossible first.
        let answer = match turn.processor.fence(&turn.at.what(), reference).await {
            Answer::Fenced => Answer::Refused { code: "authentication_required" },
            Answer::NeedsCustomer { .. } | Answer::Exchanged(_) => Answer::Unknown,
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

    /// The customer goes on to the processor's own page; somebody looks again after a while, if nothing is heard before.
    async fn send_on(&self, loaded: Loaded, sealed: Sealed) -> Result<(), Trouble> {
        let sent_on = |request: &Request, now| request.sent_on(sealed.clone(), now);
        let Some(stored) = self.step(loaded, sent_on).await? else { return Ok(()) };
        let Some(attempt) = stored.request.open_attempt() else { return Ok(()) };
        let wait = settle::wait(attempt).clamp(Duration::from_secs(2), AWAY_MAX);
        Ok(send(self.queue.as_ref(), Step::Fetch, stored.request.id, wait).await?)
    }

    /// Sealed for the request, with the brand's current key.
    pub(crate) fn sealed(
        &self,
        request: &Request,
        brand: &Brand,
        authorization: &Authorization,
    ) -> Option<Sealed> {
        match seal::seal(&brand.sealing, request.id, authorization, self.random.as_ref()) {
            Ok(sealed) => Some(sealed),
            Err(error) => {
                tracing::error!(request.id = %request.id, error = %error, "the brand's sealing keys cannot be used");
                None
            }
        }
    }

    /// Ends an attempt that has taken too long: a late success is made impossible, or turns out to be there already.
    async fn fence(
        &self,
        processor: &dyn Processor,
        what: &Use<'_>,
        (attempt, reference): (&Attempt, &Reference),
    ) -> Answer {
        match processor.fence(what, reference).await {
            // The processor will not talk to us, and had said before that nothing moved.
            Answer::Blocked { .. } if !attempt.in_doubt => Answer::Fenced,
            Answer::NotExecuted => Answer::Again,
            Answer::NeedsCustomer { .. } | Answer::Exchanged(_) => Answer::Unknown,
            answer @ (Answer::Done(_)
            | Answer::Refused { .. }
            | Answer::Declined { .. }
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

/// What it means that an attempt that was not given up by us is fenced: the customer would have had to do more, or left the
/// processor's page, and whoever fenced it died before that was recorded.
fn settled(attempt: &Attempt, tired: bool, answer: Answer) -> Answer {
    let sent_on = attempt.onward.is_some();
    match answer {
        Answer::Fenced if sent_on => Answer::Refused { code: "customer_left" },
        Answer::Fenced if tired => Answer::Fenced,
        Answer::Fenced => Answer::Refused { code: "authentication_required" },
        Answer::Done(_)
        | Answer::Refused { .. }
        | Answer::Declined { .. }
        | Answer::NeedsCustomer { .. }
        | Answer::Exchanged(_)
        | Answer::Invalid { .. }
        | Answer::Blocked { .. }
        | Answer::Again
        | Answer::Working
        | Answer::Unknown
        | Answer::NotExecuted => answer,
    }
}

/// What a turn stands on: the request as it was when the turn began, and what is made of it.
struct Place {
    request: Request,
    attempt: Attempt,
    authorization: Authorization,
    page: String,
    callback: String,
}

impl Place {
    fn what(&self) -> Use<'_> {
        Use {
            request: self.request.id,
            generation: self.attempt.generation,
            ask: &self.request.ask,
            authorization: &self.authorization,
            customer: &self.request.address,
            page: &self.page,
            callback: &self.callback,
            begun_at: self.attempt.at,
            away: self.attempt.onward.is_some(),
            redeemed: self.attempt.onward.as_ref().is_some_and(|onward| onward.redeemed),
            told: self.attempt.told.as_ref(),
        }
    }
}

/// One turn: whose, where, and on what.
#[derive(Clone, Copy)]
struct Turning<'a> {
    brand: &'a Brand,
    processor: &'a dyn Processor,
    at: &'a Place,
}
