//! The ports: everything that the product can touch, each a narrow trait.
#![doc = include_str!("../README.md")]

mod bundle;
mod button;
mod callback;
mod channel;
mod clock;
#[cfg(feature = "contract-tests")]
pub mod contract_tests;
mod handler;
mod http;
mod mail;
mod preview;
mod problem;
mod processor;
mod processor_webhook;
mod queue;
mod sandbox;
mod secrets;
mod signer;
mod store;

use domain::processor_result::ReportedResult;
use domain::random::Random;
use domain::values::prompt_ref::PromptRef;

pub use bundle::Ports;
pub use button::{Button, ButtonAction, Labels};
pub use callback::{
    Callback, CallbackError, CallbackReply, MessageOrigin, OPTED_OUT, OUTSIDE_WINDOW,
    PromptSelector, Proof, ReceivedWebhook, Sender, UnverifiedCallback,
};
pub use channel::{
    AcceptedPrompt, AddressKind, Addressee, Capability, Channel, Channels, OpenChannelError,
    Prompt, ReceiptKinds, Resend, Retraction, SendError, ThreadMessage,
};
pub use clock::Clock;
pub use handler::{Handler, Invocation, InvocationError, Invocations, Listener, Notification};
pub use http::{BodyHead, ClientIdentity, Http, HttpError, LiveHttp, PlainHttp, Reach};
pub use mail::MailParts;
pub use preview::{MessageForm, MessagePreview};
pub use processor::{
    ApplePay, AttemptContext, CARD_NOT_KEPT, Confirmed, Created, DetachResult, Fulfillment,
    GooglePay, LateReversal, OpenProcessorError, PaymentOption, Processor, Processors, RedirectUrl,
    Refund, RefundResult, Rejection, RequestLabels, Retrieved, UnsupportedAmount, UnsupportedLabel,
    VoidResult,
};
pub use processor_webhook::{
    ChargeSelector, IgnoredPart, ProcessorEvent, VerifiedWebhook, WebhookResponse,
};
pub use queue::{Outgoing, Queue, QueueError, delay_seconds};
pub use sandbox::{
    IdentityCall, MessagePath, SandboxEvent, SandboxMessage, SandboxReplies, SandboxReply,
    SandboxRoutes,
};
pub use secrets::{Secrets, SecretsError};
pub use signer::{SignError, Signer};
pub use store::{Expect, Item, Key, Order, Page, Range, Store, StoreError, Write};

/// The target of the audit stream: log lines of which each tells one act, by whom and from where.
///
/// A line holds no personal data. Its fields have names without dots, so that metric filters can read them. It is written
/// at every level of the log.
pub const AUDIT: &str = "audit";

/// The target of metrics: log lines of which each counts or measures one thing, and that hold no personal data.
///
/// Where nothing collects them, they are not written.
pub const METRICS: &str = "metrics";

/// The cause of a failure, for the log.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// Returns an error and its causes as one line for a log.
///
/// ```
/// let error: ports::Source = "setting `secret_key` is missing".into();
/// assert_eq!(ports::error_chain(error.as_ref()), "setting `secret_key` is missing");
/// ```
#[must_use]
pub fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
