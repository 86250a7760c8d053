//! The sandbox's own calls, for an installation that opts into them.

use bytes::Bytes;
use domain::outcome::DenialReason;
use domain::problem::Problem;
use domain::request::Request;
use domain::values::name::{BrandName, ChannelName};
use domain::values::phone::Phone;
use domain::values::prompt_ref::PromptRef;
use http::{HeaderMap, Response};

use super::ProcessorEvent;

/// A reply on the sandbox phone that names its meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SandboxReply {
    /// The customer approves.
    Approve {
        /// The two digits that the customer picked; `None` when they picked none.
        session_code: Option<String>,
        /// The test card that the customer pays with; `None` for a saved card or the default.
        card: Option<String>,
    },
    /// The customer denies.
    Deny(DenialReason),
}

/// A message on the sandbox phone.
#[derive(Clone, Copy, Debug)]
pub struct SandboxMessage<'a> {
    /// The brand whose channel sent the message.
    pub brand: &'a BrandName,
    /// The channel that sent the message.
    pub channel: &'a ChannelName,
    /// The prompt that the message shows, and its request.
    pub prompt: PromptRef,
    /// The phone that has the message.
    pub phone: &'a Phone,
}

/// An event about a message on the sandbox phone, as a channel or a processor reports it.
#[derive(Clone, Debug)]
pub enum SandboxEvent {
    /// The customer tapped the button that carries this postback.
    Tapped(String),
    /// The customer wrote this text.
    Wrote(String),
    /// The channel's provider says that the customer opted out.
    OptedOut,
    /// The request's processor reports this.
    Reported(ProcessorEvent),
}

/// Records what a customer replies on the sandbox phone. It takes replies to requests of test mode only.
///
/// ```
/// use domain::outcome::DenialReason;
/// use domain::problem::Problem;
/// use domain::request::Request;
/// use domain::values::prompt_ref::PromptRef;
/// use ports::{SandboxReplies, SandboxReply};
///
/// /// Denies a prompt, as a tap on "no" does.
/// async fn deny(replies: &dyn SandboxReplies, prompt: PromptRef) -> Result<Request, Problem> {
///     replies.record(prompt, SandboxReply::Deny(DenialReason::Customer)).await
/// }
/// ```
#[async_trait::async_trait]
pub trait SandboxReplies: Send + Sync {
    /// Records a reply, and returns the request afterwards.
    ///
    /// # Errors
    /// A [`Problem`]; nothing was recorded.
    async fn record(&self, prompt: PromptRef, reply: SandboxReply) -> Result<Request, Problem>;

    /// Records an event as a real channel's or processor's, and returns the request afterwards.
    ///
    /// # Errors
    /// A [`Problem`]. An event that does not count is no error.
    async fn record_event(
        &self,
        message: SandboxMessage<'_>,
        event: SandboxEvent,
    ) -> Result<Request, Problem>;
}

/// The path of a message on a sandbox phone.
#[derive(Clone, Copy, Debug)]
pub struct MessagePath<'a> {
    /// The phone's number.
    pub phone: &'a str,
    /// The message's id, which is its prompt's.
    pub id: &'a str,
}

/// A call of the sandbox's OpenID provider.
#[derive(Clone, Copy)]
pub struct IdentityCall<'a> {
    /// The path below `/sandbox/identity/`, such as `token`.
    pub path: &'a str,
    /// The query; may be empty.
    pub query: &'a str,
    /// The headers, of which one may authenticate the client.
    pub headers: &'a HeaderMap,
    /// The posted form; `None` for a `GET`.
    pub form: Option<&'a [u8]>,
}

/// Serves the sandbox phone, the hosted page of the sandbox processor, and the sandbox's OpenID provider.
///
/// ```
/// use bytes::Bytes;
/// use domain::problem::{Code, Problem};
/// use http::{HeaderMap, Response};
/// use ports::{IdentityCall, MessagePath, SandboxReplies, SandboxRoutes};
///
/// /// A sandbox with a hosted page alone.
/// struct PageOnly;
///
/// #[async_trait::async_trait]
/// impl SandboxRoutes for PageOnly {
///     async fn messages(&self, _: &HeaderMap, _: &str) -> Result<Response<Bytes>, Problem> {
///         Err(Problem::new(Code::NotFound, "this sandbox has no phone"))
///     }
///
///     async fn tap(
///         &self,
///         _: &HeaderMap,
///         _: MessagePath<'_>,
///         _: &[u8],
///         _: &dyn SandboxReplies,
///     ) -> Result<Response<Bytes>, Problem> {
///         Err(Problem::new(Code::NotFound, "this sandbox has no phone"))
///     }
///
///     async fn checkout(&self, id: &str, _: Option<&[u8]>) -> Result<Response<Bytes>, Problem> {
///         Ok(Response::new(format!("<title>{id}</title>").into()))
///     }
///
///     async fn identity(&self, _: IdentityCall<'_>) -> Result<Response<Bytes>, Problem> {
///         Err(Problem::new(Code::NotFound, "this sandbox has no OpenID provider"))
///     }
/// }
///
/// let page = pollster::block_on(PageOnly.checkout("cs_test_1", None)).unwrap();
/// assert_eq!(page.body(), "<title>cs_test_1</title>");
/// ```
#[async_trait::async_trait]
pub trait SandboxRoutes: Send + Sync {
    /// Serves `GET /sandbox/phones/{phone}/messages`: the phone's messages, newest first.
    ///
    /// # Errors
    /// A [`Problem`].
    async fn messages(&self, headers: &HeaderMap, phone: &str) -> Result<Response<Bytes>, Problem>;

    /// Serves `POST /sandbox/phones/{phone}/messages/{id}/tap`. `replies` records what the tap says.
    ///
    /// # Errors
    /// A [`Problem`].
    async fn tap(
        &self,
        headers: &HeaderMap,
        path: MessagePath<'_>,
        body: &[u8],
        replies: &dyn SandboxReplies,
    ) -> Result<Response<Bytes>, Problem>;

    /// Serves `GET` and `POST /sandbox/checkout/{id}`. `form` is the posted form, `None` for a `GET`.
    ///
    /// # Errors
    /// A [`Problem`].
    async fn checkout(&self, id: &str, form: Option<&[u8]>) -> Result<Response<Bytes>, Problem>;

    /// Serves `GET` and `POST /sandbox/identity/…`: an OpenID provider for test mode.
    ///
    /// # Errors
    /// A [`Problem`].
    async fn identity(&self, call: IdentityCall<'_>) -> Result<Response<Bytes>, Problem>;
}
