//! The sandbox's own calls, and the replies that customers give on its phone. An installation opts into them.
//!
//! A tap that brings back a postback goes through `channels`, exactly as a real channel's would.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::brand::Mode;
use domain::consent::ApprovalMethod;
use domain::problem::{Code, Problem};
use domain::request::Request;
use domain::values::prompt_ref::PromptRef;
use http::{HeaderMap, Response};
use ports::{
    Callback, IdentityCall, MessageOrigin, MessagePath, OPTED_OUT, Ports, SandboxEvent,
    SandboxMessage, SandboxReplies, SandboxReply, SandboxRoutes,
};
use records::storage;

use crate::approvals::{ApprovalPayload, Approvals, CustomerReply, ReplyError};
use crate::channels::{ChannelContext, ChannelWebhooks};
use crate::processors::ProcessorWebhooks;

/// The calls under `/sandbox/`. Where the installation has no sandbox, each is not found.
#[derive(Clone)]
pub struct SandboxCalls {
    routes: Option<Arc<dyn SandboxRoutes>>,
    replies: PhoneReplies,
}

impl SandboxCalls {
    pub(crate) const fn new(
        routes: Option<Arc<dyn SandboxRoutes>>,
        ports: Ports,
        approvals: Approvals,
        channels: ChannelWebhooks,
        processors: ProcessorWebhooks,
    ) -> Self {
        Self { routes, replies: PhoneReplies { ports, approvals, channels, processors } }
    }

    fn routes(&self) -> Result<&dyn SandboxRoutes, Problem> {
        let disabled = || Problem::new(Code::NotFound, "this installation has no sandbox");
        self.routes.as_deref().ok_or_else(disabled)
    }

    /// Serves the messages of a sandbox phone.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn messages(
        &self,
        headers: &HeaderMap,
        phone: &str,
    ) -> Result<Response<Bytes>, Problem> {
        self.routes()?.messages(headers, phone).await
    }

    /// Serves a tap on a message of a sandbox phone.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn tap(
        &self,
        headers: &HeaderMap,
        path: MessagePath<'_>,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        self.routes()?.tap(headers, path, body, &self.replies).await
    }

    /// Serves the hosted page of the sandbox processor. `form` is the posted form, `None` for a `GET`.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn checkout(
        &self,
        id: &str,
        form: Option<&[u8]>,
    ) -> Result<Response<Bytes>, Problem> {
        self.routes()?.checkout(id, form).await
    }

    /// Serves the sandbox's OpenID provider.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn identity(&self, call: IdentityCall<'_>) -> Result<Response<Bytes>, Problem> {
        self.routes()?.identity(call).await
    }
}

/// Records replies on the sandbox phone.
#[derive(Clone)]
struct PhoneReplies {
    ports: Ports,
    approvals: Approvals,
    channels: ChannelWebhooks,
    processors: ProcessorWebhooks,
}

#[async_trait]
impl SandboxReplies for PhoneReplies {
    async fn record(&self, prompt: PromptRef, reply: SandboxReply) -> Result<Request, Problem> {
        let reply = match reply {
            SandboxReply::Approve { session_code, card } => {
                let payload = card.map_or(ApprovalPayload::Empty, ApprovalPayload::TestCard);
                CustomerReply::Approve { session_code, payload }
            }
            SandboxReply::Deny(reason) => CustomerReply::Deny(reason),
        };
        let target = self.approvals.load(prompt.request, prompt.prompt).await?;
        let of_test_mode = target.filter(|target| target.loaded.request.mode == Mode::Test);
        let target = of_test_mode.ok_or(ReplyError::NoSuchPrompt)?;
        let method = ApprovalMethod::SandboxTap;
        Ok(self.approvals.record_loaded(&target, method, &reply).await?.request)
    }

    async fn record_event(
        &self,
        message: SandboxMessage<'_>,
        event: SandboxEvent,
    ) -> Result<Request, Problem> {
        let SandboxMessage { brand, channel, prompt, phone } = message;
        let brand = self.ports.secrets.brand(brand).await?;
        let context = ChannelContext { brand: &brand, mode: Mode::Test, channel };
        let origin = MessageOrigin::from(phone.clone());
        let callback = match event {
            SandboxEvent::Tapped(postback) => {
                Some(Callback::Tapped { postback, label: None, origin })
            }
            SandboxEvent::Wrote(text) => Some(Callback::Wrote { origin, text, intent: None }),
            SandboxEvent::OptedOut => Some(Callback::Failed(prompt.into(), OPTED_OUT)),
            SandboxEvent::Reported(event) => {
                let request = self.load(prompt).await?;
                self.processors.record_played(&brand, &request, event).await?;
                None
            }
        };
        self.channels.record_all(context, callback.into_iter().collect(), false).await?;
        self.load(prompt).await
    }
}

impl PhoneReplies {
    async fn load(&self, prompt: PromptRef) -> Result<Request, Problem> {
        let loaded = storage::load(self.ports.store.as_ref(), prompt.request).await?;
        let gone = || Problem::new(Code::NotFound, "the message's request was deleted");
        Ok(loaded.ok_or_else(gone)?.request)
    }
}
