//! The handler of a queue or a topic.

use domain::message::{Message, MessageResult};
use domain::values::time::Timestamp;

/// A function that a queue drives, one message at a time.
///
/// ```
/// use domain::message::{Message, MessageResult, QueueName, Step};
/// use ports::Handler;
///
/// /// Asks for every webhook event again.
/// struct Impatient;
///
/// #[async_trait::async_trait]
/// impl Handler for Impatient {
///     async fn handle(&self, message: &Message) -> MessageResult {
///         match message.queue() {
///             QueueName::Webhooks => MessageResult::Again,
///             _ => MessageResult::Done,
///         }
///     }
/// }
///
/// let step = Step::webhook(1);
/// let message = Message::new(step, "req_01KAR2M8G00000000000000000".parse().unwrap());
/// assert_eq!(pollster::block_on(Impatient.handle(&message)), MessageResult::Again);
/// ```
#[async_trait::async_trait]
pub trait Handler: Send + Sync {
    /// Takes the message's step. A repeat has the same effect as one call.
    async fn handle(&self, message: &Message) -> MessageResult;
}

/// A notification of a topic. Its text may be personal data, so it has no debug form.
#[derive(Clone, Copy)]
pub struct Notification<'a> {
    /// The name of the topic.
    pub topic: &'a str,
    /// The published text.
    pub text: &'a str,
    /// When the text was published, which a repeat has too; `None` where the topic does not report it.
    pub published_at: Option<Timestamp>,
}

/// A function that receives notifications of topics, one at a time.
///
/// ```
/// use domain::message::MessageResult;
/// use ports::{Listener, Notification};
///
/// /// Takes the notifications of one topic, and drops the others.
/// struct OneTopic;
///
/// #[async_trait::async_trait]
/// impl Listener for OneTopic {
///     async fn receive(&self, notification: Notification<'_>) -> MessageResult {
///         let Notification { topic, text, .. } = notification;
///         let is_lost = topic == "assent_acme_rcs" && text.is_empty();
///         if is_lost { MessageResult::Again } else { MessageResult::Done }
///     }
/// }
///
/// let empty = Notification { topic: "assent_acme_rcs", text: "", published_at: None };
/// assert_eq!(pollster::block_on(OneTopic.receive(empty)), MessageResult::Again);
/// ```
#[async_trait::async_trait]
pub trait Listener: Send + Sync {
    /// Receives a notification. A repeat has the same effect as one call.
    async fn receive(&self, notification: Notification<'_>) -> MessageResult;
}

/// A call of a platform that invokes the function itself, such as Amazon Connect.
pub struct Invocation {
    /// The event, as the platform wrote it.
    pub event: serde_json::Value,
    /// The id of the invocation, for logs and journals.
    pub id: String,
    /// The ARN of the function that was invoked.
    pub function_arn: String,
}

/// An invocation that was not done. The platform may repeat it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvocationError(pub &'static str);

/// A function that platforms invoke themselves. It is wired once and then takes every invocation of its process.
///
/// ```
/// use ports::{Invocation, InvocationError, Invocations};
///
/// /// Answers with the event.
/// struct Echo;
///
/// #[async_trait::async_trait]
/// impl Invocations for Echo {
///     async fn invoke(&self, invocation: Invocation) -> Result<serde_json::Value, InvocationError> {
///         Ok(invocation.event)
///     }
/// }
///
/// let invocation =
///     Invocation { event: serde_json::json!({}), id: "a".to_owned(), function_arn: "arn".to_owned() };
/// assert_eq!(pollster::block_on(Echo.invoke(invocation)), Ok(serde_json::json!({})));
/// ```
#[async_trait::async_trait]
pub trait Invocations: Send + Sync {
    /// Answers an invocation. A repeat has the same effect as one call.
    ///
    /// # Errors
    /// [`InvocationError`] where a repeat may help, or where the event is not one of a known platform.
    async fn invoke(&self, invocation: Invocation) -> Result<serde_json::Value, InvocationError>;
}

#[async_trait::async_trait]
impl<T: Invocations + ?Sized> Invocations for std::sync::Arc<T> {
    async fn invoke(&self, invocation: Invocation) -> Result<serde_json::Value, InvocationError> {
        (**self).invoke(invocation).await
    }
}
