//! The ports: everything that the product can touch, each a narrow trait.
//!
//! The contract tests of [`crate::contract_tests`] hold every implementation, by one macro per port.

mod bundle;
mod callback;
mod channel;
mod clock;
mod http;
mod processor;
mod processor_webhook;
mod queue;
mod sandbox_page;
mod secrets;
mod signer;
mod store;

pub use bundle::Ports;
pub use callback::{
    Callback, CallbackError, CallbackReply, PromptSelector, Proof, Received, Sender,
    UnverifiedCallback,
};
pub use channel::{
    Accepted, Button, ButtonAction, Capability, Channel, Channels, Labels, OpenChannelError,
    Prompt, PromptRef, ReceiptKinds, Resend, Retraction, SendError,
};
pub use clock::{Clock, Random};
pub use http::{ClientIdentity, Http, HttpError, Reach};
pub use processor::{
    ApplePay, CardReceipt, ClaimsReceipt, Confirmed, Created, Fetched, GooglePay,
    OpenProcessorError, PaymentOption, Processor, Processors, Receipt, RedirectUrl, Reference,
    Refund, RefundResult, ReportedResult, Retrieved, Use, VoidResult,
};
pub use processor_webhook::{ProcessorEvent, VerifiedWebhook, WebhookResponse};
pub use queue::{Queue, QueueError, delay_seconds};
pub use sandbox_page::{SandboxPage, SandboxPages, SandboxVisit};
pub use secrets::{Secrets, SecretsError};
pub use signer::{SignError, Signer};
pub use store::{Expect, Item, Key, Order, Page, Range, Store, StoreError, Write};

/// The cause of a failure, for the log.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// Returns an error and its causes as one line for a log.
///
/// ```
/// let error: domain::ports::Source = "setting `secret_key` is missing".into();
/// assert_eq!(domain::ports::error_chain(error.as_ref()), "setting `secret_key` is missing");
/// ```
#[must_use]
pub fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
