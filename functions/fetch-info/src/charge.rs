//! One worker's turn at the processor: attempt record, one call that moves money, and a reaction to its answer.

use std::time::Duration;

use domain::authorization::{Authorization, AuthorizationKind};
use domain::brand::{Brand, BrandScope};
use domain::breaker::Account;
use domain::guards::{self, Guard};
use domain::keys;
use domain::ports::{
    Answer, Onward, OpenProcessorError, Prepared, Processor, Reference, SecretsError, Use,
};
use domain::request::{Attempt, Doubt, Request};
use domain::seal::{self, Sealed};
use domain::storage::VersionedRequest;
use domain::values::time::Timestamp;

use crate::gate::{Asked, Said};
use crate::{FetchInfo, Trouble, settle};

/// What one turn came to, before it is recorded.
pub(crate) enum Turn {
    /// The processor's answer.
    Answered(Answer),
    /// The processor refused our account on the first call that would have moved money, so that none has moved.
    Untouched(&'static str),
    /// The account refused us before: nobody calls it for that long, and nothing was sent.
    Shut(Duration),
    /// The processor cannot be opened or asked; nothing was sent.
    Unusable(&'static str),
}

/// What a reaction has to know of the turn it is to.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    /// The attempt as the turn began with it.
    pub(crate) attempt: &'a Attempt,
    /// Who was asked, if anybody.
    pub(crate) asked: Option<Asked<'a>>,
}

impl<'a> Seen<'a> {
    const fn nobody(attempt: &'a Attempt) -> Self {
        Self { attempt, asked: None }
    }
}

impl FetchInfo {
    /// The turn of whoever has just taken the lease.
    pub(crate) async fn turn(&self, loaded: VersionedRequest) -> Result<(), Trouble> {
        let request = &loaded.request;
        let (Some((consent, sealed)), Some(attempt)) =
            (request.approval(), request.open_attempt().cloned())
        else {
            return Ok(());
        };
        let brand = match self.secrets.brand(&request.brand).await {
            Ok(brand) => brand,
            Err(SecretsError::Unknown | SecretsError::Damaged(_)) => {
                return self
                    .react(loaded, Seen::nobody(&attempt), Turn::Unusable("brand_settings"))
                    .await;
            }
            Err(error @ SecretsError::Unavailable(_)) => {
                tracing::warn!(request.id = %request.id, error = %error, "no secret now");
                return self
                    .react(loaded, Seen::nobody(&attempt), Turn::Answered(Answer::Again))
                    .await;
            }
        };
        let authorization = match seal::open(&brand.sealing, request.id, sealed) {
            Ok(authorization) => authorization,
            Err(error) => {
                tracing::error!(request.id = %request.id, error = %error, "an authorization does not open");
                return self
                    .react(loaded, Seen::nobody(&attempt), Turn::Unusable("authorization_lost"))
                    .await;
            }
        };
        let processor = match self.processors.open(&brand, request.mode, &attempt.processor) {
            Ok(processor) => processor,
            Err(OpenProcessorError::Absent | OpenProcessorError::Settings(_)) => {
                return self
                    .react(loaded, Seen::nobody(&attempt), Turn::Unusable("processor_settings"))
                    .await;
            }
        };
        let whose = BrandScope { brand: &brand.name, mode: request.mode };
        let mut account = Account::load(self.store.as_ref(), whose, &attempt.processor).await?;
        if let Some(wait) = account.turn(self.store.as_ref(), self.clock.now()).await?
            && !guards::is_disabled(Guard::CircuitBreaker)
        {
            // It will not talk to us, and said when it last did that nothing moved: then nothing will.
            let over = self.is_tired(request, &attempt) && !attempt.in_doubt;
            let turn = if over { Turn::Answered(Answer::Fenced) } else { Turn::Shut(wait) };
            return self.react(loaded, Seen::nobody(&attempt), turn).await;
        }
        let token = keys::link_token(&brand.link_key, consent.prompt);
        let page = format!("{}/c/{token}", self.public_base);
        let place = (brand.name.as_str(), attempt.processor.as_str());
        let callback = format!("{}/callbacks/{}/{}", self.public_base, place.0, place.1);
        let at = Place { request: request.clone(), attempt, authorization, page, callback };
        let processor = processor.as_ref();
        let turn = Turning { brand: &brand, processor, account: &account, at: &at };
        Box::pin(self.at_processor(loaded, turn)).await
    }

