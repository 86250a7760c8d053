#![doc = include_str!("../README.md")]

mod http;
mod invocations;
mod queues;
mod topics;

pub use http::{Answer, Call, answer};
pub use invocations::answer_or_invoke;
pub use lambda_http::{Context, Error, LambdaEvent};
pub use queues::{Batch, Failure, Record, Report, report};
pub use topics::{Notification, NotificationError, Notifications, answer_or_receive, receive};
