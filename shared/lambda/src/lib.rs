//! Start-up, settings, wiring, and the loop over events on AWS Lambda.
//!
//! **Touches** the Lambda runtime, the environment, the system's clock and its randomness. It makes the clients of the
//! adapters that every function needs: `dynamodb`, `https`, `secretsmanager`, `sqs`.
//! **Never** decides anything: it hands a call to a router and a message to a handler.

mod clock;
mod sdk_http;
mod serve;
mod settings;
mod signer;
mod start;
mod wiring;

pub use lambda_runtime::Error;
pub use serve::{serve_http, serve_http_and_topics, serve_queue};
pub use settings::MissingSettings;
pub use wiring::{Wiring, wire};