    async fn at_processor(
        &self,
        loaded: VersionedRequest,
        turn: Turning<'_>,
    ) -> Result<(), Trouble> {
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
                    return Box::pin(self.execute(loaded, turn, reference)).await;
                }
                return self
                    .answered(loaded, turn, reference, settled(attempt, tired, answer))
                    .await;
            }
            Some(_) | None if tired => {
                return self.react(loaded, turn.seen(), Turn::Answered(Answer::Fenced)).await;
            }
            Some(_) | None => {}
        }
        let (loaded, reference) = match &attempt.reference {
            Some(reference) => (loaded, reference.clone()),
            None => match processor.prepare(&what).await {
                Prepared::Ready(reference) => {
                    if guards::is_disabled(Guard::CommitBetweenCreateAndConfirm) {
                        processor.execute(&what, &reference).await;
                    }
                    let prepared =
                        |request: &Request, now| request.prepared(reference.clone(), now);
                    let Some(loaded) = self.step(loaded, prepared).await? else { return Ok(()) };
                    (loaded, reference)
                }
                Prepared::Not(answer) => {
                    return self.react(loaded, turn.seen(), Turn::Answered(answer)).await;
                }
            },
        };
        Box::pin(self.execute(loaded, turn, &reference)).await
    }

    /// Commits that the call is about to be made, then makes it. What a code was exchanged for is stored before it is used.
    async fn execute(
        &self,
        mut loaded: VersionedRequest,
        turn: Turning<'_>,
        reference: &Reference,
    ) -> Result<(), Trouble> {
        let doubted = loaded.request.open_attempt().is_some_and(|attempt| attempt.in_doubt);
        // Whoever came back in this moment brought what is to be used instead: that is not marked as used by this turn.
        let carried = turn.at.request.approval().map(|(_, sealed)| sealed.clone());
        let command = |request: &Request, now| {
            if request.approval().map(|(_, sealed)| sealed) == carried.as_ref() {
                request.started(now)
            } else {
                request.released("returned", Doubt::AsBefore, Duration::ZERO, now)
            }
        };
        let started = if guards::is_disabled(Guard::CommitBeforeConfirm) {
            Some(loaded)
        } else {
            self.step(loaded, command).await?
        };
        let Some(started) = started else { return Ok(()) };
        if started.request.approval().map(|(_, sealed)| sealed) != carried.as_ref() {
            return self.take_up_later(&started, turn.at.attempt.again_at).await;
        }
        loaded = started;
        let mut answer = turn.processor.execute(&turn.at.what(), reference).await;
        if let Answer::Exchanged(authorization) = answer {
            let Some(sealed) = self.sealed(&loaded.request, turn.brand, &authorization) else {
                return self.react(loaded, turn.seen(), Turn::Unusable("sealing_keys")).await;
            };
            let exchanged = |request: &Request, now| request.exchanged(sealed.clone(), now);
            let Some(stored) = self.step(loaded, exchanged).await? else { return Ok(()) };
            loaded = stored;
            let what = Use { authorization: &authorization, ..turn.at.what() };
            answer = turn.processor.execute(&what, reference).await;
        }
        if let Answer::Blocked { code } = answer
            && (!doubted || guards::is_disabled(Guard::RejectedKeyKeepsDoubt))
        {
            return self.react(loaded, turn.seen(), Turn::Untouched(code)).await;
        }
        self.answered(loaded, turn, reference, answer).await
    }

    /// Reacts to an answer about an attempt that may have acted.
    async fn answered(
        &self,
        loaded: VersionedRequest,
        turn: Turning<'_>,
        reference: &Reference,
        answer: Answer,
    ) -> Result<(), Trouble> {
        let Answer::NeedsCustomer { onward } = answer else {
            return self.react(loaded, turn.seen(), Turn::Answered(answer)).await;
        };
        // Time may be over, or somebody wants the customer back: then nobody is sent on any more.
        let attempt = loaded.request.open_attempt().unwrap_or(&turn.at.attempt);
        let tired = self.is_tired(&loaded.request, attempt);
        if let Some(Onward(url)) = onward.filter(|_| !tired) {
            let onward = Authorization { kind: AuthorizationKind::Onward, secret: url.into() };
            let Some(sealed) = self.sealed(&loaded.request, turn.brand, &onward) else {
                return self.react(loaded, turn.seen(), Turn::Unusable("sealing_keys")).await;
            };
            return self.send_on(loaded, turn, sealed).await;
        }
        // The customer could still complete it somewhere else, after another attempt charged: it is made impossible first.
        let fenced = if guards::is_disabled(Guard::VoidWithoutRedirect) {
            Answer::Fenced
        } else {
            turn.processor.fence(&turn.at.what(), reference).await
        };
        let answer = match fenced {
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
        self.react(loaded, turn.seen(), Turn::Answered(answer)).await
    }

    /// The customer goes on to the processor's own page; somebody looks again after a while, if nothing is heard before.
    async fn send_on(
        &self,
        loaded: VersionedRequest,
        turn: Turning<'_>,
        sealed: Sealed,
    ) -> Result<(), Trouble> {
        let before = &turn.at.attempt;
        let command = |request: &Request, now: Timestamp| {
            let since = before.onward.as_ref().map_or(now, |onward| onward.at);
            let overtaken = request.open_attempt().is_some_and(|now| settle::is_news(before, now));
            let wait = if overtaken {
                Duration::ZERO
            } else {
                settle::wait_for_customer(since.until(now))
            };
            request.sent_on(sealed.clone(), wait, now)
        };
        if let Some(asked) = turn.seen().asked {
            self.learn(asked, Said::Taken).await;
        }
        let Some(stored) = self.step(loaded, command).await? else { return Ok(()) };
        self.take_up_later(&stored, before.again_at).await
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
        if is_void_disabled(attempt) {
            return Answer::Fenced;
        }
        match processor.fence(what, reference).await {
            // The processor will not talk to us, and had said before that nothing moved.
            Answer::Blocked { .. }
                if !attempt.in_doubt || guards::is_disabled(Guard::RejectedKeyKeepsDoubt) =>
            {
                Answer::Fenced
            }
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

/// Returns whether a mutation run takes the attempt for voided without a call.
fn is_void_disabled(attempt: &Attempt) -> bool {
    let onward = attempt.onward.as_ref();
    let recalled = onward.is_some_and(|onward| onward.recalled.is_some());
    guards::is_disabled(Guard::VoidBeforeGivingUp)
        || (onward.is_some() && guards::is_disabled(Guard::VoidOnHostedPage))
        || (recalled && guards::is_disabled(Guard::VoidAfterAbandon))
}

/// What it means that an attempt that was not given up by us is fenced: the customer would have had to do more, or left the
/// processor's page, and whoever fenced it died before that was recorded.
fn settled(attempt: &Attempt, tired: bool, answer: Answer) -> Answer {
    let away = attempt.onward.as_ref().is_some_and(|onward| onward.returned_at.is_none());
    match answer {
        Answer::Fenced if away => Answer::Refused { code: "customer_left" },
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
    account: &'a Account,
    at: &'a Place,
}

impl<'a> Turning<'a> {
    const fn seen(&self) -> Seen<'a> {
        let Place { attempt, request, .. } = self.at;
        let (brand, account, processor) = (self.brand, self.account, &attempt.processor);
        let asked = Some(Asked { brand, mode: request.mode, processor, account });
        Seen { attempt, asked }
    }
}
