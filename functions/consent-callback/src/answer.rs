//! What follows from the customer's answer, whichever way it came.

use domain::authorization::Authorization;
use domain::brand::Brand;
use domain::consent::{ApprovalMethod, Consent};
use domain::effects::{self, EffectError};
use domain::guards::{self, Guard};
use domain::limits;
use domain::message::Step;
use domain::outcome::DenialReason;
use domain::ports::{StoreError, Write};
use domain::problem::{Code, Problem};
use domain::request::{Change, CodeCheck, Refusal, Request};
use domain::seal;
use domain::storage::{self, VersionedRequest};
use domain::values::id::{ConsentId, PromptId, RequestId};
use domain::values::time::Timestamp;

use crate::ConsentCallback;

/// How often a lost race is decided again.
const RACES_MAX: u32 = 8;

/// What the customer answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes, with the session code they picked and what they gave along with it.
    Approve {
        /// The two digits picked, if any were.
        session_code: Option<String>,
        /// What the yes carries.
        means: Means,
    },
    /// No.
    Deny(DenialReason),
    /// Not yet: more time, please.
    Extend,
}

/// What a customer gives along with a yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    /// Nothing: there is a card on file, or in test mode the usual test card.
    Tap,
    /// A test card, in test mode.
    TestCard(String),
    /// Nothing yet: the rest is given on the processor's own page.
    Hosted,
    /// What a wallet on the page gave.
    Wallet(Authorization),
    /// What a wallet within the channel gave, which the channel has proven that it asked for.
    Paid(Authorization),
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// To which request.
    pub request: RequestId,
    /// To which of its prompts.
    pub prompt: PromptId,
    /// In which way.
    pub method: ApprovalMethod,
}

/// Why an answer was not recorded.
#[derive(Debug)]
pub enum Unanswered {
    /// There is no such request or prompt.
    Absent,
    /// The request is past answers, or the prompt is not in force.
    Refused(Refusal),
    /// A yes without the session code it needs.
    CodeMissing,
    /// A yes that carries something else than the processor takes.
    Unable,
    /// Something outside did not answer: the same answer may be given again.
    Trouble(Problem),
}

impl From<EffectError> for Unanswered {
    fn from(error: EffectError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<StoreError> for Unanswered {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<Unanswered> for Problem {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Absent => Self::new(Code::NotFound, "there is no such prompt"),
            Unanswered::Refused(Refusal::Late) => {
                Self::new(Code::DeadlinePassed, Refusal::Late.to_string())
            }
            Unanswered::Refused(refusal) => Self::new(Code::ConflictState, refusal.to_string()),
            Unanswered::CodeMissing => {
                Self::new(Code::SessionCodeMissing, "pick the two digits the agent reads out")
            }
            Unanswered::Unable => {
                Self::new(Code::AskNotSupported, "the processor needs more than this answer gives")
            }
            Unanswered::Trouble(problem) => problem,
        }
    }
}

/// What a decision is made from.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    /// The request.
    pub(crate) request: &'a Request,
    /// Whose it is.
    pub(crate) brand: &'a Brand,
    /// When.
    pub(crate) now: Timestamp,
}

/// A decision to store, with what goes along with it.
pub(crate) struct Decided {
    change: Change,
    extra: Vec<Write>,
    step: Option<Step>,
}

impl Decided {
    pub(crate) fn into_parts(self) -> (Change, Vec<Write>) {
        (self.change, self.extra)
    }
}

