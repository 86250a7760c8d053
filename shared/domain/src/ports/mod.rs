//! The ports: everything the product can touch, in our own words.
//!
//! Each is a narrow trait. What an implementation must keep is written as laws in [`crate::contract_tests`], stamped over every
//! implementation by one macro per port.

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

/// Why something outside did not work, for the log.
pub type Source = Box<dyn std::error::Error + Send + Sync>;
