//! The ports: everything the product can touch, in our own words.
//!
//! Each is a narrow trait. What an implementation must keep is written as laws in [`crate::laws`], stamped over every
//! implementation by one macro per port.

mod channel;
mod clock;
mod http;
mod processor;
mod queue;
mod secrets;
mod signer;
mod store;

pub use channel::{
    About, Accepted, Button, Callback, CallbackError, CallbackReply, Capability, Channel, Channels,
    Does, Labels, OpenChannelError, Prompt, PromptRef, Proof, ReceiptKinds, Received, Resend,
    Retraction, SendError, Sender, UnverifiedCallback,
};
pub use clock::{Clock, Random};
pub use http::{Http, HttpError, Reach};
pub use processor::{
    Answer, Charge, Needs, OpenProcessorError, Prepared, Processor, Processors, Receipt, Reference,
};
pub use queue::{Queue, QueueError, delay_seconds};
pub use secrets::{Secrets, SecretsError};
pub use signer::{SignError, Signer};
pub use store::{Expect, Item, Key, Order, Page, Range, Store, StoreError, Write};

/// Why something outside did not work, for the log.
pub type Source = Box<dyn std::error::Error + Send + Sync>;