impl ConsentCallback {
    /// Records an answer. The same answer twice is recorded once, and repeats the step that follows from it.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub async fn answer(
        &self,
        given: Given,
        answer: &Answer,
    ) -> Result<VersionedRequest, Unanswered> {
        for _ in 0..RACES_MAX {
            let loaded = storage::load(self.store.as_ref(), given.request)
                .await?
                .ok_or(Unanswered::Absent)?;
            let request = &loaded.request;
            if request.prompt(given.prompt).is_none() {
                return Err(Unanswered::Absent);
            }
            let brand = self.secrets.brand(&request.brand).await;
            let brand = brand.map_err(|error| Unanswered::Trouble(error.into()))?;
            let now = self.clock.now();
            let case = Case { request, brand: &brand, now };
            let decided = self.decide(case, given, answer).await?;
            if decided.step == Some(Step::Fetch) {
                let guarded =
                    effects::schedule_recovery_check(self.queue.as_ref(), request, now).await;
                guarded.map_err(|error| Unanswered::Trouble(error.into()))?;
            }
            let ports = (self.store.as_ref(), self.queue.as_ref());
            let base = Some(loaded.version);
            match effects::apply(ports, base, decided.change, decided.extra, decided.step).await {
                Ok(stored) => return Ok(stored),
                Err(EffectError::Store(StoreError::Conflict)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Unanswered::Trouble(Problem::overtaken()))
    }

    async fn decide(
        &self,
        case: Case<'_>,
        given: Given,
        answer: &Answer,
    ) -> Result<Decided, Unanswered> {
        let Case { request, now, .. } = case;
        let in_force =
            request.prompt(given.prompt).is_some_and(domain::request::PromptRecord::in_force);
        match answer {
            Answer::Extend => {
                let change = request.extend_for_customer(now).map_err(Unanswered::Refused)?;
                Ok(Decided { change, extra: Vec::new(), step: None })
            }
            // A no counts from an older prompt too: nobody who says no is asked to find the newer message first.
            Answer::Deny(reason) => self.no(case, *reason, given.prompt).await,
            Answer::Approve { .. } if !in_force => Err(Unanswered::Refused(Refusal::Prompt)),
            Answer::Approve { session_code, means } => {
                // A second yes changes nothing and repeats the send, in case the first one died before it.
                if request.approval().is_some_and(|(consent, _)| consent.prompt == given.prompt) {
                    return Ok(Decided {
                        change: request.expire(now),
                        extra: Vec::new(),
                        step: Some(Step::Fetch),
                    });
                }
                if !guards::is_disabled(Guard::ApprovalDeadline) {
                    request.answerable(now).map_err(Unanswered::Refused)?;
                }
                match request.check_code(session_code.as_deref()) {
                    CodeCheck::Missing => Err(Unanswered::CodeMissing),
                    CodeCheck::Wrong => {
                        let reason = DenialReason::WrongSessionCode;
                        self.no(case, reason, given.prompt).await
                    }
                    check @ (CodeCheck::Matched | CodeCheck::NotAsked) => {
                        let matched = check == CodeCheck::Matched;
                        self.yes(case, given, (matched, means)).await
                    }
                }
            }
        }
    }

    async fn yes(
        &self,
        case: Case<'_>,
        given: Given,
        (code_matched, means): (bool, &Means),
    ) -> Result<Decided, Unanswered> {
        let Case { request, brand, now } = case;
        let authorization = self.authorization(request, brand, means).await?;
        let sealed = seal::seal(&brand.sealing, request.id, &authorization, self.random.as_ref());
        let sealed = sealed.map_err(|error| {
            tracing::error!(request.id = %request.id, error = %error, "an authorization cannot be sealed");
            Unanswered::Trouble(Problem::new(Code::Internal, "the brand's sealing keys cannot be used"))
        })?;
        let channel = request.prompt(given.prompt).map(|prompt| prompt.channel.clone());
        let mut random = [0_u8; 10];
        self.random.fill(&mut random);
        let consent = Consent {
            id: ConsentId::new(now, random),
            at: now,
            ask_hash: request.ask_hash.clone(),
            prompt: given.prompt,
            channel: channel.ok_or(Unanswered::Absent)?,
            method: given.method,
            code_matched,
        };
        let change = request.approve(consent, sealed, now).map_err(Unanswered::Refused)?;
        Ok(Decided { change, extra: Vec::new(), step: Some(Step::Fetch) })
    }

    /// A no, and what it means for how soon this address may be asked again.
    pub(crate) async fn no(
        &self,
        case: Case<'_>,
        reason: DenialReason,
        prompt: impl Into<Option<PromptId>> + Send,
    ) -> Result<Decided, Unanswered> {
        let Case { request, brand, now } = case;
        let change = request.deny(reason, prompt.into(), now).map_err(Unanswered::Refused)?;
        let mut extra = Vec::new();
        if !change.is_nothing() {
            let (brand_name, mode, address) = (&brand.name, request.mode, &request.address);
            let (limits, base) =
                limits::load(self.store.as_ref(), brand_name, mode, address).await?;
            let reported = reason == DenialReason::NotMe;
            let limits = limits.denied(&brand.policy, reported, now).without(&[request.id], now);
            extra.push(limits::put(brand_name, mode, address, (&limits, base), now)?);
        }
        Ok(Decided { change, extra, step: None })
    }
}
