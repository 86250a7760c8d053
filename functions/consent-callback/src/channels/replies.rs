//! Finds the request that a customer replies to over a channel, and records the reply.
//!
//! A reply that does not count (any more) is acknowledged and changes nothing, as its provider would only repeat it.

use domain::consent::ApprovalMethod;
use domain::guards;
use domain::guards::Guard;
use domain::outcome::DenialReason;
use domain::postback::{Action, Postback};
use domain::problem::Problem;
use domain::request::Request;
use domain::values::id::{PromptId, RequestId};
use ports::Ports;
use records::effects::EffectError;
use records::storage;
use records::storage::VersionedRequest;
use records::update::{Decision, Updated, commit, update};

use super::contacts::Contacts;
use super::context::ChannelContext;
use crate::approvals::{ApprovalPayload, Approvals, CustomerReply, PromptedRequest, ReplyError};

/// Records customers' replies over channels: button postbacks, texts and payments in the chat.
#[derive(Clone)]
pub(crate) struct Replies {
    pub(super) ports: Ports,
    pub(super) approvals: Approvals,
    pub(super) contacts: Contacts,
}

impl Replies {
    pub(crate) fn new(ports: Ports, approvals: Approvals) -> Self {
        Self { contacts: Contacts::new(ports.clone()), ports, approvals }
    }

    /// Loads the request that a postback of ours names; `None` when it is not this brand's.
    pub(super) async fn find_by_postback(
        &self,
        context: ChannelContext<'_>,
        postback: &str,
    ) -> Result<Option<(Postback, VersionedRequest)>, Problem> {
        let key = &context.brand.link_key;
        let Some(postback) = Postback::read(postback, key) else { return Ok(None) };
        let store = self.ports.store.as_ref();
        let loaded = storage::load(store, postback.reference.request).await?;
        let own = loaded.filter(|loaded| context.is_owner(&loaded.request));
        Ok(own.map(|loaded| (postback, loaded)))
    }

    /// Records a reply. One that does not count is logged and acknowledged like any other.
    ///
    /// The thread answers a tap on a button that no longer counts.
    pub(super) async fn record(
        &self,
        target: &PromptedRequest,
        method: ApprovalMethod,
        reply: &CustomerReply,
    ) -> Result<(), Problem> {
        match self.approvals.record_loaded(target, method, reply).await {
            Ok(_) => Ok(()),
            Err(ReplyError::Failed(problem)) if is_temporary(&problem) => Err(problem),
            Err(error) => {
                let id = target.loaded.request.id;
                tracing::info!(request.id = %id, error = ?error, "reply over a channel ignored");
                match (error, method) {
                    (ReplyError::Refused(_), ApprovalMethod::Tap) => {
                        Box::pin(self.record_spent_tap(id, target.prompt)).await
                    }
                    (
                        ReplyError::Refused(_)
                        | ReplyError::NoSuchPrompt
                        | ReplyError::SessionCodeMissing
                        | ReplyError::PayloadNotSupported
                        | ReplyError::Failed(_),
                        _,
                    ) => Ok(()),
                }
            }
        }
    }

    /// Records that a tapped button no longer counted, which the thread says once for each prompt.
    async fn record_spent_tap(&self, id: RequestId, prompt: PromptId) -> Result<(), Problem> {
        let updated = update(&self.ports, id, |request, now| -> Result<_, EffectError> {
            let change = request.record_spent_tap(prompt, now);
            if change.is_nothing() {
                return Ok(Decision::Stop(()));
            }
            Ok(commit(change).with_recovery_check().into())
        });
        match updated.await? {
            Updated::Stored(_) | Updated::Stopped(()) | Updated::Absent => Ok(()),
        }
    }
}

/// Returns the reply that a button means.
///
/// `None` for a button that opens the page, and for an approval that needs the page.
pub(super) fn reply_of(request: &Request, action: Action) -> Option<CustomerReply> {
    let approve =
        |session_code| CustomerReply::Approve { session_code, payload: ApprovalPayload::Empty };
    match action {
        Action::Deny => Some(CustomerReply::Deny(DenialReason::Customer)),
        Action::NotMe => Some(CustomerReply::Deny(DenialReason::NotMe)),
        Action::Open if guards::is_disabled(Guard::OpenIsNoApproval) => {
            Some(approve(request.session_code.as_ref().map(|session| session.code.clone())))
        }
        Action::Open => None,
        Action::Approve | Action::Pick(_) if !request.by_tap => None,
        Action::Approve => Some(approve(None)),
        Action::Pick(place) => {
            let code = request.session_code.as_ref()?.picks()?.get(usize::from(place))?;
            Some(approve(Some(code.clone())))
        }
    }
}

/// Returns whether the same reply, sent again, may find the cause of the problem gone.
pub(super) const fn is_temporary(problem: &Problem) -> bool {
    problem.code.facts().1 >= 500
}
