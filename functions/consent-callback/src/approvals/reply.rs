//! A customer's reply, where it came from, and why it may not be recorded.

use std::sync::Arc;

use domain::authorization::Credential;
use domain::brand::Brand;
use domain::caller::Caller;
use domain::consent::ApprovalMethod;
use domain::outcome::DenialReason;
use domain::problem::{Code, Problem};
use domain::request::{Refusal, Request};
use domain::values::id::{PromptId, RequestId};
use domain::values::time::Timestamp;
use ports::StoreError;
use records::effects::EffectError;
use records::storage::VersionedRequest;

/// A customer's reply to a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomerReply {
    /// The customer approves.
    Approve {
        /// The two digits that the customer picked; `None` when they picked none.
        session_code: Option<String>,
        /// The payment credential that the approval carries.
        payload: ApprovalPayload,
    },
    /// The customer denies.
    Deny(DenialReason),
    /// The customer asks for more time.
    Extend,
}

/// The payment credential that an approval carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApprovalPayload {
    /// Nothing. A saved card is charged; in test mode without one, the default test card.
    Empty,
    /// A test card, in test mode.
    TestCard(String),
    /// Nothing yet. The customer pays on the processor's hosted page.
    Hosted,
    /// The token of a wallet on the consent page.
    Wallet(Credential),
    /// The token of a wallet within the chat. The channel has proven that it asked for this payment.
    InChatPayment(Credential),
}

/// The prompt that a reply answers, and the method by which it was given.
#[derive(Clone, Copy, Debug)]
pub struct ReplySource {
    /// The request that the prompt belongs to.
    pub request: RequestId,
    /// The prompt of the request.
    pub prompt: PromptId,
    /// The customer's way to answer.
    pub method: ApprovalMethod,
}

/// The reason why a reply was not recorded.
#[derive(Debug)]
pub enum ReplyError {
    /// No such request or prompt exists.
    NoSuchPrompt,
    /// The request takes no more replies, or another prompt has replaced this one.
    Refused(Refusal),
    /// The approval lacks the session code that the request needs.
    SessionCodeMissing,
    /// The processor does not take what the approval carries.
    PayloadNotSupported,
    /// A port failed. The same reply may be sent again.
    Failed(Problem),
}

impl From<EffectError> for ReplyError {
    fn from(error: EffectError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<StoreError> for ReplyError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<ReplyError> for Problem {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::NoSuchPrompt => Self::new(Code::NotFound, "there is no such prompt"),
            ReplyError::Refused(Refusal::Late) => {
                Self::new(Code::DeadlinePassed, Refusal::Late.to_string())
            }
            ReplyError::Refused(refusal) => Self::new(Code::ConflictState, refusal.to_string()),
            ReplyError::SessionCodeMissing => {
                Self::new(Code::SessionCodeMissing, "pick the two digits the agent reads out")
            }
            ReplyError::PayloadNotSupported => Self::new(
                Code::AskNotSupported,
                "the processor does not take this approval's payment option",
            ),
            ReplyError::Failed(problem) => problem,
        }
    }
}

/// A request with its brand, and the prompt of it that the customer has in front of them. Each was read once.
pub(crate) struct PromptedRequest {
    /// The request and its version.
    pub(crate) loaded: VersionedRequest,
    /// The request's brand.
    pub(crate) brand: Arc<Brand>,
    /// The prompt; the request may have none of this id.
    pub(crate) prompt: PromptId,
    /// The browser that replies, as evidence; `None` for a reply over a channel.
    pub(crate) visitor: Option<Caller>,
}

/// The input of one decision.
#[derive(Clone, Copy)]
pub(crate) struct DecisionInput<'a> {
    pub(crate) request: &'a Request,
    /// The request's brand.
    pub(crate) brand: &'a Brand,
    /// The time of the decision.
    pub(crate) now: Timestamp,
}
