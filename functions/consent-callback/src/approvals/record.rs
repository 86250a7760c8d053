//! Records replies: loads the request, decides, stores, and decides again after a conflict.

use std::convert::Infallible;

use domain::consent::{ApprovalMethod, Consent};
use domain::guards;
use domain::guards::Guard;
use domain::message::Step;
use domain::outcome::DenialReason;
use domain::problem::{Code, Problem};
use domain::request::{CodeCheck, Refusal};
use domain::seal;
use domain::seal_binding::Binding;
use domain::values::id::{ConsentId, PromptId, RequestId};
use records::storage;
use records::storage::VersionedRequest;
use records::update::{Commit, Decision, Updated, commit, update_async};

use super::reply::{
    ApprovalPayload, CustomerReply, DecisionInput, PromptedRequest, ReplyError, ReplySource,
};
use super::{Approvals, denial};

/// An approval before it is checked against the processor's payment options.
#[derive(Clone, Copy)]
struct Approval<'a> {
    prompt: PromptId,
    method: ApprovalMethod,
    session_code_matched: bool,
    payload: &'a ApprovalPayload,
}

impl Approvals {
    /// Records a reply. The same reply twice is recorded once, and sends the step that follows from it again.
    ///
    /// # Errors
    /// [`ReplyError`]; nothing was recorded.
    pub async fn record(
        &self,
        source: ReplySource,
        reply: &CustomerReply,
    ) -> Result<VersionedRequest, ReplyError> {
        let target = self.load(source.request, source.prompt).await.map_err(ReplyError::Failed)?;
        let target = target.ok_or(ReplyError::NoSuchPrompt)?;
        self.record_loaded(&target, source.method, reply).await
    }

    /// Loads a request with its brand; `None` when the store has no such request.
    pub(crate) async fn load(
        &self,
        request: RequestId,
        prompt: PromptId,
    ) -> Result<Option<PromptedRequest>, Problem> {
        let loaded = storage::load(self.ports.store.as_ref(), request).await?;
        let Some(loaded) = loaded else { return Ok(None) };
        let brand = self.ports.secrets.brand(&loaded.request.brand).await?;
        Ok(Some(PromptedRequest { loaded, brand, prompt, visitor: None }))
    }

    /// Records a reply to a request that was read a moment ago. It reads the request again only after a conflict.
    ///
    /// # Errors
    /// [`ReplyError`]; nothing was recorded.
    pub(crate) async fn record_loaded(
        &self,
        target: &PromptedRequest,
        method: ApprovalMethod,
        reply: &CustomerReply,
    ) -> Result<VersionedRequest, ReplyError> {
        let (brand, prompt) = (target.brand.as_ref(), target.prompt);
        let decide = |loaded: VersionedRequest, now| async move {
            let input = DecisionInput { request: &loaded.request, brand, now };
            let source = ReplySource { request: loaded.request.id, prompt, method };
            let commit = self.decide(input, source, reply).await?;
            let commit = match &target.visitor {
                Some(visitor) => commit.caused_by(visitor),
                None => commit,
            };
            Ok::<_, ReplyError>(Decision::<Infallible>::Commit(commit))
        };
        match update_async(&self.ports, target.loaded.clone(), decide).await? {
            Updated::Stored(stored) => Ok(stored),
            Updated::Absent => Err(ReplyError::NoSuchPrompt),
            Updated::Stopped(never) => match never {},
        }
    }

    async fn decide(
        &self,
        input: DecisionInput<'_>,
        source: ReplySource,
        reply: &CustomerReply,
    ) -> Result<Commit, ReplyError> {
        let DecisionInput { request, now, .. } = input;
        let prompt = request.prompt(source.prompt).ok_or(ReplyError::NoSuchPrompt)?;
        match reply {
            CustomerReply::Extend => {
                Ok(commit(request.extend_for_customer(now).map_err(ReplyError::Refused)?))
            }
            // A denial counts from an older prompt too: a customer who denies need not find the newer message first.
            CustomerReply::Deny(reason) => self.deny(input, *reason, source).await,
            CustomerReply::Approve { .. } if !prompt.in_force() => {
                Err(ReplyError::Refused(Refusal::Prompt))
            }
            CustomerReply::Approve { session_code, payload } => {
                // A second approval changes nothing and sends the step again, in case the first worker died before it.
                if request.approval().is_some_and(|(consent, _)| consent.prompt == source.prompt) {
                    let unchanged = commit(request.expire(now));
                    return Ok(unchanged.then(Step::Fetch).with_recovery_check());
                }
                if !guards::is_disabled(Guard::ApprovalDeadline) {
                    request.answerable(now).map_err(ReplyError::Refused)?;
                }
                let session_code_matched = match request.check_code(session_code.as_deref()) {
                    CodeCheck::Missing => return Err(ReplyError::SessionCodeMissing),
                    CodeCheck::Wrong => {
                        let reason = DenialReason::WrongSessionCode;
                        return self.deny(input, reason, source).await;
                    }
                    CodeCheck::Matched => true,
                    CodeCheck::NotAsked => false,
                };
                let ReplySource { method, .. } = source;
                let prompt = source.prompt;
                self.approve(input, Approval { prompt, method, session_code_matched, payload })
                    .await
            }
        }
    }

    /// Decides on an approval: seals its authorization and records the consent with its evidence.
    async fn approve(
        &self,
        input: DecisionInput<'_>,
        approval: Approval<'_>,
    ) -> Result<Commit, ReplyError> {
        let DecisionInput { request, brand, now } = input;
        let prompt = request.prompt(approval.prompt).ok_or(ReplyError::NoSuchPrompt)?;
        if !request.is_prompt_genuine(prompt, &brand.link_key) {
            tracing::error!(request.id = %request.id, "C1: prompt was not sent with this ask to this customer");
            return Err(ReplyError::Refused(Refusal::Prompt));
        }
        let authorization =
            self.authorization(request, brand, approval.prompt, approval.payload).await?;
        let random = self.ports.random.as_ref();
        let mut bytes = [0_u8; 10];
        random.fill(&mut bytes);
        let consent = Consent {
            id: ConsentId::new(now, bytes),
            at: now,
            ask_hash: request.ask_hash.clone(),
            prompt: approval.prompt,
            channel: prompt.channel.clone(),
            method: approval.method,
            code_matched: approval.session_code_matched,
            signature: None,
        };
        let consent = consent.sign(brand, request).map_err(|error| {
            tracing::error!(request.id = %request.id, error = %error, "failed to sign a consent");
            ReplyError::Failed(Problem::new(
                Code::Internal,
                "failed to sign the consent; check `consent` in the brand's secrets",
            ))
        })?;
        let binding = Binding::approval(request, &consent, request.next_attempt_no());
        let sealed = seal::seal(brand, &binding, &authorization, random).map_err(|error| {
            tracing::error!(request.id = %request.id, error = %error, "failed to seal an authorization");
            ReplyError::Failed(Problem::new(Code::Internal, seal::FAILED))
        })?;
        let change = request.approve(consent, sealed, now).map_err(ReplyError::Refused)?;
        Ok(commit(change).then(Step::Fetch).with_recovery_check())
    }

    async fn deny(
        &self,
        input: DecisionInput<'_>,
        reason: DenialReason,
        source: ReplySource,
    ) -> Result<Commit, ReplyError> {
        denial::deny(self.ports.store.as_ref(), input, reason, Some(source)).await
    }
}
