//! Start-up, settings, events in and answers out on AWS Lambda.
//!
//! **Touches** the Lambda runtime, the environment, the system's clock and its randomness.
//! **Never** decides anything: it hands a call to a router and a message to a handler.

mod clock;
mod http_events;
mod queue_events;
mod sdk_http;
mod settings;
mod signer;
mod start;

pub use clock::{SystemClock, SystemRandom};
pub use http_events::{Answer, Call, answer, serve_http};
pub use lambda_runtime::Error;
pub use queue_events::{Batch, Report, report, serve_queue};
pub use settings::{MissingSettings, settings};
pub use signer::RoleSigner;
pub use start::{AWS_ANSWER_BYTES, start};
