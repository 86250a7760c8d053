//! Records what the providers of channels report: receipts, replies, opt-outs.
//!
//! The call order goes one way: `webhooks` and `topics` call `replies`, `recipients`, `opt_out` and `receipts`, which call
//! `contacts`.

mod contacts;
mod context;
mod entry;
mod listening;
mod opt_out;
mod postbacks;
mod receipts;
mod recipients;
mod replies;
mod routing;
mod text_replies;
mod topics;
mod webhooks;

pub(crate) use context::ChannelContext;
pub use topics::Topics;
pub use webhooks::ChannelWebhooks;
