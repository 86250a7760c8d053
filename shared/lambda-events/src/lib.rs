//! Lambda's events: HTTP calls, batches of a queue and what topics tell come in, and the answers Lambda understands go out.
//!
//! **Touches** nothing: whoever runs it hands it an event and a router, a handler or a listener.
//! **Never** decides anything, and never ends the process, whatever an event holds.

mod http;
mod queues;
mod topics;

pub use http::{Answer, Call, answer};
pub use lambda_http::{Context, Error, LambdaEvent};
pub use queues::{Batch, Failure, Record, Report, report};
pub use topics::{NotHeard, Notification, Notifications, answer_or_hear, receive};
