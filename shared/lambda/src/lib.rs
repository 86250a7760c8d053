//! Start-up, settings, and the loop over events on AWS Lambda.
//!
//! **Touches** the Lambda runtime, the environment, the system's clock and its randomness.
//! **Never** decides anything: it hands a call to a router and a message to a handler.

mod clock;
mod sdk_http;
mod serve;
mod settings;
mod signer;
mod start;

pub use clock::{SystemClock, SystemRandom};
pub use lambda_runtime::Error;
pub use serve::{serve_http, serve_http_and_topics, serve_queue};
pub use settings::{MissingSettings, settings};
pub use signer::RoleSigner;
pub use start::{AWS_ANSWER_BYTES, start};
